/* SPDX-License-Identifier: GPL-2.0-only */
/* The lessons of `nsview demo` in which something is tried, a row each. */
#ifndef NSVIEW_CMD_DEMO_TRIAL_SCENES_H
#define NSVIEW_CMD_DEMO_TRIAL_SCENES_H

#include <stddef.h>

#include "cmd/demo_trials.h"

extern const struct trial_scene trial_scenes[];
extern const size_t trial_scenes_count;

#endif
