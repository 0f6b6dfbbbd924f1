/* SPDX-License-Identifier: GPL-2.0-only */
/* The event of a change, whole: everything but exec, exit and control groups is told so. */
#ifndef NSVIEW_TELL_LOOK_BPF_H
#define NSVIEW_TELL_LOOK_BPF_H

#include "tell.bpf.h"

static __always_inline void tell_children(struct emission *out, const struct look *look,
					  const struct memory *memory, u32 map_ns)
{
	struct event_children *children = emit_place(out, PART_CHILDREN, sizeof(*children));

	if (!children)
		return;
	children->pid_ns = look->children_pid_ns;
	children->time_ns = look->children_time_ns;
	children->before_pid_ns = memory->children_pid_ns;
	children->before_time_ns = memory->children_time_ns;
	children->map_ns = map_ns;
	children->pad = 0;
}

/* Sizes that fit: a host's process; one in a container; with before; everything. */
static __always_inline bool tell_reserve(struct emission *out, u64 size, u32 hook)
{
	u64 room = size <= 280 ? 280 : size <= 344 ? 344 : size <= 568 ? 568 : 1152;

	return emit_reserve(out, room, hook);
}

/*
 * An event of what a look found, with `before` from memory where something changed. `changed` is
 * what of look->changed this event is about. map_ns: of an EVENT_IDMAP.
 */
static __noinline int tell_look(const struct look *look, const struct memory *memory,
				const struct telling *telling, u32 changed, u32 map_ns)
{
	u64 size = tell_identity_size(look);
	struct emission out;

	if (changed)
		size += tell_before_size(memory);
	if (changed & CHANGE_CHILDREN || map_ns)
		size += sizeof(struct event_children);
	if (!tell_reserve(&out, size, telling->hook))
		return 0;
	tell_who(&out, look, telling, changed);
	if (changed)
		tell_before(&out, memory);
	if (changed & CHANGE_CHILDREN || map_ns)
		tell_children(&out, look, memory, map_ns);
	emit_end(&out, telling->hook, telling->is_urgent);
	return 0;
}

#endif
