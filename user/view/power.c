/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/power.h"

#include <stddef.h>

#include "base/mem.h"
#include "bpf/event.h"
#include "model/model.h"
#include "view/container_fields.h"
#include "view/proc_fields.h"

static void power_add_caps(struct power *power, const struct view_context *view,
			   const struct proc *proc)
{
	uint64_t drift = 0;
	enum value_kind kind;

	if (proc->unknown & FIELD_BIT(FIELD_CAPS)) {
		power->is_caps_unknown = true;
		power->is_drift_unknown = true;
		return;
	}
	power->caps[proc_reach(view, proc)] |= proc->task->caps[CAP_SET_EFFECTIVE];
	kind = proc_drift_known(view, proc, &drift);
	power->drift |= drift;
	power->has_declared |= kind == VALUE_CAPS;
	power->is_drift_unknown |= kind == VALUE_UNKNOWN;
}

void power_add(struct power *power, const struct view_context *view, const struct proc *proc)
{
	uint32_t surface = 0;
	enum value_kind kind;

	power_add_caps(power, view, proc);
	kind = proc_surface(view, proc, &surface);
	power->is_surface_unknown |= kind == VALUE_UNKNOWN;
	if (kind != VALUE_WORDS)
		return;
	power->has_surface = true;
	power->surface |= surface;
}

void power_caps(const struct power *power, struct value *value)
{
	static const enum caps_reach worst_first[] = {REACH_HOST, REACH_UNKNOWN, REACH_USERNS};

	value->kind = power->is_caps_unknown ? VALUE_UNKNOWN : VALUE_CAPS;
	value->cut = CUT_NOT;
	value->caps.mask = 0;
	value->caps.reach = REACH_HOST;
	value->caps.declared = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(worst_first) && !value->caps.mask; i++) {
		value->caps.reach = worst_first[i];
		value->caps.mask = power->caps[worst_first[i]];
	}
}
