/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The live table and its pane over any order of events, as a recording may hold it, with keys pressed in
 * between: each process is one row at most, groups have as many as they say, every cell can be shown.
 */
#include "story.h"

#include "base/mem.h"
#include "base/text.h"
#include "host/facts.h"
#include "host/passwd.h"
#include "view/changes.h"
#include "view/live.h"

struct table {
	struct facts facts;
	struct view_context view;
	struct text scratch;
	struct live *live;
	struct changes *changes;
	struct text shown;
};

static void cells_show(struct table *table, const struct live_row *row)
{
	text_clear(&table->shown);
	if (!row->proc)
		live_group_title(table->live, row->group, true, &table->shown);
	for (int column = 0; column < LIVE_COLUMNS; column++)
		live_cell(table->live, row, (enum live_column)column, &table->shown);
	check(table->shown.length > 0);
}

static void table_check(struct table *table)
{
	const struct live_group *groups, *group = NULL;
	size_t rows_count, groups_count, living = 0;
	const struct live_row *rows = live_rows(table->live, &rows_count);
	struct live_sums sums;
	size_t all = 0;

	groups = live_groups(table->live, &groups_count);
	for (size_t i = 0; i < rows_count; i++) {
		check(rows[i].group >= groups && rows[i].group < groups + groups_count);
		if (!rows[i].proc) {
			check(!group || group->is_folded || group->procs == living);
			group = rows[i].group;
			living = 0;
		}
		check(rows[i].group == group && (!rows[i].proc || !group->is_folded));
		living += rows[i].proc && rows[i].mark != LIVE_GONE;
		check(!rows[i].proc || rows[i].proc->container == group->container);
		cells_show(table, &rows[i]);
	}
	for (size_t i = 0; i < groups_count; i++)
		all += groups[i].procs;
	live_sum(table->live, &sums);
	check(sums.procs == all);
}

static void pane_check(struct table *table)
{
	for (size_t i = 0; i < changes_count(table->changes); i++) {
		struct change change;

		changes_get(table->changes, i, &change);
		check(change.word && change.container && change.who && change.text);
	}
}

static void key_press(struct feed *feed, struct table *table, uint8_t key)
{
	struct live_settings settings = {
		.is_tree = key & 8, .has_user = key & 16, .is_reversed = key & 32};
	size_t count;
	const struct live_group *groups = live_groups(table->live, &count);

	switch (key & 7) {
	case 0:
		live_update(table->live, feed->now_ns += key);
		break;
	case 1:
		live_set(table->live, &settings);
		break;
	case 2:
		if (count)
			live_fold(table->live, groups[key % count].key, key & 128);
		break;
	case 3:
		live_fold_all(table->live, key & 128);
		break;
	case 4:
		live_go(table->live, 1 + (key >> 3) % PIDS, 1);
		break;
	case 5:
		/* A replay that goes back. */
		live_refresh(table->live, key);
		break;
	default:
		live_find(table->live, key & 8 ? "a" : "nsview", key, key & 16);
		break;
	}
}

static void tell_event(struct feed *feed, struct table *table, const struct event_record *record)
{
	struct change_source source = {.time_boot_ns = record->time_boot_ns};
	const struct proc *proc = model_last_proc(feed->model);
	struct event event;

	event_read(record, &event);
	source.event = &event;
	source.proc = proc;
	source.parent = model_find(feed->model, record->ppid);
	source.container = proc ? proc->container : NULL;
	if (proc)
		live_event(table->live,
			   record->action == EVENT_EXIT   ? LIVE_EXITED
			   : record->action == EVENT_FORK ? LIVE_STARTED
							  : LIVE_IDENTITY,
			   proc, record->time_boot_ns);
	if (changes_kind(&event, proc, &source.kind))
		changes_add(table->changes, &source);
}

static void tell_containers(struct feed *feed, struct table *table)
{
	static const enum change_kind kinds[] = {
		[CONTAINER_STARTED] = PANE_STARTED,
		[CONTAINER_RENAMED] = PANE_NAMED,
		[CONTAINER_ENDED] = PANE_ENDED,
	};
	struct change_source source = {.time_boot_ns = feed->now_ns};
	enum container_change change;

	while ((source.container = model_container_change(feed->model, &change))) {
		source.kind = kinds[change];
		source.proc = model_last_proc(feed->model);
		changes_add(table->changes, &source);
	}
}

static void story_told(struct feed *feed, const struct record_header *record)
{
	struct table *table = feed->teller;
	uint8_t key = take(feed);

	if (record->type == RECORD_EVENT)
		tell_event(feed, table, (const struct event_record *)record);
	tell_containers(feed, table);
	if (!(key & 1))
		return;
	live_refresh(table->live, feed->now_ns);
	key_press(feed, table, take(feed));
	table_check(table);
	pane_check(table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed feed = {.model = model_new(), .data = data, .left = size, .now_ns = 100};
	struct table table = {.facts = {.cap_last = 40, .page_bytes = 4096, .boot_now_ns = 1000}};

	table.view = (struct view_context){.facts = &table.facts,
					   .model = feed.model,
					   .users = passwd_new_learning(),
					   .proc_fd = -1,
					   .scratch = &table.scratch};
	table.live = live_new(&table.view);
	table.changes = changes_new(&table.view);
	feed.teller = &table;
	story_run(&feed);
	live_refresh(table.live, feed.now_ns);
	table_check(&table);
	pane_check(&table);
	live_free(table.live);
	changes_free(table.changes);
	passwd_free(table.view.users);
	text_free(&table.scratch);
	text_free(&table.shown);
	model_free(feed.model);
	return 0;
}
