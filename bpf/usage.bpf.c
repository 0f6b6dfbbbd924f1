/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each process uses, for who looks every second: of a thread its CPU time, of a process what
 * no event tells. A snapshot (tasks.bpf.c) reads ten times as much. Its records lie on the stack:
 * nothing is left behind between runs.
 */
#include "vmlinux.h"

#include "kernel.bpf.h"
#include "maps.bpf.h"
#include "memory.bpf.h"
#include "task.bpf.h"

static __always_inline void usage_fill_memory(struct usage_record *usage, struct task_struct *task)
{
	struct mm_struct *mm;

	if (task->flags & PF_KTHREAD)
		return;
	mm = BPF_CORE_READ(task, mm);
	if (!mm)
		return;
	usage->vsz_pages = BPF_CORE_READ(mm, total_vm);
	usage->rss_pages = memory_resident_pages(mm);
}

static __always_inline void usage_write_process(struct seq_file *seq, struct task_struct *task,
						struct signal_struct *signal)
{
	struct usage_record usage = {};

	usage.header.size = sizeof(usage);
	usage.header.type = RECORD_USAGE;
	usage.start_boot_ns = task->start_boottime;
	usage.cpu_ns = BPF_CORE_READ(signal, sum_sched_runtime) + task->se.sum_exec_runtime;
	usage.tgid = task->tgid;
	usage.threads = BPF_CORE_READ(signal, nr_threads);
	usage.priority = task_priority(task);
	usage.nice = task_nice(task);
	usage.state = task_state_letter(task);
	usage_fill_memory(&usage, task);
	bpf_seq_write(seq, &usage, sizeof(usage));
}

SEC("?iter/task")
int usage_sample(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	struct signal_struct *signal;

	if (!task)
		return 0;
	if (context->meta->seq_num == 0)
		memory_prepare();
	/* Without it the task is being reaped: it has ended. */
	signal = BPF_CORE_READ(task, signal);
	if (!signal)
		return 0;
	if (task->pid != task->tgid)
		task_write_thread(context->meta->seq, task);
	else
		usage_write_process(context->meta->seq, task, signal);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
