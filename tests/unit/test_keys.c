/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <locale.h>
#include <string.h>
#include <cmocka.h>

#include "output/keys.h"
#include "output/screen.h"

static void assert_keys(const char *data, size_t length, const uint32_t *expected, size_t count)
{
	struct keys *keys = keys_new();
	bool is_partial;

	keys_add(keys, data, length);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(keys_next(keys, true, &is_partial), expected[i]);
	assert_int_equal(keys_next(keys, true, &is_partial), 0);
	keys_free(keys);
}

#define KEYS(data, ...)                                                      \
	assert_keys(data, sizeof(data) - 1, (const uint32_t[]){__VA_ARGS__}, \
		    sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void characters_are_their_code_points(void **state)
{
	(void)state;
	KEYS("q/\\", 'q', '/', '\\');
	KEYS("\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x90\xb3", 0xe9, 0x6f22, 0x1f433);
}

static void arrows_come_in_both_modes_and_with_modifiers(void **state)
{
	(void)state;
	KEYS("\033[A\033OA\033[1;5A", KEY_UP_ARROW, KEY_UP_ARROW, KEY_UP_ARROW);
	KEYS("\033[B\033OC\033[D", KEY_DOWN_ARROW, KEY_RIGHT_ARROW, KEY_LEFT_ARROW);
	KEYS("\033[5~\033[6~\033[5;2~", KEY_PAGE_UP, KEY_PAGE_DOWN, KEY_PAGE_UP);
}

static void home_and_end_are_those_of_many_terminals(void **state)
{
	(void)state;
	KEYS("\033[H\033OH\033[1~\033[7~", KEY_TO_START, KEY_TO_START, KEY_TO_START, KEY_TO_START);
	KEYS("\033[F\033OF\033[4~\033[8~", KEY_TO_END, KEY_TO_END, KEY_TO_END, KEY_TO_END);
}

static void function_keys_are_those_of_many_terminals(void **state)
{
	(void)state;
	KEYS("\033OP\033[11~\033[[A", KEY_FUNCTION + 1, KEY_FUNCTION + 1, KEY_FUNCTION + 1);
	KEYS("\033OS\033[14~\033[[D", KEY_FUNCTION + 4, KEY_FUNCTION + 4, KEY_FUNCTION + 4);
	KEYS("\033[15~\033[21~\033[24~", KEY_FUNCTION + 5, KEY_FUNCTION + 10, KEY_FUNCTION + 12);
}

static void editing_keys_have_their_names(void **state)
{
	(void)state;
	KEYS("\r\n\t\177\b\033[3~", KEY_RETURN, KEY_RETURN, KEY_TABULATOR, KEY_DELETE_LEFT,
	     KEY_DELETE_LEFT, KEY_DELETE_RIGHT);
	KEYS("\x1a\x0c", KEY_STOPPED, KEY_REDRAWN);
}

static void escape_is_a_key_when_nothing_follows(void **state)
{
	struct keys *keys = keys_new();
	bool is_partial;

	(void)state;
	keys_add(keys, "\033", 1);
	assert_int_equal(keys_next(keys, false, &is_partial), 0);
	assert_true(is_partial);
	assert_int_equal(keys_next(keys, true, &is_partial), KEY_ESCAPE);
	KEYS("\033q", KEY_ESCAPE, 'q');
	KEYS("\033\033", KEY_ESCAPE, KEY_ESCAPE);
	keys_free(keys);
}

static void a_sequence_may_come_in_pieces(void **state)
{
	static const char sequence[] = "\033[15~\xe6\xbc\xa2";
	struct keys *keys = keys_new();
	bool is_partial;
	uint32_t found[2];
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(sequence) - 1; i++) {
		uint32_t key;

		keys_add(keys, sequence + i, 1);
		key = keys_next(keys, false, &is_partial);
		if (key)
			found[count++] = key;
	}
	assert_int_equal(count, 2);
	assert_int_equal(found[0], KEY_FUNCTION + 5);
	assert_int_equal(found[1], 0x6f22);
	keys_free(keys);
}

static void sequences_of_no_key_are_skipped_whole(void **state)
{
	(void)state;
	KEYS("\033[200~q", 'q');
	KEYS("\033[?1;2cq", 'q');
	KEYS("\033[Iq\033[12;40R", 'q', KEY_FUNCTION + 3);
	KEYS("\033[99999999999999999999~q", 'q');
	KEYS("\xff\xfe"
	     "a\xc3",
	     'a');
}

static void a_terminals_own_sequences_come_first(void **state)
{
	struct keys *keys = keys_new();
	bool is_partial;

	(void)state;
	keys_know(keys, "\001A\r", KEY_FUNCTION + 2);
	keys_know(keys, NULL, KEY_FUNCTION + 3);
	keys_know(keys, "", KEY_FUNCTION + 3);
	keys_add(keys, "\001A\rx", 4);
	assert_int_equal(keys_next(keys, false, &is_partial), KEY_FUNCTION + 2);
	assert_int_equal(keys_next(keys, false, &is_partial), 'x');
	keys_add(keys, "\001", 1);
	assert_int_equal(keys_next(keys, false, &is_partial), 0);
	assert_true(is_partial);
	assert_int_equal(keys_next(keys, true, &is_partial), 1);
	keys_free(keys);
}

static void a_flood_of_input_is_dropped_and_ends(void **state)
{
	static char flood[1 << 16];
	struct keys *keys = keys_new();
	bool is_partial;
	size_t count = 0;

	(void)state;
	memset(flood, '\033', sizeof(flood));
	keys_add(keys, flood, sizeof(flood));
	while (keys_next(keys, true, &is_partial))
		count++;
	assert_in_range(count, 1, sizeof(flood));
	memset(flood, '0', sizeof(flood));
	memcpy(flood, "\033[", 2);
	keys_add(keys, flood, sizeof(flood));
	while (keys_next(keys, false, &is_partial))
		count++;
	assert_false(is_partial);
	keys_free(keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(characters_are_their_code_points),
		cmocka_unit_test(arrows_come_in_both_modes_and_with_modifiers),
		cmocka_unit_test(home_and_end_are_those_of_many_terminals),
		cmocka_unit_test(function_keys_are_those_of_many_terminals),
		cmocka_unit_test(editing_keys_have_their_names),
		cmocka_unit_test(escape_is_a_key_when_nothing_follows),
		cmocka_unit_test(a_sequence_may_come_in_pieces),
		cmocka_unit_test(sequences_of_no_key_are_skipped_whole),
		cmocka_unit_test(a_terminals_own_sequences_come_first),
		cmocka_unit_test(a_flood_of_input_is_dropped_and_ends),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
