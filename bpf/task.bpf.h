/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The identity block: who a task is, read from its task_struct.
 */
#ifndef NSVIEW_TASK_BPF_H
#define NSVIEW_TASK_BPF_H

#include "kernel.bpf.h"

#define EXTENTS_INLINE 5 /* UID_GID_MAP_MAX_BASE_EXTENTS */
#define EXTENTS_MAX 511  /* all bits of UID_GID_MAP_MAX_EXTENTS, 340 */
#define ID_COUNT 8       /* struct id_block: user and group ids take turns */

/* struct uid_gid_extent, as copied out of the kernel. */
struct id_extent {
	u32 first;       /* inside */
	u32 lower_first; /* on the host */
	u32 count;
};

static __always_inline u32 id_extent_translate(const struct id_extent *extent, u32 id, u32 other)
{
	u32 distance = id - extent->lower_first;

	return distance < extent->count ? extent->first + distance : other;
}

static __always_inline u32 id_map_scan(struct uid_gid_map *map, u32 count, u32 id)
{
	struct id_extent extents[EXTENTS_INLINE] = {};
	u32 i, found = ID_OVERFLOW;

	bpf_core_read(extents, sizeof(extents), &map->extent);
	for (i = 0; i < EXTENTS_INLINE; i++) {
		if (i < count)
			found = id_extent_translate(&extents[i], id, found);
	}
	return found;
}

/* The extents in the order of lower_first: finds the last one that does not begin above id, bit by
 * bit. Of `place`, read back by a helper, the verifier knows nothing: one state a step, not 2^9. */
static __always_inline u32 id_map_search(struct uid_gid_map *map, u32 count, u32 id)
{
	const struct id_extent *sorted = (void *)BPF_CORE_READ(map, reverse);
	struct id_extent extent = {};
	u32 place = 0, found = 0, step;

	for (step = (EXTENTS_MAX + 1) / 2; step; step /= 2) {
		bpf_probe_read_kernel(&place, sizeof(place), &found);
		place += step;
		if (place >= count)
			continue;
		bpf_probe_read_kernel(&extent, sizeof(extent), sorted + place);
		if (extent.lower_first <= id)
			found = place;
	}
	bpf_probe_read_kernel(&extent, sizeof(extent), sorted + found);
	return id_extent_translate(&extent, id, ID_OVERFLOW);
}

/* map_id_up(): `address` is that of a struct uid_gid_map. A global function, which is verified
 * once, whoever calls it; weak, so that every program may have it. */
__weak __noinline u32 task_id_inside(u64 address, u32 id)
{
	struct uid_gid_map *map = (void *)address;
	u32 count = BPF_CORE_READ(map, nr_extents);

	return count <= EXTENTS_INLINE ? id_map_scan(map, count, id)
				       : id_map_search(map, count, id);
}

/* Both are a struct id_block: ids of the host, and the same as the user namespace has them. */
static __always_inline void task_ids_inside(u32 *in, const u32 *host, struct user_namespace *ns)
{
	u64 maps[2] = {(u64)&ns->uid_map, (u64)&ns->gid_map};
	u32 i;

	for (i = 0; i < ID_COUNT; i++) {
		if (i >= 2 && host[i] == host[i - 2])
			in[i] = in[i - 2];
		else
			in[i] = task_id_inside(maps[i & 1], host[i]);
	}
}

/* The first user namespace maps every id to itself. */
static __always_inline void task_fill_in_ids(struct task_record *record, struct user_namespace *ns)
{
	if (record->user_ns_level == 0)
		record->in_ids = record->ids;
	else
		task_ids_inside(&record->in_ids.uid, &record->ids.uid, ns);
}

/* What is the same for all tasks of the host: most of them need no further reads. */
struct task_host {
	struct user_namespace *user_ns;
	struct nsproxy *proxy;
	u32 ns[NS_KINDS];
};

/* Ids and securebits lie side by side in struct cred, and so do the five sets: u32[2] each until
 * 6.3 (f122a08b197d), u64 since, the same bits on a little-endian machine. */
static __always_inline void task_fill_cred(struct task_record *record, const struct cred *cred,
					   const struct task_host *host)
{
	struct user_namespace *ns = BPF_CORE_READ(cred, user_ns);

	bpf_core_read(&record->ids, sizeof(record->ids), &cred->uid);
	bpf_core_read(&record->caps, sizeof(record->caps), &cred->cap_inheritable);
	record->securebits = BPF_CORE_READ(cred, securebits);
	if (ns == host->user_ns) {
		record->ns[NS_USER] = host->ns[NS_USER];
	} else {
		record->user_ns_level = BPF_CORE_READ(ns, level);
		record->user_ns_owner = BPF_CORE_READ(ns, owner.val);
		record->ns[NS_USER] = BPF_CORE_READ(ns, ns.inum);
	}
	task_fill_in_ids(record, ns);
}

static __always_inline void task_fill_proxy(u32 *inodes, struct nsproxy *proxy)
{
	inodes[NS_MNT] = kernel_namespace(proxy, mnt_ns);
	inodes[NS_NET] = kernel_namespace(proxy, net_ns);
	inodes[NS_IPC] = kernel_namespace(proxy, ipc_ns);
	inodes[NS_UTS] = kernel_namespace(proxy, uts_ns);
	inodes[NS_CGROUP] = kernel_namespace(proxy, cgroup_ns);
	inodes[NS_TIME] = kernel_time_namespace(proxy);
}

static __always_inline void task_fill_namespaces(struct task_record *record, struct nsproxy *proxy,
						 const struct task_host *host)
{
	if (proxy == host->proxy)
		__builtin_memcpy(record->ns, host->ns, sizeof(record->ns));
	else if (proxy)
		task_fill_proxy(record->ns, proxy);
}

/* struct pid.numbers has one declared element until 6.4 and none since (b69f0aeb0689), so
 * elements are found by address. */
static __always_inline struct upid *pid_level_at(struct pid *pid, u32 level)
{
	return (void *)pid + bpf_core_field_offset(struct pid, numbers) +
	       level * bpf_core_type_size(struct upid);
}

/* A task's number at a level of its pid, and above it the inode of that level's namespace. Global,
 * so that a loop over 33 levels is short for the verifier. */
__weak __noinline u64 task_pid_level(u64 pid, u64 level)
{
	struct upid *upid = pid_level_at((void *)pid, level);
	u64 ns = BPF_CORE_READ(upid, ns, ns.inum);

	return ns << 32 | (u32)BPF_CORE_READ(upid, nr);
}

/* Fills the chain, first pid namespace first, and its length. */
static __always_inline void task_fill_chain(struct task_record *record, struct pid_level *chain,
					    struct pid *pid, const struct task_host *host)
{
	u32 depth = BPF_CORE_READ(pid, level), i;
	struct upid *upid = pid_level_at(pid, 0);

	record->ns[NS_PID] = chain[0].ns = host->ns[NS_PID];
	chain[0].pid = BPF_CORE_READ(upid, nr);
	for (i = 1; i < PID_LEVELS_MAX; i++) {
		if (i > depth)
			break;
		upid = pid_level_at(pid, i);
		chain[i].pid = BPF_CORE_READ(upid, nr);
		record->ns[NS_PID] = chain[i].ns = BPF_CORE_READ(upid, ns, ns.inum);
	}
	record->chain_count = i;
}

/* pid_nr_ns(): the parent's number in the task's own pid namespace, 0 when it has none there. */
__weak __noinline u32 task_parent_inside(u64 own_address, u64 parent_address)
{
	struct pid *pid = (void *)own_address, *parent = (void *)parent_address;
	u32 level = BPF_CORE_READ(pid, level);
	struct upid *own = pid_level_at(pid, level);
	struct upid *above = pid_level_at(parent, level);

	if (level > BPF_CORE_READ(parent, level))
		return 0;
	if (BPF_CORE_READ(own, ns) != BPF_CORE_READ(above, ns))
		return 0;
	return BPF_CORE_READ(above, nr);
}

static __always_inline void task_fill_parent(struct task_record *record, struct pid *pid,
					     struct task_struct *parent)
{
	record->ppid = BPF_CORE_READ(parent, tgid);
	if (record->chain_count == 1)
		record->in_ppid = record->ppid;
	else
		record->in_ppid = task_parent_inside(
			(u64)pid, (u64)BPF_CORE_READ(parent, signal, pids[PIDTYPE_TGID]));
}

/* fs/proc/array.c get_task_state(): the letter of the highest state bit that it reports. */
static __always_inline char task_state_letter(struct task_struct *task)
{
	u32 state = kernel_task_state(task);
	u32 seen = (state | task->exit_state) & TASK_REPORT;

	if ((state & TASK_IDLE) == TASK_IDLE)
		return 'I';
	if (state & (TASK_RTLOCK_WAIT | TASK_FROZEN))
		return 'D';
	if (seen & 0x40)
		return 'P';
	if (seen & 0x20)
		return 'Z';
	if (seen & 0x10)
		return 'X';
	if (seen & 0x08)
		return 't';
	if (seen & 0x04)
		return 'T';
	if (seen & 0x02)
		return 'D';
	return seen & 0x01 ? 'S' : 'R';
}

static __always_inline void task_fill_tty(struct task_record *record, struct tty_struct *tty,
					  struct pid *group)
{
	struct tty_driver *driver = BPF_CORE_READ(tty, driver);

	record->tty_major = BPF_CORE_READ(driver, major);
	record->tty_minor = BPF_CORE_READ(driver, minor_start) + BPF_CORE_READ(tty, index);
	if (kernel_tty_group(tty) == group)
		record->flags |= TASK_FOREGROUND;
}

/* What signal_struct tells of the whole process: its terminal, its session, its threads. */
static __always_inline void task_fill_signal(struct task_record *record,
					     struct signal_struct *signal)
{
	struct tty_struct *tty = BPF_CORE_READ(signal, tty);
	u64 pids[PIDTYPE_MAX] = {};

	bpf_core_read(pids, sizeof(pids), &signal->pids);
	record->threads = BPF_CORE_READ(signal, nr_threads);
	record->cpu_ns = BPF_CORE_READ(signal, sum_sched_runtime);
	if (pids[PIDTYPE_SID] == pids[PIDTYPE_TGID])
		record->flags |= TASK_SESSION_LEADER;
	if (tty)
		task_fill_tty(record, tty, (struct pid *)pids[PIDTYPE_PGID]);
}

/* task_prio(): less MAX_RT_PRIO. */
static __always_inline s32 task_priority(struct task_struct *task)
{
	return task->prio - 100;
}

/* PRIO_TO_NICE(). */
static __always_inline s32 task_nice(struct task_struct *task)
{
	return task->static_prio - 120;
}

static __always_inline void task_fill_sched(struct task_record *record, struct task_struct *task)
{
	record->cpu_ns += task->se.sum_exec_runtime;
	record->priority = task_priority(task);
	record->nice = task_nice(task);
	record->state = task_state_letter(task);
}

static __always_inline void task_fill_own(struct task_record *record, struct task_struct *task)
{
	struct kernel_login login = kernel_task_login(task, true);

	record->start_boot_ns = task->start_boottime;
	record->tgid = task->tgid;
	record->no_new_privs = task->atomic_flags >> PFA_NO_NEW_PRIVS & 1;
	record->seccomp = kernel_task_seccomp(task, true);
	record->loginuid = login.loginuid;
	record->sessionid = login.sessionid;
	*(u64 *)&record->comm[0] = *(u64 *)&task->comm[0];
	*(u64 *)&record->comm[8] = *(u64 *)&task->comm[8];
	record->comm[COMM_SIZE - 1] = 0;
}

/* What an iterator writes of a thread that is not the leader. */
static __always_inline long task_write_thread(struct seq_file *seq, struct task_struct *task)
{
	struct thread_record thread = {};

	thread.header.size = sizeof(thread);
	thread.header.type = RECORD_THREAD;
	thread.start_boot_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	thread.cpu_ns = task->se.sum_exec_runtime;
	thread.tgid = task->tgid;
	thread.tid = task->pid;
	return bpf_seq_write(seq, &thread, sizeof(thread));
}

#endif
