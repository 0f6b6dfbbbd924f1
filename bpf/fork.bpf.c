/* SPDX-License-Identifier: GPL-2.0-only */
/* A new process, or a new thread's memory. */
#include "vmlinux.h"

#include "notice.bpf.h"

/* The pid namespace that the parent's children are born into is the child's own, and its children's. */
static __always_inline void fork_look_children(struct look *look)
{
	if (look->children_pid_ns == look->identity.ns[NS_PID])
		look->children_pid_ns = 0;
}

/* A child has what its parent had, but for its pid namespace, unless clone was asked for others. */
static __always_inline void fork_look(struct look *look, struct task_struct *child,
				      const struct memory *parent, bool is_typed)
{
	look->tgid = kernel_number(is_typed, child, tgid);
	look->tid = kernel_number(is_typed, child, pid);
	look_birth(look, child, 0);
	look_cred(look, parent, (u64)BPF_CORE_READ(child, real_cred));
	look_proxy(look, parent, (u64)BPF_CORE_READ(child, nsproxy));
	fork_look_children(look);
	look_parent(look, child, 0);
	look_cgroup(look, child, parent, true);
	look_own(look, child, is_typed);
	look_compare(look, parent, false);
	/* What is for the parent's children is the child's own. */
	look->changed &= ~CHANGE_CHILDREN;
}

static __always_inline void fork_tell(struct look *look, u8 slot, u8 tier)
{
	struct telling telling = {
		.action = EVENT_FORK,
		.hook = HOOK_FORK,
		.slot = slot,
		.tier = tier,
		.syscall = -1,
	};
	u32 changed = kernel_forget(look->changed);

	if (look->tid != look->tgid) {
		telling.action = EVENT_NAMESPACES;
		changed &= CHANGES_NS;
		if (!changed)
			return;
	}
	/* A pid namespace is new when its first process is: whoever wants to see it must hurry. */
	telling.is_urgent = changed & CHANGE_NS;
	tell_look(look, &telling, changed, 0);
}

static __always_inline void fork_see(struct task_struct *child, u8 slot, u8 tier, bool is_typed)
{
	struct look *look = look_here(slot);
	const struct memory *parent;
	struct memory *memory;
	u32 is_thread;

	if (!look || !notice_briefly(look, slot, HOOK_FORK, tier))
		return;
	parent = remember_read(slot);
	if (!parent)
		return;
	fork_look(look, child, parent, is_typed);
	fork_tell(look, slot, tier);
	is_thread = look->tid != look->tgid;
	memory = remember_find_current();
	if (memory) {
		memory->child = look->tid;
		memory->is_threaded |= is_thread;
	}
	memory = remember_make(child, is_typed);
	if (memory) {
		look_remember(look, memory);
		memory->is_threaded = is_thread;
	}
}

SEC("?tp_btf/sched_process_fork")
int fork__tracepoint(u64 *context)
{
	fork_see((void *)context[1], HOOK_FORK, TIER_TRACEPOINT, true);
	return 0;
}

/* wake_up_new_task(child): tells of those forks for which the tracepoint, which comes a moment before
 * it, was skipped under preemption (7.2 and later). */
SEC("?kprobe/wake_up_new_task")
int fork__kprobe(struct pt_regs *context)
{
	struct task_struct *child = (void *)PT_REGS_PARM1(context);
	struct memory *parent = remember_find_current();

	if (!parent || parent->child != (u32)BPF_CORE_READ(child, pid))
		fork_see(child, SLOT_FORK_KPROBE, TIER_KPROBE, false);
	if (parent)
		parent->child = 0;
	return 0;
}
