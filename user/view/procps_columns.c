/* SPDX-License-Identifier: GPL-2.0-only */
/* The columns of `nsview ps -ef`: ps -ef's, with what the container sees beside it. */
#include "view/column.h"

#include <string.h>

#include "base/mem.h"
#include "bpf/event.h"
#include "view/proc_fields.h"
#include "view/proc_ps.h"

const char *const proc_columns_full[] = {
	"container", "user",  "pid", "ppid", "in-user", "in-pid",  "in-ppid",
	"c",         "start", "tty", "time", "caps",    "command", NULL,
};

/* Those that have another heading or form there; the others are proc_columns.c's. */
static const struct column own[] = {
	{.key = "user",
	 .heading = "UID",
	 .get = proc_get_user,
	 .needs = FIELD_BIT(FIELD_IDS),
	 .type = COLUMN_TEXT},
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
	{.key = "time",
	 .heading = "TIME",
	 .get = proc_get_cpu_time,
	 .needs = FIELD_BIT(FIELD_CPU),
	 .type = COLUMN_CPU_CLOCK},
	{.key = "command", .heading = "CMD", .get = proc_get_command, .type = COLUMN_TEXT},
};

const struct column *proc_columns_full_find(const char *key)
{
	const char *nearest;

	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		if (!strcmp(own[i].key, key))
			return &own[i];
	}
	return column_find(key, &nearest);
}
