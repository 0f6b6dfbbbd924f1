/* SPDX-License-Identifier: GPL-2.0-only */
/* --complete: what a system call has changed is found at its end, whichever call it was. */
#include "vmlinux.h"

#include "notice.bpf.h"
#include "tell_look.bpf.h"

/* Changing credentials or namespaces means replacing them, so equal addresses are all that nearly
 * every call pays for. */
SEC("?tp_btf/sys_exit")
int complete__tracepoint(u64 *context)
{
	struct task_struct *task = kernel_current();
	struct memory *memory = remember_find_at(task, bpf_get_current_task());
	struct telling telling = {
		.hook = HOOK_COMPLETE,
		.slot = HOOK_COMPLETE,
		.tier = TIER_TRACEPOINT,
	};
	struct look *look;

	if (!memory)
		return 0;
	if (memory->cred == (u64)kernel_number(has_task_helpers, task, real_cred) &&
	    memory->proxy == (u64)kernel_number(has_task_helpers, task, nsproxy))
		return 0;
	notice_call(&telling);
	look = look_here(HOOK_COMPLETE);
	if (look && notice_as(look, &telling, look_whole(HOOK_COMPLETE)))
		look_keep(HOOK_COMPLETE); /* the addresses, though nothing differs */
	return 0;
}
