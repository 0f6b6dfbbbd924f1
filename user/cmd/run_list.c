/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/run_list.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/print.h"
#include "host/procfs.h"
#include "host/procstat.h"
#include "host/runtime/nsview_state.h"
#include "launch/stop.h"

#define RUN_LIST_STAT_MAX 4096

struct run_list {
	struct nsview_state *states;
	size_t count;
	int proc_fd;
};

static int run_list_compare(const void *one, const void *other)
{
	const struct nsview_state *a = one, *b = other;

	if (a->start_ticks != b->start_ticks)
		return a->start_ticks < b->start_ticks ? -1 : 1;
	return strcmp(a->name, b->name);
}

static int run_list_read(struct run_list *list)
{
	int r;

	*list = (struct run_list){.proc_fd = procfs_open("/proc")};
	if (list->proc_fd < 0)
		return log_fail(list->proc_fd, "open /proc");
	r = nsview_state_list(NULL, list->proc_fd, &list->states, &list->count);
	if (r)
		return log_fail(r, "read the state files of the running containers");
	qsort(list->states, list->count, sizeof(*list->states), run_list_compare);
	return 0;
}

static void run_list_free(struct run_list *list)
{
	if (list->proc_fd >= 0)
		close(list->proc_fd);
	free(list->states);
}

/* What is to be said of its first process. */
static const char *run_list_status(const struct run_list *list, const struct nsview_state *state)
{
	struct procstat stat = {.state = '?'};
	struct text content = {0};

	if (procfs_read(list->proc_fd, state->pid, "stat", RUN_LIST_STAT_MAX, &content) >= 0)
		procstat_parse_stat(content.data, content.length, &stat);
	text_free(&content);
	switch (stat.state) {
	case 'T':
	case 't':
		return "stopped";
	case 'Z':
	case 'X':
	case '?':
		return "ending";
	default:
		return "running";
	}
}

enum run_list_column {
	COLUMN_NAME,
	COLUMN_PID,
	COLUMN_ROOT,
	COLUMN_STATUS,
	COLUMN_CREATED,
	COLUMNS
};

/* Local time, as ps and docker show it. */
static void run_list_add_created(struct text *cell, const char *created)
{
	struct tm utc = {0}, local;
	char shown[32];
	time_t seconds;

	if (!strptime(created, "%Y-%m-%dT%H:%M:%S", &utc)) {
		text_add_char(cell, '?');
		return;
	}
	seconds = timegm(&utc);
	localtime_r(&seconds, &local);
	strftime(shown, sizeof(shown), "%Y-%m-%d %H:%M:%S", &local);
	text_add_string(cell, shown);
}

static void run_list_add_cell(struct text *cell, const struct run_list *list,
			      const struct nsview_state *state, enum run_list_column column)
{
	switch (column) {
	case COLUMN_NAME:
		text_add_printable(cell, state->name, strlen(state->name));
		break;
	case COLUMN_PID:
		text_add_unsigned(cell, state->pid);
		break;
	case COLUMN_ROOT:
		if (state->root[0])
			text_add_printable(cell, state->root, strlen(state->root));
		else
			text_add_char(cell, '-');
		break;
	case COLUMN_STATUS:
		text_add_string(cell, run_list_status(list, state));
		break;
	case COLUMN_CREATED:
	case COLUMNS:
		run_list_add_created(cell, state->created);
		break;
	}
}

/* rows: (list->count + 1) * COLUMNS cells, the headings first. */
static void run_list_fill(const struct run_list *list, struct text *rows)
{
	static const char *const headings[COLUMNS] = {"NAME", "PID", "ROOT", "STATUS", "CREATED"};

	for (int column = 0; column < COLUMNS; column++) {
		text_add_string(&rows[column], headings[column]);
		for (size_t i = 0; i < list->count; i++)
			run_list_add_cell(&rows[(i + 1) * COLUMNS + column], list, &list->states[i],
					  column);
	}
}

static void run_list_table(const struct run_list *list, struct text *out)
{
	size_t cells = (list->count + 1) * COLUMNS;
	autofree struct text *rows = mem_new(cells * sizeof(*rows));
	size_t widths[COLUMNS] = {0};

	run_list_fill(list, rows);
	for (size_t i = 0; i < cells; i++) {
		size_t width = text_width(rows[i].data, rows[i].length);

		if (width > widths[i % COLUMNS])
			widths[i % COLUMNS] = width;
	}
	for (size_t i = 0; i < cells; i++) {
		size_t column = i % COLUMNS;
		size_t space = widths[column] - text_width(rows[i].data, rows[i].length);

		/* As in ps, numbers end where their heading ends, and nothing follows the last. */
		if (column == COLUMN_PID)
			text_add_spaces(out, space);
		text_add(out, rows[i].data, rows[i].length);
		if (column != COLUMN_PID && column != COLUMNS - 1)
			text_add_spaces(out, space);
		text_add_char(out, column == COLUMNS - 1 ? '\n' : ' ');
		text_free(&rows[i]);
	}
}

static void run_list_add_string(struct json *json, const char *key, const char *value)
{
	json_key(json, key);
	if (*value)
		json_string(json, value, strlen(value));
	else
		json_null(json);
}

static void run_list_json(const struct run_list *list, struct text *out)
{
	struct json json;

	json_start(&json, out);
	json_array_open(&json);
	for (size_t i = 0; i < list->count; i++) {
		const struct nsview_state *state = &list->states[i];

		json_object_open(&json);
		run_list_add_string(&json, "name", state->name);
		run_list_add_string(&json, "id", state->id);
		json_key(&json, "pid");
		json_unsigned(&json, state->pid);
		run_list_add_string(&json, "root", state->root);
		run_list_add_string(&json, "status", run_list_status(list, state));
		run_list_add_string(&json, "created", state->created);
		json_object_close(&json);
	}
	json_array_close(&json);
	text_add_char(out, '\n');
}

int run_list(bool as_json)
{
	struct run_list list;
	struct text out = {0};
	int exit_code = EXIT_FAILED;

	if (!run_list_read(&list)) {
		if (as_json)
			run_list_json(&list, &out);
		else
			run_list_table(&list, &out);
		exit_code = print_text(&out);
	}
	run_list_free(&list);
	return exit_code;
}

static const struct nsview_state *run_list_find(const struct run_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++) {
		if (!strcmp(list->states[i].name, name) || !strcmp(list->states[i].id, name))
			return &list->states[i];
	}
	return NULL;
}

int run_stop(const char *name)
{
	const struct nsview_state *state;
	struct run_list list;
	struct text out = {0};
	int exit_code = EXIT_FAILED;

	if (!run_list_read(&list)) {
		state = run_list_find(&list, name);
		if (!state) {
			log_error(-ESRCH,
				  "cannot stop '%s': no container of that name runs; `nsview run "
				  "--list` lists those that do",
				  name);
		} else if (!stop_container(state)) {
			text_printf(&out, "%s\n", state->name);
			exit_code = print_text(&out);
		}
	}
	run_list_free(&list);
	return exit_code;
}
