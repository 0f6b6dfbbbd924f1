/* SPDX-License-Identifier: GPL-2.0-only */
/* A thread gets other credentials: ids, groups, capabilities, securebits, user namespace. */
#include "vmlinux.h"

#include "notice.bpf.h"
#include "tell_look.bpf.h"

static __always_inline void credentials_tell(struct look *look, struct memory *memory,
					     struct telling *telling)
{
	telling->action = EVENT_CREDENTIALS;
	telling->hook = HOOK_CREDENTIALS;
	telling->changed = look_compare(look, memory) & CHANGES_CRED;
	if (telling->changed)
		tell_look(look, memory, telling);
}

/* Before commit_creds(new): what the task still is may differ from what is remembered, which no
 * hook has told; and what it will be from that. Inside execve the exec event tells it all. */
static __always_inline void credentials_see(const struct cred *new, u8 tier)
{
	struct task_struct *task = kernel_current();
	struct look look;
	struct memory *memory = notice(&look, task, HOOK_CREDENTIALS, tier, true);
	struct telling telling = {.tier = tier};

	if (!memory)
		return;
	if (BPF_CORE_READ_BITFIELD_PROBED(task, in_execve)) {
		memory->exec_cred = (u64) new;
		return;
	}
	telling.syscall = kernel_syscall(task);
	if (kernel_is_32bit(task))
		telling.flags |= EVENT_32BIT;
	look_cred(&look, memory, new);
	credentials_tell(&look, memory, &telling);
	look_remember(&look, memory);
}

SEC("?kprobe/commit_creds")
int credentials__kprobe(struct pt_regs *context)
{
	credentials_see((void *)PT_REGS_PARM1(context), TIER_KPROBE);
	return 0;
}

SEC("?fentry/commit_creds")
int credentials__fentry(u64 *context)
{
	credentials_see((void *)context[0], TIER_FENTRY);
	return 0;
}

/* After a system call that may have changed them; a namespace is the business of another. */
SEC("?tp")
int credentials__syscall(struct trace_sys_exit *context)
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
	credentials_tell(&look, memory, &telling);
	look_remember_cred(&look, memory);
	return 0;
}
