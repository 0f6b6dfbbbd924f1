/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/live.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "view/container_fields.h"
#include "view/live_private.h"
#include "view/proc_fields.h"
#include "view/sort.h"
#include "view/tree.h"

static const char *const column_keys[LIVE_COLUMNS] = {
	[LIVE_USER] = "user",     [LIVE_PID] = "pid",         [LIVE_IN_USER] = "in-user",
	[LIVE_IN_PID] = "in-pid", [LIVE_CPU] = "cpu",         [LIVE_MEMORY] = "rss",
	[LIVE_CAPS] = "caps",     [LIVE_COMMAND] = "command",
};

/* The model, the limits and the rest may be others by now. */
static void context_take(struct live *live)
{
	live->context = *live->outer;
	live->context.live = live;
}

struct live *live_new(const struct view_context *view)
{
	struct live *live = mem_new(sizeof(*live));
	const char *nearest;

	live->outer = view;
	live->view = &live->context;
	context_take(live);
	live->gone = mem_new(LIVE_GONE_MAX * sizeof(*live->gone));
	for (int i = 0; i < LIVE_COLUMNS; i++)
		live->columns[i] = column_find(column_keys[i], &nearest);
	return live;
}

void live_free(struct live *live)
{
	if (!live)
		return;
	query_live_free(live->query);
	live_memory_free(live);
	live_groups_free(live);
	live_usage_free(live);
	tree_free(live->tree);
	free(live->rows);
	free(live->order);
	free(live);
}

void live_set(struct live *live, const struct live_settings *settings)
{
	static const struct selection everything = {0};

	live->settings = *settings;
	query_live_free(live->query);
	live->query = NULL;
	if (memcmp(&settings->selection, &everything, sizeof(everything)))
		live->query = query_live_new(&live->settings.selection, live->view);
	if (live->now_ns)
		live_refresh(live, live->now_ns);
}

static void live_end(struct live *live, const struct proc *proc)
{
	uint64_t key = live_key(proc->container);
	struct live_state *state = live_state_find(live, key);

	live->leaving_tgid = proc->task->tgid;
	live->leaving_start_ns = proc->task->start_boot_ns;
	if (!state || live_selects(live, proc) != FILTER_YES)
		return;
	if (!live_memory_find(live, proc->task->tgid, proc->task->start_boot_ns))
		state->came_and_went++;
	if (state->gone++ < LIVE_GONE_PER_GROUP)
		live_gone_add(live, proc, key);
}

void live_event(struct live *live, enum live_event_kind kind, const struct proc *proc,
		uint64_t time_boot_ns)
{
	struct live_memory *memory;

	if (!live->now_ns)
		return;
	context_take(live);
	switch (kind) {
	case LIVE_IDENTITY:
		/* One that is not there yet will be marked as new. */
		memory = live_memory_find(live, proc->task->tgid, proc->task->start_boot_ns);
		if (memory)
			memory->changed_ns = time_boot_ns;
		break;
	case LIVE_EXITED:
		live_end(live, proc);
		break;
	case LIVE_STARTED:
	case LIVE_EXECUTED:
		break;
	}
}

/* What rows are made from: the processes of each open group, one group behind the other. In a tree
 * those that have ended have no place, and stand below it. */
static size_t order_fill(struct live *live)
{
	size_t at = 0;

	for (size_t i = 0; i < live->sections_count; i++) {
		struct live_section *section = &live->sections[i];

		section->order_at = at;
		section->ordered = 0;
		if (!live->groups[i].is_folded)
			at += section->group.procs + (live->settings.is_tree ? 0 : section->gone);
	}
	if (live->order_capacity < at) {
		live->order_capacity = at + at / 4;
		live->order =
			mem_resize(live->order, live->order_capacity, sizeof(const struct proc *));
	}
	for (size_t i = 0; i < live->procs_count; i++) {
		uint32_t place = live->section_of[i];

		if (place == LIVE_NONE || live->groups[place].is_folded)
			continue;
		live->order[live->sections[place].order_at + live->sections[place].ordered++] =
			&live->procs[i];
	}
	return at;
}

/* Its group as it is now. LIVE_NONE: it has ended too, or is not shown. */
static uint32_t gone_section(const struct live *live, const struct live_gone *gone)
{
	const struct task_record *task = gone->proc.task;
	const struct proc *same = model_find(live->view->model, task->tgid);

	/* A sweep has found its zombie. */
	if (same && same->task->start_boot_ns == task->start_boot_ns &&
	    !live_is_leaving(live, same))
		return LIVE_NONE;
	for (size_t i = 0; i < live->sections_count; i++) {
		if (live->sections[i].group.key == gone->key)
			return (uint32_t)i;
	}
	return LIVE_NONE;
}

static void gone_find_sections(struct live *live)
{
	for (size_t i = 0; i < live->sections_count; i++)
		live->sections[i].gone = 0;
	for (size_t i = 0; i < LIVE_GONE_MAX; i++) {
		struct live_gone *gone = &live->gone[i];

		gone->section = gone->is_used ? gone_section(live, gone) : LIVE_NONE;
		if (gone->section == LIVE_NONE)
			continue;
		live->sections[gone->section].gone++;
		gone->proc.container =
			(struct container *)live->sections[gone->section].group.container;
	}
}

static void order_add_gone(struct live *live)
{
	for (size_t i = 0; i < LIVE_GONE_MAX; i++) {
		struct live_gone *gone = &live->gone[i];
		struct live_section *section;

		if (gone->section == LIVE_NONE || live->groups[gone->section].is_folded)
			continue;
		section = &live->sections[gone->section];
		live->order[section->order_at + section->ordered++] = &gone->proc;
	}
}

static void turn_round(const struct proc **procs, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		const struct proc *other = procs[count - 1 - i];

		procs[count - 1 - i] = procs[i];
		procs[i] = other;
	}
}

static void section_sort(const struct live *live, const struct live_section *section)
{
	const struct proc **procs = live->order + section->order_at;
	size_t count = section->ordered;
	const struct column *sort = live->settings.sort;
	bool is_reversed = live->settings.is_reversed;
	const struct query query = {
		.sort = &sort,
		.sort_descending = &is_reversed,
		.sort_count = sort != NULL,
	};

	if (sort || section->group.container || section->gone) /* else it is in order */
		sort_procs(&query, live->view, procs, count);
	if (is_reversed && !sort)
		turn_round(procs, count);
}

/* Every group, and what stands in the open ones. */
static void order_make(struct live *live)
{
	size_t count = order_fill(live);

	tree_free(live->tree);
	live->tree = NULL;
	if (!live->settings.is_tree)
		order_add_gone(live);
	for (size_t i = 0; i < live->sections_count; i++) {
		if (live->sections[i].ordered > 1)
			section_sort(live, &live->sections[i]);
	}
	if (!live->settings.is_tree || !count)
		return;
	live->tree = tree_new(live->view->model, live->order, count);
}

static struct live_row *row_add(struct live *live, size_t section)
{
	struct live_row *row;

	mem_reserve_one(live->rows, live->rows_count, live->rows_capacity);
	row = &live->rows[live->rows_count++];
	*row = (struct live_row){
		.group = &live->groups[section],
		.weight = live->groups[section].weight,
		.cpu_percent = live->groups[section].cpu_percent,
	};
	return row;
}

static void row_add_proc(struct live *live, size_t section, const struct proc *proc)
{
	struct live_row *row = row_add(live, section);
	uint64_t drift = 0;

	row->proc = proc;
	row->mark = live_mark_of(live, proc);
	row->cpu_percent = live_cpu(live, proc);
	row->weight = LIVE_NO_POWER;
	if (proc->unknown & FIELD_BIT(FIELD_CAPS))
		return;
	row->weight = live_weight_of(live->view, proc->task->caps[CAP_SET_EFFECTIVE],
				     proc_reach(live->view, proc));
	if (proc_drift_known(live->view, proc, &drift) == VALUE_CAPS)
		row->drift = (unsigned int)__builtin_popcountll(drift);
}

static void rows_make(struct live *live)
{
	order_make(live);
	live->rows_count = 0;
	for (size_t i = 0; i < live->sections_count; i++) {
		const struct live_section *section = &live->sections[i];

		row_add(live, i);
		for (size_t j = 0; j < section->ordered; j++)
			row_add_proc(live, i, live->order[section->order_at + j]);
		if (!live->settings.is_tree || live->groups[i].is_folded)
			continue;
		for (size_t j = 0; j < LIVE_GONE_MAX && section->gone; j++) {
			if (live->gone[j].section == i)
				row_add_proc(live, i, &live->gone[j].proc);
		}
	}
}

static void frame_make(struct live *live, uint64_t now_boot_ns, bool is_next)
{
	bool has_usage;

	context_take(live);
	if (now_boot_ns < live->now_ns) {
		live_memory_forget(live);
		live_groups_forget(live);
	}
	has_usage = is_next && now_boot_ns > live->base_ns; /* else no time has gone by */
	live->now_ns = now_boot_ns;
	if (!live->first_ns)
		live->first_ns = now_boot_ns;
	live_memory_update(live, now_boot_ns, has_usage);
	live_gone_expire(live);
	live_groups_update(live, has_usage);
	gone_find_sections(live);
	rows_make(live);
	if (has_usage)
		live->base_ns = now_boot_ns;
}

void live_update(struct live *live, uint64_t now_boot_ns)
{
	frame_make(live, now_boot_ns, true);
}

void live_refresh(struct live *live, uint64_t now_boot_ns)
{
	frame_make(live, now_boot_ns, false);
}

const struct live_row *live_rows(const struct live *live, size_t *count)
{
	*count = live->rows_count;
	return live->rows;
}

const struct live_group *live_groups(const struct live *live, size_t *count)
{
	*count = live->groups_count;
	return live->groups;
}

void live_sum(const struct live *live, struct live_sums *sums)
{
	*sums = (struct live_sums){.left_out = live->left_out, .cpu_percent = -1};
	for (size_t i = 0; i < live->sections_count; i++) {
		const struct live_section *section = &live->sections[i];
		const struct live_group *group = &section->group;

		sums->procs += group->procs;
		if (group->cpu_percent >= 0)
			sums->cpu_percent = group->cpu_percent +
					    (sums->cpu_percent < 0 ? 0 : sums->cpu_percent);
		if (!group->container)
			continue;
		sums->containers++;
		sums->host_root += section->has_host_root;
		sums->privileged += group->is_privileged;
	}
}

void live_fold(struct live *live, uint64_t key, bool is_folded)
{
	struct live_state *state = live_state_find(live, key);

	if (state)
		state->folding = is_folded ? FOLDING_FOLDED : FOLDING_OPEN;
	live_refresh(live, live->now_ns);
}

void live_fold_all(struct live *live, bool is_folded)
{
	struct live_state *state, *next;

	HASH_ITER (hh, live->states, state, next)
		state->folding = FOLDING_USUAL;
	live->folding_all = is_folded ? FOLDING_FOLDED : FOLDING_OPEN;
	live_refresh(live, live->now_ns);
}

static bool row_has(const struct live *live, const struct live_row *row, const char *text,
		    struct text *cell)
{
	text_clear(cell);
	if (!row->proc)
		live_group_title(live, row->group, true, cell);
	for (int i = 0; i < LIVE_COLUMNS; i++) {
		if (i == LIVE_CPU || i == LIVE_MEMORY)
			continue; /* numbers that nobody looks for, and that do not stay */
		text_add_char(cell, '\n');
		live_cell(live, row, (enum live_column)i, cell);
	}
	return strcasestr(text_string(cell), text) != NULL;
}

size_t live_find(const struct live *live, const char *text, size_t from, bool is_backward)
{
	size_t count = live->rows_count;
	size_t found = SIZE_MAX;
	struct text cell = {0};

	for (size_t i = 0; i < count && found == SIZE_MAX; i++) {
		size_t at = (is_backward ? from + count - i : from + i) % count;

		if (row_has(live, &live->rows[at], text, &cell))
			found = at;
	}
	text_free(&cell);
	return found;
}

static size_t row_of(const struct live *live, const struct proc *proc)
{
	for (size_t i = 0; i < live->rows_count; i++) {
		if (live->rows[i].proc == proc)
			return i;
	}
	return SIZE_MAX;
}

size_t live_go(struct live *live, uint32_t pid, uint64_t start_boot_ns)
{
	const struct proc *proc;
	size_t row;

	context_take(live);
	proc = model_find(live->view->model, pid);
	if (!proc || proc->task->start_boot_ns != start_boot_ns)
		return SIZE_MAX;
	row = row_of(live, proc);
	if (row != SIZE_MAX || live_selects(live, proc) != FILTER_YES)
		return row;
	live_fold(live, live_key(proc->container), false);
	return row_of(live, model_find(live->view->model, pid));
}
