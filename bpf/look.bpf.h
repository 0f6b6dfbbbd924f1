/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A look at a task: what it is now, what of that differs from what is remembered, and remembering
 * it. Where an address is the remembered one, what is behind it is too: a namespace, an nsproxy
 * and a css_set never change, and the task itself keeps them from being freed. Credentials are
 * always compared by value, since an exploit writes into them.
 */
#ifndef NSVIEW_LOOK_BPF_H
#define NSVIEW_LOOK_BPF_H

#include "kernel.bpf.h"
#include "maps.bpf.h"
#include "remember.bpf.h"
#include "task.bpf.h"
#include "tell_cgroup.bpf.h"

#define HOST_PID_NS 0xeffffffcU /* PROC_PID_INIT_INO */
#define CHANGES_CRED (CHANGE_IDS | CHANGE_GROUPS | CHANGE_CAPS | CHANGE_SECUREBITS | CHANGE_USER_NS)
#define CHANGES_NS (CHANGE_NS | CHANGE_CHILDREN)

/* Ids and securebits lie side by side in struct cred, and so do the five sets: see
 * task_fill_cred. */
static __always_inline void look_cred(struct look *look, const struct memory *memory,
				      const struct cred *cred)
{
	struct event_before *now = &look->now;
	struct user_namespace *ns = BPF_CORE_READ(cred, user_ns);
	struct group_info *group_info = BPF_CORE_READ(cred, group_info);

	look->cred = (u64)cred;
	look->user_ns = (u64)ns;
	look->group_info = (u64)group_info;
	bpf_core_read(&now->ids, sizeof(now->ids), &cred->uid);
	bpf_core_read(&now->caps, sizeof(now->caps), &cred->cap_inheritable);
	now->securebits = BPF_CORE_READ(cred, securebits);
	now->groups_total = BPF_CORE_READ(group_info, ngroups);
	now->groups_kept = now->groups_total < GROUPS_KEPT ? now->groups_total : GROUPS_KEPT;
	if (memory && memory->user_ns == (u64)ns) {
		now->user_ns_level = memory->seen.user_ns_level;
		now->user_ns_owner = memory->seen.user_ns_owner;
		now->ns[NS_USER] = memory->seen.ns[NS_USER];
	} else {
		now->user_ns_level = BPF_CORE_READ(ns, level);
		now->user_ns_owner = BPF_CORE_READ(ns, owner.val);
		now->ns[NS_USER] = BPF_CORE_READ(ns, ns.inum);
	}
}

static __always_inline void look_children(struct look *look, struct nsproxy *proxy)
{
	u32 pid_ns = BPF_CORE_READ(proxy, pid_ns_for_children, ns.inum);
	u32 time_ns = kernel_children_time_namespace(proxy);

	look->children_pid_ns = pid_ns == look->now.ns[NS_PID] ? 0 : pid_ns;
	look->children_time_ns = time_ns == look->now.ns[NS_TIME] ? 0 : time_ns;
}

static __always_inline void look_proxy(struct look *look, const struct memory *memory,
				       struct nsproxy *proxy)
{
	const u32 *seen;

	look->proxy = (u64)proxy;
	if (memory && (!proxy || memory->proxy == (u64)proxy)) {
		seen = memory->seen.ns;
		look->now.ns[NS_MNT] = seen[NS_MNT];
		look->now.ns[NS_NET] = seen[NS_NET];
		look->now.ns[NS_IPC] = seen[NS_IPC];
		look->now.ns[NS_UTS] = seen[NS_UTS];
		look->now.ns[NS_CGROUP] = seen[NS_CGROUP];
		look->now.ns[NS_TIME] = seen[NS_TIME];
		look->children_pid_ns = memory->children_pid_ns;
		look->children_time_ns = memory->children_time_ns;
	} else if (proxy) {
		task_fill_proxy(look->now.ns, proxy);
		look_children(look, proxy);
	}
}

/* Its own pid namespace: a task never leaves it. */
static __always_inline void look_pid(struct look *look, struct task_struct *task,
				     const struct memory *memory)
{
	struct pid *pid = BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]);
	struct upid *own;

	look->pid = (u64)pid;
	if (memory) {
		look->pid_depth = memory->pid_depth;
		look->now.ns[NS_PID] = memory->seen.ns[NS_PID];
		return;
	}
	look->pid_depth = BPF_CORE_READ(pid, level);
	if (look->pid_depth >= PID_LEVELS_MAX)
		look->pid_depth = PID_LEVELS_MAX - 1;
	own = pid_level_at(pid, look->pid_depth);
	look->now.ns[NS_PID] = look->pid_depth ? BPF_CORE_READ(own, ns, ns.inum) : HOST_PID_NS;
}

/* No memory of its cgroup: its path is told. */
static __always_inline void look_cgroup(struct look *look, struct task_struct *task,
					const struct memory *memory)
{
	u64 place;

	look->css_set = (u64)BPF_CORE_READ(task, cgroups);
	if (memory && memory->css_set == look->css_set) {
		look->cgroup_id = memory->cgroup_id;
		look->cgroup_hierarchy = memory->cgroup_hierarchy;
		return;
	}
	place = tell_cgroup_of(look->css_set);
	look->cgroup_hierarchy = place & CGROUP_HIERARCHY_MASK;
	look->cgroup_id = tell_cgroup_id(place);
	if (tell_cgroup(place))
		look->css_set = 0; /* once more at the next look */
}

static __always_inline void look_own(struct look *look, struct task_struct *task, bool is_typed)
{
	look->now.no_new_privs =
		kernel_number(is_typed, task, atomic_flags) >> PFA_NO_NEW_PRIVS & 1;
	look->now.seccomp = kernel_task_seccomp(task, is_typed);
}

/*
 * memory: NULL for a task that was never looked at. known: where what has not changed may be taken
 * from instead of being read again: memory or NULL.
 */
static __always_inline void look_take_anew(struct look *look, struct task_struct *task,
					   const struct memory *memory, const struct memory *known,
					   bool is_typed)
{
	look_pid(look, task, known);
	look_cred(look, known, BPF_CORE_READ(task, real_cred));
	look_proxy(look, known, BPF_CORE_READ(task, nsproxy));
	look_cgroup(look, task, memory);
	look_own(look, task, is_typed);
}

static __always_inline void look_take(struct look *look, struct task_struct *task,
				      const struct memory *memory, bool is_typed)
{
	look_take_anew(look, task, memory, memory, is_typed);
}

/* A child has its parent's namespaces and cgroup, but for its pid namespace, unless clone was asked
 * for others. */
static __always_inline void look_take_child(struct look *look, struct task_struct *child,
					    const struct memory *parent, bool is_typed)
{
	look_pid(look, child, 0);
	look_cred(look, parent, BPF_CORE_READ(child, real_cred));
	look_proxy(look, parent, BPF_CORE_READ(child, nsproxy));
	look_cgroup(look, child, parent);
	look_own(look, child, is_typed);
}

static __always_inline bool look_words_differ(const void *left, const void *right, u32 words)
{
	const u64 *a = left, *b = right;
	u64 difference = 0;
	u32 i;

#pragma unroll
	for (i = 0; i < words; i++)
		difference |= a[i] ^ b[i];
	return difference;
}

/* By value unless it is the same list: a list that is in use is never written. */
static __noinline int look_groups_differ(const struct look *look, const struct memory *memory)
{
	const struct group_info *group_info = (void *)look->group_info;
	u32 groups[GROUPS_KEPT] = {};
	u64 size;

	if (look->now.groups_total != memory->seen.groups_total)
		return 1;
	size = look->now.groups_kept * sizeof(u32);
	if (size > sizeof(groups))
		size = sizeof(groups);
	bpf_core_read(groups, size, &group_info->gid);
	return look_words_differ(groups, memory->groups, GROUPS_KEPT / 2);
}

/* Sets look->changed: enum event_change, without what is never compared. */
static __always_inline void look_compare(struct look *look, const struct memory *memory)
{
	const struct event_before *now = &look->now, *seen = &memory->seen;
	u32 changed = 0, i;

	if (look_words_differ(&now->ids, &seen->ids, sizeof(now->ids) / 8))
		changed |= CHANGE_IDS;
	if (look_words_differ(now->caps, seen->caps, CAP_SETS))
		changed |= CHANGE_CAPS;
	if (now->securebits != seen->securebits)
		changed |= CHANGE_SECUREBITS;
	if (now->ns[NS_USER] != seen->ns[NS_USER])
		changed |= CHANGE_USER_NS;
	if (look->group_info != memory->group_info && look_groups_differ(look, memory))
		changed |= CHANGE_GROUPS;
	for (i = 0; i < NS_USER; i++) {
		if (now->ns[i] != seen->ns[i])
			changed |= CHANGE_NS;
	}
	if (look->children_pid_ns != memory->children_pid_ns ||
	    look->children_time_ns != memory->children_time_ns)
		changed |= CHANGE_CHILDREN;
	look->changed = changed;
}

static __always_inline void look_remember_groups(const struct look *look, struct memory *memory)
{
	const struct group_info *group_info = (void *)look->group_info;
	u64 size = look->now.groups_kept * sizeof(u32);

	if (memory->group_info == look->group_info)
		return;
	__builtin_memset(memory->groups, 0, sizeof(memory->groups));
	if (size <= sizeof(memory->groups))
		bpf_core_read(memory->groups, size, &group_info->gid);
	memory->group_info = look->group_info;
}

static __always_inline void look_remember_cred(const struct look *look, struct memory *memory)
{
	const struct event_before *now = &look->now;
	struct event_before *seen = &memory->seen;

	memory->looks++;
	__builtin_memcpy(seen->caps, now->caps, sizeof(seen->caps));
	seen->ids = now->ids;
	seen->ns[NS_USER] = now->ns[NS_USER];
	seen->securebits = now->securebits;
	seen->user_ns_level = now->user_ns_level;
	seen->user_ns_owner = now->user_ns_owner;
	seen->groups_total = now->groups_total;
	seen->groups_kept = now->groups_kept;
	look_remember_groups(look, memory);
	memory->cred = look->cred;
	memory->user_ns = look->user_ns;
}

static __always_inline void look_remember_proxy(const struct look *look, struct memory *memory)
{
	u32 user_ns = memory->seen.ns[NS_USER];

	memory->looks++;
	__builtin_memcpy(memory->seen.ns, look->now.ns, sizeof(memory->seen.ns));
	memory->seen.ns[NS_USER] = user_ns;
	memory->proxy = look->proxy;
	memory->children_pid_ns = look->children_pid_ns;
	memory->children_time_ns = look->children_time_ns;
}

static __always_inline void look_remember_cgroup(const struct look *look, struct memory *memory)
{
	memory->css_set = look->css_set;
	memory->cgroup_id = look->cgroup_id;
	memory->cgroup_hierarchy = look->cgroup_hierarchy;
}

static __always_inline void look_remember(const struct look *look, struct memory *memory)
{
	look_remember_cred(look, memory);
	look_remember_proxy(look, memory);
	look_remember_cgroup(look, memory);
	memory->seen.no_new_privs = look->now.no_new_privs;
	memory->seen.seccomp = look->now.seccomp;
	memory->pid_depth = look->pid_depth;
}

#endif
