/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of an event that come from a look at its task.
 */
#ifndef NSVIEW_TELL_BPF_H
#define NSVIEW_TELL_BPF_H

#include "emit.bpf.h"
#include "kernel.bpf.h"
#include "look.bpf.h"
#include "maps.bpf.h"
#include "task.bpf.h"

struct telling {
	struct task_struct *task;
	u16 flags; /* enum event_flag */
	s16 error;
	s16 syscall;
	u8 action;
	u8 hook;
	u8 tier;
	bool is_urgent; /* the reader is woken at once */
	bool is_typed;  /* the task's pointer */
};

static __always_inline u64 tell_aligned(u64 size)
{
	return (size + 7) & ~7ULL;
}

static __always_inline u64 tell_groups_size(u64 kept)
{
	/* The last chunk is placed whole. */
	return kept ? (kept * sizeof(u32) + EMIT_CHUNK - 1) & ~(EMIT_CHUNK - 1ULL) : 0;
}

/* Bytes for what tell_head and tell_identity add. */
static __always_inline u64 tell_identity_size(const struct look *look)
{
	u64 size = sizeof(struct event_record) + sizeof(struct task_identity) +
		   sizeof(struct pid_level);

	size += look->pid_depth * sizeof(struct pid_level);
	size += tell_groups_size(look->now.groups_kept);
	if (look->now.user_ns_level)
		size += sizeof(struct id_block);
	return size;
}

static __always_inline u64 tell_before_size(const struct memory *memory)
{
	return sizeof(struct event_before) + tell_groups_size(memory->seen.groups_kept);
}

static __always_inline void tell_parent(struct event_record *record, struct task_struct *task)
{
	struct task_struct *parent = BPF_CORE_READ(task, real_parent);

	record->ppid = BPF_CORE_READ(parent, tgid);
	record->parent_start_boot_ns = BPF_CORE_READ(parent, group_leader, start_boottime);
}

/* What every event begins with. */
static __always_inline void tell_head(struct emission *out, const struct telling *telling,
				      u32 pid_depth, u32 changed)
{
	struct event_record *record = emit_place(out, 0, sizeof(*record));
	struct event_counters *counted = emit_counters();
	struct task_struct *task = telling->task;

	if (!record)
		return;
	record->time_boot_ns = bpf_ktime_get_boot_ns();
	record->sequence = 0;
	record->lost = counted ? counted->lost : 0;
	record->start_boot_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	record->cpu = bpf_get_smp_processor_id();
	record->tgid = kernel_number(telling->is_typed, task, tgid);
	record->tid = kernel_number(telling->is_typed, task, pid);
	record->changed = changed;
	record->error = telling->error;
	record->syscall = telling->syscall;
	record->flags = telling->flags;
	record->chain_count = pid_depth + 1;
	record->action = telling->action;
	record->hook = telling->hook;
	record->tier = telling->tier;
	record->cause = CAUSE_NONE;
	*(u32 *)record->pad = 0;
	tell_parent(record, task);
}

static __always_inline void tell_chain(struct emission *out, const struct look *look)
{
	struct pid_level *level = emit_place(out, PART_CHAIN, sizeof(*level));
	struct pid *pid = (void *)look->pid;
	struct upid *upid = pid_level_at(pid, 0);
	u32 i;

	if (!level)
		return;
	level->ns = HOST_PID_NS;
	level->pid = BPF_CORE_READ(upid, nr);
	for (i = 1; i < PID_LEVELS_MAX; i++) {
		if (i > kernel_forget(look->pid_depth))
			break;
		level = emit_place(out, PART_CHAIN, sizeof(*level));
		if (!level)
			break;
		upid = pid_level_at(pid, i);
		level->pid = BPF_CORE_READ(upid, nr);
		level->ns = BPF_CORE_READ(upid, ns, ns.inum);
	}
}

/* kept: GROUPS_KEPT at most. */
static __always_inline void tell_groups(struct emission *out, u32 part, const u32 *groups, u64 kept)
{
	u64 i;

	for (i = 0; i < GROUPS_KEPT; i += EMIT_CHUNK / sizeof(u32)) {
		if (i >= kept)
			break;
		emit_chunk(out, part, groups + i, (kept - i) * sizeof(u32));
	}
}

static __always_inline void tell_terminal(struct task_identity *to, struct signal_struct *signal)
{
	struct tty_struct *tty = BPF_CORE_READ(signal, tty);
	struct tty_driver *driver;

	to->tty_major = 0;
	to->tty_minor = 0;
	if (!tty)
		return;
	driver = BPF_CORE_READ(tty, driver);
	to->tty_major = BPF_CORE_READ(driver, major);
	to->tty_minor = BPF_CORE_READ(driver, minor_start) + BPF_CORE_READ(tty, index);
}

static __always_inline u32 tell_parent_inside(const struct look *look, struct task_struct *task)
{
	struct task_struct *parent = BPF_CORE_READ(task, real_parent);

	if (!look->pid_depth)
		return BPF_CORE_READ(parent, tgid);
	return task_parent_inside((void *)look->pid,
				  BPF_CORE_READ(parent, signal, pids[PIDTYPE_TGID]));
}

static __always_inline void tell_own(struct task_identity *to, const struct look *look,
				     struct task_struct *task, bool is_typed)
{
	to->in_ppid = tell_parent_inside(look, task);
	to->flags = kernel_number(is_typed, task, flags) & PF_KTHREAD ? TASK_KTHREAD : 0;
	to->loginuid = kernel_task_loginuid(task, is_typed);
	to->sessionid = kernel_task_sessionid(task, is_typed);
	tell_terminal(to, BPF_CORE_READ(task, signal));
	bpf_core_read(to->comm, sizeof(to->comm), &task->comm);
	to->comm[COMM_SIZE - 1] = 0;
}

static __always_inline void tell_identity(struct emission *out, const struct look *look,
					  const struct telling *telling)
{
	struct task_identity *to = emit_place(out, PART_IDENTITY, sizeof(*to));
	const struct event_before *now = &look->now;

	if (!to)
		return;
	__builtin_memcpy(to->caps, now->caps, sizeof(to->caps));
	to->cgroup_id = look->cgroup_id;
	to->ids = now->ids;
	__builtin_memcpy(to->ns, now->ns, sizeof(to->ns));
	to->securebits = now->securebits;
	to->user_ns_level = now->user_ns_level;
	to->user_ns_owner = now->user_ns_owner;
	to->groups_total = now->groups_total;
	to->groups_kept = now->groups_kept;
	to->chain_count = look->pid_depth + 1;
	to->cgroup_length = 0;
	to->cgroup_hierarchy = look->cgroup_hierarchy;
	to->no_new_privs = now->no_new_privs;
	to->seccomp = now->seccomp;
	__builtin_memset(to->identity_pad, 0, sizeof(to->identity_pad));
	tell_own(to, look, telling->task, telling->is_typed);
}

static __always_inline void tell_inside(struct emission *out, const struct look *look)
{
	struct id_block *inside = emit_place(out, PART_IN_IDS, sizeof(*inside));

	if (inside)
		task_ids_inside(&inside->uid, &look->now.ids.uid, (void *)look->user_ns);
}

/* The head, and who it is. */
static __always_inline void tell_who(struct emission *out, const struct look *look,
				     const struct telling *telling, u32 changed)
{
	tell_head(out, telling, look->pid_depth, changed);
	tell_identity(out, look, telling);
	tell_chain(out, look);
	tell_groups(out, PART_GROUPS,
		    (u32 *)(look->group_info + bpf_core_field_offset(struct group_info, gid)),
		    look->now.groups_kept);
	if (look->now.user_ns_level)
		tell_inside(out, look);
}

static __always_inline void tell_before(struct emission *out, const struct memory *memory)
{
	struct event_before *before = emit_place(out, PART_BEFORE, sizeof(*before));

	if (!before)
		return;
	*before = memory->seen;
	tell_groups(out, PART_BEFORE_GROUPS, memory->groups, memory->seen.groups_kept);
}

#endif
