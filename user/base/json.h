/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes JSON, one value after the other, into a text. Commas, nesting and escaping are its
 * business; bytes that are not UTF-8 become U+FFFD, what a terminal would obey (text_is_hidden:
 * controls, bidirectional and invisible characters, U+2028/9) becomes \u....
 * 5 to 20 times quicker than json-c (docs: it is most of what the event stream costs).
 */
#ifndef NSVIEW_BASE_JSON_H
#define NSVIEW_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text;

struct json {
	struct text *out; /* borrowed */
	bool needs_comma;
	bool is_lossy; /* a string since json_start was not UTF-8 */
};

void json_start(struct json *json, struct text *out);
void json_object_open(struct json *json);
void json_object_close(struct json *json);
void json_array_open(struct json *json);
void json_array_close(struct json *json);
void json_key(struct json *json, const char *key); /* keys are ours: plain ASCII, not escaped */
void json_string(struct json *json, const char *data, size_t length);
/* How many bytes from the front are in a string as they are. */
size_t json_plain_run(const char *data, size_t length);
void json_raw(struct json *json, const char *data,
	      size_t length); /* a value that is JSON already */
void json_number(struct json *json, int64_t number);
void json_unsigned(struct json *json, uint64_t number);
void json_real(struct json *json, double number, int decimals); /* not finite: null */
void json_boolean(struct json *json, bool value);
void json_null(struct json *json);
void json_hex(struct json *json, uint64_t number); /* a string of 16 digits */
/* RFC 3339 in UTC with nine digits, as a string. */
void json_time(struct json *json, uint64_t epoch_ns);

#endif
