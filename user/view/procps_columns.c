/* SPDX-License-Identifier: GPL-2.0-only */
/* The columns of `nsview ps -ef`: ps -ef's, with what the container sees beside it. */
#include "view/column.h"

#include <string.h>

#include "base/mem.h"
#include "bpf/event.h"
#include "view/container_fields.h"
#include "view/proc_fields.h"
#include "view/proc_ps.h"

#define TASK(field) offsetof(struct task_record, field)

const struct column proc_columns_full[] = {
	{.key = "container",
	 .heading = "CONTAINER",
	 .get = proc_get_container,
	 .type = COLUMN_TEXT},
	{.key = "user",
	 .heading = "UID",
	 .get = proc_get_user,
	 .needs = FIELD_BIT(FIELD_IDS),
	 .type = COLUMN_TEXT},
	{.key = "pid",
	 .heading = "PID",
	 .get = proc_get_u32,
	 .at = TASK(tgid),
	 .type = COLUMN_NUMBER},
	{.key = "ppid",
	 .heading = "PPID",
	 .get = proc_get_u32,
	 .needs = FIELD_BIT(FIELD_PARENT),
	 .at = TASK(ppid),
	 .type = COLUMN_NUMBER},
	{.key = "in-user",
	 .heading = "IN-USER",
	 .get = proc_get_in_user,
	 .needs = FIELD_BIT(FIELD_IN_IDS),
	 .type = COLUMN_TEXT,
	 .is_inside = true},
	{.key = "in-pid",
	 .heading = "IN-PID",
	 .get = proc_get_in_pid,
	 .type = COLUMN_NUMBER,
	 .is_inside = true},
	{.key = "in-ppid",
	 .heading = "IN-PPID",
	 .get = proc_get_u32,
	 .needs = FIELD_BIT(FIELD_IN_PARENT),
	 .at = TASK(in_ppid),
	 .type = COLUMN_NUMBER,
	 .is_inside = true},
	{.key = "c",
	 .heading = "C",
	 .get = proc_get_cpu_share,
	 .needs = FIELD_BIT(FIELD_CPU) | FIELD_BIT(FIELD_START),
	 .type = COLUMN_NUMBER},
	{.key = "start",
	 .heading = "STIME",
	 .get = proc_get_start,
	 .needs = FIELD_BIT(FIELD_START),
	 .type = COLUMN_START},
	{.key = "tty",
	 .heading = "TTY",
	 .none = "?",
	 .get = proc_get_tty,
	 .needs = FIELD_BIT(FIELD_TTY),
	 .type = COLUMN_TEXT},
	{.key = "time",
	 .heading = "TIME",
	 .get = proc_get_cpu_time,
	 .needs = FIELD_BIT(FIELD_CPU),
	 .type = COLUMN_CPU_CLOCK},
	{.key = "caps",
	 .heading = "CAPS",
	 .get = proc_get_caps,
	 .needs = FIELD_BIT(FIELD_CAPS),
	 .at = TASK(caps[CAP_SET_EFFECTIVE]),
	 .type = COLUMN_CAPS},
	{.key = "command", .heading = "CMD", .get = proc_get_command, .type = COLUMN_TEXT},
};
const size_t proc_columns_full_count = ARRAY_SIZE(proc_columns_full);

const struct column *proc_columns_full_find(const char *key)
{
	for (size_t i = 0; i < proc_columns_full_count; i++) {
		if (!strcmp(proc_columns_full[i].key, key))
			return &proc_columns_full[i];
	}
	return NULL;
}
