/* SPDX-License-Identifier: GPL-2.0-only */
#include "host/runtime/state_json.h"

#include <json-c/json.h>
#include <json-c/json_pointer.h>
#include <limits.h>
#include <string.h>

#define DEPTH_MAX 32

struct json_object *state_json_parse(const char *data, size_t length)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
	struct json_object *root = NULL;

	if (!tokener)
		return NULL;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS);
	if (length <= INT_MAX)
		root = json_tokener_parse_ex(tokener, data, (int)length);
	if (root) {
		size_t end = json_tokener_get_parse_end(tokener);

		while (end < length && memchr(" \t\r\n", data[end], 4))
			end++;
		if (end < length || !json_object_is_type(root, json_type_object)) {
			json_object_put(root);
			root = NULL;
		}
	}
	json_tokener_free(tokener);
	return root;
}

static struct json_object *member(struct json_object *root, const char *path, enum json_type type)
{
	struct json_object *found = NULL;

	if (json_pointer_get(root, path, &found) || !json_object_is_type(found, type))
		return NULL;
	return found;
}

static const char *text_of(struct json_object *string)
{
	const char *text = json_object_get_string(string);

	return strlen(text) == (size_t)json_object_get_string_len(string) ? text : NULL;
}

struct json_object *state_json_array(struct json_object *root, const char *path)
{
	return member(root, path, json_type_array);
}

const char *state_json_text(struct json_object *root, const char *path)
{
	struct json_object *found = member(root, path, json_type_string);

	return found ? text_of(found) : NULL;
}

int64_t state_json_number(struct json_object *root, const char *path)
{
	struct json_object *found = member(root, path, json_type_int);

	return found ? json_object_get_int64(found) : 0;
}

bool state_json_bool(struct json_object *root, const char *path)
{
	struct json_object *found = member(root, path, json_type_boolean);

	return found && json_object_get_boolean(found);
}

const char *state_json_item(struct json_object *array, size_t place)
{
	struct json_object *item = json_object_array_get_idx(array, place);

	return json_object_is_type(item, json_type_string) ? text_of(item) : NULL;
}
