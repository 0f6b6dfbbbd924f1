/* SPDX-License-Identifier: GPL-2.0-only */
/* Sizes and durations as they are typed. */
#ifndef NSVIEW_CMD_UNITS_H
#define NSVIEW_CMD_UNITS_H

#include <stdint.h>

/* "8m", "64k", "1g", "2048": powers of 1024. -EINVAL: it is none, or does not fit. */
int units_size(const char *text, uint64_t *bytes);

/* "10s", "500ms", "2m", "1h", "10": seconds. -EINVAL: it is none, or does not fit. */
int units_duration(const char *text, uint64_t *ns);

#endif
