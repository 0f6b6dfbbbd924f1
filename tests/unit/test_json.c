/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <json-c/json.h>
#include <math.h>
#include <time.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#define LITERAL(string) (string), sizeof(string) - 1

static void assert_string_written(const char *data, size_t length, const char *expected)
{
	struct text out = {0};
	struct json json;

	json_start(&json, &out);
	json_string(&json, data, length);
	assert_string_equal(text_string(&out), expected);
	text_free(&out);
}

static void commas_and_nesting_are_placed(void **state)
{
	struct text out = {0};
	struct json json;

	(void)state;
	json_start(&json, &out);
	json_object_open(&json);
	json_key(&json, "a");
	json_number(&json, -1);
	json_key(&json, "b");
	json_array_open(&json);
	json_array_open(&json);
	json_array_close(&json);
	json_boolean(&json, true);
	json_raw(&json, "{}", 2);
	json_null(&json);
	json_array_close(&json);
	json_key(&json, "c");
	json_object_open(&json);
	json_key(&json, "d");
	json_hex(&json, 0xa80425fb);
	json_object_close(&json);
	json_key(&json, "e");
	json_unsigned(&json, UINT64_MAX);
	json_object_close(&json);
	assert_string_equal(text_string(&out),
			    "{\"a\":-1,\"b\":[[],true,{},null],\"c\":{\"d\":\"00000000a80425fb\"},"
			    "\"e\":18446744073709551615}");
	text_free(&out);
}

static void strings_are_escaped(void **state)
{
	(void)state;
	assert_string_written(LITERAL("plain"), "\"plain\"");
	assert_string_written(LITERAL(""), "\"\"");
	assert_string_written(LITERAL("\"\\/\b\f\n\r\t"), "\"\\\"\\\\/\\b\\f\\n\\r\\t\"");
	assert_string_written(LITERAL("\x1b[0m\0\x7f"), "\"\\u001b[0m\\u0000\\u007f\"");
	assert_string_written(LITERAL("\u202e\u2028\u200f\xc2\x9b"),
			      "\"\\u202e\\u2028\\u200f\\u009b\"");
	assert_string_written("\xf3\xa0\x81\x81", 4, "\"\\udb40\\udc41\""); /* U+E0041 */
	assert_string_written(LITERAL("na\u00efve \U0001f600"), "\"na\u00efve \U0001f600\"");
}

/* As Python's bytes.decode("utf-8", "replace") gives them. */
/* Strings are looked at many bytes at a time. */
static void what_needs_an_escape_is_found_wherever_it_is(void **state)
{
	char data[50];
	char expected[64];

	(void)state;
	for (size_t length = 1; length <= sizeof(data); length++) {
		for (size_t place = 0; place < length; place++) {
			memset(data, 'a', sizeof(data));
			data[place] = '"';
			snprintf(expected, sizeof(expected), "\"%.*s\\\"%.*s\"", (int)place, data,
				 (int)(length - place - 1), data + place + 1);
			assert_string_written(data, length, expected);
		}
	}
}

static void what_is_not_utf8_becomes_the_replacement_character(void **state)
{
	(void)state;
	assert_string_written(LITERAL("a\xff\xfe-b"), "\"a\ufffd\ufffd-b\"");
	assert_string_written(LITERAL("\xe2\x82x"), "\"\ufffdx\"");
	assert_string_written(LITERAL("\xf0\x9f\x98"), "\"\ufffd\"");
	assert_string_written(LITERAL("\xed\xa0\x80"), "\"\ufffd\ufffd\ufffd\"");
	assert_string_written(LITERAL("\xc0\xaf"), "\"\ufffd\ufffd\"");
}

static void lossy_is_said_only_of_strings_that_lost_something(void **state)
{
	struct text out = {0};
	struct json json;

	(void)state;
	json_start(&json, &out);
	json_string(&json, LITERAL("\u202e\n\x1b ok"));
	assert_false(json.is_lossy);
	json_string(&json, LITERAL("\xff"));
	assert_true(json.is_lossy);
	text_free(&out);
}

/* json-c, another program, must read back what was written. */
static void any_valid_string_is_read_back_by_json_c(void **state)
{
	struct text out = {0};
	char bytes[128];
	struct json json;

	(void)state;
	for (int i = 0; i < 128; i++)
		bytes[i] = (char)i;
	json_start(&json, &out);
	json_string(&json, bytes, sizeof(bytes));
	struct json_object *parsed = json_tokener_parse(text_string(&out));

	assert_non_null(parsed);
	assert_int_equal(json_object_get_string_len(parsed), sizeof(bytes));
	assert_memory_equal(json_object_get_string(parsed), bytes, sizeof(bytes));
	json_object_put(parsed);
	text_free(&out);
}

static void reals_have_fixed_decimals_and_no_nan(void **state)
{
	static const struct {
		double number;
		int decimals;
		const char *expected;
	} cases[] = {
		{0, 1, "0.0"},    {49.849, 1, "49.8"},   {-1.25, 2, "-1.25"},
		{0.05, 1, "0.1"}, {-0.001, 1, "0.0"},    {7, 0, "7"},
		{NAN, 1, "null"}, {INFINITY, 1, "null"}, {1.0 / 3, 9, "0.333333333"},
	};
	struct text out = {0};
	struct json json;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		text_clear(&out);
		json_start(&json, &out);
		json_real(&json, cases[i].number, cases[i].decimals);
		assert_string_equal(text_string(&out), cases[i].expected);
	}
	text_clear(&out);
	json_start(&json, &out);
	json_real(&json, 1e300, 3);
	assert_true(strtod(text_string(&out), NULL) == 1e300);
	text_free(&out);
}

/* gmtime_r knows the calendar: every day from 1970 to 2200, at changing times of the day. */
static void times_are_rfc_3339_as_gmtime_has_them(void **state)
{
	struct text out = {0};
	struct json json;

	(void)state;
	for (time_t day = 0; day < 84000; day++) {
		time_t seconds = day * 86400 + day * 7919 % 86400;
		uint64_t nanoseconds = (uint64_t)day * 104729 % 1000000000;
		char date[32];
		char expected[64];
		struct tm broken;

		gmtime_r(&seconds, &broken);
		strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &broken);
		snprintf(expected, sizeof(expected), "\"%s.%09juZ\"", date, (uintmax_t)nanoseconds);
		text_clear(&out);
		json_start(&json, &out);
		json_time(&json, (uint64_t)seconds * 1000000000 + nanoseconds);
		assert_string_equal(text_string(&out), expected);
	}
	text_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_and_nesting_are_placed),
		cmocka_unit_test(strings_are_escaped),
		cmocka_unit_test(what_needs_an_escape_is_found_wherever_it_is),
		cmocka_unit_test(what_is_not_utf8_becomes_the_replacement_character),
		cmocka_unit_test(lossy_is_said_only_of_strings_that_lost_something),
		cmocka_unit_test(any_valid_string_is_read_back_by_json_c),
		cmocka_unit_test(reals_have_fixed_decimals_and_no_nan),
		cmocka_unit_test(times_are_rfc_3339_as_gmtime_has_them),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
