/* SPDX-License-Identifier: GPL-2.0-only */
/* A process ends when its last thread does, which need not be the leader. */
#include "vmlinux.h"

#include "notice.bpf.h"

#define EEXIST 17
#define SIGNAL_GROUP_EXIT 0x00000004

/* As wait_task_zombie() gives it. */
static __always_inline s32 exit_status(struct task_struct *task, struct signal_struct *signal)
{
	if (BPF_CORE_READ(signal, flags) & SIGNAL_GROUP_EXIT)
		return BPF_CORE_READ(signal, group_exit_code);
	return BPF_CORE_READ(task, group_leader, exit_code);
}

/*
 * Threads that end at once may all see that none is alive: the first one tells. It is claimed here,
 * before the ring is asked for room, so that what is lost is counted once, too. Who never had a
 * second thread has nothing to claim, and who is the only one left need not, which is dear: all
 * others are past this, and whoever of them told was not alone.
 */
static __always_inline bool exit_is_first(const struct look *look, const struct memory *memory,
					  struct signal_struct *signal)
{
	struct exit_key key = {(u64)signal, look->start_boot_ns};
	u8 is_told = 1;

	if (!memory->is_threaded)
		return true;
	if (BPF_CORE_READ(signal, nr_threads) == 1)
		return !bpf_map_lookup_elem(&exits_told, &key);
	return kernel_map_result(bpf_map_update_elem(&exits_told, &key, &is_told, BPF_NOEXIST)) !=
	       -EEXIST;
}

static __always_inline void exit_tell(struct look *look, u8 tier, s32 status)
{
	struct telling telling = {
		.action = EVENT_EXIT,
		.hook = HOOK_EXIT,
		.tier = tier,
		.syscall = -1,
	};
	struct event_exit *exit;
	struct emission out;

	emit_begin(&out, look->draft, DRAFT_ROOM);
	tell_head(&out, look, &telling, 0);
	tell_chain(&out, look, sizeof(struct event_record));
	exit = emit_place(&out, PART_EXIT, sizeof(*exit));
	if (exit) {
		exit->status = status;
		exit->pad = 0;
	}
	emit_send(&out, DRAFT_ROOM, HOOK_EXIT, false);
}

static __always_inline void exit_see(struct task_struct *task, u8 tier, bool is_last)
{
	struct signal_struct *signal = BPF_CORE_READ(task, signal);
	struct look *look = look_here(HOOK_EXIT);
	struct memory *memory = look ? notice_briefly(look, HOOK_EXIT, HOOK_EXIT, tier) : 0;

	/* taskstats_exit() is told who was the last one. */
	if (memory && is_last && (tier == TIER_KPROBE || exit_is_first(look, memory, signal)))
		exit_tell(look, tier, exit_status(task, signal));
	remember_end();
}

SEC("?tp_btf/sched_process_exit")
int exit__tracepoint(u64 *context)
{
	struct task_struct *task = (void *)context[0];

	exit_see(task, TIER_TRACEPOINT, BPF_CORE_READ(task, signal, live.counter) == 0);
	return 0;
}

/* taskstats_exit(task, group_dead), where tracepoints skip runs under preemption (7.2 and later);
 * the task is the current one. */
SEC("?kprobe/taskstats_exit")
int exit__kprobe(struct pt_regs *context)
{
	exit_see(kernel_current(), TIER_KPROBE, PT_REGS_PARM2(context) & 1);
	return 0;
}
