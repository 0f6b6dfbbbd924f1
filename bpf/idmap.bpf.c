/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The maps of a user namespace are written, through /proc/PID/{uid_map,gid_map,setgroups}: from
 * then on its processes have other ids inside. The event is of who writes.
 */
#include "vmlinux.h"

#include "notice.bpf.h"
#include "tell_look.bpf.h"

/* fs/proc/base.c proc_id_map_open(): the seq_file's private pointer is the namespace. */
static __always_inline u32 idmap_namespace(struct file *file)
{
	struct seq_file *seq = (void *)BPF_CORE_READ(file, private_data);
	struct user_namespace *ns = (void *)BPF_CORE_READ(seq, private);

	return BPF_CORE_READ(ns, ns.inum);
}

static __always_inline void idmap_see(u64 address, long result, u8 tier, u32 slot)
{
	struct telling telling = {
		.action = EVENT_IDMAP,
		.hook = HOOK_IDMAP,
		.slot = slot,
		.tier = tier,
		.is_urgent = true,
	};

	struct look *look = look_here(slot);

	telling.syscall = kernel_syscall(kernel_current());
	if (result < 0)
		telling.error = -result;
	if (look && notice(look, slot, HOOK_IDMAP, tier))
		tell_look(look, &telling, 0, idmap_namespace((void *)address));
}

/* What a kretprobe is not given. */
SEC("?kprobe")
int idmap__kprobe(struct pt_regs *context)
{
	struct look *look = look_here(HOOK_IDMAP);
	struct memory *memory = look ? notice(look, HOOK_IDMAP, HOOK_IDMAP, TIER_KPROBE) : 0;

	if (memory)
		memory->idmap_file = PT_REGS_PARM1(context);
	return 0;
}

SEC("?kretprobe")
int idmap__kretprobe(struct pt_regs *context)
{
	struct memory *memory = remember_find_current();
	u64 file = memory ? memory->idmap_file : 0;

	if (!file)
		return 0;
	memory->idmap_file = 0;
	idmap_see(file, PT_REGS_RC(context), TIER_KPROBE, HOOK_IDMAP);
	return 0;
}

/* (file, buffer, size, position), then what is returned. */
SEC("?fexit/proc_uid_map_write")
int idmap__fentry_uid(u64 *context)
{
	idmap_see(kernel_address(context[0]), context[4], TIER_FENTRY, SLOT_IDMAP + 0);
	return 0;
}

SEC("?fexit/proc_gid_map_write")
int idmap__fentry_gid(u64 *context)
{
	idmap_see(kernel_address(context[0]), context[4], TIER_FENTRY, SLOT_IDMAP + 1);
	return 0;
}

SEC("?fexit/proc_setgroups_write")
int idmap__fentry_setgroups(u64 *context)
{
	idmap_see(kernel_address(context[0]), context[4], TIER_FENTRY, SLOT_IDMAP + 2);
	return 0;
}
