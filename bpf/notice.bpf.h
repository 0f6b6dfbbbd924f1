/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Noticing, in passing, what no hook has told: every program looks at the current task before it
 * tells of its own concern.
 */
#ifndef NSVIEW_NOTICE_BPF_H
#define NSVIEW_NOTICE_BPF_H

#include "tell_look.bpf.h"

static __always_inline void notice_tell(struct look *look, const struct memory *memory,
					struct telling *telling)
{
	u32 changed = kernel_forget(look->changed);
	u8 hook = telling->hook;

	if (changed & CHANGES_CRED) {
		telling->action = EVENT_CREDENTIALS;
		/* An execve that failed after it had replaced them, or hangs. */
		if (look->cred == memory->exec_cred)
			telling->hook = HOOK_EXEC;
		tell_look(look, telling, changed & CHANGES_CRED, 0);
		telling->hook = hook;
	}
	if (changed & CHANGES_NS) {
		telling->action = EVENT_NAMESPACES;
		telling->is_urgent = true;
		tell_look(look, telling, changed & CHANGES_NS, 0);
	}
}

/*
 * Tells what a look at the current task found that is not as remembered, and remembers it. NULL:
 * there is no room for a memory, and the event that was to come is counted as lost.
 */
static __always_inline struct memory *notice_as(struct look *look, struct telling *telling,
						int result)
{
	struct memory *memory = remember_find_current();

	if (!memory)
		emit_count_lost(telling->hook);
	if (!memory || result != LOOK_COMPARED)
		return memory;
	if (kernel_forget(look->changed)) {
		notice_tell(look, memory, telling);
		look_keep(telling->slot);
	}
	return memory;
}

static __always_inline struct telling notice_telling(u32 slot, u32 hook, u32 tier)
{
	return (struct telling){
		.flags = EVENT_INFERRED,
		.hook = hook,
		.tier = tier,
		.syscall = -1,
		.slot = slot,
	};
}

/* look: look_here(slot). */
static __always_inline struct memory *notice(struct look *look, u32 slot, u32 hook, u32 tier)
{
	struct telling telling = notice_telling(slot, hook, tier);

	return notice_as(look, &telling, look_whole(slot));
}

/* For programs that tell nothing of the current task but which it is. */
static __always_inline struct memory *notice_briefly(struct look *look, u32 slot, u32 hook,
						     u32 tier)
{
	struct telling telling = notice_telling(slot, hook, tier);

	return notice_as(look, &telling, look_brief(slot));
}

/* The system call that the current task is in. */
static __always_inline void notice_call(struct telling *telling)
{
	struct task_struct *task = kernel_current();

	telling->syscall = kernel_syscall(task);
	if (kernel_is_32bit(task))
		telling->flags |= EVENT_32BIT;
}

/* After a system call: what it changed is look->changed, still to be told and remembered. NULL:
 * there is nothing to compare with. */
static __always_inline struct memory *notice_after(struct look *look, u32 slot)
{
	if (!look || look_whole(slot) != LOOK_COMPARED)
		return 0;
	return remember_find_current();
}

#endif
