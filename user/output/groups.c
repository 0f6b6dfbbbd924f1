/* SPDX-License-Identifier: GPL-2.0-only */
#include "output/output.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "host/facts.h"
#include "output/json_value.h"
#include "output/stream.h"
#include "view/column.h"

#define USERS_MAX 3          /* of a table's row; the others are counted */
#define COLUMNS_MAX 16       /* group_columns has fewer */
#define PADDED_WIDTH_MAX 200 /* one hostile name does not make every row as wide as itself */

struct rows {
	FILE *stream;
	const struct view_context *view;
	const struct groups *groups;
	enum group_way way;
	struct text out;
	struct json_values values;
	size_t widths[COLUMNS_MAX];
};

static void value_get(const struct rows *rows, const struct group *group,
		      const struct group_column *column, struct value *value)
{
	*value = (struct value){.kind = VALUE_NONE};
	column->get(group, rows->view, value);
}

static void add_users(struct text *out, const struct value *value)
{
	const char *word = NULL;
	size_t length;
	size_t count = 0;

	while (value_next_word(value, &word, &length)) {
		if (++count > USERS_MAX)
			continue;
		if (count > 1)
			text_add_char(out, ',');
		text_add_printable(out, word, length);
	}
	if (count > USERS_MAX)
		text_printf(out, ",+%zu", count - USERS_MAX);
}

static void add_cell(const struct rows *rows, struct text *out, const struct group *group,
		     const struct group_column *column)
{
	struct value value;

	value_get(rows, group, column, &value);
	if (value.kind == VALUE_WORDS && column->is_users)
		add_users(out, &value);
	else
		cell_format(out, &column->column, &value, rows->view);
}

static bool is_left_out(const struct rows *rows, const struct group_column *column)
{
	return column->left_out >> rows->way & 1;
}

static const char *heading_of(const struct rows *rows, const struct group_column *column)
{
	return column == group_columns ? group_key_heading(rows->way) : column->column.heading;
}

/* Pads what was added to `out` from `start` on; the last column only where it stands on the right. */
static void pad(struct text *out, size_t start, size_t width, bool is_right, bool is_last)
{
	size_t length = out->length - start;
	size_t shown = text_width(out->data + start, length);
	size_t padding = width > shown ? width - shown : 0;

	if (is_right && padding) {
		text_add_spaces(out, padding);
		memmove(out->data + start + padding, out->data + start, length);
		memset(out->data + start, ' ', padding);
	}
	if (!is_last)
		text_add_spaces(out, (is_right ? 0 : padding) + 1);
}

static void widths_find(struct rows *rows, bool no_headers)
{
	struct text cell = {0};

	for (size_t i = 0; i < group_columns_count; i++) {
		const struct group_column *column = &group_columns[i];

		if (column->is_json_only || is_left_out(rows, column))
			continue;
		rows->widths[i] = no_headers ? 0 : strlen(heading_of(rows, column));
		for (size_t j = 0; j < groups_count(rows->groups); j++) {
			size_t width;

			text_clear(&cell);
			add_cell(rows, &cell, groups_at(rows->groups, j), column);
			width = text_width(cell.data, cell.length);
			if (width > rows->widths[i])
				rows->widths[i] =
					width < PADDED_WIDTH_MAX ? width : PADDED_WIDTH_MAX;
		}
	}
	text_free(&cell);
}

/* group NULL: the headings */
static void add_row(struct rows *rows, const struct group *group)
{
	struct text *out = &rows->out;

	for (size_t i = 0; i < group_columns_count; i++) {
		const struct group_column *column = &group_columns[i];
		size_t start = out->length;

		if (column->is_json_only || is_left_out(rows, column))
			continue;
		if (group)
			add_cell(rows, out, group, column);
		else
			text_add_string(out, heading_of(rows, column));
		pad(out, start, rows->widths[i], column_is_right(&column->column),
		    i + 1 == group_columns_count);
	}
	text_add_char(out, '\n');
}

static int write_table(struct rows *rows, bool no_headers)
{
	int r = 0;

	widths_find(rows, no_headers);
	if (!no_headers)
		add_row(rows, NULL);
	for (size_t i = 0; i < groups_count(rows->groups) && !r; i++) {
		add_row(rows, groups_at(rows->groups, i));
		r = stream_add(rows->stream, &rows->out);
	}
	return r;
}

static void add_object(struct rows *rows, const struct group *group)
{
	const char *unknown[COLUMNS_MAX];
	size_t unknown_count = 0;
	struct json json;

	json_start(&json, &rows->out);
	json_object_open(&json);
	for (size_t i = 0; i < group_columns_count; i++) {
		const struct group_column *column = &group_columns[i];
		const char *key = i ? column->column.json : group_way_words[rows->way];
		struct value value;

		if (is_left_out(rows, column))
			continue;
		value_get(rows, group, column, &value);
		if (value.kind == VALUE_UNKNOWN)
			unknown[unknown_count++] = key;
		json_key(&json, key);
		json_value(&rows->values, &json, column->column.type, &value);
	}
	json_key(&json, "unknown");
	json_array_open(&json);
	for (size_t i = 0; i < unknown_count; i++)
		json_string(&json, unknown[i], strlen(unknown[i]));
	json_array_close(&json);
	json_object_close(&json);
}

static int write_objects(struct rows *rows, bool is_array)
{
	size_t count = groups_count(rows->groups);
	int r = 0;

	if (is_array)
		text_add_string(&rows->out, "[\n");
	for (size_t i = 0; i < count && !r; i++) {
		add_object(rows, groups_at(rows->groups, i));
		text_add_string(&rows->out, is_array && i + 1 < count ? ",\n" : "\n");
		r = stream_add(rows->stream, &rows->out);
	}
	if (is_array)
		text_add_string(&rows->out, "]\n");
	return r;
}

int output_groups(FILE *stream, enum groups_format format, bool no_headers,
		  const struct view_context *view, const struct groups *groups, enum group_way way)
{
	struct rows rows = {.stream = stream,
			    .view = view,
			    .groups = groups,
			    .way = way,
			    .values.cap_last = view->facts->cap_last};

	int r = format == GROUPS_TABLE ? write_table(&rows, no_headers)
				       : write_objects(&rows, format == GROUPS_JSON);

	if (!r)
		r = stream_finish(stream, &rows.out);
	json_values_free(&rows.values);
	text_free(&rows.out);
	return r;
}
