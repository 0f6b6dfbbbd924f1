/* SPDX-License-Identifier: GPL-2.0-only */
/* Any bytes as a name: in JSON json-c reads them back, and a terminal gets nothing to obey. */
#include <json-c/json.h>
#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the bytes are as UTF-8, U+FFFD for what is not. */
static void text_add_utf8(struct text *out, const char *data, size_t length)
{
	while (length) {
		uint32_t codepoint;
		size_t size = text_decode_prefix(data, length, &codepoint);

		if (codepoint == TEXT_NOT_UTF8)
			text_add_string(out, "\xef\xbf\xbd");
		else
			text_add(out, data, size);
		data += size;
		length -= size;
	}
}

static void json_check(const char *data, size_t size)
{
	struct text expected = {0};
	struct text out = {0};
	struct json_object *parsed;
	struct json json;

	json_start(&json, &out);
	json_string(&json, data, size);
	for (size_t i = 0; i < out.length; i++) {
		if ((unsigned char)out.data[i] < 0x20 || out.data[i] == 0x7f)
			abort();
	}
	text_add_utf8(&expected, data, size);
	parsed = json_tokener_parse(text_string(&out));
	if (!parsed || (size_t)json_object_get_string_len(parsed) != expected.length ||
	    memcmp(json_object_get_string(parsed), text_string(&expected), expected.length) != 0)
		abort();
	if (json.is_lossy !=
	    (expected.length != size || memcmp(text_string(&expected), data, size) != 0))
		abort();
	json_object_put(parsed);
	text_free(&out);
	text_free(&expected);
}

static void printable_check(const char *data, size_t size)
{
	struct text shown = {0};
	struct text again = {0};
	size_t width;

	text_add_printable(&shown, data, size);
	for (size_t i = 0, length; i < shown.length; i += length) {
		uint32_t codepoint;

		length = text_decode(shown.data + i, shown.length - i, &codepoint);
		if (!length || text_is_hidden(codepoint))
			abort();
	}
	text_add_printable(&again, text_string(&shown), shown.length);
	if (again.length != shown.length ||
	    memcmp(text_string(&again), shown.data, shown.length) != 0)
		abort();
	width = text_width(shown.data, shown.length);
	for (size_t cut = 0; cut <= width && cut < 100; cut++) {
		if (text_width(shown.data, text_fit(shown.data, shown.length, cut)) > cut)
			abort();
	}
	text_free(&shown);
	text_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* An input of nothing may come as NULL. */
	const char *bytes = size ? (const char *)data : "";

	setlocale(LC_CTYPE, "C.UTF-8");
	json_check(bytes, size);
	printable_check(bytes, size);
	return 0;
}
