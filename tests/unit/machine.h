/* SPDX-License-Identifier: GPL-2.0-only */
/* A machine made up for a test: processes put together by hand, through the model that all use. */
#ifndef NSVIEW_TESTS_MACHINE_H
#define NSVIEW_TESTS_MACHINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "bpf/event.h"
#include "host/caps.h"
#include "host/facts.h"
#include "host/passwd.h"
#include "host/runtime/runtime.h"
#include "model/model.h"
#include "view/column.h"

#define SECOND 1000000000ULL
/* 2026-11-21 06:14:31 UTC, nine days and a bit after boot. */
#define NOW_EPOCH 1795241671ULL
#define NOW_BOOT 800000ULL

#define HOST_NS(kind) (4026531000U + (kind))
#define USER_NAMELESS 4000001U /* no machine has a name for it */

#define ID_A "aaaa11112222333344445555666677778888999900001111222233334444aaaa"
#define ID_B "aaaabbbb2222333344445555666677778888999900001111222233334444bbbb"
#define ID_C "cccc11112222333344445555666677778888999900001111222233334444cccc"

struct machine {
	struct facts facts;
	struct view_context view;
	struct text scratch;
	struct container_name names[16];
	size_t names_count;
};

struct process {
	struct task_record task;
	struct pid_level chain[8];
	uint32_t groups[GROUPS_KEPT];
	const char *cgroup;
	const char *args; /* NUL-separated */
	size_t args_length;
	bool args_cut;
	const char *long_name;
};

#define ARGS(literal) .args = (literal), .args_length = sizeof(literal)

static inline void machine_start(struct machine *machine)
{
	struct host_record host = {{sizeof(host), RECORD_HOST, 0}, {0}};

	memset(machine, 0, sizeof(*machine));
	machine->facts.cap_last = 40;
	machine->facts.page_bytes = 4096;
	machine->facts.memory_bytes = 8010000ULL * 1024;
	machine->facts.boot_now_ns = NOW_BOOT * SECOND;
	machine->facts.boot_offset_ns = (NOW_EPOCH - NOW_BOOT) * SECOND;
	machine->view.facts = &machine->facts;
	machine->view.model = model_new();
	machine->view.users = passwd_new(NULL);
	machine->view.proc_fd = -1;
	machine->view.scratch = &machine->scratch;
	for (int kind = 0; kind < NS_KINDS; kind++)
		host.ns[kind] = HOST_NS(kind);
	model_apply(machine->view.model, &host.header);
}

static inline void machine_end(struct machine *machine)
{
	model_free(machine->view.model);
	passwd_free(machine->view.users);
	text_free(&machine->scratch);
}

/* A host process of root with every capability, an hour old. */
static inline struct process process_make(uint32_t pid)
{
	struct process process = {0};
	struct task_record *task = &process.task;

	task->header.type = RECORD_TASK;
	task->tgid = pid;
	task->ppid = 1;
	task->start_boot_ns = (NOW_BOOT - 3600) * SECOND;
	for (int set = 0; set < CAP_SETS; set++)
		task->caps[set] = 0x1ffffffffffULL;
	for (int kind = 0; kind < NS_KINDS; kind++)
		task->ns[kind] = HOST_NS(kind);
	task->loginuid = ID_UNSET;
	task->sessionid = ID_UNSET;
	task->threads = 1;
	task->priority = 20;
	task->state = 'S';
	task->chain_count = 1;
	process.chain[0] = (struct pid_level){HOST_NS(NS_PID), pid};
	memcpy(task->comm, "sleep", 6);
	return process;
}

/* In a container of docker's: a pid and a mount namespace of its own, the default set. */
static inline struct process process_make_inside(uint32_t pid, uint32_t in_pid, uint32_t pid_ns)
{
	struct process process = process_make(pid);

	for (int set = 0; set < CAP_SETS; set++)
		process.task.caps[set] = 0xa80425fb;
	process.task.ns[NS_PID] = pid_ns;
	process.task.ns[NS_MNT] = pid_ns + 1;
	process.task.chain_count = 2;
	process.chain[1] = (struct pid_level){pid_ns, in_pid};
	return process;
}

static inline void process_set_euid(struct process *process, uint32_t host, uint32_t inside)
{
	process->task.ids.euid = host;
	process->task.in_ids.euid = inside;
}

static inline size_t padded(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

static inline void machine_add_args(struct machine *machine, const struct process *process)
{
	bool is_name = process->long_name != NULL;
	const char *data = is_name ? process->long_name : process->args;
	size_t length = is_name ? strlen(data) : process->args_length;
	size_t size = padded(sizeof(struct args_record) + length);
	struct args_record *args = mem_new(size);

	args->header.size = (uint32_t)size;
	args->header.type = RECORD_ARGS;
	args->start_boot_ns = process->task.start_boot_ns;
	args->tgid = process->task.tgid;
	args->kind = is_name ? ARGS_NAME : ARGS_VECTOR;
	args->length = (uint32_t)length;
	args->is_cut = process->args_cut;
	memcpy(args + 1, data, length);
	model_apply(machine->view.model, &args->header);
	free(args);
}

static inline void machine_add(struct machine *machine, const struct process *process)
{
	const struct task_record *task = &process->task;
	size_t chain = task->chain_count * sizeof(struct pid_level);
	size_t groups = task->groups_kept * sizeof(uint32_t);
	size_t cgroup = process->cgroup ? strlen(process->cgroup) : 0;
	size_t size = padded(sizeof(*task) + chain + groups + cgroup);
	struct task_record *record = mem_new(size);
	char *tail = (char *)(record + 1);

	*record = *task;
	record->header.size = (uint32_t)size;
	record->cgroup_length = (uint16_t)cgroup;
	memcpy(tail, process->chain, chain);
	memcpy(tail + chain, process->groups, groups);
	if (cgroup)
		memcpy(tail + chain + groups, process->cgroup, cgroup);
	model_apply(machine->view.model, &record->header);
	free(record);
	if (process->args || process->long_name)
		machine_add_args(machine, process);
}

/* What a runtime's state file would say. */
static inline void machine_name(struct machine *machine, uint32_t pid_ns, const char *name,
				const char *id, const char *runtime)
{
	struct container_name *entry = &machine->names[machine->names_count++];

	snprintf(entry->name, sizeof(entry->name), "%s", name);
	snprintf(entry->id, sizeof(entry->id), "%s", id);
	entry->runtime = runtime;
	entry->pid_ns = pid_ns;
}

static inline void machine_settle(struct machine *machine)
{
	model_settle(machine->view.model, machine->names, machine->names_count);
}

static inline const struct column *column_of(const char *key)
{
	const char *nearest = NULL;
	const struct column *column = column_find(key, &nearest);

	if (!column)
		fail_msg("no column %s", key);
	return column;
}

/* What a table shows; valid until the next call with the same text. */
static inline const char *cell_of(struct machine *machine, uint32_t pid, const char *key,
				  struct text *shown)
{
	const struct column *column = column_of(key);
	struct value value;

	column_get(column, &machine->view, model_find(machine->view.model, pid), &value);
	text_clear(shown);
	cell_format(shown, column, &value, &machine->view);
	return text_string(shown);
}

/* What docker declares of a container of which nobody asked anything else. */
static inline struct runtime_container machine_declaration(const char *name, const char *image)
{
	return (struct runtime_container){
		.runtime = "docker",
		.id = ID_A,
		.name = name,
		.image = image,
		.user = "",
		.caps = CAPS_DOCKER_DEFAULT,
		.cpu_limit_nano = RUNTIME_NO_LIMIT,
		.memory_limit_bytes = RUNTIME_NO_LIMIT,
		.pids_limit = RUNTIME_NO_LIMIT,
	};
}

#endif
