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

/* A struct telling, and CHANGE_CHILDREN or not, as numbers: global functions of 5.10 take no
 * pointers. */
static __always_inline u64 tell_pack(const struct telling *telling)
{
	return telling->action | (u64)telling->hook << 8 | (u64)telling->tier << 16 |
	       (u64)telling->is_urgent << 24 | (u64)telling->flags << 32 | (u64)telling->slot << 48;
}

static __always_inline u64 tell_pack_call(const struct telling *telling)
{
	return (u16)telling->syscall | (u64)(u16)telling->error << 16;
}

static __always_inline struct telling tell_unpack(u64 packed, u64 call)
{
	return (struct telling){
		.action = packed,
		.hook = packed >> 8,
		.tier = packed >> 16,
		.is_urgent = packed >> 24 & 1,
		.flags = packed >> 32,
		.slot = packed >> 48,
		.syscall = call,
		.error = call >> 16,
	};
}

/*
 * An event of what the last look of the current task found, with `before` from its memory where
 * something changed: look->told of it, and look->map_ns of an EVENT_IDMAP.
 */
__weak __noinline int tell_packed(u64 packed, u64 call)
{
	struct telling telling = tell_unpack(packed, call);
	const struct memory *memory = remember_read(telling.slot);
	struct look *look = look_here(telling.slot);
	struct emission out;

	if (!memory || !look)
		return 0;
	emit_begin(&out, look->draft, DRAFT_ROOM);
	tell_who(&out, look, &telling, look->told);
	if (kernel_forget(look->told))
		tell_before(&out, memory);
	if (kernel_forget(look->told) & CHANGE_CHILDREN || kernel_forget(look->map_ns))
		tell_children(&out, look, memory, look->map_ns);
	emit_send(&out, DRAFT_ROOM, telling.hook, telling.is_urgent);
	return 0;
}

static __always_inline void tell_look(struct look *look, const struct telling *telling, u32 told,
				      u32 map_ns)
{
	look->told = told;
	look->map_ns = map_ns;
	tell_packed(tell_pack(telling), tell_pack_call(telling));
}

#endif
