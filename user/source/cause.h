/* SPDX-License-Identifier: GPL-2.0-only */
/* Why something changed, from what the event itself says. */
#ifndef NSVIEW_SOURCE_CAUSE_H
#define NSVIEW_SOURCE_CAUSE_H

#include <stdbool.h>

#include "wire/wire.h"

/* is_exact: a hook would have told of this task's credentials, and nothing was missed since nsview
 * last looked at it (docs/unexplained.md); then nobody's change is `unexplained`, else `other`. */
enum event_cause cause_of(const struct event *event, bool is_exact);

#endif
