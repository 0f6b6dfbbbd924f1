/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cmd/top_line.h"
#include "output/screen.h"

#define CONTROL(letter) ((letter) - '@')

/* keys: 0 at the end. */
static void type(struct text *text, size_t *cursor, const uint32_t *keys)
{
	for (; *keys; keys++)
		top_line_key(text, cursor, *keys);
}

static void check(const uint32_t *keys, const char *expected, size_t cursor)
{
	struct text text = {0};
	size_t at = 0;

	type(&text, &at, keys);
	assert_string_equal(text_string(&text), expected);
	assert_int_equal(at, cursor);
	text_free(&text);
}

static void letters_go_where_the_cursor_is(void **state)
{
	(void)state;
	check((uint32_t[]){'a', 'c', KEY_LEFT_ARROW, 'b', 0}, "abc", 2);
	check((uint32_t[]){'b', KEY_TO_START, 'a', KEY_TO_END, 'c', 0}, "abc", 3);
	check((uint32_t[]){'a', KEY_LEFT_ARROW, KEY_LEFT_ARROW, KEY_RIGHT_ARROW, KEY_RIGHT_ARROW,
			   'b', 0},
	      "ab", 2);
}

static void characters_are_never_halved(void **state)
{
	(void)state;
	check((uint32_t[]){0xE4, 0x20AC, 0x1F600, 'x', 0}, "\u00e4\u20ac\U0001f600x", 10);
	check((uint32_t[]){0xE4, 0x20AC, 0x1F600, KEY_DELETE_LEFT, 0}, "\u00e4\u20ac", 5);
	check((uint32_t[]){0xE4, 0x20AC, 0x1F600, KEY_LEFT_ARROW, KEY_LEFT_ARROW, KEY_DELETE_RIGHT,
			   0},
	      "\u00e4\U0001f600", 2);
}

static void what_deletes_has_something_to_delete(void **state)
{
	(void)state;
	check((uint32_t[]){KEY_DELETE_LEFT, KEY_DELETE_RIGHT, CONTROL('W'), CONTROL('U'),
			   CONTROL('K'), 0},
	      "", 0);
	check((uint32_t[]){'a', ' ', 'b', ' ', ' ', CONTROL('W'), 0}, "a ", 2);
	check((uint32_t[]){'a', 'b', 'c', KEY_LEFT_ARROW, CONTROL('U'), 0}, "c", 0);
	check((uint32_t[]){'a', 'b', 'c', KEY_TO_START, KEY_RIGHT_ARROW, CONTROL('K'), 0}, "a", 1);
}

static void keys_that_are_no_text_change_nothing(void **state)
{
	struct text text = {0};
	size_t at = 0;
	(void)state;

	assert_int_equal(top_line_key(&text, &at, KEY_FUNCTION + 5), LINE_UNCHANGED);
	assert_int_equal(top_line_key(&text, &at, 0x1B), LINE_UNCHANGED);
	assert_int_equal(top_line_key(&text, &at, KEY_TABULATOR), LINE_UNCHANGED);
	assert_int_equal(text.length, 0);
	for (int i = 0; i < TOP_LINE_MAX + 10; i++)
		top_line_key(&text, &at, 'x');
	assert_int_equal(text.length, TOP_LINE_MAX);
	text_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters_go_where_the_cursor_is),
		cmocka_unit_test(characters_are_never_halved),
		cmocka_unit_test(what_deletes_has_something_to_delete),
		cmocka_unit_test(keys_that_are_no_text_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
