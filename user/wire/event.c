/* SPDX-License-Identifier: GPL-2.0-only */
/* An event's parts: one walk finds them, and it is also what checks them. */
#include "wire/event.h"

#include <stdint.h>
#include <string.h>

#include "wire/wire.h"

#define TASK_UNKNOWN                                                               \
	(FIELD_BIT(FIELD_STATE) | FIELD_BIT(FIELD_CPU) | FIELD_BIT(FIELD_MEMORY) | \
	 FIELD_BIT(FIELD_SCHED))

/* Takes bytes off the front of what is left of a record. */
struct walk {
	const char *at;
	size_t left;
	bool is_short; /* something did not fit */
};

static const void *walk_take(struct walk *walk, uint64_t size)
{
	const char *taken = walk->at;

	size = (size + WIRE_ALIGNMENT - 1) & ~(uint64_t)(WIRE_ALIGNMENT - 1);
	if (walk->is_short || size > walk->left) {
		walk->is_short = true;
		return NULL;
	}
	walk->at += size;
	walk->left -= size;
	return taken;
}

/* Their contents are one part: what follows a head whose lengths say how much it is. */
static void walk_exec(struct walk *walk, struct event *event)
{
	event->exec = walk_take(walk, sizeof(*event->exec));
	if (!event->exec)
		return;
	event->filename = walk_take(walk, (uint64_t)event->exec->filename_length);
	event->interpreter = walk_take(walk, (uint64_t)event->exec->interpreter_length);
	event->args = walk_take(walk, (uint64_t)event->exec->args_length);
	event->env = walk_take(walk, (uint64_t)event->exec->env_length);
}

static void walk_groups(struct walk *walk, uint32_t kept, const __u32 **groups)
{
	if (kept > GROUPS_KEPT)
		walk->is_short = true;
	*groups = walk_take(walk, kept * sizeof(**groups));
}

static void walk_identity(struct walk *walk, uint32_t parts, struct event *event)
{
	if (parts & PART_IDENTITY)
		event->identity = walk_take(walk, sizeof(*event->identity));
	if (parts & PART_CHAIN)
		event->chain = walk_take(walk, event->record->chain_count * sizeof(*event->chain));
	if (parts & PART_GROUPS && event->identity)
		walk_groups(walk, event->identity->groups_kept, &event->groups);
	if (parts & PART_IN_IDS)
		event->in_ids = walk_take(walk, sizeof(*event->in_ids));
	else if (event->identity)
		event->in_ids = &event->identity->ids;
}

/* false: the parts are not where they have to be. */
static bool event_walk(const struct event_record *record, struct event *event)
{
	struct walk walk = {(const char *)(record + 1), record->header.size - sizeof(*record),
			    false};
	uint32_t parts = record->parts;

	*event = (struct event){.record = record};
	walk_identity(&walk, parts, event);
	if (parts & PART_BEFORE)
		event->before = walk_take(&walk, sizeof(*event->before));
	if (parts & PART_BEFORE_GROUPS && event->before)
		walk_groups(&walk, event->before->groups_kept, &event->before_groups);
	if (parts & PART_CHILDREN)
		event->children = walk_take(&walk, sizeof(*event->children));
	if (parts & PART_EXEC)
		walk_exec(&walk, event);
	if (parts & PART_EXIT)
		event->exit = walk_take(&walk, sizeof(*event->exit));
	if (parts & PART_CGROUP) {
		event->cgroup = walk_take(&walk, sizeof(*event->cgroup));
		if (event->cgroup)
			event->cgroup_path = walk_take(&walk, (uint64_t)event->cgroup->length);
	}
	return !walk.is_short && !walk.left;
}

static bool identity_is_sound(const struct event *event)
{
	const struct task_identity *identity = event->identity;

	return identity->groups_kept <= identity->groups_total &&
	       (event->groups || !identity->groups_kept) && !identity->cgroup_length &&
	       identity->chain_count == event->record->chain_count &&
	       identity->cgroup_hierarchy < CGROUP_HIERARCHIES && !identity->comm[COMM_SIZE - 1];
}

/* What an action cannot be told without. */
static uint32_t parts_needed(const struct event_record *record)
{
	switch (record->action) {
	case EVENT_FORK:
		return PART_IDENTITY | PART_CHAIN;
	case EVENT_EXEC:
		return PART_IDENTITY | PART_CHAIN | PART_EXEC;
	case EVENT_EXIT:
		return PART_CHAIN | PART_EXIT;
	case EVENT_CGROUP_MAKE:
	case EVENT_CGROUP_REMOVE:
		return PART_CGROUP;
	case EVENT_CGROUP_ATTACH:
		return PART_IDENTITY | PART_CHAIN | PART_CGROUP;
	default:
		return PART_IDENTITY | PART_CHAIN;
	}
}

static bool record_holds(const struct event_record *record)
{
	uint32_t needed;

	if (record->header.size < sizeof(*record) || record->header.size % WIRE_ALIGNMENT)
		return false;
	if (!record->action || record->action >= EVENT_ACTIONS || record->hook >= HOOKS ||
	    record->tier >= TIERS || record->cause >= CAUSES)
		return false;
	if (record->chain_count > PID_LEVELS_MAX ||
	    (record->parts & PART_CHAIN && !record->chain_count))
		return false;
	needed = parts_needed(record);
	return (record->parts & needed) == needed;
}

bool event_check(const struct event_record *record, struct event *event)
{
	if (!record_holds(record) || !event_walk(record, event))
		return false;
	if (event->identity && !identity_is_sound(event))
		return false;
	if (event->before && event->before->groups_kept > event->before->groups_total)
		return false;
	if (event->before && event->before->groups_kept && !event->before_groups)
		return false;
	return !event->cgroup || (event->cgroup->length <= CGROUP_PATH_MAX &&
				  event->cgroup->hierarchy < CGROUP_HIERARCHIES);
}

bool event_is_sound(const struct event_record *record)
{
	struct event event;

	return event_check(record, &event);
}

void event_read(const struct event_record *record, struct event *event)
{
	event_walk(record, event);
}

static char *tail_add(char *tail, const void *data, size_t size)
{
	if (size)
		memcpy(tail, data, size);
	return tail + size;
}

_Static_assert(sizeof(struct task_record) + PID_LEVELS_MAX * sizeof(struct pid_level) +
			       GROUPS_KEPT * sizeof(__u32) + CGROUP_PATH_MAX + WIRE_ALIGNMENT <=
		       EVENT_TASK_MAX,
	       "EVENT_TASK_MAX");

struct task_record *event_task(const struct event *event, const char *cgroup_path,
			       size_t cgroup_length, void *room)
{
	const struct event_record *record = event->record;
	struct task_record *task = room;
	char *tail = (char *)(task + 1);

	*task = (struct task_record){
		.header = {.type = RECORD_TASK},
		.start_boot_ns = record->start_boot_ns,
		.unknown = TASK_UNKNOWN,
		.identity = *event->identity,
		.in_ids = *event->in_ids,
		.tgid = record->tgid,
		.ppid = record->ppid,
	};
	task->cgroup_length =
		(__u16)(cgroup_length < CGROUP_PATH_MAX ? cgroup_length : CGROUP_PATH_MAX);
	tail = tail_add(tail, event->chain, task->chain_count * sizeof(*event->chain));
	tail = tail_add(tail, event->groups, task->groups_kept * sizeof(*event->groups));
	tail = tail_add(tail, cgroup_path, task->cgroup_length);
	while ((tail - (char *)task) % WIRE_ALIGNMENT)
		*tail++ = 0;
	task->header.size = (__u32)(tail - (char *)task);
	return task;
}
