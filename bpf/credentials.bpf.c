/* SPDX-License-Identifier: GPL-2.0-only */
/* A thread gets other credentials: ids, groups, capabilities, securebits, user namespace. */
#include "vmlinux.h"

#include "notice.bpf.h"
#include "tell_look.bpf.h"

static __always_inline void credentials_tell(struct look *look, struct memory *memory,
					     struct telling *telling)
{
	u32 changed = kernel_forget(look->changed) & CHANGES_CRED;

	telling->action = EVENT_CREDENTIALS;
	telling->hook = HOOK_CREDENTIALS;
	telling->slot = HOOK_CREDENTIALS;
	if (changed)
		tell_look(look, telling, changed, 0);
	look_remember_cred(look, memory);
}

/* Before commit_creds(new): what the task still is may differ from what is remembered, which no
 * hook has told; and what it will be from that. Inside execve the exec event tells it all. */
static __always_inline void credentials_see(u64 new, u8 tier)
{
	struct task_struct *task = kernel_current();
	struct look *look = look_here(HOOK_CREDENTIALS);
	struct telling telling = {.tier = tier};
	struct memory *memory;

	if (!look)
		return;
	memory = notice(look, HOOK_CREDENTIALS, HOOK_CREDENTIALS, tier);
	if (!memory)
		return;
	if (BPF_CORE_READ_BITFIELD_PROBED(task, in_execve)) {
		memory->exec_cred = new;
		return;
	}
	notice_call(&telling);
	look_cred(look, memory, new);
	look_compare(look, memory, false);
	credentials_tell(look, memory, &telling);
}

SEC("?kprobe/commit_creds")
int credentials__kprobe(struct pt_regs *context)
{
	credentials_see(PT_REGS_PARM1(context), TIER_KPROBE);
	return 0;
}

SEC("?fentry/commit_creds")
int credentials__fentry(u64 *context)
{
	credentials_see(kernel_address(context[0]), TIER_FENTRY);
	return 0;
}

/* After a system call that may have changed them; a namespace is the business of another. */
SEC("?tp")
int credentials__syscall(struct trace_sys_exit *context)
{
	struct telling telling = {.tier = TIER_SYSCALL, .syscall = context->nr};
	struct look *look = look_here(HOOK_CREDENTIALS);
	struct memory *memory = notice_after(look, HOOK_CREDENTIALS);

	if (!memory)
		return 0;
	/* They may have changed, too, which is told next. */
	look_as_before(look, memory);
	credentials_tell(look, memory, &telling);
	return 0;
}
