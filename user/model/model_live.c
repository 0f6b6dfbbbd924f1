/* SPDX-License-Identifier: GPL-2.0-only */
/* A model that events change: each finds its process by pid, and what ends leaves no memory. */
#include <stdlib.h>
#include <string.h>

#include "model/private.h"
#include "model/proc_args.h"

/* So many of those that came may stand in a row in the places of others. */
#define LOOSE_RUN 8

static void model_change(struct model *model, struct container *container,
			 enum container_change change)
{
	if (model->changes_count == CHANGES_MAX)
		return;
	model->changes[model->changes_count].container = container;
	model->changes[model->changes_count++].change = change;
}

struct container *model_container_change(struct model *model, enum container_change *change)
{
	if (model->changes_given == model->changes_count)
		return NULL;
	*change = model->changes[model->changes_given].change;
	return model->changes[model->changes_given++].container;
}

struct proc *model_last_proc(struct model *model)
{
	if (model->has_guest)
		return &model->guest;
	return model->last_pid ? model_find(model, model->last_pid) : NULL;
}

static struct ended_pid *ended_slot(const struct model *model, uint32_t tgid)
{
	return &model->ended[tgid & (ENDED_PIDS - 1)];
}

bool model_live_has_ended(const struct model *model, uint32_t tgid, uint64_t start_boot_ns)
{
	const struct ended_pid *slot = ended_slot(model, tgid);

	return slot->tgid == tgid && slot->start_boot_ns >= start_boot_ns;
}

/* Whether what container_find looks at is the same. */
static bool is_placed_alike(const struct proc *one, const struct task_record *task)
{
	const struct task_record *old = one->task;
	const struct pid_level *innermost = record_chain(task) + task->chain_count - 1;

	return old->cgroup_id == task->cgroup_id && old->cgroup_length == task->cgroup_length &&
	       old->cgroup_hierarchy == task->cgroup_hierarchy &&
	       old->ns[NS_MNT] == task->ns[NS_MNT] && old->ns[NS_PID] == task->ns[NS_PID] &&
	       old->ns[NS_USER] == task->ns[NS_USER] && old->chain_count == task->chain_count &&
	       one->chain[old->chain_count - 1].ns == innermost->ns &&
	       !((old->flags ^ task->flags) & TASK_KTHREAD);
}

static void proc_leave(struct model *model, struct proc *proc)
{
	struct container *container = proc->container;

	if (container && container_leave(&model->containers, model, proc, model->now_ns))
		model_change(model, container, CONTAINER_ENDED);
}

static void proc_join(struct model *model, struct proc *proc, struct container *container)
{
	proc->container = container;
	if (container && container_join(&model->containers, model, proc))
		model_change(model, container, CONTAINER_STARTED);
}

/* task is copied; the process's arguments and place stay as they are. */
static void proc_take(struct proc *proc, const struct task_record *task)
{
	uint64_t unknown_args = proc->unknown & FIELD_BIT(FIELD_ARGS);
	bool fits = proc->own.block && proc->task->header.size == task->header.size;
	struct task_record *copy = fits ? proc->own.block : mem_resize(NULL, 1, task->header.size);
	struct proc fresh;

	if (!fits)
		free(proc->own.block);
	memcpy(copy, task, task->header.size);
	proc_read(&fresh, copy);
	proc->own.block = copy;
	proc->task = copy;
	proc->chain = fresh.chain;
	proc->groups = fresh.groups;
	proc->cgroup_path = fresh.cgroup_path;
	proc->cpu_ns = fresh.cpu_ns;
	proc->unknown = fresh.unknown | unknown_args;
}

/* Not yet in any container. NULL: the table is full. */
static struct proc *model_add(struct model *model, const struct task_record *task)
{
	size_t place = model->procs_count;
	struct proc *proc;

	if (place >= PROCS_MAX || !task->tgid) {
		model->turned_away++;
		return NULL;
	}
	model->is_sorted &= !place || model->procs[place - 1].task->tgid < task->tgid;
	mem_reserve_one(model->procs, model->procs_count, model->procs_capacity);
	proc = &model->procs[model->procs_count++];
	*proc = (struct proc){0};
	proc_take(proc, task);
	proc->own.is_dead = task_is_dead(task);
	pid_index_set(&model->index, task->tgid, (uint32_t)place);
	return proc;
}

static void model_remove(struct model *model, struct proc *proc)
{
	uint32_t place = (uint32_t)(proc - model->procs);
	uint32_t last = (uint32_t)--model->procs_count;

	proc_leave(model, proc);
	pid_index_remove(&model->index, proc->task->tgid);
	proc_args_release(proc);
	free(proc->own.block);
	if (place == last)
		return;
	*proc = model->procs[last];
	pid_index_set(&model->index, proc->task->tgid, place);
	model->is_sorted = false;
}

void usage_copy(struct task_record *task, const struct task_record *old)
{
	task->unknown = (task->unknown & ~USAGE_FIELDS) | (old->unknown & USAGE_FIELDS);
	task->cpu_ns = old->cpu_ns;
	task->vsz_pages = old->vsz_pages;
	task->rss_pages = old->rss_pages;
	task->threads = old->threads;
	task->priority = old->priority;
	task->nice = old->nice;
	task->state = old->state;
}

/* The task that the event tells of; near: a process that may be in the same cgroup, or NULL. */
static struct task_record *live_task(struct model *model, const struct event *event,
				     const struct proc *near, void *room)
{
	const struct task_identity *identity = event->identity;
	const struct cgroup_path *path =
		cgroup_paths_find(&model->cgroups, identity->cgroup_id, identity->cgroup_hierarchy);
	struct cgroup_path nears;
	struct task_record *task;

	if (!path && near && near->task->cgroup_id == identity->cgroup_id &&
	    near->task->cgroup_hierarchy == identity->cgroup_hierarchy) {
		nears = (struct cgroup_path){near->cgroup_path, near->task->cgroup_length,
					     !!(near->task->flags & TASK_CGROUP_CUT)};
		path = &nears;
	}
	task = event_task(event, path ? path->data : NULL, path ? path->length : 0, room);
	if (path && path->is_cut)
		task->flags |= TASK_CGROUP_CUT;
	return task;
}

/* A process that the model knows is as task has it from now on. */
static void live_replace(struct model *model, struct proc *proc, const struct task_record *task)
{
	bool is_elsewhere = !is_placed_alike(proc, task);
	uint64_t cpu_ns = proc->cpu_ns;

	proc_take(proc, task);
	if (cpu_ns > proc->cpu_ns)
		proc->cpu_ns = cpu_ns;
	if (is_elsewhere && container_rename(&model->containers, proc, model->host_ns)) {
		if (!proc->container->declared)
			model_change(model, proc->container, CONTAINER_RENAMED);
	} else if (is_elsewhere) {
		struct container *container =
			container_find(&model->containers, proc, model->host_ns);

		if (container != proc->container) {
			proc_leave(model, proc);
			proc_join(model, proc, container);
		}
	}
	container_refresh(proc);
}

static void live_update(struct model *model, struct proc *proc, const struct event *event)
{
	uint64_t room[EVENT_TASK_MAX / 8];
	struct task_record *task = live_task(model, event, proc, room);

	usage_copy(task, proc->task);
	live_replace(model, proc, task);
}

static void live_end(struct model *model, struct proc *proc)
{
	if (container_end(proc))
		model_change(model, proc->container, CONTAINER_ENDED);
}

static struct proc *parent_of(struct model *model, const struct event_record *record)
{
	struct proc *parent = model_find(model, record->ppid);

	return parent && parent->task->start_boot_ns == record->parent_start_boot_ns ? parent
										     : NULL;
}

static void early_args_keep(struct model *model, const struct args_record *args)
{
	struct args_record **early = &model->early_args[args->kind == ARGS_EXE];

	free(*early);
	*early = mem_resize(NULL, args->header.size, 1);
	memcpy(*early, args, args->header.size);
}

/* False: none came before it. */
static bool early_args_take(const struct model *model, struct proc *proc)
{
	bool has_args = false;

	for (size_t i = 0; i < ARRAY_SIZE(model->early_args); i++) {
		const struct args_record *early = model->early_args[i];

		if (!early || early->tgid != proc->task->tgid ||
		    early->start_boot_ns != proc->task->start_boot_ns)
			continue;
		proc_args_set(proc, early);
		has_args |= early->kind != ARGS_EXE;
	}
	return has_args;
}

/* A fork, or the first that is heard of a process. */
static struct proc *live_add(struct model *model, const struct event *event)
{
	uint64_t room[EVENT_TASK_MAX / 8];
	struct proc *parent = parent_of(model, event->record);
	struct task_record *task = live_task(model, event, parent, room);
	struct container *container;
	struct proc *proc = model_add(model, task);

	if (!proc)
		return NULL;
	parent = parent_of(model, event->record); /* the table may have moved */
	if (early_args_take(model, proc))
		; /* said in so many words */
	else if (event->record->action == EVENT_FORK && parent)
		proc_args_inherit(proc, parent);
	else if (!(task->flags & TASK_KTHREAD))
		proc->unknown |= FIELD_BIT(FIELD_ARGS);
	container = parent && is_placed_alike(parent, task)
			    ? parent->container
			    : container_find(&model->containers, proc, model->host_ns);
	proc_join(model, proc, container);
	return proc;
}

/* The process is not in the table, and has no place in it. */
static void live_guest(struct model *model, const struct event *event)
{
	if (!event->identity || !event->chain)
		return;
	proc_read(&model->guest, live_task(model, event, NULL, model->guest_room));
	model->guest.unknown |= FIELD_BIT(FIELD_ARGS);
	model->guest.container = container_peek(&model->containers, &model->guest, model->host_ns);
	model->has_guest = true;
}

static void live_exit(struct model *model, struct proc *proc, const struct event_record *record)
{
	*ended_slot(model, record->tgid) = (struct ended_pid){record->start_boot_ns, record->tgid};
	if (!proc)
		return;
	live_end(model, proc);
	model->is_leaving = true;
}

/* Threads have credentials of their own, but the process's are its leader's. */
static bool is_about_leader(const struct event *event)
{
	return event->identity && event->chain && event->record->tid == event->record->tgid;
}

/* Which row the event is about; NULL: none. The rows of those that had the pid before go. */
static struct proc *live_find(struct model *model, const struct event_record *record)
{
	struct proc *proc = model_find(model, record->tgid);

	if (proc && proc->task->start_boot_ns < record->start_boot_ns) {
		live_end(model, proc);
		model_remove(model, proc);
		return NULL;
	}
	return proc && proc->task->start_boot_ns == record->start_boot_ns ? proc : NULL;
}

static void live_event_of_proc(struct model *model, const struct event *event)
{
	const struct event_record *record = event->record;
	struct proc *proc = live_find(model, record);

	if (proc && record->action != EVENT_FORK && is_about_leader(event))
		live_update(model, proc, event);
	else if (!proc && record->action != EVENT_EXIT && is_about_leader(event) &&
		 !model_find(model, record->tgid) &&
		 !model_live_has_ended(model, record->tgid, record->start_boot_ns))
		proc = live_add(model, event);
	if (proc) {
		proc->own.changed_ns = record->time_boot_ns;
		model->last_pid = record->tgid;
	} else {
		live_guest(model, event);
	}
	if (proc && record->action == EVENT_EXEC)
		proc_args_exec(proc, event);
	if (record->action == EVENT_EXIT)
		live_exit(model, proc, record);
}

static void live_event(struct model *model, const struct event *event)
{
	const struct event_record *record = event->record;

	if (record->time_boot_ns > model->now_ns)
		model->now_ns = record->time_boot_ns;
	if (record->action == EVENT_CGROUP_REMOVE)
		cgroup_paths_remove(&model->cgroups, event->cgroup->id, event->cgroup->hierarchy);
	else if (event->cgroup && event->cgroup->length)
		cgroup_paths_add(&model->cgroups, event->cgroup->id, event->cgroup->hierarchy,
				 &(struct cgroup_path){event->cgroup_path,
						       (uint16_t)event->cgroup->length,
						       event->cgroup->length == CGROUP_PATH_MAX});
	if (record->tgid)
		live_event_of_proc(model, event);
}

/* A process as a sweep has it: no line tells of that. */
static void live_take_task(struct model *model, const struct task_record *task)
{
	struct proc *proc = model_find(model, task->tgid);
	bool is_dead = task_is_dead(task);

	if (proc && proc->task->start_boot_ns > task->start_boot_ns)
		return;
	if (proc && proc->task->start_boot_ns < task->start_boot_ns) {
		live_end(model, proc);
		model_remove(model, proc);
		proc = NULL;
	}
	if (proc) {
		live_replace(model, proc, task);
		if (is_dead)
			live_end(model, proc);
	} else {
		proc = model_add(model, task);
		if (!proc)
			return;
		proc_join(model, proc, container_find(&model->containers, proc, model->host_ns));
	}
	model->last_pid = task->tgid;
}

/* CPU time does not go back: of a thread that ends meanwhile a look may see neither its own nor
 * what it leaves to the process. */
static void live_take_usage(struct model *model, const struct usage_record *usage)
{
	struct proc *proc = model_find(model, usage->tgid);
	struct task_record *task;

	if (!proc || proc->task->start_boot_ns != usage->start_boot_ns)
		return;
	task = (struct task_record *)proc->task; /* whoever holds it, it is the model's own */
	task->unknown &= ~USAGE_FIELDS;
	proc->unknown &= ~USAGE_FIELDS;
	task->vsz_pages = usage->vsz_pages;
	task->rss_pages = usage->rss_pages;
	task->threads = usage->threads;
	task->priority = usage->priority;
	task->nice = usage->nice;
	task->state = usage->state;
	if (usage->cpu_ns > proc->cpu_ns)
		proc->cpu_ns = usage->cpu_ns;
}

static void live_take_args(struct model *model, const struct args_record *args)
{
	struct proc *proc = model_find(model, args->tgid);

	if (!proc || proc->task->start_boot_ns != args->start_boot_ns) {
		early_args_keep(model, args);
		return;
	}
	proc_args_set(proc, args);
	model->last_pid = args->tgid;
}

static int compare_starts(const void *left, const void *right)
{
	const struct proc *one = *(struct proc *const *)left;
	const struct proc *other = *(struct proc *const *)right;

	if (one->task->start_boot_ns != other->task->start_boot_ns)
		return one->task->start_boot_ns < other->task->start_boot_ns ? -1 : 1;
	return (one->task->tgid > other->task->tgid) - (one->task->tgid < other->task->tgid);
}

static void model_index(struct model *model)
{
	for (size_t i = 0; i < model->procs_count; i++)
		pid_index_set(&model->index, model->procs[i].task->tgid, (uint32_t)i);
}

static void model_live_start(struct model *model)
{
	autofree struct proc **by_start =
		mem_resize(NULL, model->procs_count, sizeof(struct proc *));

	model->is_live = true;
	model->is_sorted = true;
	model->ended = mem_new(ENDED_PIDS * sizeof(*model->ended));
	model_index(model);
	for (size_t i = 0; i < model->procs_count; i++) {
		model->procs[i].own.is_dead = task_is_dead(model->procs[i].task);
		by_start[i] = &model->procs[i];
	}
	if (model->procs_count)
		qsort(by_start, model->procs_count, sizeof(struct proc *), compare_starts);
	for (size_t i = 0; i < model->procs_count; i++) {
		if (by_start[i]->container)
			container_list(&model->containers, model, by_start[i]);
	}
}

void model_live_begin(struct model *model)
{
	if (!model->is_live)
		model_live_start(model);
	if (model->is_leaving)
		model_remove(model, model_find(model, model->last_pid));
	model->is_leaving = false;
	model->has_guest = false;
	model->last_pid = 0;
	model->changes_count = 0;
	model->changes_given = 0;
}

int model_apply_event(struct model *model, const struct event *event)
{
	if (!model->is_settled) {
		model->turned_away++;
		return 0;
	}
	model_live_begin(model);
	live_event(model, event);
	return 0;
}

int model_live_apply(struct model *model, const struct record_header *record)
{
	struct event event;

	if (record->type == RECORD_EVENT) {
		event_read((const struct event_record *)record, &event);
		return model_apply_event(model, &event);
	}
	model_live_begin(model);
	if (record->type == RECORD_TASK)
		live_take_task(model, (const struct task_record *)record);
	else if (record->type == RECORD_ARGS)
		live_take_args(model, (const struct args_record *)record);
	else if (record->type == RECORD_USAGE)
		live_take_usage(model, (const struct usage_record *)record);
	return 0;
}

static int compare_pids(const void *left, const void *right)
{
	uint32_t one = ((const struct proc *)left)->task->tgid;
	uint32_t other = ((const struct proc *)right)->task->tgid;

	return (one > other) - (one < other);
}

/*
 * Takes out what is not in its place: those that came are at the end, and some of them in the places
 * of those that went. How many are left; *loose: room for all, *loose_count of them used.
 */
static size_t procs_loosen(struct model *model, struct proc *loose, size_t *loose_count)
{
	struct proc *procs = model->procs;
	size_t kept = 0;

	for (size_t i = 0; i < model->procs_count; i++) {
		size_t wrong = 0; /* before it, which ought to stand behind it */

		while (wrong < kept && wrong < LOOSE_RUN &&
		       procs[kept - 1 - wrong].task->tgid > procs[i].task->tgid)
			wrong++;
		if (wrong < kept && procs[kept - 1 - wrong].task->tgid > procs[i].task->tgid) {
			loose[(*loose_count)++] = procs[i];
			continue;
		}
		for (; wrong; wrong--)
			loose[(*loose_count)++] = procs[--kept];
		if (kept != i)
			procs[kept] = procs[i];
		kept++;
	}
	return kept;
}

/* Few come and go between two looks, of many: those are sorted, and put among the others. */
void model_live_sort(struct model *model)
{
	size_t loose_count = 0;
	size_t at = model->procs_count;
	size_t kept;
	autofree struct proc *loose = NULL;

	if (model->is_sorted)
		return;
	loose = mem_resize(NULL, model->procs_count, sizeof(*loose));
	kept = procs_loosen(model, loose, &loose_count);
	qsort(loose, loose_count, sizeof(*loose), compare_pids);
	while (loose_count) {
		bool is_loose = !kept || loose[loose_count - 1].task->tgid >
						 model->procs[kept - 1].task->tgid;

		model->procs[--at] = is_loose ? loose[--loose_count] : model->procs[--kept];
	}
	model_index(model);
	model->is_sorted = true;
}

void model_live_free(struct model *model)
{
	for (size_t i = 0; model->is_live && i < model->procs_count; i++) {
		proc_args_release(&model->procs[i]);
		free(model->procs[i].own.block);
	}
	pid_index_free(&model->index);
	free(model->early_args[0]);
	free(model->early_args[1]);
	free(model->ended);
}
