/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "host/runtime/runtime.h"
#include "model/container.h"

/* A kernel has at most 4194304 pids (PID_MAX_LIMIT): more records than that are not processes. */
#define PROCS_MAX (4 * 1024 * 1024)

#define TICK_NS 10000000ULL /* USER_HZ is 100 on every architecture that nsview runs on */

/* CPU time and arguments may come before the process they belong to. */
struct pending_thread {
	uint64_t cpu_ns;
	uint32_t tgid;
};

struct model {
	struct arena arena; /* copies of the records, and the containers */
	struct proc *procs; /* by host pid, once settled */
	size_t procs_count;
	size_t procs_capacity;
	struct pending_thread *threads;
	size_t threads_count;
	size_t threads_capacity;
	const struct args_record **args;
	size_t args_count;
	size_t args_capacity;
	struct container_table containers;
	uint32_t host_ns[NS_KINDS];
	size_t turned_away;
};

/* include/linux/proc_ns.h: fixed since 3.8 (user, pid, uts, ipc), 4.6 (cgroup), 5.6 (time). */
static const uint32_t fixed_host_ns[NS_KINDS] = {
	[NS_PID] = 0xEFFFFFFC,  [NS_IPC] = 0xEFFFFFFF,    [NS_UTS] = 0xEFFFFFFE,
	[NS_USER] = 0xEFFFFFFD, [NS_CGROUP] = 0xEFFFFFFB, [NS_TIME] = 0xEFFFFFFA,
};

struct model *model_new(void)
{
	struct model *model = mem_new(sizeof(*model));

	memcpy(model->host_ns, fixed_host_ns, sizeof(model->host_ns));
	return model;
}

void model_free(struct model *model)
{
	if (!model)
		return;
	container_table_free(&model->containers);
	arena_free(&model->arena);
	free(model->procs);
	free(model->threads);
	free(model->args);
	free(model);
}

static void model_apply_host(struct model *model, const struct host_record *host)
{
	for (int kind = 0; kind < NS_KINDS; kind++) {
		if (host->ns[kind])
			model->host_ns[kind] = host->ns[kind];
	}
}

static void model_apply_task(struct model *model, const struct task_record *task)
{
	const char *tail = (const char *)(task + 1);
	struct proc *proc;

	mem_reserve_one(model->procs, model->procs_count, model->procs_capacity);
	proc = &model->procs[model->procs_count++];
	*proc = (struct proc){.task = task, .unknown = task->unknown, .cpu_ns = task->cpu_ns};
	proc->chain = (const struct pid_level *)tail;
	tail += task->chain_count * sizeof(struct pid_level);
	proc->groups = (const uint32_t *)tail;
	tail += task->groups_kept * sizeof(uint32_t);
	proc->cgroup_path = tail;
}

static void model_apply_thread(struct model *model, const struct thread_record *thread)
{
	mem_reserve_one(model->threads, model->threads_count, model->threads_capacity);
	model->threads[model->threads_count++] =
		(struct pending_thread){thread->cpu_ns, thread->tgid};
}

int model_apply(struct model *model, const struct record_header *record)
{
	struct record_header *copy;

	if (record->type == RECORD_HOST) {
		model_apply_host(model, (const struct host_record *)record);
		return 0;
	}
	if (record->type == RECORD_THREAD) {
		model_apply_thread(model, (const struct thread_record *)record);
		return 0;
	}
	if ((record->type != RECORD_TASK && record->type != RECORD_ARGS) ||
	    model->procs_count >= PROCS_MAX || model->args_count >= PROCS_MAX) {
		model->turned_away++;
		return 0;
	}
	copy = arena_take(&model->arena, record->size);
	memcpy(copy, record, record->size);
	if (record->type == RECORD_TASK) {
		model_apply_task(model, (struct task_record *)copy);
		return 0;
	}
	mem_reserve_one(model->args, model->args_count, model->args_capacity);
	model->args[model->args_count++] = (struct args_record *)copy;
	return 0;
}

/* By pid; where a pid was reused while the source read, the younger process comes first. */
static int proc_compare(const void *left, const void *right)
{
	const struct task_record *one = ((const struct proc *)left)->task;
	const struct task_record *other = ((const struct proc *)right)->task;

	if (one->tgid != other->tgid)
		return one->tgid < other->tgid ? -1 : 1;
	return (one->start_boot_ns < other->start_boot_ns) -
	       (one->start_boot_ns > other->start_boot_ns);
}

static void model_sort(struct model *model)
{
	size_t kept = 0;

	if (!model->procs_count)
		return;
	qsort(model->procs, model->procs_count, sizeof(*model->procs), proc_compare);
	for (size_t i = 0; i < model->procs_count; i++) {
		if (kept && model->procs[kept - 1].task->tgid == model->procs[i].task->tgid) {
			model->turned_away++;
			continue;
		}
		model->procs[kept++] = model->procs[i];
	}
	model->procs_count = kept;
}

static void model_merge_threads(struct model *model)
{
	for (size_t i = 0; i < model->threads_count; i++) {
		struct proc *proc = model_find(model, model->threads[i].tgid);

		if (proc)
			proc->cpu_ns += model->threads[i].cpu_ns;
	}
	model->threads_count = 0;
}

static void model_merge_args(struct model *model)
{
	for (size_t i = 0; i < model->args_count; i++) {
		const struct args_record *args = model->args[i];
		struct proc *proc = model_find(model, args->tgid);

		if (!proc || proc->task->start_boot_ns != args->start_boot_ns) {
			model->turned_away++;
			continue;
		}
		if (args->kind == ARGS_NAME) {
			proc->long_name =
				arena_copy(&model->arena, (const char *)(args + 1), args->length);
			continue;
		}
		proc->args = (const char *)(args + 1);
		proc->args_length = args->length;
		proc->args_cut = args->is_cut;
	}
	model->args_count = 0;
}

/* A pid namespace may be the host's, and a cgroup's name anybody's: the process is itself. */
static void model_name_by_pid(struct model *model, const struct container_name *name)
{
	const struct proc *proc = name->first_pid ? model_find(model, name->first_pid) : NULL;

	if (proc && proc->container &&
	    proc->task->start_boot_ns / TICK_NS == name->start_boot_ns / TICK_NS)
		container_name_set(proc->container, name);
}

void model_settle(struct model *model, const struct container_name *names, size_t count)
{
	model_sort(model);
	model_merge_threads(model);
	model_merge_args(model);
	for (size_t i = 0; i < model->procs_count; i++) {
		struct proc *proc = &model->procs[i];

		proc->container =
			container_of_proc(&model->containers, &model->arena, proc, model->host_ns);
	}
	container_table_name(&model->containers, names, count);
	for (size_t i = 0; i < count; i++)
		model_name_by_pid(model, &names[i]);
	container_table_sort(&model->containers);
}

struct proc *model_procs(struct model *model, size_t *count)
{
	*count = model->procs_count;
	return model->procs;
}

struct proc *model_find(struct model *model, uint32_t host_pid)
{
	size_t low = 0;
	size_t high = model->procs_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		uint32_t tgid = model->procs[middle].task->tgid;

		if (tgid == host_pid)
			return &model->procs[middle];
		if (tgid < host_pid)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

struct container *const *model_containers(struct model *model, size_t *count)
{
	*count = model->containers.count;
	return model->containers.in_order;
}

void model_declare(struct container *container, const struct runtime_container *declared)
{
	container->declared = declared;
	container->runtime = declared->runtime;
	snprintf(container->id, sizeof(container->id), "%s", declared->id);
	if (declared->name)
		snprintf(container->name, sizeof(container->name), "%s", declared->name);
}

const uint32_t *model_host_ns(const struct model *model)
{
	return model->host_ns;
}

size_t model_turned_away(const struct model *model)
{
	return model->turned_away;
}

uint32_t proc_in_pid(const struct proc *proc)
{
	return proc->chain[proc->task->chain_count - 1].pid;
}

bool proc_is_host_effective(const struct proc *proc, const struct model *model)
{
	return proc->task->ns[NS_USER] == model->host_ns[NS_USER];
}
