/* SPDX-License-Identifier: GPL-2.0-only */
/* A new process, or a new thread's memory. */
#include "vmlinux.h"

#include "notice.bpf.h"
#include "tell_look.bpf.h"

/* What a child begins with is what its parent had: its own differences come from clone. */
static __always_inline void fork_tell(struct look *look, struct memory *parent, u8 tier,
				      bool is_typed, bool is_thread)
{
	struct telling telling = {
		.action = is_thread ? EVENT_NAMESPACES : EVENT_FORK,
		.hook = HOOK_FORK,
		.tier = tier,
		.syscall = -1,
		.is_typed = is_typed,
	};

	if (parent)
		telling.changed = look_compare(look, parent) & ~CHANGE_CHILDREN;
	if (is_thread && !(telling.changed & CHANGES_NS))
		return;
	/* A pid namespace is new when its first process is: whoever wants to see it must hurry. */
	telling.is_urgent = telling.changed & CHANGE_NS;
	tell_look(look, parent, &telling);
}

/* Only what a typed pointer is had of can be given a memory. */
static __always_inline void fork_remember(const struct look *look, struct task_struct *child,
					  struct memory *parent)
{
	struct memory *memory =
		remember_make(child, parent ? parent : (struct memory *)&memory_blank);

	if (memory)
		look_remember(look, memory);
}

static __always_inline void fork_see(struct task_struct *parent, struct task_struct *child, u8 tier,
				     bool is_typed)
{
	bool is_thread =
		kernel_number(is_typed, child, pid) != kernel_number(is_typed, child, tgid);
	struct memory *memory;
	struct look look;

	memory = notice(&look, parent, HOOK_FORK, tier, true);
	look_take(&look, child, 0, BPF_CORE_READ(child, real_cred), BPF_CORE_READ(child, nsproxy),
		  is_typed);
	fork_tell(&look, memory, tier, is_typed, is_thread);
	if (is_typed)
		fork_remember(&look, child, memory);
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
