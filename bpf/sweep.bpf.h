/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the task iterator does for who listens: every thread gets a memory, and what differs from
 * it without any hook having told becomes an event, written beside the records of the snapshot.
 *
 * A sweep looks from another CPU, perhaps between a hook and the assignment that it announced, or
 * in the middle of an execve. So it only notes a difference, and the next one tells it, if it is
 * still there and no hook has looked at the thread in between.
 */
#ifndef NSVIEW_SWEEP_BPF_H
#define NSVIEW_SWEEP_BPF_H

#include "notice.bpf.h"

/* Given by user space before each iteration; from 1. */
unsigned int sweep_number __weak = 0;

/* One run at a time: see tasks.bpf.c. */
static struct {
	struct event_record record;
	char rest[1152];
} sweep_scratch;

static struct look sweep_look;

static __always_inline void sweep_fill(struct emission *out, const struct look *look,
				       const struct memory *memory, const struct telling *telling,
				       u32 changed)
{
	struct event_record *record = &sweep_scratch.record;

	out->record = record;
	out->room = sizeof(sweep_scratch);
	record->header.size = 0;
	record->header.type = RECORD_EVENT;
	record->header.pad = 0;
	record->parts = 0;
	tell_who(out, look, telling, changed);
	tell_before(out, memory);
	if (changed & CHANGE_CHILDREN)
		tell_children(out, look, memory, 0);
}

static __always_inline long sweep_tell(struct seq_file *seq, const struct memory *memory, u8 action,
				       u32 changed)
{
	const struct look *look = &sweep_look;
	struct telling telling = {
		.action = action,
		.hook = HOOK_SWEEP,
		.tier = TIER_ITERATOR,
		.flags = EVENT_INFERRED,
		.syscall = -1,
	};
	struct emission out;
	u64 size;

	if (action == EVENT_CREDENTIALS && look->cred == memory->exec_cred)
		telling.hook = HOOK_EXEC;
	sweep_fill(&out, look, memory, &telling, changed);
	size = kernel_forget(sweep_scratch.record.header.size);
	if (kernel_forget(sweep_scratch.record.header.pad) || size > sizeof(sweep_scratch))
		return 0;
	return bpf_seq_write(seq, &sweep_scratch, size);
}

/* false: there was no room, and the program will run for this task again. */
static __always_inline bool sweep_tell_all(struct seq_file *seq, const struct memory *memory)
{
	u32 changed = kernel_forget(sweep_look.changed);

	if (changed & CHANGES_CRED &&
	    sweep_tell(seq, memory, EVENT_CREDENTIALS, changed & CHANGES_CRED))
		return false;
	if (changed & CHANGES_NS && sweep_tell(seq, memory, EVENT_NAMESPACES, changed & CHANGES_NS))
		return false;
	return true;
}

/* Not the next owner's of the place. */
static __always_inline struct memory *sweep_memory(struct task_struct *task)
{
	return task->flags & PF_EXITING ? 0 : remember_find(task);
}

static __always_inline void sweep_mark(struct task_struct *task, u32 number, u32 looks)
{
	struct memory *memory = sweep_memory(task);

	if (!memory)
		return;
	memory->sweep = number;
	memory->sweep_looks = looks;
}

static __always_inline void sweep_compare(struct seq_file *seq, struct task_struct *task,
					  const struct memory *known)
{
	struct memory *memory;

	look_compare(&sweep_look, known, true);
	if (!kernel_forget(sweep_look.changed)) {
		if (known->sweep)
			sweep_mark(task, 0, 0);
		return;
	}
	if (!known->sweep || known->sweep_looks != known->looks) {
		sweep_mark(task, sweep_number, known->looks);
		return;
	}
	/* The same sweep, run for this task again. */
	if (known->sweep == sweep_number)
		return;
	if (!sweep_tell_all(seq, known))
		return;
	memory = sweep_memory(task);
	if (!memory)
		return;
	memory->group_info = 0; /* copied anew, though the list be the same */
	look_remember(&sweep_look, memory);
	memory->sweep = 0;
}

static __always_inline void sweep_see(struct seq_file *seq, struct task_struct *task)
{
	const struct memory *known = remember_read_at(task, kernel_address((u64)task), HOOK_SWEEP);
	struct memory *memory;

	if (!known || task->flags & PF_EXITING)
		return;
	look_keys(&sweep_look, task, 0, true);
	look_cgroup(&sweep_look, task, known, true);
	look_own(&sweep_look, task, true);
	if (remember_is_known(known)) {
		sweep_compare(seq, task, known);
		return;
	}
	memory = remember_make_kept(task);
	if (memory) {
		look_remember(&sweep_look, memory);
		memory->is_threaded = 1;
	}
}

#endif
