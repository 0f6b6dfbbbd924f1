/* SPDX-License-Identifier: GPL-2.0-only */
/* The JSON of runtimes' state files: bounded, and every field of the type that is expected. */
#ifndef NSVIEW_HOST_RUNTIME_STATE_JSON_H
#define NSVIEW_HOST_RUNTIME_STATE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

#define STATE_JSON_BYTES (4u << 20) /* more than any runtime writes; a large environment fits */

/* One object and nothing after it, at most 32 deep; NULL: it is not. json_object_put it. */
struct json_object *state_json_parse(const char *data, size_t length);

/* What lies at the JSON pointer `path` (RFC 6901), where it is of that type. Else NULL, 0, false.
 * Strings are borrowed from the root; one with a NUL in it is no string here. */
struct json_object *state_json_array(struct json_object *root, const char *path);
const char *state_json_text(struct json_object *root, const char *path);
int64_t state_json_number(struct json_object *root, const char *path);
bool state_json_bool(struct json_object *root, const char *path);

/* The string at a place of an array; NULL: none there. */
const char *state_json_item(struct json_object *array, size_t place);

#endif
