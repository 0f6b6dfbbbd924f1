/* SPDX-License-Identifier: GPL-2.0-only */
#include "output/output.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "host/facts.h"
#include "output/json_value.h"
#include "output/stream.h"
#include "view/column.h"

/* One column's place in the object. */
struct json_member {
	const struct column *column;
	char *group; /* NULL: at the top */
	const char *key;
	bool opens_group;
	bool closes_group;
};

struct json_writer {
	const struct view_context *view;
	struct json json;
	struct text out;
	struct json_member *members;
	size_t count;
	const char **unknown; /* keys of the object being written */
	const char **truncated;
	const char **lossy;
	size_t unknown_count;
	size_t truncated_count;
	size_t lossy_count;
	struct json_values values;
};

static bool is_same_group(const struct json_member *one, const struct json_member *other)
{
	return one->group && other->group && !strcmp(one->group, other->group);
}

static void writer_start(struct json_writer *writer, const struct view_context *view)
{
	writer->view = view;
	writer->values.cap_last = view->facts->cap_last;
	writer->members = mem_new(proc_columns_count * sizeof(*writer->members));
	writer->unknown = mem_new(proc_columns_count * sizeof(char *));
	writer->truncated = mem_new(proc_columns_count * sizeof(char *));
	writer->lossy = mem_new(proc_columns_count * sizeof(char *));
	for (size_t i = 0; i < proc_columns_count; i++) {
		struct json_member *member = &writer->members[writer->count];
		const char *dot;

		if (!proc_columns[i].json)
			continue;
		writer->count++;
		member->column = &proc_columns[i];
		dot = strchr(member->column->json, '.');
		member->key = dot ? dot + 1 : member->column->json;
		if (dot)
			member->group = mem_printf("%.*s", (int)(dot - member->column->json),
						   member->column->json);
	}
	for (size_t i = 0; i < writer->count; i++) {
		struct json_member *member = &writer->members[i];

		member->opens_group = member->group && (!i || !is_same_group(member - 1, member));
		member->closes_group = member->group && (i + 1 == writer->count ||
							 !is_same_group(member, member + 1));
	}
}

static void writer_free(struct json_writer *writer)
{
	for (size_t i = 0; i < writer->count; i++)
		free(writer->members[i].group);
	free(writer->members);
	free(writer->unknown);
	free(writer->truncated);
	free(writer->lossy);
	json_values_free(&writer->values);
	text_free(&writer->out);
}

static void write_member(struct json_writer *writer, const struct json_member *member,
			 const struct proc *proc)
{
	const char *name = member->column->json;
	struct json *json = &writer->json;
	struct value value;

	if (member->opens_group) {
		json_key(json, member->group);
		json_object_open(json);
	}
	json_key(json, member->key);
	column_get(member->column, writer->view, proc, &value);
	/* A list without its end would be taken for the list. */
	if (value.kind == VALUE_IDS && value.cut != CUT_NOT)
		value = (struct value){.kind = VALUE_UNKNOWN};
	if (value.kind == VALUE_UNKNOWN)
		writer->unknown[writer->unknown_count++] = name;
	if (value.cut != CUT_NOT)
		writer->truncated[writer->truncated_count++] = name;
	json->is_lossy = false;
	json_value(&writer->values, json, member->column->type, &value);
	if (json->is_lossy)
		writer->lossy[writer->lossy_count++] = name;
	if (member->closes_group)
		json_object_close(json);
}

static void write_names(struct json *json, const char *key, const char *const *names, size_t count)
{
	json_key(json, key);
	json_array_open(json);
	for (size_t i = 0; i < count; i++)
		json_string(json, names[i], strlen(names[i]));
	json_array_close(json);
}

static void write_proc(struct json_writer *writer, const struct proc *proc)
{
	struct json *json = &writer->json;

	writer->unknown_count = 0;
	writer->truncated_count = 0;
	writer->lossy_count = 0;
	json_start(json, &writer->out);
	json_object_open(json);
	for (size_t i = 0; i < writer->count; i++)
		write_member(writer, &writer->members[i], proc);
	write_names(json, "unknown", writer->unknown, writer->unknown_count);
	write_names(json, "truncated", writer->truncated, writer->truncated_count);
	write_names(json, "lossy", writer->lossy, writer->lossy_count);
	json_object_close(json);
}

static int write_all(FILE *stream, const struct view_context *view, const struct proc *const *procs,
		     size_t count, bool is_array)
{
	struct json_writer writer = {0};
	int r = 0;

	writer_start(&writer, view);
	if (is_array)
		text_add_string(&writer.out, "[\n");
	for (size_t i = 0; i < count && !r; i++) {
		write_proc(&writer, procs[i]);
		text_add_string(&writer.out, is_array && i + 1 < count ? ",\n" : "\n");
		r = stream_add(stream, &writer.out);
	}
	if (is_array)
		text_add_string(&writer.out, "]\n");
	if (!r)
		r = stream_finish(stream, &writer.out);
	writer_free(&writer);
	return r;
}

static int json_write(FILE *stream, const struct output_options *options,
		      const struct view_context *view, const struct proc *const *procs,
		      size_t count)
{
	(void)options;
	return write_all(stream, view, procs, count, true);
}

static int ndjson_write(FILE *stream, const struct output_options *options,
			const struct view_context *view, const struct proc *const *procs,
			size_t count)
{
	(void)options;
	return write_all(stream, view, procs, count, false);
}

const struct output_format output_json = {"json", json_write};
const struct output_format output_ndjson = {"ndjson", ndjson_write};
