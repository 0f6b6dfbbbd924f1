/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "bpf/event.h"
#include "host/facts.h"
#include "model/model.h"
#include "view/group_private.h"

const char *const group_way_words[GROUP_WAYS] = {
	[GROUP_CONTAINER] = "container", [GROUP_IMAGE] = "image",     [GROUP_POD] = "pod",
	[GROUP_USER] = "user",           [GROUP_RUNTIME] = "runtime",
};

/* The columns whose values are put together, found once. */
enum part {
	PART_NAME, /* of the way */
	PART_NAMESPACE,
	PART_USER,
	PART_TIME,
	PART_RSS,
	PART_CPU_USAGE,
	PART_CPU_LIMIT,
	PART_MEMORY_USAGE,
	PART_MEMORY_LIMIT,
	PARTS,
};

static const char *const part_keys[PARTS] = {
	[PART_NAMESPACE] = "namespace",
	[PART_USER] = "user",
	[PART_TIME] = "time",
	[PART_RSS] = "rss",
	[PART_CPU_USAGE] = "cpu-usage",
	[PART_CPU_LIMIT] = "cpu-limit",
	[PART_MEMORY_USAGE] = "memory-usage",
	[PART_MEMORY_LIMIT] = "memory-limit",
};

struct groups {
	enum group_way way;
	const struct view_context *view;
	const struct column *parts[PARTS];
	struct group *by_key;
	struct group **in_order;
	size_t count;
	size_t capacity;
	struct arena arena; /* the groups and their names */
	struct text key;

	/* Of the process before, whose container the next one mostly shares. */
	struct group *last;
	const struct container *last_container;
	bool sums_cpu; /* the container has no cgroup of its own that would count for it */
	bool sums_memory;
};

int group_way_find(const char *word, enum group_way *way)
{
	for (int i = 0; i < GROUP_WAYS; i++) {
		if (!strcmp(word, group_way_words[i])) {
			*way = (enum group_way)i;
			return 0;
		}
	}
	return -ENOENT;
}

static void part_get(const struct groups *groups, enum part part, const struct proc *proc,
		     struct value *value)
{
	column_get(groups->parts[part], groups->view, proc, value);
}

static void key_add_namespace(struct groups *groups, const struct proc *proc)
{
	struct value value;

	part_get(groups, PART_NAMESPACE, proc, &value);
	if (value.kind != VALUE_TEXT)
		return;
	text_add(&groups->key, value.text.data, value.text.length);
	text_add_char(&groups->key, '/');
}

/* What the process is grouped by: a letter for the kind of the name, then the name. */
static void key_make(struct groups *groups, const struct proc *proc)
{
	struct text *key = &groups->key;
	struct value value;

	text_clear(key);
	part_get(groups, PART_NAME, proc, &value);
	text_add_char(key, value.kind == VALUE_TEXT      ? 't'
			   : value.kind == VALUE_UNKNOWN ? 'u'
							 : 'n');
	if (value.kind != VALUE_TEXT)
		return;
	if (groups->way == GROUP_POD)
		key_add_namespace(groups, proc);
	text_add(key, value.text.data, value.text.length);
}

static struct group *group_add(struct groups *groups)
{
	struct group *group = arena_take(&groups->arena, sizeof(*group));
	struct text *key = &groups->key;

	memset(group, 0, sizeof(*group));
	group->key = arena_copy(&groups->arena, key->data, key->length);
	group->name = group->key + 1;
	group->name_length = key->length - 1;
	group->name_kind = *group->key == 't'   ? VALUE_TEXT
			   : *group->key == 'u' ? VALUE_UNKNOWN
						: VALUE_NONE;
	mem_reserve_one(groups->in_order, groups->count, groups->capacity);
	groups->in_order[groups->count++] = group;
	return group;
}

/* Two containers may have one name: what is grouped by container is never looked up. */
static struct group *group_find(struct groups *groups, const struct proc *proc)
{
	struct group *group = NULL;

	if (groups->last && groups->last_container == proc->container && groups->way != GROUP_USER)
		return groups->last;
	key_make(groups, proc);
	if (groups->way == GROUP_CONTAINER)
		return group_add(groups);
	HASH_FIND(hh, groups->by_key, groups->key.data, groups->key.length, group);
	if (!group) {
		group = group_add(groups);
		HASH_ADD_KEYPTR(hh, groups->by_key, group->key, groups->key.length, group);
	}
	return group;
}

static double value_real(const struct value *value)
{
	return value->kind == VALUE_REAL ? value->real : (double)value->number;
}

/* The cgroup's figure. False: the container has none of its own. */
static bool amount_add_use(struct group_amount *amount, const struct value *value)
{
	if (value->kind == VALUE_UNKNOWN)
		amount->is_used_unknown = true;
	else if (value->kind != VALUE_NONE)
		amount->used += value_real(value);
	return value->kind != VALUE_NONE;
}

static void amount_add_limit(struct group_amount *amount, const struct value *value)
{
	if (value->kind == VALUE_UNKNOWN)
		amount->is_limit_unknown = true;
	else if (value->kind == VALUE_NONE)
		amount->has_no_limit = true;
	else
		amount->limit += value_real(value);
}

/* What belongs to a container as a whole. A user's processes in it are a part that its cgroup does
 * not tell apart. */
static void group_add_container(struct groups *groups, struct group *group, const struct proc *proc)
{
	struct value value = {.kind = VALUE_NONE};
	bool is_whole = proc->container && groups->way != GROUP_USER;

	group->last = proc->container;
	group->containers += proc->container != NULL;
	if (is_whole)
		part_get(groups, PART_CPU_USAGE, proc, &value);
	groups->sums_cpu = !amount_add_use(&group->cpu, &value);
	if (is_whole)
		part_get(groups, PART_MEMORY_USAGE, proc, &value);
	groups->sums_memory = !amount_add_use(&group->memory, &value);
	if (is_whole)
		part_get(groups, PART_CPU_LIMIT, proc, &value);
	amount_add_limit(&group->cpu, &value);
	if (is_whole)
		part_get(groups, PART_MEMORY_LIMIT, proc, &value);
	amount_add_limit(&group->memory, &value);
}

static void group_add_uid(struct group *group, const struct proc *proc)
{
	uint32_t uid = proc->task->ids.euid;

	if (proc->unknown & FIELD_BIT(FIELD_IDS)) {
		group->is_user_unknown = true;
		return;
	}
	if (group->uids_count && group->uids[group->uids_count - 1] == uid)
		return;
	mem_reserve_one(group->uids, group->uids_count, group->uids_capacity);
	group->uids[group->uids_count++] = uid;
}

/* The average of each is no more than that: their sum would be more CPUs than there are. */
static void group_add_time(struct groups *groups, struct group *group, const struct proc *proc)
{
	struct value value;

	part_get(groups, PART_TIME, proc, &value);
	if (value.kind != VALUE_NUMBER || proc->unknown & FIELD_BIT(FIELD_START)) {
		group->cpu.is_used_unknown = true;
		return;
	}
	group->cpu_ns += (uint64_t)value.number;
	if (!group->start_boot_ns || proc->task->start_boot_ns < group->start_boot_ns)
		group->start_boot_ns = proc->task->start_boot_ns;
}

static void group_add_proc(struct groups *groups, struct group *group, const struct proc *proc)
{
	struct value value;

	group->processes++;
	group_add_uid(group, proc);
	power_add(&group->power, groups->view, proc);
	if (groups->sums_cpu)
		group_add_time(groups, group, proc);
	if (groups->sums_memory) {
		part_get(groups, PART_RSS, proc, &value);
		amount_add_use(&group->memory, &value);
	}
}

static int compare_ids(const void *left, const void *right)
{
	uint32_t one = *(const uint32_t *)left;
	uint32_t other = *(const uint32_t *)right;

	return (one > other) - (one < other);
}

static void group_finish(struct group *group, uint64_t boot_now_ns)
{
	size_t kept = 0;

	if (group->cpu_ns && boot_now_ns > group->start_boot_ns)
		group->cpu.used +=
			(double)group->cpu_ns / (double)(boot_now_ns - group->start_boot_ns);
	if (!group->uids_count)
		return;
	qsort(group->uids, group->uids_count, sizeof(*group->uids), compare_ids);
	for (size_t i = 0; i < group->uids_count; i++) {
		if (!kept || group->uids[i] != group->uids[kept - 1])
			group->uids[kept++] = group->uids[i];
	}
	group->uids_count = kept;
}

static int compare_users(const void *left, const void *right)
{
	const struct group *one = *(const struct group *const *)left;
	const struct group *other = *(const struct group *const *)right;

	if (!one->uids_count || !other->uids_count)
		return (one->uids_count > other->uids_count) -
		       (one->uids_count < other->uids_count);
	return compare_ids(one->uids, other->uids);
}

struct groups *groups_make(enum group_way way, const struct view_context *view,
			   const struct proc *const *procs, size_t count)
{
	struct groups *groups = mem_new(sizeof(*groups));

	groups->way = way;
	groups->view = view;
	for (int i = 0; i < PARTS; i++) {
		const char *nearest;

		groups->parts[i] =
			column_find(i == PART_NAME ? group_way_words[way] : part_keys[i], &nearest);
	}
	for (size_t i = 0; i < count; i++) {
		struct group *group = group_find(groups, procs[i]);
		bool is_new = !group->processes || group->last != procs[i]->container;

		if (is_new)
			group_add_container(groups, group, procs[i]);
		group_add_proc(groups, group, procs[i]);
		groups->last = group;
		groups->last_container = procs[i]->container;
	}
	for (size_t i = 0; i < groups->count; i++)
		group_finish(groups->in_order[i], view->facts->boot_now_ns);
	if (way == GROUP_USER && groups->count)
		qsort(groups->in_order, groups->count, sizeof(*groups->in_order), compare_users);
	return groups;
}

void groups_free(struct groups *groups)
{
	if (!groups)
		return;
	HASH_CLEAR(hh, groups->by_key);
	for (size_t i = 0; i < groups->count; i++)
		free(groups->in_order[i]->uids);
	free(groups->in_order);
	text_free(&groups->key);
	arena_free(&groups->arena);
	free(groups);
}

size_t groups_count(const struct groups *groups)
{
	return groups->count;
}

const struct group *groups_at(const struct groups *groups, size_t place)
{
	return groups->in_order[place];
}
