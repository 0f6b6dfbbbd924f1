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

/* struct cred from uid to the last set, and from user_ns to group_info, in one read each: a read
 * costs more than what it brings. */
#define CRED_WORDS 24
#define CRED_TAIL_WORDS 8
#define CRED_PLACE(field, first)                                                                   \
	((bpf_core_field_offset(struct cred, field) - bpf_core_field_offset(struct cred, first)) / \
	 4)

static __always_inline u64 look_word_pair(const u32 *words, u64 place)
{
	return words[place] | (u64)words[place + 1] << 32;
}

static __always_inline void look_user_ns(struct look *look, const struct memory *known,
					 struct user_namespace *ns)
{
	struct task_identity *now = &look->identity;

	look->user_ns = (u64)ns;
	if (known && known->user_ns == (u64)ns) {
		now->user_ns_level = known->seen.user_ns_level;
		now->user_ns_owner = known->seen.user_ns_owner;
		now->ns[NS_USER] = known->seen.ns[NS_USER];
	} else {
		now->user_ns_level = BPF_CORE_READ(ns, level);
		now->user_ns_owner = BPF_CORE_READ(ns, owner.val);
		now->ns[NS_USER] = BPF_CORE_READ(ns, ns.inum);
	}
}

/* The five sets are u32[2] each until 6.3 (f122a08b197d), u64 since: the same words. */
static __always_inline void look_cred(struct look *look, const struct memory *known, u64 address)
{
	const struct cred *cred = (void *)address;
	struct task_identity *now = &look->identity;
	struct group_info *group_info;
	u32 words[CRED_WORDS] = {}, tail[CRED_TAIL_WORDS] = {}, i;

	bpf_core_read(words, (CRED_PLACE(cap_ambient, uid) + 2) * 4, &cred->uid);
	bpf_core_read(tail, (CRED_PLACE(group_info, user_ns) + 2) * 4, &cred->user_ns);
	__builtin_memcpy(&now->ids, words, sizeof(now->ids));
#pragma unroll
	for (i = 0; i < CAP_SETS; i++)
		now->caps[i] = look_word_pair(words, CRED_PLACE(cap_inheritable, uid) + 2 * i);
	now->securebits = words[CRED_PLACE(securebits, uid)];
	group_info = (void *)look_word_pair(tail, CRED_PLACE(group_info, user_ns));
	look->cred = address;
	look->group_info = (u64)group_info;
	now->groups_total = BPF_CORE_READ(group_info, ngroups);
	now->groups_kept = now->groups_total < GROUPS_KEPT ? now->groups_total : GROUPS_KEPT;
	look_user_ns(look, known, (void *)look_word_pair(tail, 0));
}

static __always_inline void look_children(struct look *look, struct nsproxy *proxy)
{
	u32 pid_ns = kernel_namespace(proxy, pid_ns_for_children);
	u32 time_ns = kernel_children_time_namespace(proxy);

	look->children_pid_ns = pid_ns == look->identity.ns[NS_PID] ? 0 : pid_ns;
	look->children_time_ns = time_ns == look->identity.ns[NS_TIME] ? 0 : time_ns;
}

static __always_inline void look_proxy(struct look *look, const struct memory *known, u64 address)
{
	struct nsproxy *proxy = (void *)address;
	u32 *now = look->identity.ns;
	const u32 *seen;

	look->proxy = address;
	if (known && (!proxy || known->proxy == address)) {
		seen = known->seen.ns;
		now[NS_MNT] = seen[NS_MNT];
		now[NS_NET] = seen[NS_NET];
		now[NS_IPC] = seen[NS_IPC];
		now[NS_UTS] = seen[NS_UTS];
		now[NS_CGROUP] = seen[NS_CGROUP];
		now[NS_TIME] = seen[NS_TIME];
		look->children_pid_ns = known->children_pid_ns;
		look->children_time_ns = known->children_time_ns;
	} else if (proxy) {
		task_fill_proxy(now, proxy);
		look_children(look, proxy);
	}
}

/* What a process is born with: its number, its start and its pid namespace. */
static __always_inline void look_birth(struct look *look, struct task_struct *task,
				       const struct memory *known)
{
	struct pid *pid;
	struct upid *own;

	if (known && remember_is_known(known)) {
		look->pid = known->pid;
		look->start_boot_ns = known->start_boot_ns;
		look->pid_depth = known->pid_depth;
		look->identity.ns[NS_PID] = known->seen.ns[NS_PID];
		return;
	}
	pid = BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]);
	look->pid = (u64)pid;
	look->start_boot_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	look->pid_depth = BPF_CORE_READ(pid, level);
	if (look->pid_depth >= PID_LEVELS_MAX)
		look->pid_depth = PID_LEVELS_MAX - 1;
	own = pid_level_at(pid, look->pid_depth);
	look->identity.ns[NS_PID] = look->pid_depth ? BPF_CORE_READ(own, ns, ns.inum) : HOST_PID_NS;
}

/* Its parent is another once that has ended, or left its children to a thread. */
static __always_inline void look_parent(struct look *look, struct task_struct *task,
					const struct memory *known)
{
	struct task_struct *parent = BPF_CORE_READ(task, real_parent);

	look->parent = (u64)parent;
	if (known && known->parent == (u64)parent) {
		look->ppid = known->ppid;
		look->parent_start_boot_ns = known->parent_start_boot_ns;
		look->identity.in_ppid = known->in_ppid;
		return;
	}
	look->ppid = BPF_CORE_READ(parent, tgid);
	look->parent_start_boot_ns = BPF_CORE_READ(parent, group_leader, start_boottime);
	look->identity.in_ppid = look->ppid;
	if (look->pid_depth)
		look->identity.in_ppid = task_parent_inside(
			look->pid, (u64)BPF_CORE_READ(parent, signal, pids[PIDTYPE_TGID]));
}

/* Its path is told where it was not yet. */
static __always_inline void look_cgroup(struct look *look, struct task_struct *task,
					const struct memory *known, bool is_told)
{
	struct task_identity *now = &look->identity;
	u64 place;

	look->css_set = (u64)BPF_CORE_READ(task, cgroups);
	if (known && known->css_set == look->css_set) {
		now->cgroup_id = known->cgroup_id;
		now->cgroup_hierarchy = known->cgroup_hierarchy;
		return;
	}
	place = tell_cgroup_of(look->css_set);
	now->cgroup_hierarchy = place & CGROUP_HIERARCHY_MASK;
	now->cgroup_id = tell_cgroup_id(place);
	if (!is_told || tell_cgroup(place))
		look->css_set = 0; /* once more at the next look */
}

static __always_inline void look_terminal(struct task_identity *now, struct task_struct *task)
{
	struct tty_struct *tty = BPF_CORE_READ(task, signal, tty);
	struct tty_driver *driver;

	now->tty_major = 0;
	now->tty_minor = 0;
	if (!tty)
		return;
	driver = BPF_CORE_READ(tty, driver);
	now->tty_major = BPF_CORE_READ(driver, major);
	now->tty_minor = BPF_CORE_READ(driver, minor_start) + BPF_CORE_READ(tty, index);
}

static __always_inline void look_privileges_as(struct look *look, struct task_struct *task,
					       bool is_typed)
{
	look->identity.no_new_privs =
		kernel_number(is_typed, task, atomic_flags) >> PFA_NO_NEW_PRIVS & 1;
	look->identity.seccomp = kernel_task_seccomp(task, is_typed);
}

/* One branch for all numbers: whether they are typed is known at load, and the verifier cuts each half that
 * is never run out of the program, which takes it longer than to walk the other. */
static __always_inline void look_privileges(struct look *look, struct task_struct *task,
					    bool is_typed)
{
	if (is_typed)
		look_privileges_as(look, task, true);
	else
		look_privileges_as(look, task, false);
}

static __always_inline void look_numbers_as(struct look *look, struct task_struct *task,
					    bool is_typed)
{
	struct task_identity *now = &look->identity;
	struct kernel_login login = kernel_task_login(task, is_typed);

	look_privileges_as(look, task, is_typed);
	now->flags = kernel_number(is_typed, task, flags) & PF_KTHREAD ? TASK_KTHREAD : 0;
	now->loginuid = login.loginuid;
	now->sessionid = login.sessionid;
}

/* What is its own and not compared. */
static __always_inline void look_own(struct look *look, struct task_struct *task, bool is_typed)
{
	struct task_identity *now = &look->identity;

	if (is_typed)
		look_numbers_as(look, task, true);
	else
		look_numbers_as(look, task, false);
	now->chain_count = look->pid_depth + 1;
	look_terminal(now, task);
	bpf_core_read(now->comm, sizeof(now->comm), &task->comm);
	now->comm[COMM_SIZE - 1] = 0;
}

/* What can differ from memory, and what says of which task it is: enough for an exit. */
static __always_inline void look_keys(struct look *look, struct task_struct *task,
				      const struct memory *known, bool is_typed)
{
	if (is_typed) {
		look->tgid = task->tgid;
		look->tid = task->pid;
	} else {
		look->tgid = BPF_CORE_READ(task, tgid);
		look->tid = BPF_CORE_READ(task, pid);
	}
	look_birth(look, task, known);
	look_cred(look, known, (u64)BPF_CORE_READ(task, real_cred));
	look_proxy(look, known, (u64)BPF_CORE_READ(task, nsproxy));
	look_parent(look, task, known);
}

static __always_inline bool look_words_differ(const void *left, const void *right, u32 words)
{
	const u64 *a = left, *b = right;
	u64 difference = 0;
	u32 i;

	for (i = 0; i < words; i++)
		difference |= a[i] ^ b[i];
	return difference;
}

/* They are read to where the event will be: the stack has no room for them. */
static __always_inline bool look_groups_differ(struct look *look, const struct memory *memory)
{
	u64 list = look->group_info + bpf_core_field_offset(struct group_info, gid);
	u64 size = kernel_forget(look->identity.groups_kept) * sizeof(u32);

	if (look->identity.groups_total != memory->seen.groups_total)
		return true;
	barrier_var(size); /* what is checked has to be what is used */
	if (!size || size > sizeof(memory->groups))
		return false;
	__builtin_memset(look->draft, 0, sizeof(memory->groups));
	bpf_probe_read_kernel(look->draft, size, (void *)list);
	return look_words_differ(look->draft, memory->groups, sizeof(memory->groups) / 8);
}

/* Sets look->changed: enum event_change, without what is never compared. */
static __always_inline void look_compare(struct look *look, const struct memory *memory,
					 bool is_thorough)
{
	const struct task_identity *now = &look->identity;
	const struct event_before *seen = &memory->seen;
	u32 changed = 0, ns = 0, i;

	if (look_words_differ(&now->ids, &seen->ids, sizeof(now->ids) / 8))
		changed |= CHANGE_IDS;
	if (look_words_differ(now->caps, seen->caps, CAP_SETS))
		changed |= CHANGE_CAPS;
	if (now->securebits != seen->securebits)
		changed |= CHANGE_SECUREBITS;
	if (now->ns[NS_USER] != seen->ns[NS_USER])
		changed |= CHANGE_USER_NS;
	if ((is_thorough || look->group_info != memory->group_info) &&
	    look_groups_differ(look, memory))
		changed |= CHANGE_GROUPS;
	for (i = 0; i < NS_USER; i++)
		ns |= now->ns[i] ^ seen->ns[i];
	if (ns)
		changed |= CHANGE_NS;
	if (look->children_pid_ns != memory->children_pid_ns ||
	    look->children_time_ns != memory->children_time_ns)
		changed |= CHANGE_CHILDREN;
	look->changed = changed;
}

/* Shows the namespaces, but for the user namespace, as they are remembered. */
static __always_inline void look_as_before(struct look *look, const struct memory *memory)
{
	__builtin_memcpy(look->identity.ns, memory->seen.ns, NS_USER * sizeof(u32));
}

static __always_inline void look_remember_groups(const struct look *look, struct memory *memory)
{
	const struct group_info *group_info = (void *)look->group_info;
	u64 size = look->identity.groups_kept * sizeof(u32);

	if (memory->group_info == look->group_info)
		return;
	memory->group_info = look->group_info;
	if (!size)
		return;
	__builtin_memset(memory->groups, 0, sizeof(memory->groups));
	if (size <= sizeof(memory->groups))
		bpf_core_read(memory->groups, size, &group_info->gid);
}

static __always_inline void look_remember_cred(const struct look *look, struct memory *memory)
{
	const struct task_identity *now = &look->identity;
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
	__builtin_memcpy(memory->seen.ns, look->identity.ns, sizeof(memory->seen.ns));
	memory->seen.ns[NS_USER] = user_ns;
	memory->proxy = look->proxy;
	memory->children_pid_ns = look->children_pid_ns;
	memory->children_time_ns = look->children_time_ns;
}

static __always_inline void look_remember_cgroup(const struct look *look, struct memory *memory)
{
	memory->css_set = look->css_set;
	memory->cgroup_id = look->identity.cgroup_id;
	memory->cgroup_hierarchy = look->identity.cgroup_hierarchy;
}

static __always_inline void look_remember_birth(const struct look *look, struct memory *memory)
{
	memory->pid = look->pid;
	memory->start_boot_ns = look->start_boot_ns;
	memory->pid_depth = look->pid_depth;
	memory->parent = look->parent;
	memory->parent_start_boot_ns = look->parent_start_boot_ns;
	memory->ppid = look->ppid;
	memory->in_ppid = look->identity.in_ppid;
}

kernel_shared void look_remember(const struct look *look, struct memory *memory)
{
	look_remember_cred(look, memory);
	look_remember_proxy(look, memory);
	look_remember_cgroup(look, memory);
	look_remember_birth(look, memory);
	memory->seen.no_new_privs = look->identity.no_new_privs;
	memory->seen.seccomp = look->identity.seccomp;
}

enum look_result {
	LOOK_BLIND,   /* there is no room for a memory, nor for the look */
	LOOK_ADOPTED, /* it had no memory: now it has one, of what it is */
	LOOK_COMPARED,
};

static __always_inline struct look *look_here(u32 slot)
{
	return bpf_map_lookup_elem(&looks, &slot);
}

/* A new memory of the current task, of what the look found. */
__weak __noinline int look_adopt(u64 slot)
{
	struct memory *memory = remember_make(kernel_current(), has_task_helpers);
	struct look *look = look_here(slot);

	if (!memory || !look)
		return LOOK_BLIND;
	look_remember(look, memory);
	memory->is_threaded = 1;
	return LOOK_ADOPTED;
}

/* The rest of a look that began with look_keys. */
static __always_inline void look_rest(struct look *look, struct task_struct *task,
				      const struct memory *known, bool is_told)
{
	look_cgroup(look, task, known, is_told);
	look_own(look, task, has_task_helpers);
}

static __always_inline int look_current(u32 slot, bool is_whole, bool is_told)
{
	struct task_struct *task = kernel_current();
	const struct memory *known = remember_read(slot);
	struct look *look = look_here(slot);

	if (!known || !look)
		return LOOK_BLIND;
	look_keys(look, task, known, has_task_helpers);
	look_compare(look, known, false);
	if (!remember_is_known(known))
		look->changed = 0;
	if (is_whole || !remember_is_known(known) || kernel_forget(look->changed))
		look_rest(look, task, known, is_told);
	return remember_is_known(known) ? LOOK_COMPARED : look_adopt(slot);
}

/* A look at the current task: enum look_result. */
__weak __noinline int look_whole(u64 slot)
{
	return look_current(slot, true, false);
}

/* The same; the path of its cgroup goes into the ring, if it is a new one. */
__weak __noinline int look_whole_telling(u64 slot)
{
	return look_current(slot, true, true);
}

/* Only what can differ from memory and says which task it is, unless something does differ. */
__weak __noinline int look_brief(u64 slot)
{
	return look_current(slot, false, false);
}

/* The current task's memory is brought up to date with the look. */
__weak __noinline int look_keep(u64 slot)
{
	struct memory *memory = remember_find_current();
	struct look *look = look_here(slot);

	if (memory && look)
		look_remember(look, memory);
	return 0;
}

#endif
