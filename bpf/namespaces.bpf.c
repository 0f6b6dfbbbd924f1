/* SPDX-License-Identifier: GPL-2.0-only */
/* A thread gets other namespaces, or its children to come do; the user namespace is part of the
 * credentials. */
#include "vmlinux.h"

#include "notice.bpf.h"
#include "tell_look.bpf.h"

static __always_inline void namespaces_tell(struct look *look, struct memory *memory,
					    struct telling *telling)
{
	u32 changed = kernel_forget(look->changed) & CHANGES_NS;

	telling->action = EVENT_NAMESPACES;
	telling->hook = HOOK_NAMESPACES;
	telling->slot = HOOK_NAMESPACES;
	telling->is_urgent = true;
	if (changed)
		tell_look(look, telling, changed, 0);
	look_remember_proxy(look, memory);
}

/* Before switch_task_namespaces(task, new). At a thread's end there is no new one; inside execve,
 * which may switch the time namespace, the exec event tells. */
static __always_inline void namespaces_see(u64 new, u8 tier)
{
	struct task_struct *task = kernel_current();
	struct look *look = look_here(HOOK_NAMESPACES);
	struct telling telling = {.tier = tier};
	struct memory *memory;

	if (!new || !look || BPF_CORE_READ_BITFIELD_PROBED(task, in_execve))
		return;
	memory = notice(look, HOOK_NAMESPACES, HOOK_NAMESPACES, tier);
	if (!memory)
		return;
	notice_call(&telling);
	look_proxy(look, memory, new);
	look_compare(look, memory, false);
	namespaces_tell(look, memory, &telling);
}

SEC("?kprobe/switch_task_namespaces")
int namespaces__kprobe(struct pt_regs *context)
{
	namespaces_see(PT_REGS_PARM2(context), TIER_KPROBE);
	return 0;
}

SEC("?fentry/switch_task_namespaces")
int namespaces__fentry(u64 *context)
{
	namespaces_see(kernel_address(context[1]), TIER_FENTRY);
	return 0;
}

/* After setns or unshare. */
SEC("?tp")
int namespaces__syscall(struct trace_sys_exit *context)
{
	struct telling telling = {.tier = TIER_SYSCALL, .syscall = context->nr};
	struct look *look = look_here(HOOK_NAMESPACES);
	struct memory *memory = notice_after(look, HOOK_NAMESPACES);

	if (memory)
		namespaces_tell(look, memory, &telling);
	return 0;
}
