/* SPDX-License-Identifier: GPL-2.0-only */
#include "output/output.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "output/stream.h"
#include "view/column.h"

enum list_field {
	LIST_KEY,
	LIST_TYPE,
	LIST_UNIT,
	LIST_ECS,
	LIST_MEANING,
	LIST_FIELDS,
};

static const char *const headings[LIST_FIELDS] = {"KEY", "TYPE", "UNIT", "ECS", "MEANING"};

static void column_fields(const struct column *column, const char *fields[LIST_FIELDS])
{
	fields[LIST_KEY] = column->key;
	fields[LIST_TYPE] = column_type_name(column->type);
	fields[LIST_UNIT] = column->unit ? column->unit : "-";
	fields[LIST_ECS] = column->ecs ? column->ecs : "-";
	fields[LIST_MEANING] = column->meaning;
}

static void widths_raise(size_t widths[LIST_FIELDS], const char *const fields[LIST_FIELDS])
{
	for (int i = 0; i < LIST_FIELDS; i++) {
		if (strlen(fields[i]) > widths[i])
			widths[i] = strlen(fields[i]);
	}
}

static void add_line(struct text *out, const size_t widths[LIST_FIELDS],
		     const char *const fields[LIST_FIELDS])
{
	for (int i = 0; i < LIST_FIELDS - 1; i++)
		text_printf(out, "%-*s ", (int)widths[i], fields[i]);
	text_printf(out, "%s\n", fields[LIST_FIELDS - 1]);
}

static void add_table(struct text *out)
{
	const char *fields[LIST_FIELDS];
	size_t widths[LIST_FIELDS] = {0};

	widths_raise(widths, headings);
	for (size_t i = 0; i < proc_columns_count; i++) {
		column_fields(&proc_columns[i], fields);
		widths_raise(widths, fields);
	}
	add_line(out, widths, headings);
	for (size_t i = 0; i < proc_columns_count; i++) {
		column_fields(&proc_columns[i], fields);
		if (!proc_columns[i].is_hidden)
			add_line(out, widths, fields);
	}
}

static void add_member(struct json *json, const char *key, const char *value)
{
	json_key(json, key);
	if (value)
		json_string(json, value, strlen(value));
	else
		json_null(json);
}

static void add_object(struct text *out, const struct column *column)
{
	struct json json;

	json_start(&json, out);
	json_object_open(&json);
	add_member(&json, "key", column->key);
	/* What a table cannot show has no heading. */
	add_member(&json, "heading", column->is_hidden ? NULL : column->heading);
	add_member(&json, "json", column->json);
	add_member(&json, "type", column_type_name(column->type));
	add_member(&json, "unit", column->unit);
	add_member(&json, "ecs", column->ecs);
	add_member(&json, "meaning", column->meaning);
	json_object_close(&json);
}

static void add_json(struct text *out)
{
	text_add_string(out, "[\n");
	for (size_t i = 0; i < proc_columns_count; i++) {
		add_object(out, &proc_columns[i]);
		text_add_string(out, i + 1 < proc_columns_count ? ",\n" : "\n");
	}
	text_add_string(out, "]\n");
}

int output_columns(FILE *stream, bool as_json)
{
	struct text out = {0};
	int r;

	if (as_json)
		add_json(&out);
	else
		add_table(&out);
	r = stream_finish(stream, &out);
	text_free(&out);
	return r;
}
