/* SPDX-License-Identifier: GPL-2.0-only */
/* The cells of the live table: those of ps, but for what only a live table knows. */
#include <string.h>

#include "host/facts.h"
#include "view/live_private.h"
#include "view/tree.h"

#define KIB 1024.0
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define COMMAND_BYTES 4096 /* more than a line of any terminal shows */

const struct live_column_form live_columns[LIVE_COLUMNS] = {
	[LIVE_USER] = {.heading = "USER", .leaves = 4},
	[LIVE_PID] = {.heading = "PID", .is_right = true},
	[LIVE_IN_USER] = {.heading = "IN-USER", .is_inside = true, .leaves = 5},
	[LIVE_IN_PID] = {.heading = "IN-PID", .is_right = true, .is_inside = true, .leaves = 3},
	[LIVE_CPU] = {.heading = "%CPU", .is_right = true, .leaves = 2},
	[LIVE_MEMORY] = {.heading = "MEM/LIMIT", .is_right = true, .leaves = 1},
	[LIVE_CAPS] = {.heading = "CAPS", .leaves = 6},
	[LIVE_COMMAND] = {.heading = "COMMAND"},
};

/* Whole KiB up to `kib_max`, then MiB, then GiB: at most five characters. */
static void add_size(struct text *out, uint64_t bytes, double kib_max)
{
	double size = (double)bytes;

	if (size < kib_max * KIB)
		text_printf(out, "%.0fK", size / KIB);
	else if (size < 9999.5 * MIB && (kib_max > 1000 || size < 999.5 * MIB))
		text_printf(out, "%.0fM", size / MIB);
	else
		text_printf(out, size < 10 * GIB ? "%.1fG" : "%.0fG", size / GIB);
}

static void add_memory(const struct live *live, const struct proc *proc, struct text *out)
{
	if (live_is_gone(live, proc))
		text_add_char(out, '-');
	else if (proc->unknown & FIELD_BIT(FIELD_MEMORY))
		text_add_char(out, '?');
	else
		add_size(out, proc->task->rss_pages * live->view->facts->page_bytes, 9999.5);
}

void live_cell(const struct live *live, const struct live_row *row, enum live_column column,
	       struct text *out)
{
	const struct column *form = live->columns[column];
	const struct proc *proc = row->proc;
	struct value value;

	if (!proc) {
		live_group_cell(live, row->group, column, out);
		return;
	}
	if (column == LIVE_CPU && row->mark == LIVE_GONE) {
		text_add_char(out, '-');
		return;
	}
	if (column == LIVE_MEMORY) {
		add_memory(live, proc, out);
		return;
	}
	if (column == LIVE_COMMAND && live->tree && row->mark != LIVE_GONE)
		tree_add_branches(live->tree, proc, out);
	column_get(form, live->view, proc, &value);
	if (value.kind == VALUE_TEXT && value.text.length > COMMAND_BYTES) {
		value.text.length = COMMAND_BYTES;
		value.cut = CUT_END;
	}
	cell_format(out, form, &value, live->view);
}

void live_group_title(const struct live *live, const struct live_group *group, bool has_image,
		      struct text *out)
{
	const struct container *container = group->container;

	(void)live;
	if (!container) {
		text_add_string(out, "host");
		return;
	}
	text_add_string(out, container->name);
	if (container->runtime)
		text_printf(out, "  %s", container->runtime);
	if (has_image && group->image)
		text_printf(out, "  %s", group->image);
}

/* "422/500M", "828K/none"; the host's, and that of a container without a cgroup, has no limit to
 * speak of. */
static void add_group_memory(const struct live_group *group, struct text *out)
{
	uint64_t used = group->has_usage ? group->memory_usage_bytes : group->rss_bytes;
	size_t start = out->length;
	size_t end;

	add_size(out, used, 999.5);
	end = out->length;
	if (!group->has_usage && !group->has_limit)
		return;
	text_add_char(out, '/');
	if (!group->has_limit) {
		text_add_string(out, group->is_limit_unknown ? "?" : "none");
		return;
	}
	add_size(out, group->memory_limit_bytes, 999.5);
	if (end - start > 1 && out->data[end - 1] == out->data[out->length - 1])
		memmove(out->data + end - 1, out->data + end, out->length-- - end);
}

void live_group_cell(const struct live *live, const struct live_group *group,
		     enum live_column column, struct text *out)
{
	const struct value cpu = {
		.kind = group->cpu_percent < 0 ? VALUE_UNKNOWN : VALUE_REAL,
		.real = group->cpu_percent,
	};

	switch (column) {
	case LIVE_IN_PID:
		text_add_unsigned(out, group->procs);
		break;
	case LIVE_CPU:
		cell_format(out, live->columns[LIVE_CPU], &cpu, live->view);
		break;
	case LIVE_MEMORY:
		add_group_memory(group, out);
		break;
	case LIVE_CAPS:
		cell_format(out, live->columns[LIVE_CAPS], &group->caps, live->view);
		break;
	case LIVE_COMMAND:
		text_add_string(out, group->verdict);
		break;
	case LIVE_USER:
	case LIVE_PID:
	case LIVE_IN_USER:
	case LIVE_COLUMNS:
		break;
	}
}
