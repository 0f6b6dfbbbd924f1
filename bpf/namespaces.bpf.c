/* SPDX-License-Identifier: GPL-2.0-only */
/* A thread gets other namespaces, or its children to come do; the user namespace is part of the
 * credentials. */
#include "vmlinux.h"

#include "notice.bpf.h"
#include "tell_look.bpf.h"

static __always_inline void namespaces_tell(struct look *look, struct memory *memory,
					    struct telling *telling)
{
	telling->action = EVENT_NAMESPACES;
	telling->hook = HOOK_NAMESPACES;
	telling->is_urgent = true;
	telling->changed = look_compare(look, memory) & CHANGES_NS;
	if (telling->changed)
		tell_look(look, memory, telling);
}

/* Before switch_task_namespaces(task, new). At a thread's end there is no new one; inside execve,
 * which may switch the time namespace, the exec event tells. */
static __always_inline void namespaces_see(struct nsproxy *new, u8 tier)
{
	struct task_struct *task = kernel_current();
	struct telling telling = {.tier = tier};
	struct memory *memory;
	struct look look;

	if (!new || BPF_CORE_READ_BITFIELD_PROBED(task, in_execve))
		return;
	memory = notice(&look, task, HOOK_NAMESPACES, tier, true);
	if (!memory)
		return;
	telling.syscall = kernel_syscall(task);
	if (kernel_is_32bit(task))
		telling.flags |= EVENT_32BIT;
	look_proxy(&look, memory, new);
	namespaces_tell(&look, memory, &telling);
	look_remember(&look, memory);
}

SEC("?kprobe/switch_task_namespaces")
int namespaces__kprobe(struct pt_regs *context)
{
	namespaces_see((void *)PT_REGS_PARM2(context), TIER_KPROBE);
	return 0;
}

SEC("?fentry/switch_task_namespaces")
int namespaces__fentry(u64 *context)
{
	namespaces_see((void *)context[1], TIER_FENTRY);
	return 0;
}

/* After setns or unshare. */
SEC("?tp")
int namespaces__syscall(struct trace_sys_exit *context)
{
	struct task_struct *task = kernel_current();
	struct memory *memory = remember_find(task);
	struct telling telling = {.tier = TIER_SYSCALL, .syscall = context->nr};
	struct look look;

	look_take(&look, task, memory, BPF_CORE_READ(task, real_cred), BPF_CORE_READ(task, nsproxy),
		  false);
	if (!memory) {
		memory = remember_make(task, (struct memory *)&memory_blank);
		if (memory)
			look_remember(&look, memory);
		return 0;
	}
	namespaces_tell(&look, memory, &telling);
	look_remember_proxy(&look, memory);
	return 0;
}
