/* SPDX-License-Identifier: GPL-2.0-only */
#include "output/output.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "bpf/event.h"
#include "host/caps.h"
#include "host/facts.h"
#include "host/runtime/runtime.h"
#include "output/stream.h"
#include "view/column.h"
#include "view/proc_fields.h"

#define CAPABILITIES_MAX 64
#define SET_MEMORY 16 /* sets whose names are kept ready; a host has few different ones */
#define NS_PER_SECOND 1e9

/* One column's place in the object. */
struct json_member {
	const struct column *column;
	char *group; /* NULL: at the top */
	const char *key;
	bool opens_group;
	bool closes_group;
};

struct set_text {
	uint64_t mask;
	struct text text; /* empty: not used yet */
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
	struct text words;
	struct set_text sets[SET_MEMORY];
};

static bool is_same_group(const struct json_member *one, const struct json_member *other)
{
	return one->group && other->group && !strcmp(one->group, other->group);
}

static void writer_start(struct json_writer *writer, const struct view_context *view)
{
	writer->view = view;
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
	for (size_t i = 0; i < SET_MEMORY; i++)
		text_free(&writer->sets[i].text);
	free(writer->members);
	free(writer->unknown);
	free(writer->truncated);
	free(writer->lossy);
	text_free(&writer->words);
	text_free(&writer->out);
}

static void set_fill(struct set_text *set, uint64_t mask)
{
	struct json json;

	set->mask = mask;
	text_clear(&set->text);
	json_start(&json, &set->text);
	json_array_open(&json);
	for (int capability = 0; capability < CAPABILITIES_MAX; capability++) {
		char name[64];

		if (!(mask >> capability & 1))
			continue;
		snprintf(name, sizeof(name), "%s%s", caps_meaning(capability) ? "CAP_" : "",
			 caps_name(capability));
		json_string(&json, name, strlen(name));
	}
	json_array_close(&json);
}

/* Up to 41 names, five times a process, and nearly always the same ones. */
static void write_cap_names(struct json_writer *writer, uint64_t mask)
{
	uint64_t hash = mask * 0x9e3779b97f4a7c15ULL;
	struct set_text *set = &writer->sets[hash >> 60];

	_Static_assert(SET_MEMORY == 16, "four bits of hash");
	if (set->mask != mask || !set->text.length)
		set_fill(set, mask);
	json_raw(&writer->json, set->text.data, set->text.length);
}

static void write_caps(struct json_writer *writer, const struct value *value)
{
	struct text *words = &writer->words;

	text_clear(words);
	caps_words_long(words, value->caps.mask, writer->view->facts->cap_last,
			value->caps.reach != REACH_USERNS);
	if (value->caps.reach == REACH_UNKNOWN && value->caps.mask)
		text_add_string(words, " in userns?");
	json_string(&writer->json, words->data, words->length);
}

/* NULL and RUNTIME_NO_LIMIT are null. */
static void write_declared_text(struct json *json, const char *key, const char *text)
{
	json_key(json, key);
	if (text)
		json_string(json, text, strlen(text));
	else
		json_null(json);
}

static void write_declared_limit(struct json *json, const char *key, uint64_t limit)
{
	json_key(json, key);
	if (limit == RUNTIME_NO_LIMIT)
		json_null(json);
	else
		json_unsigned(json, limit);
}

static void write_declared_flag(struct json *json, const char *key, bool is_true)
{
	json_key(json, key);
	json_boolean(json, is_true);
}

static void write_declared_shared(struct json *json, uint32_t kinds)
{
	json_key(json, "shared");
	json_array_open(json);
	for (int kind = 0; kind < NS_KINDS; kind++) {
		const char *name = proc_namespace_names[kind];

		if (kinds >> kind & 1)
			json_string(json, name, strlen(name));
	}
	json_array_close(json);
}

static void write_declared(struct json_writer *writer, const struct runtime_container *declared)
{
	struct json *json = &writer->json;

	json_object_open(json);
	write_declared_text(json, "user", declared->user);
	json_key(json, "caps");
	write_cap_names(writer, declared->caps);
	write_declared_flag(json, "privileged", declared->is_privileged);
	write_declared_flag(json, "nnp", declared->has_no_new_privs);
	write_declared_flag(json, "seccomp", !declared->has_no_seccomp);
	write_declared_flag(json, "readonly_root", declared->has_readonly_root);
	write_declared_shared(json, declared->shares_host);
	json_key(json, "cpu_limit");
	if (declared->cpu_limit_nano == RUNTIME_NO_LIMIT)
		json_null(json);
	else
		json_real(json, (double)declared->cpu_limit_nano / NS_PER_SECOND, 9);
	write_declared_limit(json, "memory_limit", declared->memory_limit_bytes);
	write_declared_limit(json, "pids_limit", declared->pids_limit);
	json_object_close(json);
}

static void write_words(struct json *json, const struct value *value)
{
	const char *word = NULL;
	size_t length;

	json_array_open(json);
	while (value_next_word(value, &word, &length))
		json_string(json, word, length);
	json_array_close(json);
}

static void write_ids(struct json *json, const struct value *value)
{
	json_array_open(json);
	for (size_t i = 0; i < value->ids.count; i++)
		json_unsigned(json, value->ids.items[i]);
	json_array_close(json);
}

static void write_chain(struct json *json, const struct value *value)
{
	json_array_open(json);
	for (size_t i = 0; i < value->chain.count; i++) {
		json_object_open(json);
		json_key(json, "ns");
		json_unsigned(json, value->chain.levels[i].ns);
		json_key(json, "pid");
		json_unsigned(json, value->chain.levels[i].pid);
		json_object_close(json);
	}
	json_array_close(json);
}

static void write_known(struct json_writer *writer, const struct column *column,
			const struct value *value)
{
	struct json *json = &writer->json;

	switch (column->type) {
	case COLUMN_TEXT:
		json_string(json, value->text.data, value->text.length);
		break;
	case COLUMN_NUMBER:
	case COLUMN_UID:
	case COLUMN_KIB:
		json_number(json, value->number);
		break;
	case COLUMN_CPUS:
		json_real(json, value->real, 9);
		break;
	case COLUMN_PERCENT:
		json_real(json, value->real, 1);
		break;
	case COLUMN_CPU_TIME:
	case COLUMN_CPU_CLOCK:
		json_real(json, (double)value->number / NS_PER_SECOND, 3);
		break;
	case COLUMN_START:
		json_time(json, (uint64_t)value->number);
		break;
	case COLUMN_BOOL:
		json_boolean(json, value->is_true);
		break;
	case COLUMN_CAPS:
		write_caps(writer, value);
		break;
	case COLUMN_DECLARED:
		write_declared(writer, value->caps.declared);
		break;
	case COLUMN_CAP_NAMES:
		write_cap_names(writer, value->caps.mask);
		break;
	case COLUMN_HEX:
		json_hex(json, value->caps.mask);
		break;
	case COLUMN_WORDS:
		write_words(json, value);
		break;
	case COLUMN_IDS:
		write_ids(json, value);
		break;
	case COLUMN_CHAIN:
		write_chain(json, value);
		break;
	case COLUMN_TYPES:
		break;
	}
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
	if (value.kind == VALUE_NONE || value.kind == VALUE_UNKNOWN)
		json_null(json);
	else
		write_known(writer, member->column, &value);
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
