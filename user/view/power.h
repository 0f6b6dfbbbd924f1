/* SPDX-License-Identifier: GPL-2.0-only */
/* What several processes may do together: rows of ps --by and groups of the live table. */
#ifndef NSVIEW_VIEW_POWER_H
#define NSVIEW_VIEW_POWER_H

#include <stdbool.h>
#include <stdint.h>

#include "view/value.h"

struct proc;
struct view_context;

/* Zero-initialise. */
struct power {
	uint64_t caps[REACH_UNKNOWN + 1]; /* effective, by where they count */
	uint64_t drift;
	uint32_t surface; /* bits of proc_surface */
	bool is_caps_unknown;
	bool is_drift_unknown;
	bool is_surface_unknown;
	bool has_surface;
	bool has_declared;
};

void power_add(struct power *power, const struct view_context *view, const struct proc *proc);

/* The effective ones that count on the host, if any does: they are what the group may do to it. */
void power_caps(const struct power *power, struct value *value);

#endif
