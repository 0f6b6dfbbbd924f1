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
					bool is_namespace)
{
	struct telling telling = {
		.error = -result,
		.action = is_namespace ? EVENT_NAMESPACES : EVENT_CREDENTIALS,
		.hook = HOOK_REFUSED,
		.tier = tier,
		.syscall = number,
	};

	struct memory *memory;

	if (result >= 0 || result < -MAX_ERRNO)
		return;
	if (kernel_is_32bit(task))
		telling.flags |= EVENT_32BIT;
	memory = notice(HOOK_REFUSED, tier);
	if (memory)
		tell_look(&memory->look, &telling, 0, 0);
}

/* Of a function that serves one system call; which one, the registers tell. */
static __always_inline void refused_return(long result, u8 tier)
{
	struct task_struct *task = kernel_current();
	int number;

	if (result >= 0)
		return;
	number = kernel_syscall(task);
	refused_see(task, number, result, tier,
		    refused_is_namespace(number, kernel_is_32bit(task)));
}

SEC("?tp")
int refused__syscall(struct trace_sys_exit *context)
{
	refused_see(kernel_current(), context->nr, context->ret, TIER_SYSCALL,
		    refused_is_namespace(context->nr, false));
	return 0;
}

SEC("?kretprobe")
int refused__kprobe(struct pt_regs *context)
{
	refused_return(PT_REGS_RC(context), TIER_KPROBE);
	return 0;
}

/* A trampoline belongs to one function, and a program to one trampoline. The context is the
 * function's one argument, then what it returns. */
SEC("?fexit")
int refused__fentry_setns(u64 *context)
{
	refused_return(context[1], TIER_FENTRY);
	return 0;
}

SEC("?fexit")
int refused__fentry_unshare(u64 *context)
{
	refused_return(context[1], TIER_FENTRY);
	return 0;
}

SEC("?fexit")
int refused__fentry_capset(u64 *context)
{
	refused_return(context[1], TIER_FENTRY);
	return 0;
}

SEC("?fexit")
int refused__fentry_setuid(u64 *context)
{
	refused_return(context[1], TIER_FENTRY);
	return 0;
}

SEC("?fexit")
int refused__fentry_setgid(u64 *context)
{
	refused_return(context[1], TIER_FENTRY);
	return 0;
}

SEC("?fexit")
int refused__fentry_setreuid(u64 *context)
{
	refused_return(context[1], TIER_FENTRY);
	return 0;
}

SEC("?fexit")
int refused__fentry_setregid(u64 *context)
{
	refused_return(context[1], TIER_FENTRY);
	return 0;
}

SEC("?fexit")
int refused__fentry_setresuid(u64 *context)
{
	refused_return(context[1], TIER_FENTRY);
	return 0;
}

SEC("?fexit")
int refused__fentry_setresgid(u64 *context)
{
	refused_return(context[1], TIER_FENTRY);
	return 0;
}

SEC("?fexit")
int refused__fentry_setgroups(u64 *context)
{
	refused_return(context[1], TIER_FENTRY);
	return 0;
}
