/* SPDX-License-Identifier: GPL-2.0-only */
/* System calls that would have changed credentials or namespaces, and were refused. */
#include "vmlinux.h"

#include "notice.bpf.h"
#include "tell_look.bpf.h"

#define MAX_ERRNO 4095

static __always_inline bool refused_is_namespace(int number, bool is_32bit)
{
	if (is_32bit)
		return number == SYSCALL_SETNS_32 || number == SYSCALL_UNSHARE_32;
	return number == SYSCALL_SETNS || number == SYSCALL_UNSHARE;
}

static __always_inline void refused_see(struct task_struct *task, int number, long result, u8 tier,
					u32 slot, bool is_namespace)
{
	struct telling telling = {
		.error = -result,
		.action = is_namespace ? EVENT_NAMESPACES : EVENT_CREDENTIALS,
		.hook = HOOK_REFUSED,
		.slot = slot,
		.tier = tier,
		.syscall = number,
	};
	struct look *look = look_here(slot);

	if (!look || result >= 0 || result < -MAX_ERRNO)
		return;
	if (kernel_is_32bit(task))
		telling.flags |= EVENT_32BIT;
	if (notice(look, slot, HOOK_REFUSED, tier))
		tell_look(look, &telling, 0, 0);
}

/* Of a function that serves one system call; which one, the registers tell. */
static __always_inline void refused_return(long result, u8 tier, u32 slot)
{
	struct task_struct *task = kernel_current();
	int number;

	if (result >= 0)
		return;
	number = kernel_syscall(task);
	refused_see(task, number, result, tier, slot,
		    refused_is_namespace(number, kernel_is_32bit(task)));
}

SEC("?tp")
int refused__syscall(struct trace_sys_exit *context)
{
	refused_see(kernel_current(), context->nr, context->ret, TIER_SYSCALL, HOOK_REFUSED,
		    refused_is_namespace(context->nr, false));
	return 0;
}

SEC("?kretprobe")
int refused__kprobe(struct pt_regs *context)
{
	refused_return(PT_REGS_RC(context), TIER_KPROBE, HOOK_REFUSED);
	return 0;
}

/* A trampoline belongs to one function, and a program to one trampoline. The context is the
 * function's one argument, then what it returns. */
SEC("?fexit")
int refused__fentry_setns(u64 *context)
{
	refused_return(context[1], TIER_FENTRY, SLOT_REFUSED + 0);
	return 0;
}

SEC("?fexit")
int refused__fentry_unshare(u64 *context)
{
	refused_return(context[1], TIER_FENTRY, SLOT_REFUSED + 1);
	return 0;
}

SEC("?fexit")
int refused__fentry_capset(u64 *context)
{
	refused_return(context[1], TIER_FENTRY, SLOT_REFUSED + 2);
	return 0;
}

SEC("?fexit")
int refused__fentry_setuid(u64 *context)
{
	refused_return(context[1], TIER_FENTRY, SLOT_REFUSED + 3);
	return 0;
}

SEC("?fexit")
int refused__fentry_setgid(u64 *context)
{
	refused_return(context[1], TIER_FENTRY, SLOT_REFUSED + 4);
	return 0;
}

SEC("?fexit")
int refused__fentry_setreuid(u64 *context)
{
	refused_return(context[1], TIER_FENTRY, SLOT_REFUSED + 5);
	return 0;
}

SEC("?fexit")
int refused__fentry_setregid(u64 *context)
{
	refused_return(context[1], TIER_FENTRY, SLOT_REFUSED + 6);
	return 0;
}

SEC("?fexit")
int refused__fentry_setresuid(u64 *context)
{
	refused_return(context[1], TIER_FENTRY, SLOT_REFUSED + 7);
	return 0;
}

SEC("?fexit")
int refused__fentry_setresgid(u64 *context)
{
	refused_return(context[1], TIER_FENTRY, SLOT_REFUSED + 8);
	return 0;
}

SEC("?fexit")
int refused__fentry_setgroups(u64 *context)
{
	refused_return(context[1], TIER_FENTRY, SLOT_REFUSED + 9);
	return 0;
}
