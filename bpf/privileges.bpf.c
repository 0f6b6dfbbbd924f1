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
					   u8 tier, u32 slot)
{
	const struct memory *known = result < 0 ? 0 : remember_read(slot);
	struct telling telling = {
		.action = EVENT_PRIVILEGES,
		.hook = HOOK_PRIVILEGES,
		.slot = slot,
		.tier = tier,
		.syscall = number,
	};
	struct look *look = look_here(slot);
	struct memory *memory;
	u32 changed = 0;

	if (!known || !look || !remember_is_known(known))
		return;
	look_privileges(look, task, has_task_helpers);
	if (look->identity.no_new_privs != known->seen.no_new_privs)
		changed |= CHANGE_NO_NEW_PRIVS;
	if (look->identity.seccomp != known->seen.seccomp)
		changed |= CHANGE_SECCOMP;
	if (!changed)
		return;
	if (kernel_is_32bit(task))
		telling.flags |= EVENT_32BIT;
	look_whole(slot);
	tell_look(look, &telling, changed, 0);
	memory = remember_find_current();
	if (!memory)
		return;
	memory->seen.no_new_privs = look->identity.no_new_privs;
	memory->seen.seccomp = look->identity.seccomp;
}

static __always_inline void privileges_return(long result, u8 tier, u32 slot)
{
	struct task_struct *task = kernel_current();

	privileges_see(task, kernel_syscall(task), result, tier, slot);
}

SEC("?tp")
int privileges__syscall(struct trace_sys_exit *context)
{
	privileges_see(kernel_current(), context->nr, context->ret, TIER_SYSCALL, HOOK_PRIVILEGES);
	return 0;
}

SEC("?kretprobe")
int privileges__kprobe(struct pt_regs *context)
{
	privileges_return(PT_REGS_RC(context), TIER_KPROBE, HOOK_PRIVILEGES);
	return 0;
}

SEC("?fexit")
int privileges__fentry_prctl(u64 *context)
{
	privileges_return(context[1], TIER_FENTRY, SLOT_PRIVILEGES + 0);
	return 0;
}

SEC("?fexit")
int privileges__fentry_seccomp(u64 *context)
{
	privileges_return(context[1], TIER_FENTRY, SLOT_PRIVILEGES + 1);
	return 0;
}
