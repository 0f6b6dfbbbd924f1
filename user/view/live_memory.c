/* SPDX-License-Identifier: GPL-2.0-only */
/* What the live table remembers of processes from one frame to the next. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "view/live_private.h"

#define PERCENT 100.0
/* A fork is told a little later than it happens: one that began so shortly before a frame and was
 * not in it has used no CPU time that another frame has counted. */
#define FORK_LATE_NS 1000000000ULL

static double cpu_percent(const struct live *live, const struct proc *proc, uint64_t base_cpu_ns,
			  uint64_t now_ns)
{
	if (proc->unknown & FIELD_BIT(FIELD_CPU) || !live->base_ns || now_ns <= live->base_ns ||
	    live->view->insides)
		return -1;
	if (proc->cpu_ns <= base_cpu_ns)
		return 0;
	return (double)(proc->cpu_ns - base_cpu_ns) * PERCENT / (double)(now_ns - live->base_ns);
}

/* before: of the same pid in the frame before, or NULL. */
static void memory_take(const struct live *live, struct live_memory *memory,
			const struct proc *proc, const struct live_memory *before)
{
	uint64_t start_ns = proc->task->start_boot_ns;

	if (before && before->start_boot_ns == start_ns) {
		*memory = *before;
		return;
	}
	*memory = (struct live_memory){
		.start_boot_ns = start_ns,
		.tgid = proc->task->tgid,
		.cpu_percent = -1,
	};
	if (!live->base_ns || start_ns + FORK_LATE_NS < live->base_ns)
		memory->base_cpu_ns = proc->cpu_ns;
}

static void memory_turn(struct live *live)
{
	struct live_memory *memory = live->memory_before;
	size_t capacity = live->memory_before_capacity;

	live->memory_before = live->memory;
	live->memory_before_capacity = live->memory_capacity;
	live->memory = memory;
	live->memory_capacity = capacity;
}

/* Both frames are in the order of pids. */
void live_memory_update(struct live *live, uint64_t now_boot_ns, bool has_usage)
{
	const struct live_memory *before;
	size_t at = 0;
	size_t count = live->procs_count; /* then */

	memory_turn(live);
	before = live->memory_before;
	live->procs = model_procs(live->view->model, &live->procs_count);
	if (live->memory_capacity < live->procs_count) {
		live->memory_capacity = live->procs_count + live->procs_count / 4;
		live->memory =
			mem_resize(live->memory, live->memory_capacity, sizeof(*live->memory));
	}
	for (size_t i = 0; i < live->procs_count; i++) {
		const struct proc *proc = &live->procs[i];
		struct live_memory *memory = &live->memory[i];

		__builtin_prefetch(live->procs[i + 8 < live->procs_count ? i + 8 : i].task);
		while (at < count && before[at].tgid < proc->task->tgid)
			at++;
		memory_take(live, memory, proc,
			    at < count && before[at].tgid == proc->task->tgid ? &before[at] : NULL);
		if (!has_usage)
			continue;
		memory->cpu_percent = cpu_percent(live, proc, memory->base_cpu_ns, now_boot_ns);
		memory->base_cpu_ns = proc->cpu_ns;
	}
}

void live_memory_forget(struct live *live)
{
	live->procs_count = 0;
	live->now_ns = live->first_ns = live->base_ns = 0;
	live->leaving_tgid = 0;
	for (size_t i = 0; i < LIVE_GONE_MAX; i++)
		live->gone[i].is_used = false;
}

void live_memory_free(struct live *live)
{
	for (size_t i = 0; live->gone && i < LIVE_GONE_MAX; i++)
		free(live->gone[i].buffer);
	free(live->gone);
	free(live->memory);
	free(live->memory_before);
}

struct live_memory *live_memory_find(const struct live *live, uint32_t tgid, uint64_t start_boot_ns)
{
	size_t low = 0;
	size_t high = live->procs_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct live_memory *memory = &live->memory[middle];

		if (memory->tgid == tgid)
			return memory->start_boot_ns == start_boot_ns ? memory : NULL;
		if (memory->tgid < tgid)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* The model forgets it with the next record: all that a row shows of it is copied. */
static void gone_copy(struct live_gone *gone, const struct proc *proc)
{
	size_t task_bytes = proc->task->header.size;
	size_t args_bytes = proc->args ? proc->args_length : 0;
	struct task_record *task;
	char *args;

	if (args_bytes > LIVE_GONE_ARGS)
		args_bytes = LIVE_GONE_ARGS;
	if (gone->buffer_bytes < task_bytes + args_bytes) {
		gone->buffer_bytes = task_bytes + args_bytes;
		gone->buffer = mem_resize(gone->buffer, 1, gone->buffer_bytes);
	}
	task = (struct task_record *)gone->buffer;
	args = (char *)gone->buffer + task_bytes;
	memcpy(task, proc->task, task_bytes);
	if (args_bytes)
		memcpy(args, proc->args, args_bytes);
	gone->proc = (struct proc){
		.task = task,
		.chain = record_chain(task),
		.groups = record_groups(task),
		.cgroup_path = record_cgroup_path(task),
		.args = args_bytes ? args : NULL,
		.args_length = (uint32_t)args_bytes,
		.args_cut = proc->args_cut || args_bytes < proc->args_length,
		.unknown = proc->unknown,
		.cpu_ns = proc->cpu_ns,
	};
	/* It was alive when it was what is shown. */
	task->flags &= ~(uint32_t)TASK_ZOMBIE;
}

void live_gone_add(struct live *live, const struct proc *proc, uint64_t key)
{
	struct live_gone *gone = &live->gone[live->gone_next++ % LIVE_GONE_MAX];

	gone_copy(gone, proc);
	gone->key = key;
	gone->shown_ns = 0;
	gone->is_used = true;
}

void live_gone_expire(struct live *live)
{
	for (size_t i = 0; i < LIVE_GONE_MAX; i++) {
		struct live_gone *gone = &live->gone[i];

		gone->proc.container = NULL;
		if (!gone->shown_ns)
			gone->shown_ns = live->now_ns;
		/* Frames a second apart are so only nearly. */
		if (live->now_ns - gone->shown_ns >= LIVE_GONE_NS - LIVE_GONE_NS / 10)
			gone->is_used = false;
	}
}

/* A zombie that a sweep has found is what it is. */
bool live_is_leaving(const struct live *live, const struct proc *proc)
{
	return proc->task->tgid == live->leaving_tgid &&
	       proc->task->start_boot_ns == live->leaving_start_ns &&
	       !(proc->task->flags & TASK_ZOMBIE);
}

bool live_is_gone(const struct live *live, const struct proc *proc)
{
	const char *at = (const char *)proc;

	return at >= (const char *)live->gone && at < (const char *)(live->gone + LIVE_GONE_MAX);
}

/* NULL: it has ended, or has begun since. */
static const struct live_memory *memory_of(const struct live *live, const struct proc *proc)
{
	const struct task_record *task = proc->task;
	const struct live_memory *memory;

	if (proc >= live->procs && proc < live->procs + live->procs_count) {
		memory = &live->memory[proc - live->procs];
		if (memory->tgid == task->tgid && memory->start_boot_ns == task->start_boot_ns)
			return memory;
	}
	return live_memory_find(live, task->tgid, task->start_boot_ns);
}

enum live_mark live_mark_of(const struct live *live, const struct proc *proc)
{
	const struct live_memory *memory;

	if (live_is_gone(live, proc))
		return LIVE_GONE;
	memory = memory_of(live, proc);
	if (!memory)
		return LIVE_PLAIN;
	if (memory->changed_ns && live->now_ns < memory->changed_ns + LIVE_MARK_NS)
		return LIVE_CHANGED;
	if (proc->unknown & FIELD_BIT(FIELD_START) || memory->start_boot_ns <= live->first_ns ||
	    live->now_ns >= memory->start_boot_ns + LIVE_MARK_NS)
		return LIVE_PLAIN;
	return LIVE_NEW;
}

double live_cpu(const struct live *live, const struct proc *proc)
{
	const struct live_memory *memory = live_is_gone(live, proc) ? NULL : memory_of(live, proc);

	return memory ? memory->cpu_percent : -1;
}
