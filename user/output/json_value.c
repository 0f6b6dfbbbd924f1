/* SPDX-License-Identifier: GPL-2.0-only */
#include "output/json_value.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "bpf/event.h"
#include "host/caps.h"
#include "host/runtime/runtime.h"
#include "view/proc_fields.h"

#define CAPABILITIES_MAX 64
#define NS_PER_SECOND 1e9

void json_values_free(struct json_values *values)
{
	for (size_t i = 0; i < JSON_SETS; i++) {
		text_free(&values->names[i].text);
		text_free(&values->words[i].text);
	}
}

/* Up to 41 names, five times a process, and nearly always the same ones. */
static struct json_set *set_find(struct json_set sets[JSON_SETS], uint64_t mask)
{
	uint64_t hash = mask * 0x9e3779b97f4a7c15ULL;
	struct json_set *set = &sets[hash >> 60];

	_Static_assert(JSON_SETS == 16, "four bits of hash");
	if (set->mask != mask)
		text_clear(&set->text);
	set->mask = mask;
	return set;
}

static void names_fill(struct text *text, uint64_t mask)
{
	struct json json;

	json_start(&json, text);
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

void json_cap_names(struct json_values *values, struct json *json, uint64_t mask)
{
	struct text *text = &set_find(values->names, mask)->text;

	if (!text->length)
		names_fill(text, mask);
	json_raw(json, text->data, text->length);
}

void json_cap_words(struct json_values *values, struct json *json, uint64_t mask,
		    enum caps_reach reach)
{
	static const char *const suffixes[] = {
		[REACH_HOST] = "", [REACH_USERNS] = " in userns", [REACH_UNKNOWN] = " in userns?"};
	/* What has no capability has none anywhere. */
	const char *suffix = mask ? suffixes[reach] : "";
	struct text *text = &set_find(values->words, mask)->text;
	size_t length;

	if (!text->length)
		caps_words_long(text, mask, values->cap_last, true);
	length = text->length;
	text_add_string(text, suffix);
	json_string(json, text->data, text->length);
	text->length = length;
}

/* NULL and RUNTIME_NO_LIMIT are null, or not there. */
static void write_declared_text(struct json *json, const char *key, const char *text,
				enum json_absent absent)
{
	if (!text && absent == JSON_ABSENT_LEFT_OUT)
		return;
	json_key(json, key);
	if (text)
		json_string(json, text, strlen(text));
	else
		json_null(json);
}

static void write_declared_limit(struct json *json, const char *key, uint64_t limit,
				 enum json_absent absent)
{
	if (limit == RUNTIME_NO_LIMIT && absent == JSON_ABSENT_LEFT_OUT)
		return;
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

static void write_declared_cpu(struct json *json, uint64_t nano, enum json_absent absent)
{
	if (nano == RUNTIME_NO_LIMIT) {
		write_declared_limit(json, "cpu_limit", nano, absent);
		return;
	}
	json_key(json, "cpu_limit");
	json_real(json, (double)nano / NS_PER_SECOND, 9);
}

void json_declared(struct json_values *values, struct json *json,
		   const struct runtime_container *declared, enum json_absent absent)
{
	json_object_open(json);
	write_declared_text(json, "user", declared->user, absent);
	json_key(json, "caps");
	json_cap_names(values, json, declared->caps);
	write_declared_flag(json, "privileged", declared->is_privileged);
	write_declared_flag(json, "nnp", declared->has_no_new_privs);
	write_declared_flag(json, "seccomp", !declared->has_no_seccomp);
	write_declared_flag(json, "readonly_root", declared->has_readonly_root);
	write_declared_shared(json, declared->shares_host);
	write_declared_cpu(json, declared->cpu_limit_nano, absent);
	write_declared_limit(json, "memory_limit", declared->memory_limit_bytes, absent);
	write_declared_limit(json, "pids_limit", declared->pids_limit, absent);
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

void json_value(struct json_values *values, struct json *json, enum column_type type,
		const struct value *value)
{
	if (value->kind == VALUE_NONE || value->kind == VALUE_UNKNOWN) {
		json_null(json);
		return;
	}
	switch (type) {
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
		json_cap_words(values, json, value->caps.mask, value->caps.reach);
		break;
	case COLUMN_DECLARED:
		json_declared(values, json, value->caps.declared, JSON_ABSENT_NULL);
		break;
	case COLUMN_CAP_NAMES:
		json_cap_names(values, json, value->caps.mask);
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
