/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model that stands still, for who reads: the one that events change goes on, so that nothing is
 * lost meanwhile. Made by telling another one all that is known now.
 */
#include <string.h>

#include "base/mem.h"
#include "cmd/top_private.h"
#include "host/runtime/runtime.h"
#include "model/model.h"

#define ALIGNMENT 8
/* Set by who reads more than a source tells. */
#define READERS_FIELDS (FIELD_BIT(FIELD_EXE) | FIELD_BIT(FIELD_CWD))

struct top_frozen {
	struct model *model;
	struct arena arena; /* what runtimes' files said: the original may go with its container */
};

/* record: one that is put together, its header first. */
static void tell(struct model *model, struct text *record)
{
	struct record_header *header;

	while (record->length % ALIGNMENT)
		text_add_char(record, '\0');
	header = (void *)record->data;
	header->size = (__u32)record->length;
	model_apply(model, header);
	text_clear(record);
}

static void tell_task(struct model *model, struct text *record, const struct proc *proc)
{
	struct task_record task = *proc->task;

	task.cpu_ns = proc->cpu_ns;
	task.unknown = proc->unknown & ~READERS_FIELDS;
	text_add(record, (const char *)&task, sizeof(task));
	text_add(record, (const char *)proc->chain, task.chain_count * sizeof(*proc->chain));
	text_add(record, (const char *)proc->groups, task.groups_kept * sizeof(*proc->groups));
	text_add(record, proc->cgroup_path, task.cgroup_length);
	tell(model, record);
}

static void tell_args(struct model *model, struct text *record, const struct proc *proc,
		      enum args_kind kind, const char *data, size_t length)
{
	const struct args_record args = {
		.header = {.type = RECORD_ARGS},
		.start_boot_ns = proc->task->start_boot_ns,
		.tgid = proc->task->tgid,
		.kind = kind,
		.length = (__u32)length,
		.is_cut = kind == ARGS_VECTOR && proc->args_cut,
	};

	if (!data)
		return;
	text_add(record, (const char *)&args, sizeof(args));
	text_add(record, data, length);
	tell(model, record);
}

static void tell_proc(struct model *model, struct text *record, const struct proc *proc)
{
	tell_task(model, record, proc);
	tell_args(model, record, proc, ARGS_VECTOR, proc->args, proc->args_length);
	tell_args(model, record, proc, ARGS_NAME, proc->long_name,
		  proc->long_name ? strlen(proc->long_name) : 0);
	tell_args(model, record, proc, ARGS_EXE, proc->exe, proc->exe_length);
}

static const char *copy(struct top_frozen *frozen, const char *text)
{
	return text ? arena_copy(&frozen->arena, text, strlen(text)) : NULL;
}

static void declare(struct top_frozen *frozen, struct container *container,
		    const struct runtime_container *declared)
{
	struct runtime_container *kept = arena_take(&frozen->arena, sizeof(*kept));

	*kept = *declared;
	kept->id = copy(frozen, declared->id);
	kept->name = copy(frozen, declared->name);
	kept->image = copy(frozen, declared->image);
	kept->pod = copy(frozen, declared->pod);
	kept->pod_namespace = copy(frozen, declared->pod_namespace);
	kept->user = copy(frozen, declared->user);
	kept->runtime = copy(frozen, declared->runtime);
	model_declare(container, kept);
}

static void declare_all(struct top_frozen *frozen, struct model *from)
{
	size_t count;
	struct container *const *containers = model_containers(from, &count);

	for (size_t i = 0; i < count; i++) {
		const struct proc *first = model_find(frozen->model, containers[i]->first_pid);

		if (first && first->container && containers[i]->declared)
			declare(frozen, first->container, containers[i]->declared);
	}
}

struct top_frozen *top_freeze(struct model *from)
{
	struct top_frozen *frozen = mem_new(sizeof(*frozen));
	struct host_record host = {.header = {.size = sizeof(host), .type = RECORD_HOST}};
	struct text record = {0};
	size_t count;
	const struct proc *procs = model_procs(from, &count);

	frozen->model = model_new();
	memcpy(host.ns, model_host_ns(from), sizeof(host.ns));
	model_apply(frozen->model, &host.header);
	for (size_t i = 0; i < count; i++)
		tell_proc(frozen->model, &record, &procs[i]);
	text_free(&record);
	model_settle(frozen->model, NULL, 0);
	declare_all(frozen, from);
	return frozen;
}

struct model *top_frozen_model(const struct top_frozen *frozen)
{
	return frozen->model;
}

void top_thaw(struct top_frozen *frozen)
{
	if (!frozen)
		return;
	model_free(frozen->model);
	arena_free(&frozen->arena);
	free(frozen);
}
