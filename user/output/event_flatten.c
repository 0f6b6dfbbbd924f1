/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * --format otel: the same line with OpenTelemetry's names, one attribute for each leaf. It is made
 * from the finished line, so that both forms say the same; what OpenTelemetry has no name for is
 * below `nsview.`.
 */
#include "output/event_private.h"

#include "base/mem.h"

#define PATH_BYTES_MAX 256 /* ours are far shorter */

enum leaf_form {
	LEAF_AS_IT_IS,
	LEAF_UNQUOTED, /* a number that ECS has as a string */
	LEAF_VARIABLES,
	LEAF_LEFT_OUT,
};

/* Semantic conventions of 2026-08. */
static const struct leaf {
	const char *path;
	const char *name;
	enum leaf_form form;
} leaves[] = {
	{"@timestamp", "nsview.timestamp", LEAF_AS_IT_IS},
	{"ecs.version", NULL, LEAF_LEFT_OUT},
	{"process.pid", "process.pid", LEAF_AS_IT_IS},
	{"process.vpid", "process.vpid", LEAF_AS_IT_IS},
	{"process.parent.pid", "process.parent_pid", LEAF_AS_IT_IS},
	{"process.name", "process.executable.name", LEAF_AS_IT_IS},
	{"process.executable", "process.executable.path", LEAF_AS_IT_IS},
	{"process.args", "process.command_args", LEAF_AS_IT_IS},
	{"process.args_count", "process.args_count", LEAF_AS_IT_IS},
	{"process.env_vars", "process.environment_variable.", LEAF_VARIABLES},
	{"process.start", "process.creation.time", LEAF_AS_IT_IS},
	{"process.exit_code", "process.exit.code", LEAF_AS_IT_IS},
	{"process.user.id", "process.user.id", LEAF_UNQUOTED},
	{"process.user.name", "process.user.name", LEAF_AS_IT_IS},
	{"process.real_user.id", "process.real_user.id", LEAF_UNQUOTED},
	{"process.real_user.name", "process.real_user.name", LEAF_AS_IT_IS},
	{"process.saved_user.id", "process.saved_user.id", LEAF_UNQUOTED},
	{"process.saved_user.name", "process.saved_user.name", LEAF_AS_IT_IS},
	{"container.id", "container.id", LEAF_AS_IT_IS},
	{"container.name", "container.name", LEAF_AS_IT_IS},
	{"container.runtime", "container.runtime.name", LEAF_AS_IT_IS},
	{"container.image.name", "container.image.name", LEAF_AS_IT_IS},
};

struct flattener {
	struct text *out;
	const char *at;
	char path[PATH_BYTES_MAX];
	size_t path_length;
	bool needs_comma;
};

static const struct leaf *leaf_find(const struct flattener *flattener)
{
	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++) {
		if (strlen(leaves[i].path) == flattener->path_length &&
		    !memcmp(leaves[i].path, flattener->path, flattener->path_length))
			return &leaves[i];
	}
	return NULL;
}

/* Behind the string whose opening quote is at `at`. */
static const char *string_end(const char *at)
{
	for (at++; *at != '"'; at++) {
		if (*at == '\\')
			at++;
	}
	return at + 1;
}

/* Behind the number, word, string or array at `at`. */
static const char *value_end(const char *at)
{
	int depth = 0;

	do {
		if (*at == '"') {
			at = string_end(at);
			continue;
		}
		depth += (*at == '[' || *at == '{') - (*at == ']' || *at == '}');
		at++;
	} while (depth || (*at != ',' && *at != '}' && *at != ']'));
	return at;
}

static void add_comma(struct flattener *flattener)
{
	if (flattener->needs_comma)
		text_add_char(flattener->out, ',');
	flattener->needs_comma = true;
}

static void add_pair(struct flattener *flattener, const struct leaf *leaf, const char *value,
		     size_t length)
{
	static const char prefix[] = "nsview.";

	add_comma(flattener);
	text_add_char(flattener->out, '"');
	if (leaf) {
		text_add_string(flattener->out, leaf->name);
	} else {
		if (strncmp(flattener->path, prefix, sizeof(prefix) - 1) != 0)
			text_add_string(flattener->out, prefix);
		text_add(flattener->out, flattener->path, flattener->path_length);
	}
	text_add(flattener->out, "\":", 2);
	text_add(flattener->out, value, length);
}

/* ["NAME=value", ...]: an attribute each. Names are those of --env. */
static void add_variables(struct flattener *flattener, const struct leaf *leaf, const char *at)
{
	for (at++; *at != ']'; at += *at == ',') {
		const char *end = string_end(at);
		const char *equals = memchr(at, '=', (size_t)(end - at));

		add_comma(flattener);
		text_add_char(flattener->out, '"');
		text_add_string(flattener->out, leaf->name);
		text_add(flattener->out, at + 1, (size_t)(equals - at - 1));
		text_add(flattener->out, "\":\"", 3);
		text_add(flattener->out, equals + 1, (size_t)(end - equals - 1));
		at = end;
	}
}

static void add_leaf(struct flattener *flattener)
{
	const struct leaf *leaf = leaf_find(flattener);
	const char *value = flattener->at;
	const char *end = value_end(value);

	flattener->at = end;
	switch (leaf ? leaf->form : LEAF_AS_IT_IS) {
	case LEAF_LEFT_OUT:
		break;
	case LEAF_VARIABLES:
		add_variables(flattener, leaf, value);
		break;
	case LEAF_UNQUOTED:
		add_pair(flattener, leaf, value + 1, (size_t)(end - value) - 2);
		break;
	case LEAF_AS_IT_IS:
		add_pair(flattener, leaf, value, (size_t)(end - value));
		break;
	}
}

static void path_add(struct flattener *flattener, const char *data, size_t length)
{
	if (flattener->path_length + length >= sizeof(flattener->path))
		length = sizeof(flattener->path) - 1 - flattener->path_length;
	memcpy(flattener->path + flattener->path_length, data, length);
	flattener->path_length += length;
	flattener->path[flattener->path_length] = '\0';
}

/* An object of ours, and those in it: three deep. */
static void add_object(struct flattener *flattener)
{
	size_t above = flattener->path_length;

	while (*flattener->at != '}') {
		const char *key = ++flattener->at;
		const char *key_end;

		if (*key == '}') /* an empty one */
			break;
		key_end = string_end(key);
		if (above)
			path_add(flattener, ".", 1);
		path_add(flattener, key + 1, (size_t)(key_end - key) - 2);
		flattener->at = key_end + 1;
		if (*flattener->at == '{')
			add_object(flattener);
		else
			add_leaf(flattener);
		flattener->path_length = above;
		flattener->path[above] = '\0';
	}
	flattener->at++;
}

void event_flatten(struct text *out, const char *line)
{
	struct flattener flattener = {.out = out, .at = line};

	text_add_char(out, '{');
	add_object(&flattener);
	text_add_char(out, '}');
}
