/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Noticing, in passing, what no hook has told: every program looks at the current task before it
 * tells of its own concern.
 */
#ifndef NSVIEW_NOTICE_BPF_H
#define NSVIEW_NOTICE_BPF_H

#include "tell_look.bpf.h"

static __always_inline void notice_tell(const struct look *look, const struct memory *memory,
					struct telling *telling)
{
	u8 hook = telling->hook;

	if (kernel_forget(look->changed) & CHANGES_CRED) {
		telling->action = EVENT_CREDENTIALS;
		/* An execve that failed after it had replaced them, or hangs. */
		if (look->cred == memory->exec_cred)
			telling->hook = HOOK_EXEC;
		tell_look(look, memory, telling, look->changed & CHANGES_CRED, 0);
		telling->hook = hook;
	}
	if (kernel_forget(look->changed) & CHANGES_NS) {
		telling->action = EVENT_NAMESPACES;
		telling->is_urgent = true;
		tell_look(look, memory, telling, look->changed & CHANGES_NS, 0);
	}
}

/*
 * Looks at the current task (memory->look), tells what is not as remembered, and remembers it.
 * telling: of the program that does so. NULL: there is no room for a memory.
 */
static __always_inline struct memory *notice_as(struct telling *telling)
{
	struct task_struct *task = telling->task;
	struct memory *memory = remember_find(task);

	if (memory) {
		look_take(&memory->look, task, memory, telling->is_typed);
		look_compare(&memory->look, memory);
		if (kernel_forget(memory->look.changed))
			notice_tell(&memory->look, memory, telling);
	} else {
		memory = remember_make(task, (struct memory *)&memory_blank);
		if (!memory)
			return 0;
		look_take(&memory->look, task, 0, telling->is_typed);
		memory->look.changed = 0;
	}
	look_remember(&memory->look, memory);
	return memory;
}

static __always_inline struct memory *notice(struct task_struct *task, u32 hook, u32 tier,
					     bool is_typed)
{
	struct telling telling = {
		.task = task,
		.flags = EVENT_INFERRED,
		.hook = hook,
		.tier = tier,
		.syscall = -1,
		.is_typed = is_typed,
	};
	struct memory *memory = notice_as(&telling);

	if (!memory)
		emit_count_lost(hook);
	return memory;
}

/* The same without telling: the caller tells what of memory->look.changed is its concern, and
 * remembers that. */
static __always_inline struct memory *notice_later(struct task_struct *task, bool is_typed)
{
	struct memory *memory = remember_find(task);

	if (memory) {
		look_take(&memory->look, task, memory, is_typed);
		look_compare(&memory->look, memory);
		return memory;
	}
	memory = remember_make(task, (struct memory *)&memory_blank);
	if (memory) {
		look_take(&memory->look, task, 0, is_typed);
		look_remember(&memory->look, memory);
		memory->look.changed = 0;
	}
	return memory;
}

#endif
