/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every difference between kernels, from 5.10 on: the only place that asks what the running
 * kernel has. The answers are constants by the time the verifier looks, so it never sees the
 * branch that does not fit. Only types that all kernels have may be asked for by name: libbpf
 * looks for others in every module, which takes CAP_SYS_ADMIN.
 *
 * Numbers of the task at hand are read directly; pointers, and what is behind them, by probe
 * reads (docs/probe-reads.md says why).
 */
#ifndef NSVIEW_KERNEL_BPF_H
#define NSVIEW_KERNEL_BPF_H

#include "vmlinux.h"
#include "flavors.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/event.h"
#include "maps.bpf.h"

/* include/linux/sched.h; never changed since 4.14 but for the two that came with a name. */
#define PF_EXITING 0x00000004
#define PF_KTHREAD 0x00200000
#define PFA_NO_NEW_PRIVS 0
#define TASK_REPORT 0x7f          /* the states that fs/proc/array.c has a letter for */
#define TASK_UNINTERRUPTIBLE 0x02 /* D */
#define TASK_IDLE 0x402           /* UNINTERRUPTIBLE | NOLOAD: I */
#define TASK_RTLOCK_WAIT 0x1000   /* 5.15; shown as D */
#define TASK_FROZEN 0x8000        /* 6.1; shown as D since f718faf3940e (6.13) */

/*
 * Reads a number back from memory. A value that the verifier knows exactly on each of many paths
 * makes it walk all that follows once per path; of one that comes from memory it knows nothing.
 */
#define kernel_forget(place) (*(volatile typeof(place) *)&(place))

/* A function that is in a program once, however often it is called. The verifier walks it at each call, so
 * unlike a global function it may take and give pointers, on 5.10 too: libbpf makes what is hidden static.
 * All that call each other share a stack of 512 bytes. */
#define kernel_shared __weak __hidden __noinline

/* A number of a task: read directly where the verifier knows the pointer's type (of a tracepoint's
 * argument, of the current task), by a probe read where it is a mere address (a kprobe's). */
#define kernel_number(is_typed, task, field) \
	((is_typed) ? (task)->field : BPF_CORE_READ(task, field))

/* What changing a map returns was an int until 6.4 (d7ba4cc900bf): where the verifier has put the map's
 * own function in the helper's place, the sign ends in the middle of the register. */
#define kernel_map_result(result) ((int)(result))

/* A typed pointer as the address that it is: a number, to the verifier too. */
static __always_inline u64 kernel_address(u64 pointer)
{
	u64 address = 0;

	bpf_probe_read_kernel(&address, sizeof(address), &pointer);
	return address;
}

/* task->state became __state, and unsigned int, in 5.14: 2f064a59a11f. */
static __always_inline u32 kernel_task_state(struct task_struct *task)
{
	struct task_struct___5_13 *old = (void *)task;

	if (bpf_core_field_exists(old->state))
		return (u32)old->state;
	return task->__state;
}

/* The inode of a namespace, to which there is a pointer at `place`; `inum` is where in it. */
__weak __noinline u32 kernel_namespace_at(u64 place, u64 inum)
{
	u64 address = 0;
	u32 inode = 0;

	bpf_probe_read_kernel(&address, sizeof(address), (void *)place);
	bpf_probe_read_kernel(&inode, sizeof(inode), (void *)(address + inum));
	return inode;
}

#define kernel_namespace(proxy, field) \
	kernel_namespace_at((u64)(&(proxy)->field), bpf_core_field_offset((proxy)->field->ns.inum))

/* Of the task itself and of its children to come. CONFIG_TIME_NS may be off; there is one time namespace
 * then, without a number. */
static __always_inline u32 kernel_time_namespace(struct nsproxy *proxy)
{
	if (bpf_core_field_exists(proxy->time_ns))
		return kernel_namespace(proxy, time_ns);
	return 0;
}

static __always_inline u32 kernel_children_time_namespace(struct nsproxy *proxy)
{
	if (bpf_core_field_exists(proxy->time_ns_for_children))
		return kernel_namespace(proxy, time_ns_for_children);
	return 0;
}

struct kernel_login {
	u32 loginuid;
	u32 sessionid;
};

/* CONFIG_AUDIT may be off: nobody has a login then. */
static __always_inline struct kernel_login kernel_task_login(struct task_struct *task,
							     bool is_typed)
{
	if (!bpf_core_field_exists(task->loginuid))
		return (struct kernel_login){ID_UNSET, ID_UNSET};
	return (struct kernel_login){
		kernel_number(is_typed, task, loginuid.val),
		kernel_number(is_typed, task, sessionid),
	};
}

/* CONFIG_SECCOMP may be off, and then struct seccomp has no mode. */
static __always_inline u8 kernel_task_seccomp(struct task_struct *task, bool is_typed)
{
	if (bpf_core_field_exists(task->seccomp.mode))
		return kernel_number(is_typed, task, seccomp.mode);
	return 0;
}

/* tty->pgrp became tty->ctrl.pgrp in 5.14: 64d608db38ff. */
static __always_inline struct pid *kernel_tty_group(struct tty_struct *tty)
{
	struct tty_struct___5_13 *old = (void *)tty;

	if (bpf_core_field_exists(old->pgrp))
		return BPF_CORE_READ(old, pgrp);
	return BPF_CORE_READ(tty, ctrl.pgrp);
}

/* kn->parent became kn->__parent in 6.15: 633488947ef6. */
static __always_inline struct kernfs_node *kernel_node_parent(struct kernfs_node *node)
{
	struct kernfs_node___6_14 *old = (void *)node;
	struct kernfs_node *parent = 0;
	u64 place;

	if (bpf_core_field_exists(old->parent))
		place = bpf_core_field_offset(old->parent);
	else
		place = bpf_core_field_offset(node->__parent);
	bpf_probe_read_kernel(&parent, sizeof(parent), (void *)node + place);
	return parent;
}

/* A controller may be built out, and its index in subsys[] differs from build to build. */
#define CONTROLLER_NONE 64 /* no mask of controllers has so many bits */
#define kernel_controller(name)                                               \
	(bpf_core_enum_value_exists(enum cgroup_subsys_id, name##_cgrp_id)    \
		 ? bpf_core_enum_value(enum cgroup_subsys_id, name##_cgrp_id) \
		 : CONTROLLER_NONE)

static __always_inline struct cgroup_subsys_state *kernel_cgroup_state(struct css_set *set,
								       u64 controller)
{
	struct cgroup_subsys_state *state = 0;

	if (controller != CONTROLLER_NONE)
		bpf_probe_read_kernel(&state, sizeof(state),
				      (void *)set + bpf_core_field_offset(struct css_set, subsys) +
					      controller * sizeof(state));
	return state;
}

#define kernel_has_controller(mask, name)                                     \
	(bpf_core_enum_value_exists(enum cgroup_subsys_id, name##_cgrp_id) && \
	 (mask) >> bpf_core_enum_value(enum cgroup_subsys_id, name##_cgrp_id) & 1)

/* Which hierarchy a mask of controllers is; CGROUP_HIERARCHIES: none that has a name here. */
static __always_inline u32 kernel_cgroup_hierarchy(u32 mask)
{
	if (kernel_has_controller(mask, pids))
		return CGROUP_PIDS;
	if (kernel_has_controller(mask, memory))
		return CGROUP_MEMORY;
	if (kernel_has_controller(mask, cpu))
		return CGROUP_CPU;
	if (kernel_has_controller(mask, devices))
		return CGROUP_DEVICES;
	if (kernel_has_controller(mask, freezer))
		return CGROUP_FREEZER;
	if (kernel_has_controller(mask, cpuset))
		return CGROUP_CPUSET;
	return CGROUP_HIERARCHIES;
}

/* mm->rss_stat: an atomic per kind until 6.1; since 6.2 (f1a7941243c1) a percpu_counter, whose
 * parts exist only with CONFIG_SMP. */
static __always_inline bool kernel_has_atomic_rss(void)
{
	struct mm_struct___6_1 *old = 0;

	return bpf_core_field_exists(old->rss_stat.count);
}

static __always_inline bool kernel_has_percpu_rss(void)
{
	struct percpu_counter *counter = 0;

	return !kernel_has_atomic_rss() && bpf_core_field_exists(counter->counters);
}

/* Typed since 5.11 (3ca1032ab7ab), a mere address before; the helpers that want it typed are as
 * young as task storage is. */
static __always_inline struct task_struct *kernel_current(void)
{
	if (has_task_helpers)
		return bpf_get_current_task_btf();
	return (struct task_struct *)bpf_get_current_task();
}

#if defined(__TARGET_ARCH_x86)
#define SYSCALL_SETNS 308
#define SYSCALL_UNSHARE 272
#define SYSCALL_SETNS_32 346
#define SYSCALL_UNSHARE_32 310
#define TS_COMPAT 0x0002 /* thread_info.status: in a 32-bit system call */
#define kernel_syscall_of(regs) ((int)BPF_CORE_READ(regs, orig_ax))

static __always_inline bool kernel_is_32bit(struct task_struct *task)
{
	return BPF_CORE_READ(task, thread_info.status) & TS_COMPAT;
}
#elif defined(__TARGET_ARCH_arm64)
#define SYSCALL_SETNS 268
#define SYSCALL_UNSHARE 97
#define SYSCALL_SETNS_32 375
#define SYSCALL_UNSHARE_32 337
#define TIF_32BIT (1 << 22)
#define kernel_syscall_of(regs) BPF_CORE_READ(regs, syscallno)

static __always_inline bool kernel_is_32bit(struct task_struct *task)
{
	return BPF_CORE_READ(task, thread_info.flags) & TIF_32BIT;
}
#endif

#define THREAD_SIZE 16384 /* both architectures, without KASAN */

/* bpf_task_pt_regs came in 5.15 (dd6e10fbd9fb). Before, the registers are at the stack's end;
 * later there may be padding behind them. */
static __always_inline s16 kernel_syscall(struct task_struct *task)
{
	struct pt_regs *regs;

	if (BPF_CORE_READ(task, flags) & PF_KTHREAD)
		return -1;
	if (has_task_helpers)
		regs = (struct pt_regs *)bpf_task_pt_regs(task);
	else
		regs = (struct pt_regs *)(BPF_CORE_READ(task, stack) + THREAD_SIZE -
					  bpf_core_type_size(struct pt_regs));
	return (s16)kernel_syscall_of(regs);
}

#endif
