/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/group.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/passwd.h"
#include "view/container_fields.h"
#include "view/group_private.h"

static void get_name(const struct group *group, const struct view_context *view,
		     struct value *value)
{
	(void)view;
	value->kind = group->name_kind;
	value->text.data = group->name;
	value->text.length = group->name_length;
}

static void set_number(struct value *value, int64_t number)
{
	value->kind = VALUE_NUMBER;
	value->number = number;
}

static void get_processes(const struct group *group, const struct view_context *view,
			  struct value *value)
{
	(void)view;
	set_number(value, (int64_t)group->processes);
}

static void get_containers(const struct group *group, const struct view_context *view,
			   struct value *value)
{
	(void)view;
	set_number(value, (int64_t)group->containers);
}

static void get_users(const struct group *group, const struct view_context *view,
		      struct value *value)
{
	struct text *words = view->scratch;

	if (group->is_user_unknown) {
		value->kind = VALUE_UNKNOWN;
		return;
	}
	text_clear(words);
	for (size_t i = 0; i < group->uids_count; i++) {
		const char *name = passwd_host_name(view->users, group->uids[i]);

		if (name)
			text_add_string(words, name);
		else
			text_add_unsigned(words, group->uids[i]);
		text_add_char(words, '\0');
	}
	value->kind = VALUE_WORDS;
	value->text.data = words->data;
	value->text.length = words->length;
}

static void get_caps(const struct group *group, const struct view_context *view,
		     struct value *value)
{
	(void)view;
	power_caps(&group->power, value);
}

static void get_host_effective(const struct group *group, const struct view_context *view,
			       struct value *value)
{
	get_caps(group, view, value);
	if (value->kind != VALUE_CAPS)
		return;
	value->kind = VALUE_UNKNOWN;
	if (value->caps.mask && value->caps.reach == REACH_UNKNOWN)
		return;
	value->kind = VALUE_BOOL;
	value->is_true = group->power.caps[REACH_HOST] != 0;
}

static void get_drift(const struct group *group, const struct view_context *view,
		      struct value *value)
{
	(void)view;
	if (group->power.is_drift_unknown) {
		value->kind = VALUE_UNKNOWN;
		return;
	}
	if (!group->power.has_declared)
		return;
	value->kind = VALUE_CAPS;
	value->caps.mask = group->power.drift;
	value->caps.reach = REACH_HOST;
}

static void get_surface(const struct group *group, const struct view_context *view,
			struct value *value)
{
	struct text *words = view->scratch;

	if (group->power.is_surface_unknown) {
		value->kind = VALUE_UNKNOWN;
		return;
	}
	if (!group->power.has_surface)
		return;
	text_clear(words);
	proc_surface_add(words, group->power.surface);
	value->kind = VALUE_WORDS;
	value->text.data = words->data;
	value->text.length = words->length;
}

static void set_real(struct value *value, double real, bool is_unknown)
{
	value->kind = is_unknown ? VALUE_UNKNOWN : VALUE_REAL;
	value->real = real;
}

static void set_bytes(struct value *value, double bytes, bool is_unknown)
{
	value->kind = is_unknown ? VALUE_UNKNOWN : VALUE_NUMBER;
	value->number = (int64_t)bytes;
}

static void get_cpu_usage(const struct group *group, const struct view_context *view,
			  struct value *value)
{
	(void)view;
	set_real(value, group->cpu.used, group->cpu.is_used_unknown);
}

static void get_cpu_limit(const struct group *group, const struct view_context *view,
			  struct value *value)
{
	(void)view;
	if (group->cpu.is_limit_unknown || !group->cpu.has_no_limit)
		set_real(value, group->cpu.limit, group->cpu.is_limit_unknown);
}

static void get_memory_usage(const struct group *group, const struct view_context *view,
			     struct value *value)
{
	(void)view;
	set_bytes(value, group->memory.used, group->memory.is_used_unknown);
}

static void get_memory_limit(const struct group *group, const struct view_context *view,
			     struct value *value)
{
	(void)view;
	if (group->memory.is_limit_unknown || !group->memory.has_no_limit)
		set_bytes(value, group->memory.limit, group->memory.is_limit_unknown);
}

/* The first one goes by the word that --by was given. */
const struct group_column group_columns[] = {
	{.column = {.type = COLUMN_TEXT}, .get = get_name},
	{.column = {.heading = "PROCESSES", .json = "processes", .type = COLUMN_NUMBER},
	 .get = get_processes},
	{.column = {.heading = "CONTAINERS", .json = "containers", .type = COLUMN_NUMBER},
	 .get = get_containers,
	 .left_out = 1u << GROUP_CONTAINER},
	{.column = {.heading = "USERS", .json = "users", .type = COLUMN_WORDS},
	 .get = get_users,
	 .is_users = true,
	 .left_out = 1u << GROUP_USER},
	{.column = {.heading = "CAPS", .json = "caps", .type = COLUMN_CAPS}, .get = get_caps},
	{.column = {.json = "eff", .type = COLUMN_CAP_NAMES},
	 .get = get_caps,
	 .is_json_only = true},
	{.column = {.json = "host_effective", .type = COLUMN_BOOL},
	 .get = get_host_effective,
	 .is_json_only = true},
	{.column = {.heading = "CPU-USAGE", .json = "cpu_usage", .type = COLUMN_CPUS},
	 .get = get_cpu_usage},
	{.column = {.heading = "CPU-LIMIT", .json = "cpu_limit", .type = COLUMN_CPUS},
	 .get = get_cpu_limit},
	{.column = {.heading = "MEMORY-USAGE", .json = "memory_usage", .type = COLUMN_KIB},
	 .get = get_memory_usage},
	{.column = {.heading = "MEMORY-LIMIT", .json = "memory_limit", .type = COLUMN_KIB},
	 .get = get_memory_limit},
	{.column = {.heading = "DRIFT", .json = "drift", .type = COLUMN_CAP_NAMES},
	 .get = get_drift},
	{.column = {.heading = "SURFACE", .json = "surface", .type = COLUMN_WORDS},
	 .get = get_surface},
};
const size_t group_columns_count = ARRAY_SIZE(group_columns);

const char *group_key_heading(enum group_way way)
{
	static const char *const headings[GROUP_WAYS] = {
		[GROUP_CONTAINER] = "CONTAINER", [GROUP_IMAGE] = "IMAGE",     [GROUP_POD] = "POD",
		[GROUP_USER] = "USER",           [GROUP_RUNTIME] = "RUNTIME",
	};

	return headings[way];
}
