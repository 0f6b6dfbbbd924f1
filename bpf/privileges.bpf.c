/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * no_new_privs and seccomp belong to no credentials, so they are compared only after the calls
 * that set them: prctl and seccomp. A filter may be set for other threads too (TSYNC); those are
 * found to have it, in silence, when they are looked at.
 */
#include "vmlinux.h"

#include "notice.bpf.h"
#include "tell_look.bpf.h"

static __always_inline void privileges_see(struct task_struct *task, int number, long result,
					   u8 tier)
{
	struct memory *memory = result < 0 ? 0 : remember_find(task);
	struct telling telling = {
		.action = EVENT_PRIVILEGES,
		.hook = HOOK_PRIVILEGES,
		.tier = tier,
		.syscall = number,
	};
	u32 changed = 0;

	if (!memory)
		return;
	look_privileges(&memory->look, task, has_task_storage);
	if (memory->look.identity.no_new_privs != memory->seen.no_new_privs)
		changed |= CHANGE_NO_NEW_PRIVS;
	if (memory->look.identity.seccomp != memory->seen.seccomp)
		changed |= CHANGE_SECCOMP;
	if (!changed)
		return;
	if (kernel_is_32bit(task))
		telling.flags |= EVENT_32BIT;
	look_whole();
	tell_look(&memory->look, &telling, changed, 0);
	memory->seen.no_new_privs = memory->look.identity.no_new_privs;
	memory->seen.seccomp = memory->look.identity.seccomp;
}

static __always_inline void privileges_return(long result, u8 tier)
{
	struct task_struct *task = kernel_current();

	privileges_see(task, kernel_syscall(task), result, tier);
}

SEC("?tp")
int privileges__syscall(struct trace_sys_exit *context)
{
	privileges_see(kernel_current(), context->nr, context->ret, TIER_SYSCALL);
	return 0;
}

SEC("?kretprobe")
int privileges__kprobe(struct pt_regs *context)
{
	privileges_return(PT_REGS_RC(context), TIER_KPROBE);
	return 0;
}

SEC("?fexit")
int privileges__fentry_prctl(u64 *context)
{
	privileges_return(context[1], TIER_FENTRY);
	return 0;
}

SEC("?fexit")
int privileges__fentry_seccomp(u64 *context)
{
	privileges_return(context[1], TIER_FENTRY);
	return 0;
}
