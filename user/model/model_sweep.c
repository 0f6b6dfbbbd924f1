/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the events told against what is there. A process whose last event is younger than the
 * beginning of the sweep is right as it is: the sweep may have looked at it before.
 */
#include <stddef.h>
#include <string.h>

#include "model/private.h"

#define REPAIR_MAX 4096 /* bytes of an event made here: two identities, without arguments */

struct repair {
	struct model *model;
	uint64_t now_ns;
	record_sink sink;
	void *context;
	union {
		struct event_record event;
		struct cgroup_record cgroup;
		char bytes[REPAIR_MAX];
	};
};

void model_sweep_begin(struct model *model, uint64_t now_boot_ns, bool has_missed)
{
	struct model_sweep *sweep = &model->sweep;

	model_live_begin(model);
	arena_free(&sweep->arena);
	sweep->count = 0;
	sweep->number++;
	sweep->start_ns = now_boot_ns;
	sweep->is_open = true;
	sweep->has_missed = has_missed;
}

void model_sweep_free(struct model *model)
{
	arena_free(&model->sweep.arena);
	free(model->sweep.records);
}

static void sweep_keep(struct model *model, const struct record_header *record)
{
	struct model_sweep *sweep = &model->sweep;
	struct record_header *copy;

	if (sweep->count >= PROCS_MAX) {
		model->turned_away++;
		return;
	}
	copy = arena_take(&sweep->arena, record->size);
	memcpy(copy, record, record->size);
	mem_reserve_one(sweep->records, sweep->count, sweep->capacity);
	sweep->records[sweep->count++] = copy;
}

/* NULL: the model does not know it. */
static struct proc *sweep_find(struct model *model, uint32_t tgid, uint64_t start_boot_ns)
{
	struct proc *proc = model_find(model, tgid);

	return proc && proc->task->start_boot_ns == start_boot_ns ? proc : NULL;
}

static bool has_same_tail(const struct proc *proc, const struct task_record *task)
{
	const struct task_record *old = proc->task;

	return !memcmp(proc->chain, record_chain(task), task->chain_count * sizeof(*proc->chain)) &&
	       !memcmp(proc->groups, record_groups(task),
		       task->groups_kept * sizeof(*proc->groups)) &&
	       !memcmp(proc->cgroup_path, record_cgroup_path(task), task->cgroup_length) &&
	       old->ppid == task->ppid && !memcmp(&old->in_ids, &task->in_ids, sizeof(old->in_ids));
}

/* In everything but usage and arguments. What a name leaves behind in comm is no difference. */
static bool is_same(const struct proc *proc, const struct task_record *task)
{
	static const uint64_t passing = USAGE_FIELDS | FIELD_BIT(FIELD_ARGS);
	const struct task_record *old = proc->task;

	return !((old->unknown ^ task->unknown) & ~passing) &&
	       !memcmp(&old->identity, &task->identity,
		       offsetof(struct task_identity, identity_pad)) &&
	       !strncmp(old->comm, task->comm, COMM_SIZE) && has_same_tail(proc, task);
}

static void sweep_see(const struct model *model, struct proc *proc, uint64_t cpu_ns)
{
	if (proc->own.sweep != model->sweep.number)
		proc->own.cpu_sum_ns = 0;
	proc->own.sweep = model->sweep.number;
	proc->own.cpu_sum_ns += cpu_ns;
}

static void sweep_take_task(struct model *model, const struct task_record *task)
{
	struct proc *proc = sweep_find(model, task->tgid, task->start_boot_ns);

	if (!proc) {
		sweep_keep(model, &task->header);
		return;
	}
	/* Whoever holds the record, it is the model's own. */
	usage_copy((struct task_record *)proc->task, task);
	proc->unknown = (proc->unknown & ~USAGE_FIELDS) | (task->unknown & USAGE_FIELDS);
	sweep_see(model, proc, task->cpu_ns);
	if (!is_same(proc, task))
		sweep_keep(model, &task->header);
}

static bool has_args(const struct proc *proc, const struct args_record *args)
{
	uint32_t length = proc->args_length < args->length ? proc->args_length : args->length;

	if (args->kind == ARGS_NAME)
		return proc->long_name && strlen(proc->long_name) == args->length &&
		       !memcmp(proc->long_name, record_args(args), args->length);
	if (!proc->args || (length != args->length && !args->is_cut) ||
	    (length != proc->args_length && !proc->args_cut))
		return false;
	return !memcmp(proc->args, record_args(args), length);
}

int model_sweep_take(struct model *model, const struct record_header *record)
{
	const struct args_record *args = (const struct args_record *)record;
	const struct thread_record *thread = (const struct thread_record *)record;
	struct proc *proc;

	if (!model->sweep.is_open)
		return 0;
	if (record->type == RECORD_TASK) {
		sweep_take_task(model, (const struct task_record *)record);
	} else if (record->type == RECORD_THREAD) {
		proc = sweep_find(model, thread->tgid, thread->start_boot_ns);
		if (proc)
			sweep_see(model, proc, thread->cpu_ns);
	} else if (record->type == RECORD_ARGS) {
		proc = sweep_find(model, args->tgid, args->start_boot_ns);
		if (!proc || !has_args(proc, args))
			sweep_keep(model, record);
	}
	return 0;
}

static void repair_start(struct repair *repair, enum event_action action,
			 const struct task_record *task)
{
	repair->event = (struct event_record){
		.header = {.size = sizeof(repair->event), .type = RECORD_EVENT},
		.time_boot_ns = repair->now_ns,
		.start_boot_ns = task->start_boot_ns,
		.tgid = task->tgid,
		.tid = task->tgid,
		.ppid = task->ppid,
		.syscall = -1,
		.flags = EVENT_REPAIR | EVENT_INFERRED,
		.action = (uint8_t)action,
		.hook = HOOK_SWEEP,
		.tier = TIER_ITERATOR,
	};
}

static void repair_add(struct repair *repair, uint32_t part, const void *data, size_t size)
{
	size_t padded = (size + 7) & ~(size_t)7;
	char *place = repair->bytes + repair->event.header.size;

	memset(place, 0, padded);
	if (size)
		memcpy(place, data, size);
	repair->event.parts |= part;
	repair->event.header.size += (uint32_t)padded;
}

_Static_assert(sizeof(struct event_record) + sizeof(struct task_identity) +
			       PID_LEVELS_MAX * sizeof(struct pid_level) +
			       2 * GROUPS_KEPT * sizeof(__u32) + sizeof(struct id_block) +
			       sizeof(struct event_before) <
		       REPAIR_MAX,
	       "REPAIR_MAX");

static void repair_add_identity(struct repair *repair, const struct task_record *task)
{
	struct task_identity identity = task->identity;
	const struct proc *parent = model_find(repair->model, task->ppid);

	if (parent && parent->task->start_boot_ns <= task->start_boot_ns)
		repair->event.parent_start_boot_ns = parent->task->start_boot_ns;
	identity.cgroup_length = 0;
	repair->event.chain_count = task->chain_count;
	repair_add(repair, PART_IDENTITY, &identity, sizeof(identity));
	repair_add(repair, PART_CHAIN, record_chain(task),
		   task->chain_count * sizeof(struct pid_level));
	if (task->groups_kept)
		repair_add(repair, PART_GROUPS, record_groups(task),
			   task->groups_kept * sizeof(__u32));
	if (memcmp(&task->in_ids, &task->ids, sizeof(task->ids)) != 0)
		repair_add(repair, PART_IN_IDS, &task->in_ids, sizeof(task->in_ids));
}

static void repair_add_before(struct repair *repair, const struct proc *proc)
{
	const struct task_record *old = proc->task;
	struct event_before before = {
		.ids = old->ids,
		.securebits = old->securebits,
		.user_ns_level = old->user_ns_level,
		.user_ns_owner = old->user_ns_owner,
		.groups_total = old->groups_total,
		.groups_kept = old->groups_kept,
		.no_new_privs = old->no_new_privs,
		.seccomp = old->seccomp,
	};

	memcpy(before.caps, old->caps, sizeof(before.caps));
	memcpy(before.ns, old->ns, sizeof(before.ns));
	repair_add(repair, PART_BEFORE, &before, sizeof(before));
	if (old->groups_kept)
		repair_add(repair, PART_BEFORE_GROUPS, proc->groups,
			   old->groups_kept * sizeof(__u32));
}

static int repair_send(struct repair *repair)
{
	return repair->sink(repair->context, &repair->event.header);
}

static int repair_exit(struct repair *repair, const struct proc *proc)
{
	const struct task_record *task = proc->task;
	const struct event_exit exit = {0};

	repair_start(repair, EVENT_EXIT, task);
	if (proc->own.is_dead)
		repair->event.flags = EVENT_REPAIR;
	repair->event.chain_count = task->chain_count;
	repair_add(repair, PART_CHAIN, proc->chain, task->chain_count * sizeof(*proc->chain));
	repair_add(repair, PART_EXIT, &exit, sizeof(exit));
	return repair_send(repair);
}

/* The path, for the event that can only name it by its id. */
static int repair_cgroup(struct repair *repair, const struct task_record *task)
{
	size_t padded = ((size_t)task->cgroup_length + 7) & ~(size_t)7;

	if (!task->cgroup_length ||
	    cgroup_paths_find(&repair->model->cgroups, task->cgroup_id, task->cgroup_hierarchy))
		return 0;
	repair->cgroup = (struct cgroup_record){
		.header = {.size = (uint32_t)(sizeof(repair->cgroup) + padded),
			   .type = RECORD_CGROUP},
		.id = task->cgroup_id,
		.hierarchy = task->cgroup_hierarchy,
		.length = task->cgroup_length,
		.is_cut = !!(task->flags & TASK_CGROUP_CUT),
	};
	memset(&repair->cgroup + 1, 0, padded);
	memcpy(&repair->cgroup + 1, record_cgroup_path(task), task->cgroup_length);
	return repair->sink(repair->context, &repair->cgroup.header);
}

static int repair_fork(struct repair *repair, const struct task_record *task)
{
	int r = repair_cgroup(repair, task);

	if (r)
		return r;
	repair_start(repair, EVENT_FORK, task);
	repair_add_identity(repair, task);
	r = repair_send(repair);
	return r ? r : repair->sink(repair->context, &task->header);
}

static uint32_t changed_privileges(const struct task_record *old, const struct task_record *task)
{
	uint32_t changed = 0;

	if (old->no_new_privs != task->no_new_privs)
		changed |= CHANGE_NO_NEW_PRIVS;
	if (old->seccomp != task->seccomp)
		changed |= CHANGE_SECCOMP;
	return changed;
}

static uint32_t changed_credentials(const struct proc *proc, const struct task_record *task)
{
	const struct task_record *old = proc->task;
	uint32_t changed = 0;

	if (memcmp(&old->ids, &task->ids, sizeof(old->ids)) != 0)
		changed |= CHANGE_IDS;
	if (old->groups_total != task->groups_total ||
	    memcmp(proc->groups, record_groups(task), task->groups_kept * sizeof(__u32)) != 0)
		changed |= CHANGE_GROUPS;
	if (memcmp(old->caps, task->caps, sizeof(old->caps)) != 0)
		changed |= CHANGE_CAPS;
	if (old->securebits != task->securebits)
		changed |= CHANGE_SECUREBITS;
	if (old->ns[NS_USER] != task->ns[NS_USER])
		changed |= CHANGE_USER_NS;
	return changed;
}

static uint32_t changed_namespaces(const struct task_record *old, const struct task_record *task)
{
	return memcmp(old->ns, task->ns, NS_USER * sizeof(*old->ns)) != 0 ? CHANGE_NS : 0;
}

/* A hook should have told of it. */
static int repair_change(struct repair *repair, enum event_action action, uint32_t changed,
			 const struct proc *proc, const struct task_record *task)
{
	if (!changed)
		return 0;
	repair_start(repair, action, task);
	repair->event.changed = changed;
	repair->event.cause = CAUSE_OTHER;
	repair_add_identity(repair, task);
	repair_add_before(repair, proc);
	return repair_send(repair);
}

/* What the reader of one of the two could not see is no change. */
static int repair_changes(struct repair *repair, const struct proc *proc,
			  const struct task_record *task)
{
	uint64_t unknown = (proc->task->unknown | task->unknown) & ~USAGE_FIELDS;
	uint32_t credentials = changed_credentials(proc, task);
	uint32_t namespaces = changed_namespaces(proc->task, task);
	uint32_t privileges = changed_privileges(proc->task, task);
	int r = repair_cgroup(repair, task);

	if (r || unknown & ~FIELD_BIT(FIELD_ARGS))
		return r;
	if (credentials)
		return repair_change(repair, EVENT_CREDENTIALS,
				     credentials | namespaces | privileges, proc, task);
	if (namespaces)
		return repair_change(repair, EVENT_NAMESPACES, namespaces | privileges, proc, task);
	return repair_change(repair, EVENT_PRIVILEGES, privileges, proc, task);
}

/* Whether to wait for what the kernel side has to say of it. */
static bool repair_waits(const struct repair *repair, struct proc *proc,
			 const struct task_record *task)
{
	const struct model_sweep *sweep = &repair->model->sweep;
	uint32_t before = proc->own.doubted;

	if (!changed_credentials(proc, task) && !changed_namespaces(proc->task, task))
		return false;
	proc->own.doubted = sweep->number;
	return !sweep->has_missed && (!before || before + 1 != sweep->number);
}

static int repair_known(struct repair *repair, struct proc *proc, const struct task_record *task)
{
	int r;

	if (proc->own.changed_ns >= repair->model->sweep.start_ns || is_same(proc, task))
		return 0;
	if (task_is_dead(task))
		r = proc->own.is_dead ? 0 : repair_exit(repair, proc);
	else if (task->flags & TASK_ZOMBIE)
		return 0; /* its threads run on, and the process is what it was */
	else if (repair_waits(repair, proc, task))
		return 0;
	else
		r = repair_changes(repair, proc, task);
	return r ? r : repair->sink(repair->context, &task->header);
}

static int repair_task(struct repair *repair, const struct task_record *task)
{
	struct model *model = repair->model;
	struct proc *proc = model_find(model, task->tgid);

	if (proc && proc->task->start_boot_ns == task->start_boot_ns)
		return repair_known(repair, proc, task);
	if (proc && proc->task->start_boot_ns > task->start_boot_ns)
		return 0;
	/* Between the event of its exit and the end of what the kernel holds of it; its leader may
	 * be a zombie already that has threads. */
	if (!task_is_dead(task) && model_live_has_ended(model, task->tgid, task->start_boot_ns))
		return 0;
	if (task->flags & TASK_ZOMBIE)
		return repair->sink(repair->context, &task->header);
	return repair_fork(repair, task);
}

static int repair_args(struct repair *repair, const struct args_record *args)
{
	struct model *model = repair->model;
	const struct proc *proc = sweep_find(model, args->tgid, args->start_boot_ns);

	if (!proc || proc->own.changed_ns >= model->sweep.start_ns || has_args(proc, args))
		return 0;
	return repair->sink(repair->context, &args->header);
}

/* Those that the sweep did not see, as pids: applying an exit moves the processes. */
static uint32_t *sweep_gone(struct model *model, size_t *count)
{
	const struct model_sweep *sweep = &model->sweep;
	uint32_t *gone = NULL;
	size_t capacity = 0;

	*count = 0;
	for (size_t i = 0; i < model->procs_count; i++) {
		struct proc *proc = &model->procs[i];

		if (proc->own.sweep == sweep->number) {
			if (proc->own.cpu_sum_ns > proc->cpu_ns)
				proc->cpu_ns = proc->own.cpu_sum_ns;
			continue;
		}
		if (proc->own.changed_ns >= sweep->start_ns ||
		    proc->task->start_boot_ns >= sweep->start_ns)
			continue;
		mem_reserve_one(gone, *count, capacity);
		gone[(*count)++] = proc->task->tgid;
	}
	return gone;
}

static int repair_gone(struct repair *repair)
{
	size_t count;
	autofree uint32_t *gone = sweep_gone(repair->model, &count);
	int r = 0;

	for (size_t i = 0; i < count && !r; i++) {
		const struct proc *proc = model_find(repair->model, gone[i]);

		if (proc)
			r = repair_exit(repair, proc);
	}
	return r;
}

int model_sweep_end(struct model *model, uint64_t now_boot_ns, record_sink sink, void *context)
{
	struct repair repair = {
		.model = model, .now_ns = now_boot_ns, .sink = sink, .context = context};
	struct model_sweep *sweep = &model->sweep;
	int r;

	if (!sweep->is_open)
		return 0;
	sweep->is_open = false;
	r = repair_gone(&repair);
	for (size_t i = 0; i < sweep->count && !r; i++) {
		if (sweep->records[i]->type == RECORD_TASK)
			r = repair_task(&repair, (struct task_record *)sweep->records[i]);
		else
			r = repair_args(&repair, (struct args_record *)sweep->records[i]);
	}
	arena_free(&sweep->arena);
	sweep->count = 0;
	return r;
}

static int repair_reused(struct model *model, const struct event_record *event,
			 const struct proc *proc, record_sink sink, void *context)
{
	struct repair repair = {
		.model = model, .now_ns = event->time_boot_ns, .sink = sink, .context = context};

	return repair_exit(&repair, proc);
}

/* Asked before each event, and nearly always for nothing. */
int model_sweep_reused(struct model *model, const struct event_record *event, record_sink sink,
		       void *context)
{
	const struct proc *proc = model_find(model, event->tgid);

	if (!proc || !event->tgid || proc->task->start_boot_ns >= event->start_boot_ns)
		return 0;
	return repair_reused(model, event, proc, sink, context);
}
