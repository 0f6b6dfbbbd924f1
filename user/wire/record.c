/* SPDX-License-Identifier: GPL-2.0-only */
#include "wire/wire.h"

#include <stdint.h>

#include "wire/event.h"

#define PID_DIGITS_MAX 7 /* PID_MAX_LIMIT is 4194304 */

/* In 64 bits, so that no length makes it overflow. */
static uint64_t record_padded(uint64_t size)
{
	return (size + WIRE_ALIGNMENT - 1) & ~(uint64_t)(WIRE_ALIGNMENT - 1);
}

static bool task_is_sound(const struct task_record *task)
{
	size_t size = sizeof(*task);

	if (task->header.size < size)
		return false;
	if (task->chain_count < 1 || task->chain_count > PID_LEVELS_MAX)
		return false;
	if (task->groups_kept > GROUPS_KEPT || task->groups_kept > task->groups_total)
		return false;
	if (task->cgroup_length > CGROUP_PATH_MAX || task->cgroup_hierarchy >= CGROUP_HIERARCHIES)
		return false;
	if (task->comm[COMM_SIZE - 1])
		return false;
	size += task->chain_count * sizeof(struct pid_level);
	size += task->groups_kept * sizeof(uint32_t);
	size += task->cgroup_length;
	return task->header.size == record_padded(size);
}

static bool args_is_sound(const struct args_record *args)
{
	if (args->header.size < sizeof(*args))
		return false;
	if (args->kind > ARGS_EXE)
		return false;
	return args->header.size == record_padded((uint64_t)sizeof(*args) + args->length);
}

static bool cgroup_is_sound(const struct cgroup_record *cgroup)
{
	if (cgroup->header.size < sizeof(*cgroup) || cgroup->length > CGROUP_PATH_MAX)
		return false;
	return cgroup->hierarchy < CGROUP_HIERARCHIES &&
	       cgroup->header.size == record_padded((uint64_t)sizeof(*cgroup) + cgroup->length);
}

static bool gap_is_sound(const struct gap_record *gap)
{
	return gap->header.size == sizeof(*gap) && gap->first <= gap->last &&
	       gap->reason < GAP_REASONS && gap->hook <= HOOKS;
}

static bool info_is_sound(const struct info_record *info)
{
	if (info->header.size < sizeof(*info) || info->hook > HOOKS)
		return false;
	return info->header.size == record_padded((uint64_t)sizeof(*info) + info->length);
}

static bool user_is_sound(const struct user_record *user)
{
	if (user->header.size < sizeof(*user))
		return false;
	return user->header.size == record_padded((uint64_t)sizeof(*user) + user->length);
}

static bool container_is_sound(const struct container_record *container)
{
	uint64_t size = sizeof(*container);

	if (container->header.size < size || container->texts >> CONTAINER_TEXTS)
		return false;
	for (int text = 0; text < CONTAINER_TEXTS; text++) {
		if (!(container->texts >> text & 1) && container->lengths[text])
			return false;
		size += container->lengths[text];
	}
	return container->header.size == record_padded(size);
}

static bool mark_is_sound(const struct mark_record *mark)
{
	return mark->header.size == sizeof(*mark) &&
	       (mark->kind == MARK_SNAPSHOT || mark->kind == MARK_END);
}

static bool inside_is_sound(const struct inside_record *inside)
{
	uint64_t size = sizeof(*inside);

	if (inside->header.size < size || inside->pid_digits > PID_DIGITS_MAX)
		return false;
	size += (uint64_t)inside->zone_length + inside->map_length;
	return inside->header.size == record_padded(size);
}

bool record_is_sound(const struct record_header *record, size_t available)
{
	if (available < sizeof(*record) || record->size < sizeof(*record) ||
	    record->size > available)
		return false;
	switch (record->type) {
	case RECORD_HOST:
		return record->size == sizeof(struct host_record);
	case RECORD_TASK:
		return task_is_sound((const struct task_record *)record);
	case RECORD_THREAD:
		return record->size == sizeof(struct thread_record);
	case RECORD_ARGS:
		return args_is_sound((const struct args_record *)record);
	case RECORD_EVENT:
		return event_is_sound((const struct event_record *)record);
	case RECORD_CGROUP:
		return cgroup_is_sound((const struct cgroup_record *)record);
	case RECORD_GAP:
		return gap_is_sound((const struct gap_record *)record);
	case RECORD_CLOCK:
		return record->size == sizeof(struct clock_record);
	case RECORD_INFO:
		return info_is_sound((const struct info_record *)record);
	case RECORD_USER:
		return user_is_sound((const struct user_record *)record);
	case RECORD_CONTAINER:
		return container_is_sound((const struct container_record *)record);
	case RECORD_MARK:
		return mark_is_sound((const struct mark_record *)record);
	case RECORD_INSIDE:
		return inside_is_sound((const struct inside_record *)record);
	case RECORD_PARENT:
		return record->size == sizeof(struct parent_record);
	case RECORD_USAGE:
		return record->size == sizeof(struct usage_record);
	default:
		return false;
	}
}

const struct pid_level *record_chain(const struct task_record *task)
{
	return (const struct pid_level *)(task + 1);
}

const uint32_t *record_groups(const struct task_record *task)
{
	return (const uint32_t *)(record_chain(task) + task->chain_count);
}

const char *record_cgroup_path(const struct task_record *task)
{
	return (const char *)(record_groups(task) + task->groups_kept);
}

const char *record_args(const struct args_record *args)
{
	return (const char *)(args + 1);
}

const char *record_cgroup_name(const struct cgroup_record *cgroup)
{
	return (const char *)(cgroup + 1);
}

const char *record_info(const struct info_record *info)
{
	return (const char *)(info + 1);
}

const char *record_user_name(const struct user_record *user)
{
	return (const char *)(user + 1);
}

const char *record_container_text(const struct container_record *container,
				  enum container_text text)
{
	const char *at = (const char *)(container + 1);

	if (!(container->texts >> text & 1))
		return NULL;
	for (int before = 0; before < (int)text; before++)
		at += container->lengths[before];
	return at;
}

const char *record_inside_zone(const struct inside_record *inside)
{
	return (const char *)(inside + 1);
}

const char *record_inside_map(const struct inside_record *inside)
{
	return record_inside_zone(inside) + inside->zone_length;
}
