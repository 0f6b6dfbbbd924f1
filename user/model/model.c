/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "host/runtime/runtime.h"
#include "model/container.h"
#include "model/private.h"

#define TICK_NS 10000000ULL /* USER_HZ is 100 on every architecture that nsview runs on */

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
	model_sweep_free(model);
	model_live_free(model);
	container_table_free(&model->containers);
	cgroup_paths_free(&model->cgroups);
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

void proc_read(struct proc *proc, const struct task_record *task)
{
	*proc = (struct proc){
		.task = task,
		.chain = record_chain(task),
		.groups = record_groups(task),
		.cgroup_path = record_cgroup_path(task),
		.unknown = task->unknown,
		.cpu_ns = task->cpu_ns,
	};
}

bool task_is_dead(const struct task_record *task)
{
	return task->flags & TASK_ZOMBIE &&
	       (task->threads <= 1 || task->unknown & FIELD_BIT(FIELD_SCHED));
}

static void model_apply_task(struct model *model, const struct task_record *task)
{
	mem_reserve_one(model->procs, model->procs_count, model->procs_capacity);
	proc_read(&model->procs[model->procs_count++], task);
}

static void model_apply_cgroup(struct model *model, const struct cgroup_record *cgroup)
{
	struct cgroup_path path = {record_cgroup_name(cgroup), cgroup->length, cgroup->is_cut};

	cgroup_paths_add(&model->cgroups, cgroup->id, cgroup->hierarchy, &path);
}

static void model_apply_thread(struct model *model, const struct thread_record *thread)
{
	mem_reserve_one(model->threads, model->threads_count, model->threads_capacity);
	model->threads[model->threads_count++] =
		(struct pending_thread){thread->cpu_ns, thread->tgid};
}

static void proc_take_args(struct model *model, struct proc *proc, const struct args_record *args)
{
	if (args->kind == ARGS_NAME) {
		proc->long_name = arena_copy(&model->arena, (const char *)(args + 1), args->length);
		return;
	}
	if (args->kind == ARGS_EXE) {
		proc->exe = record_args(args);
		proc->exe_length = args->length;
		return;
	}
	proc->args = (const char *)(args + 1);
	proc->args_length = args->length;
	proc->args_cut = args->is_cut;
}

static bool is_of_proc(const struct args_record *args, const struct proc *proc)
{
	return proc->task->tgid == args->tgid && proc->task->start_boot_ns == args->start_boot_ns;
}

/* Mostly they follow the process they belong to. */
static void model_apply_args(struct model *model, const struct args_record *args)
{
	struct proc *last = model->procs_count ? &model->procs[model->procs_count - 1] : NULL;

	if (last && is_of_proc(args, last)) {
		proc_take_args(model, last, args);
		return;
	}
	mem_reserve_one(model->args, model->args_count, model->args_capacity);
	model->args[model->args_count++] = args;
}

/* Of a snapshot. */
static void model_apply_copy(struct model *model, const struct record_header *record)
{
	struct record_header *copy;

	if (model->procs_count >= PROCS_MAX || model->args_count >= PROCS_MAX ||
	    (record->type == RECORD_TASK && !((const struct task_record *)record)->tgid)) {
		model->turned_away++;
		return;
	}
	copy = arena_take(&model->arena, record->size);
	memcpy(copy, record, record->size);
	if (record->type == RECORD_TASK)
		model_apply_task(model, (struct task_record *)copy);
	else
		model_apply_args(model, (struct args_record *)copy);
}

int model_apply(struct model *model, const struct record_header *record)
{
	if (model->is_settled && record->type != RECORD_CGROUP && record->type != RECORD_HOST)
		return model_live_apply(model, record);
	switch (record->type) {
	case RECORD_HOST:
		model_apply_host(model, (const struct host_record *)record);
		break;
	case RECORD_THREAD:
		model_apply_thread(model, (const struct thread_record *)record);
		break;
	case RECORD_CGROUP:
		model_apply_cgroup(model, (const struct cgroup_record *)record);
		break;
	case RECORD_TASK:
	case RECORD_ARGS:
		model_apply_copy(model, record);
		break;
	case RECORD_EVENT:
		model->turned_away++;
		break;
	default: /* about the stream, not about processes */
		break;
	}
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

/* A source mostly tells of them in that order. */
static bool is_sorted(const struct model *model)
{
	for (size_t i = 1; i < model->procs_count; i++) {
		if (model->procs[i - 1].task->tgid >= model->procs[i].task->tgid)
			return false;
	}
	return true;
}

static void model_sort(struct model *model)
{
	size_t kept = 0;

	if (is_sorted(model))
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

		if (proc && is_of_proc(args, proc))
			proc_take_args(model, proc, args);
		else
			model->turned_away++;
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

		proc->container = container_find(&model->containers, proc, model->host_ns);
		if (proc->container)
			container_count(proc);
	}
	container_table_name(&model->containers, names, count);
	for (size_t i = 0; i < count; i++)
		model_name_by_pid(model, &names[i]);
	container_table_sort(&model->containers);
	model->is_settled = true;
}

struct proc *model_procs(struct model *model, size_t *count)
{
	if (model->is_live)
		model_live_sort(model);
	*count = model->procs_count;
	return model->procs;
}

struct proc *model_find(struct model *model, uint32_t host_pid)
{
	size_t low = 0;
	size_t high = model->procs_count;

	if (model->is_live) {
		uint32_t place = pid_index_find(&model->index, host_pid);

		return place == PID_INDEX_NONE ? NULL : &model->procs[place];
	}
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
	container_table_sort(&model->containers);
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
