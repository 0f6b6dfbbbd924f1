/* SPDX-License-Identifier: GPL-2.0-only */
#include "output/event_subject.h"

#include <string.h>

#include "model/model.h"
#include "output/events.h"

static const struct task_identity no_identity = {.loginuid = ID_UNSET, .sessionid = ID_UNSET};
static const struct id_block no_ids;

/* What a record tells by itself, identity or not. */
#define RECORD_FIELDS (FIELD_BIT(FIELD_START) | FIELD_BIT(FIELD_PARENT))

static void read_proc(const struct proc *proc, struct event_subject *subject)
{
	const struct task_record *task = proc->task;

	subject->proc = proc;
	subject->identity = &task->identity;
	subject->in_ids = &task->in_ids;
	subject->chain = proc->chain;
	subject->chain_count = task->chain_count;
	subject->groups = proc->groups;
	subject->unknown = proc->unknown;
	subject->start_boot_ns = task->start_boot_ns;
	subject->tgid = task->tgid;
	subject->tid = task->tgid;
	subject->ppid = task->ppid;
	subject->has_name = true;
	subject->cgroup_id = task->cgroup_id;
	subject->cgroup_hierarchy = task->cgroup_hierarchy;
	subject->cgroup_path = proc->cgroup_path;
	subject->cgroup_length = task->cgroup_length;
	subject->is_cgroup_cut = task->flags & TASK_CGROUP_CUT;
	subject->args = proc->args;
	subject->args_length = proc->args ? proc->args_length : 0;
	subject->is_args_cut = proc->args_cut;
}

static void read_identity(const struct event *event, struct event_subject *subject)
{
	const struct task_identity *identity = event->identity;

	/* The table knows the path of one cgroup, which the thread may have left. */
	if (subject->cgroup_id != identity->cgroup_id ||
	    subject->cgroup_hierarchy != identity->cgroup_hierarchy)
		subject->cgroup_length = 0;
	subject->identity = identity;
	subject->in_ids = event->in_ids;
	subject->groups = event->groups;
	subject->cgroup_id = identity->cgroup_id;
	subject->cgroup_hierarchy = identity->cgroup_hierarchy;
	subject->unknown = subject->args ? 0 : subject->unknown & FIELD_BIT(FIELD_ARGS);
	subject->has_name = true;
}

static void read_exec(const struct event_exec *exec, const char *args,
		      struct event_subject *subject)
{
	subject->args = args;
	subject->args_length = exec->args_length;
	subject->args_total = exec->args_total;
	subject->args_count = exec->args_count;
	subject->is_args_cut = exec->args_total > exec->args_length;
	subject->unknown &= ~FIELD_BIT(FIELD_ARGS);
}

/* Where the event is about a cgroup, that is the line's: its maker's own is another matter. */
static void read_cgroup(const struct event *event, struct event_subject *subject)
{
	subject->cgroup_id = event->cgroup->id;
	subject->cgroup_hierarchy = event->cgroup->hierarchy;
	subject->cgroup_path = event->cgroup_path;
	subject->cgroup_length = event->cgroup->length;
	subject->is_cgroup_cut = false;
	subject->unknown &= ~FIELD_BIT(FIELD_CGROUP);
}

static void read_event(const struct event *event, struct event_subject *subject)
{
	const struct event_record *record = event->record;

	subject->tgid = record->tgid;
	subject->tid = record->tid;
	subject->ppid = record->ppid;
	subject->start_boot_ns = record->start_boot_ns;
	subject->parent_start_boot_ns = record->parent_start_boot_ns;
	subject->unknown &= ~RECORD_FIELDS;
	if (event->identity)
		read_identity(event, subject);
	if (event->chain) {
		subject->chain = event->chain;
		subject->chain_count = record->chain_count;
		subject->unknown &= ~FIELD_BIT(FIELD_CHAIN);
	}
	if (event->exec)
		read_exec(event->exec, event->args, subject);
	if (event->cgroup)
		read_cgroup(event, subject);
}

void event_subject_read(const struct event_line *line, struct event_subject *subject)
{
	*subject = (struct event_subject){
		.identity = &no_identity,
		.in_ids = &no_ids,
		.container = line->container,
		.args_count = -1,
		.unknown = ~0ULL,
	};
	if (line->proc)
		read_proc(line->proc, subject);
	if (line->event)
		read_event(line->event, subject);
	if (!subject->parent_start_boot_ns && line->parent && subject->ppid)
		subject->parent_start_boot_ns = line->parent->task->start_boot_ns;
	if (!subject->container && line->proc)
		subject->container = line->proc->container;
}
