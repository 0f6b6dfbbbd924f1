/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A snapshot: the task iterator runs this for every thread of the system, and what it writes is
 * what user space reads.
 *
 * Records are put together in plain global memory. That is safe for this program alone: each
 * nsview loads an object of its own, its one reader reads one iterator at a time, and an
 * iterator's file is locked while it is read, so no two runs ever overlap, preempted or not.
 *
 * When the kernel's buffer is full it drops what this run wrote, hands the buffer out and runs
 * the program again for the same task: so nothing here may remember a task between runs, except
 * after the last write has succeeded (sweep.bpf.h).
 */
#include "vmlinux.h"

#include "cgroup.bpf.h"
#include "kernel.bpf.h"
#include "maps.bpf.h"
#include "memory.bpf.h"
#include "task.bpf.h"
#ifdef SNAPSHOT_ONLY /* for who has no use for events: loads in a third of the time less */
#define sweep_see(seq, task)
#else
#include "sweep.bpf.h"
#endif

#define TAIL_MASK 511  /* covers the chain and the groups, 392 bytes at most */
#define GROUPS_MASK 63 /* covers GROUPS_KEPT */
#define TAIL_ROOM (TAIL_MASK + CGROUP_PATH_MAX + 8)

static struct {
	struct task_record record;
	char tail[TAIL_ROOM];
	u64 used; /* of the tail */
} tasks_scratch;

/* Where the tail goes on. Masked, not checked: nothing branches, so nothing is verified twice. */
static __always_inline u64 tasks_tail(void)
{
	u64 used = kernel_forget(tasks_scratch.used);

	return used & TAIL_MASK;
}

static struct task_host tasks_host;

/* The host is what the init of the first pid namespace is in. */
static __always_inline void tasks_find_host(struct pid *pid)
{
	struct upid *first = pid_level_at(pid, 0);
	struct pid_namespace *pid_ns = BPF_CORE_READ(first, ns);
	struct task_struct *init = BPF_CORE_READ(pid_ns, child_reaper);
	struct user_namespace *user_ns = BPF_CORE_READ(init, real_cred, user_ns);
	struct nsproxy *proxy = BPF_CORE_READ(init, nsproxy);

	task_fill_proxy(tasks_host.ns, proxy);
	tasks_host.ns[NS_PID] = BPF_CORE_READ(pid_ns, ns.inum);
	tasks_host.ns[NS_USER] = BPF_CORE_READ(user_ns, ns.inum);
	tasks_host.user_ns = user_ns;
	tasks_host.proxy = proxy;
}

static __always_inline void tasks_write_host(struct seq_file *seq)
{
	struct host_record host = {};

	host.header.size = sizeof(host);
	host.header.type = RECORD_HOST;
	__builtin_memcpy(host.ns, tasks_host.ns, sizeof(host.ns));
	bpf_seq_write(seq, &host, sizeof(host));
}

/* Kernel threads may borrow a process's memory for a while; it is not theirs. */
static __always_inline void tasks_fill_memory(struct task_record *record, struct task_struct *task)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	if (!mm || kernel_forget(record->flags) & TASK_KTHREAD)
		return;
	record->vsz_pages = BPF_CORE_READ(mm, total_vm);
	record->rss_pages = memory_resident_pages(mm);
	if (BPF_CORE_READ(mm, locked_vm))
		record->flags |= TASK_LOCKED;
}

static __always_inline void tasks_fill_chain(struct task_record *record, struct pid *pid)
{
	task_fill_chain(record, (void *)tasks_scratch.tail, pid, &tasks_host);
	tasks_scratch.used = kernel_forget(record->chain_count) * sizeof(struct pid_level);
}

static __always_inline void tasks_fill_groups(struct task_record *record, const struct cred *cred)
{
	struct group_info *info = BPF_CORE_READ(cred, group_info);
	u32 total = BPF_CORE_READ(info, ngroups);
	u64 used = tasks_tail(), size;

	record->groups_total = total;
	record->groups_kept = total < GROUPS_KEPT ? total : GROUPS_KEPT;
	size = (kernel_forget(record->groups_kept) & GROUPS_MASK) * sizeof(u32);
	bpf_core_read(&tasks_scratch.tail[used], size, &info->gid);
	tasks_scratch.used = used + size;
}

/* The path is the last part of the tail: it brings the zeros that fill the record up. */
static __always_inline void tasks_fill_cgroup(struct task_record *record, struct css_set *set)
{
	u64 used = tasks_tail(), end;

	cgroup_choose(set);
	cgroup_path_make();
	record->cgroup_id = cgroup_choice.id;
	record->cgroup_hierarchy = cgroup_choice.hierarchy;
	record->cgroup_length = cgroup_path.length;
	record->flags |= cgroup_path.flags;
	end = (used + kernel_forget(cgroup_path.length) + 7) & ~7ULL;
	cgroup_path_copy(&tasks_scratch.tail[used], end - used);
	tasks_scratch.used = end;
}

static __always_inline void tasks_fill_flags(struct task_record *record, struct task_struct *task,
					     struct nsproxy *proxy)
{
	if (task->flags & PF_KTHREAD)
		record->flags |= TASK_KTHREAD;
	/* From exit_task_namespaces() on it is as good as one, whatever its state still says. */
	if (task->exit_state || !proxy)
		record->flags |= TASK_ZOMBIE;
}

static __always_inline long tasks_write_process(struct seq_file *seq, struct task_struct *task,
						struct pid *pid)
{
	struct task_record *record = &tasks_scratch.record;
	struct nsproxy *proxy = BPF_CORE_READ(task, nsproxy);
	const struct cred *cred = BPF_CORE_READ(task, real_cred);
	u64 size;

	__builtin_memset(record, 0, sizeof(*record));
	tasks_fill_flags(record, task, proxy);
	task_fill_own(record, task);
	task_fill_signal(record, BPF_CORE_READ(task, signal));
	task_fill_sched(record, task);
	task_fill_namespaces(record, proxy, &tasks_host);
	task_fill_cred(record, cred, &tasks_host);
	tasks_fill_memory(record, task);
	tasks_fill_chain(record, pid);
	task_fill_parent(record, pid, BPF_CORE_READ(task, real_parent));
	tasks_fill_groups(record, cred);
	tasks_fill_cgroup(record, BPF_CORE_READ(task, cgroups));
	size = sizeof(*record) + kernel_forget(tasks_scratch.used);
	record->header.size = size;
	record->header.type = RECORD_TASK;
	if (size > sizeof(*record) + TAIL_ROOM)
		return -1;
	return bpf_seq_write(seq, &tasks_scratch, size);
}

SEC("?iter/task")
int tasks_snapshot(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	struct seq_file *seq;
	struct pid *pid;
	long error;

	if (!task)
		return 0;
	/* Without it the task is being reaped: it has ended. */
	pid = BPF_CORE_READ(task, thread_pid);
	if (!pid)
		return 0;
	seq = context->meta->seq;
	if (context->meta->seq_num == 0) {
		memory_prepare();
		tasks_find_host(pid);
		tasks_write_host(seq);
	}
	if (task->pid != task->tgid)
		error = task_write_thread(seq, task);
	else
		error = tasks_write_process(seq, task, pid);
	if (is_listening && !error)
		sweep_see(seq, task);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
