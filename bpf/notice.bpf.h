/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Noticing, in passing, what no hook has told: every program looks at the current task before it
 * tells of its own concern.
 */
#ifndef NSVIEW_NOTICE_BPF_H
#define NSVIEW_NOTICE_BPF_H

#include "tell_look.bpf.h"

static __always_inline void notice_tell(struct memory *memory, struct telling *telling)
{
	u32 changed = kernel_forget(memory->look.changed);
	u8 hook = telling->hook;

	if (changed & CHANGES_CRED) {
		telling->action = EVENT_CREDENTIALS;
		/* An execve that failed after it had replaced them, or hangs. */
		if (memory->look.cred == memory->exec_cred)
			telling->hook = HOOK_EXEC;
		tell_look(&memory->look, telling, changed & CHANGES_CRED, 0);
		telling->hook = hook;
	}
	if (changed & CHANGES_NS) {
		telling->action = EVENT_NAMESPACES;
		telling->is_urgent = true;
		tell_look(&memory->look, telling, changed & CHANGES_NS, 0);
	}
}

/*
 * Tells what a look at the current task (memory->look) found that is not as remembered, and
 * remembers it. telling: of the program that does so. NULL: there is no room for a memory.
 */
static __always_inline struct memory *notice_as(struct telling *telling, int result)
{
	struct memory *memory = remember_find(kernel_current());

	if (!memory)
		emit_count_lost(telling->hook);
	if (!memory || result != LOOK_COMPARED)
		return memory;
	if (kernel_forget(memory->look.changed))
		notice_tell(memory, telling);
	look_keep();
	return memory;
}

static __always_inline struct memory *notice(u32 hook, u32 tier)
{
	struct telling telling = {
		.flags = EVENT_INFERRED,
		.hook = hook,
		.tier = tier,
		.syscall = -1,
	};

	return notice_as(&telling, look_whole());
}

/* For programs that tell of a cgroup, too. */
static __always_inline struct memory *notice_telling(u32 hook, u32 tier)
{
	struct telling telling = {
		.flags = EVENT_INFERRED,
		.hook = hook,
		.tier = tier,
		.syscall = -1,
	};

	return notice_as(&telling, look_whole_telling());
}

#endif
