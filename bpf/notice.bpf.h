/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Noticing, in passing, what no hook has told: every program looks at the current task before it
 * tells of its own concern.
 */
#ifndef NSVIEW_NOTICE_BPF_H
#define NSVIEW_NOTICE_BPF_H

#include "tell_look.bpf.h"

static __noinline int notice_tell(const struct look *look, const struct memory *memory,
				  struct telling *telling)
{
	u32 changed = telling->changed;
	u8 hook = telling->hook;

	if (changed & CHANGES_CRED) {
		telling->action = EVENT_CREDENTIALS;
		/* An execve that failed after it had replaced them, or hangs. */
		if (look->cred == memory->exec_cred)
			telling->hook = HOOK_EXEC;
		telling->changed = changed & CHANGES_CRED;
		tell_look(look, memory, telling);
	}
	if (changed & CHANGES_NS) {
		telling->action = EVENT_NAMESPACES;
		telling->hook = hook;
		telling->changed = changed & CHANGES_NS;
		telling->is_urgent = true;
		tell_look(look, memory, telling);
	}
	return 0;
}

/*
 * Looks at a task, tells what is not as remembered, and remembers it. telling: of the program that
 * does so. NULL: it has no memory, and is not to have one or there is no room.
 */
static __always_inline struct memory *notice_as(struct look *look, struct task_struct *task,
						struct telling *telling, bool is_staying)
{
	struct memory *memory = remember_find(task);

	look_take(look, task, memory, BPF_CORE_READ(task, real_cred), BPF_CORE_READ(task, nsproxy),
		  telling->is_typed);
	if (memory) {
		telling->changed = look_compare(look, memory);
		if (telling->changed)
			notice_tell(look, memory, telling);
	} else if (is_staying) {
		memory = remember_make(task, (struct memory *)&memory_blank);
	}
	if (memory)
		look_remember(look, memory);
	return memory;
}

static __always_inline struct memory *notice(struct look *look, struct task_struct *task, u32 hook,
					     u32 tier, bool is_staying)
{
	struct telling telling = {
		.flags = EVENT_INFERRED,
		.hook = hook,
		.tier = tier,
		.syscall = -1,
		.is_typed = false,
	};

	return notice_as(look, task, &telling, is_staying);
}

#endif
