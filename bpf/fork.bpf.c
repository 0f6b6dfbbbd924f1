/* SPDX-License-Identifier: GPL-2.0-only */
/* A new process, or a new thread's memory. */
#include "vmlinux.h"

#include "notice.bpf.h"
#include "tell_look.bpf.h"

/* What a child begins with is what its parent had: its own differences come from clone. What is
 * for the parent's children is the child's own. */
static __always_inline void fork_tell(struct look *look, const struct memory *parent,
				      struct task_struct *child, u8 tier, bool is_typed,
				      bool is_thread)
{
	struct telling telling = {
		.task = child,
		.action = is_thread ? EVENT_NAMESPACES : EVENT_FORK,
		.hook = HOOK_FORK,
		.tier = tier,
		.syscall = -1,
		.is_typed = is_typed,
	};

	look_compare(look, parent);
	look->changed &= ~CHANGE_CHILDREN;
	if (is_thread && !(kernel_forget(look->changed) & CHANGES_NS))
		return;
	/* A pid namespace is new when its first process is: whoever wants to see it must hurry. */
	telling.is_urgent = kernel_forget(look->changed) & CHANGE_NS;
	tell_look(look, parent, &telling, kernel_forget(look->changed), 0);
}

static __always_inline void fork_see(struct task_struct *parent, struct task_struct *child, u8 tier,
				     bool is_typed)
{
	bool is_thread =
		kernel_number(is_typed, child, pid) != kernel_number(is_typed, child, tgid);
	struct memory *of_parent = notice(parent, HOOK_FORK, tier, is_typed), *of_child;

	if (!of_parent)
		return;
	look_take_child(&of_parent->look, child, of_parent, is_typed);
	fork_tell(&of_parent->look, of_parent, child, tier, is_typed, is_thread);
	/* Only what a typed pointer is had of can be given a memory. */
	if (!is_typed && has_task_storage)
		return;
	of_child = remember_make(child, of_parent);
	if (of_child)
		look_remember(&of_parent->look, of_child);
}

SEC("?tp_btf/sched_process_fork")
int fork__tracepoint(u64 *context)
{
	fork_see((void *)context[0], (void *)context[1], TIER_TRACEPOINT, true);
	return 0;
}

/* wake_up_new_task(child), where tracepoints skip runs under preemption (7.2 and later). */
SEC("?kprobe/wake_up_new_task")
int fork__kprobe(struct pt_regs *context)
{
	fork_see(kernel_current(), (void *)PT_REGS_PARM1(context), TIER_KPROBE, false);
	return 0;
}
