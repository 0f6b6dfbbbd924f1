/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "output/canvas.h"

#define WIDE "\xe6\xbc\xa2" /* U+6F22, two columns */
#define ACUTE "\xcc\x81"    /* U+0301, combining */

static char *shown;
static size_t shown_length;

static const char *show(const struct canvas *canvas)
{
	FILE *stream;

	free(shown);
	stream = open_memstream(&shown, &shown_length);
	assert_int_equal(canvas_write(canvas, stream), 0);
	fclose(stream);
	return shown;
}

static int shown_free(void **state)
{
	(void)state;
	free(shown);
	shown = NULL;
	return 0;
}

static size_t put(struct canvas *canvas, size_t y, size_t x, size_t width, const char *text)
{
	return canvas_put(canvas, y, x, width, STYLE_PLAIN, text, strlen(text));
}

/* Every cell is one character with its marks, or the right half of one of two columns. */
static void assert_whole(const struct canvas *canvas)
{
	for (size_t y = 0; y < canvas_height(canvas); y++) {
		size_t columns = 0;

		for (size_t x = 0; x < canvas_width(canvas); x++) {
			struct canvas_cell cell = canvas_at(canvas, y, x);

			assert_int_equal(columns, x + !cell.length);
			columns += text_width(cell.text, cell.length);
		}
		assert_int_equal(columns, canvas_width(canvas));
	}
}

static void text_stands_where_it_was_put(void **state)
{
	struct canvas *canvas = canvas_new(10, 2);

	(void)state;
	assert_int_equal(put(canvas, 0, 2, 5, "abc"), 3);
	assert_int_equal(canvas_put_right(canvas, 1, 1, 6, STYLE_PLAIN, "42", 2), 2);
	assert_string_equal(show(canvas), "  abc\n     42\n");
	canvas_free(canvas);
}

static void text_is_cut_to_its_width_and_to_the_canvas(void **state)
{
	struct canvas *canvas = canvas_new(6, 2);

	(void)state;
	assert_int_equal(put(canvas, 0, 0, 3, "abcdef"), 3);
	assert_int_equal(put(canvas, 1, 4, SIZE_MAX, "abcdef"), 2);
	assert_string_equal(show(canvas), "abc\n    ab\n");
	assert_int_equal(canvas_put_right(canvas, 1, 0, 3, STYLE_PLAIN, "12345", 5), 3);
	assert_string_equal(show(canvas), "abc\n123 ab\n");
	canvas_free(canvas);
}

static void beyond_the_canvas_nothing_happens(void **state)
{
	struct canvas *canvas = canvas_new(3, 1);

	(void)state;
	assert_int_equal(put(canvas, 1, 0, 3, "abc"), 0);
	assert_int_equal(put(canvas, 0, 3, 3, "abc"), 0);
	assert_int_equal(put(canvas, SIZE_MAX, SIZE_MAX, SIZE_MAX, "abc"), 0);
	assert_int_equal(canvas_put_right(canvas, 0, 2, SIZE_MAX, STYLE_PLAIN, "abc", 3), 0);
	assert_int_equal(put(canvas, 0, 0, 0, "abc"), 0);
	canvas_style(canvas, 5, 0, 3, STYLE_BOLD);
	canvas_style(canvas, 0, 5, 3, STYLE_BOLD);
	canvas_blank(canvas, 1);
	assert_string_equal(show(canvas), "");
	assert_int_equal(canvas_at(canvas, 7, 7).length, 1);
	canvas_free(canvas);
}

static void a_canvas_has_at_least_one_cell(void **state)
{
	struct canvas *canvas = canvas_new(0, 0);

	(void)state;
	assert_int_equal(put(canvas, 0, 0, 9, WIDE), 0);
	assert_int_equal(put(canvas, 0, 0, 9, "xy"), 1);
	assert_string_equal(show(canvas), "x\n");
	canvas_free(canvas);
}

static void a_wide_character_is_never_halved(void **state)
{
	struct canvas *canvas = canvas_new(5, 1);

	(void)state;
	assert_int_equal(put(canvas, 0, 0, 3, WIDE WIDE), 2);
	assert_string_equal(show(canvas), WIDE "\n");
	assert_whole(canvas);
	canvas_clear(canvas);
	assert_int_equal(put(canvas, 0, 0, 9, WIDE WIDE WIDE), 4);
	assert_string_equal(show(canvas), WIDE WIDE "\n");
	assert_whole(canvas);
	canvas_free(canvas);
}

static void writing_over_half_of_a_wide_character_takes_all_of_it(void **state)
{
	struct canvas *canvas = canvas_new(6, 1);

	(void)state;
	put(canvas, 0, 0, 6, WIDE WIDE WIDE);
	put(canvas, 0, 1, 1, "a");
	assert_whole(canvas);
	assert_string_equal(show(canvas), " a" WIDE WIDE "\n");
	put(canvas, 0, 4, 1, "b");
	assert_whole(canvas);
	assert_string_equal(show(canvas), " a" WIDE "b\n");
	put(canvas, 0, 3, 2, WIDE);
	assert_whole(canvas);
	assert_string_equal(show(canvas), " a " WIDE "\n");
	canvas_free(canvas);
}

static void marks_stay_with_their_character(void **state)
{
	struct canvas *canvas = canvas_new(8, 1);

	(void)state;
	assert_int_equal(put(canvas, 0, 0, 2, "e" ACUTE "u" ACUTE "x"), 2);
	assert_whole(canvas);
	assert_string_equal(show(canvas), "e" ACUTE "u" ACUTE "\n");
	canvas_clear(canvas);
	/* One that has nothing to stand on does not reach into what another put there. */
	put(canvas, 0, 0, 1, "a");
	assert_int_equal(put(canvas, 0, 1, 3, ACUTE "b"), 2);
	assert_whole(canvas);
	assert_int_equal(canvas_at(canvas, 0, 0).length, 1);
	assert_string_equal(show(canvas), "a " ACUTE "b\n");
	canvas_free(canvas);
}

/* Escapes, line ends, text directions, what is no UTF-8, floods of marks, ends of characters. */
static const char *const hostile[] = {
	"\033[2J\033[H\033]0;title\a",
	"two\nlines\r\tand tabs\v\f\b\b\b",
	"\xe2\x80\xae"
	"drowssap",
	"\xff\xfe\x80" WIDE "\xe6\xbc",
	"a" ACUTE ACUTE ACUTE ACUTE ACUTE ACUTE ACUTE ACUTE ACUTE "b",
	WIDE ACUTE ACUTE WIDE ACUTE,
	ACUTE ACUTE ACUTE,
	"\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7",
	"\xc2\x9b"
	"31m\xc2\x85",
	"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",
	"\xed\xa0\x80\xf4\x90\x80\x80",
};

static void hostile_text_keeps_to_its_place_at_every_width(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
		for (size_t width = 0; width < 40; width++) {
			struct canvas *canvas = canvas_new(42, 3);
			size_t taken;

			for (size_t y = 0; y < 3; y++)
				put(canvas, y, 0, 42, "##########################################");
			taken = put(canvas, 1, 1, width, hostile[i]);
			assert_true(taken <= width);
			assert_whole(canvas);
			for (size_t x = 0; x < 42; x++) {
				bool is_inside = x >= 1 && x < 1 + taken;

				assert_int_equal(*canvas_at(canvas, 0, x).text, '#');
				assert_int_equal(*canvas_at(canvas, 2, x).text, '#');
				if (!is_inside)
					assert_memory_equal(canvas_at(canvas, 1, x).text, "#\0", 2);
			}
			canvas_free(canvas);
		}
	}
}

static void no_control_character_is_ever_shown(void **state)
{
	struct canvas *canvas = canvas_new(200, 1);

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
		canvas_clear(canvas);
		put(canvas, 0, 0, 200, hostile[i]);
		show(canvas);
		for (size_t at = 0; shown[at]; at++) {
			if (shown[at] != '\n' || shown[at + 1])
				assert_true((unsigned char)shown[at] >= ' ' && shown[at] != 127);
		}
		assert_null(strstr(shown, "\xe2\x80\xae"));
		shown_free(NULL);
	}
	canvas_free(canvas);
}

static void a_huge_text_costs_what_is_seen_of_it(void **state)
{
	static char huge[1 << 20];
	struct canvas *canvas = canvas_new(10, 1);

	(void)state;
	memset(huge, 'x', sizeof(huge));
	assert_int_equal(canvas_put(canvas, 0, 0, 10, STYLE_PLAIN, huge, sizeof(huge)), 10);
	/* Marks take no columns, and are cut all the same. */
	for (size_t i = 0; i + 2 <= sizeof(huge); i += 2)
		memcpy(huge + i, ACUTE, 2);
	assert_int_equal(canvas_put(canvas, 0, 0, 10, STYLE_PLAIN, huge, sizeof(huge)), 10);
	assert_whole(canvas);
	canvas_free(canvas);
}

static void outside_utf8_all_is_ascii(void **state)
{
	struct canvas *canvas = canvas_new(40, 1);

	(void)state;
	setlocale(LC_ALL, "C");
	put(canvas, 0, 0, 40, "caf\xc3\xa9 " WIDE);
	setlocale(LC_ALL, "C.UTF-8");
	assert_string_equal(show(canvas), "caf\\u{00e9} \\u{6f22}\n");
	canvas_free(canvas);
}

static void blank_lines_at_the_end_are_not_written(void **state)
{
	struct canvas *canvas = canvas_new(4, 5);

	(void)state;
	put(canvas, 2, 0, 4, "ab");
	put(canvas, 3, 0, 4, "cd");
	canvas_blank(canvas, 3);
	assert_string_equal(show(canvas), "\n\nab\n");
	canvas_free(canvas);
}

static void a_style_changes_no_text(void **state)
{
	struct canvas *canvas = canvas_new(4, 1);

	(void)state;
	put(canvas, 0, 0, 4, "ab");
	canvas_style(canvas, 0, 1, SIZE_MAX, STYLE_SELECTED);
	assert_int_equal(canvas_at(canvas, 0, 0).style, STYLE_PLAIN);
	assert_int_equal(canvas_at(canvas, 0, 1).style, STYLE_SELECTED);
	assert_int_equal(canvas_at(canvas, 0, 3).style, STYLE_SELECTED);
	assert_string_equal(show(canvas), "ab\n");
	canvas_free(canvas);
}

static void a_copy_is_the_same_and_a_change_is_seen(void **state)
{
	struct canvas *one = canvas_new(4, 2);
	struct canvas *other = canvas_new(1, 1);

	(void)state;
	put(one, 1, 0, 4, "a" ACUTE);
	canvas_cursor_set(one, 9, 9, true);
	canvas_copy(other, one);
	assert_int_equal(canvas_width(other), 4);
	assert_int_equal(canvas_cursor(other).y, 1);
	assert_int_equal(canvas_cursor(other).x, 3);
	assert_true(canvas_is_same_row(one, other, 1));
	put(one, 1, 0, 4, "a");
	assert_false(canvas_is_same_row(one, other, 1));
	put(other, 1, 0, 4, "a");
	assert_true(canvas_is_same_row(one, other, 1));
	canvas_style(other, 1, 3, 1, STYLE_BOLD);
	assert_false(canvas_is_same_row(one, other, 1));
	canvas_free(one);
	canvas_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(text_stands_where_it_was_put, shown_free),
		cmocka_unit_test_teardown(text_is_cut_to_its_width_and_to_the_canvas, shown_free),
		cmocka_unit_test_teardown(beyond_the_canvas_nothing_happens, shown_free),
		cmocka_unit_test_teardown(a_canvas_has_at_least_one_cell, shown_free),
		cmocka_unit_test_teardown(a_wide_character_is_never_halved, shown_free),
		cmocka_unit_test_teardown(writing_over_half_of_a_wide_character_takes_all_of_it,
					  shown_free),
		cmocka_unit_test_teardown(marks_stay_with_their_character, shown_free),
		cmocka_unit_test(hostile_text_keeps_to_its_place_at_every_width),
		cmocka_unit_test_teardown(no_control_character_is_ever_shown, shown_free),
		cmocka_unit_test(a_huge_text_costs_what_is_seen_of_it),
		cmocka_unit_test_teardown(outside_utf8_all_is_ascii, shown_free),
		cmocka_unit_test_teardown(blank_lines_at_the_end_are_not_written, shown_free),
		cmocka_unit_test_teardown(a_style_changes_no_text, shown_free),
		cmocka_unit_test(a_copy_is_the_same_and_a_change_is_seen),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
