/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <locale.h>
#include <wchar.h>

#include "base/mem.h"
#include "base/text.h"

#define LITERAL(string) (string), sizeof(string) - 1

static void assert_printable(const char *data, size_t length, const char *expected)
{
	struct text text = {0};

	text_add_printable(&text, data, length);
	assert_string_equal(text_string(&text), expected);
	text_free(&text);
}

static void numbers_are_written_as_printf_writes_them(void **state)
{
	static const int64_t numbers[] = {0,
					  1,
					  -1,
					  9,
					  10,
					  99,
					  100,
					  101,
					  999,
					  1000,
					  INT64_MAX,
					  INT64_MIN,
					  -1234567,
					  65534,
					  UINT32_MAX,
					  UINT32_MAX + 1LL,
					  4200000000,
					  420000000000,
					  10000000000000001};
	struct text text = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		char expected[64];

		snprintf(expected, sizeof(expected), "%jd %ju %016jx", (intmax_t)numbers[i],
			 (uintmax_t)numbers[i], (uintmax_t)numbers[i]);
		text_clear(&text);
		text_add_number(&text, numbers[i]);
		text_add_char(&text, ' ');
		text_add_unsigned(&text, (uint64_t)numbers[i]);
		text_add_char(&text, ' ');
		text_add_hex(&text, (uint64_t)numbers[i], 16);
		assert_string_equal(text_string(&text), expected);
	}
	text_clear(&text);
	text_add_padded(&text, 1234567, 9);
	text_add_padded(&text, 1234567, 3);
	text_add_padded(&text, 98765432109876, 14);
	text_add_padded(&text, 98765432109876, 11);
	assert_string_equal(text_string(&text), "0012345675679876543210987665432109876");
	text_free(&text);
}

static void text_grows_from_nothing_and_past_its_first_size(void **state)
{
	struct text text = {0};

	(void)state;
	assert_string_equal(text_string(&text), "");
	for (int i = 0; i < 1000; i++)
		text_printf(&text, "%03d", i);
	text_add_spaces(&text, 500);
	assert_int_equal(text.length, 3500);
	assert_memory_equal(text.data + 2997, "999", 3);
	assert_int_equal(strspn(text_string(&text) + 3000, " "), 500);
	text_free(&text);
	assert_null(text.data);
}

/* The C library's own decoder, in a UTF-8 locale, is the reference for what UTF-8 is. */
static void decoding_agrees_with_the_c_library_on_random_bytes(void **state)
{
	uint64_t random = 0x9e3779b97f4a7c15ULL;

	(void)state;
	for (int round = 0; round < 2000000; round++) {
		char bytes[4];
		mbstate_t shift = {0};
		uint32_t codepoint = 1;
		wchar_t expected = 0;
		size_t size;
		size_t length;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		memcpy(bytes, &random, sizeof(bytes));
		if (random >> 63) /* mostly near-misses: a lead byte and continuation bytes */
			for (int i = 1; i < 4; i++)
				bytes[i] = (char)(0x80 | (bytes[i] & 0x3f));
		if (!bytes[0])
			continue;
		length = mbrtowc(&expected, bytes, sizeof(bytes), &shift);
		size = text_decode(bytes, sizeof(bytes), &codepoint);
		/* RFC 3629 ends where glibc goes on to U+7FFFFFFF. */
		if (length == (size_t)-1 || length == (size_t)-2 || expected > 0x10ffff) {
			assert_int_equal(size, 0);
			continue;
		}
		assert_int_equal(size, length);
		assert_int_equal(codepoint, expected);
		if (size > 1)
			assert_int_equal(text_decode(bytes, size - 1, &codepoint), 0);
	}
}

/* Expected numbers: RFC 3629 and Unicode 15 table 3-7, 3-8 ("maximal subparts"). */
static void overlong_surrogate_and_too_large_are_not_utf8(void **state)
{
	static const struct {
		const char *bytes;
		size_t prefix;
	} cases[] = {
		{"\xc0\x80", 1},
		{"\xc1\xbf", 1},
		{"\xe0\x80\x80", 1},
		{"\xed\xa0\x80", 1},
		{"\xf0\x80\x80\x80", 1},
		{"\xf4\x90\x80\x80", 1},
		{"\xf5\x80\x80\x80", 1},
		{"\xff", 1},
		{"\x80", 1},
		{"\xe2\x82", 2},
		{"\xf0\x9f\x98", 3},
		{"\xf0\x9f\x98x", 3},
		{"\xe2\x28\xa1", 1},
		{"\xc3", 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t length = strlen(cases[i].bytes);
		uint32_t codepoint = 0;

		assert_int_equal(text_decode(cases[i].bytes, length, &codepoint), 0);
		assert_int_equal(text_decode_prefix(cases[i].bytes, length, &codepoint),
				 cases[i].prefix);
		assert_int_equal(codepoint, TEXT_NOT_UTF8);
	}
}

static void controls_become_escapes(void **state)
{
	(void)state;
	assert_printable(LITERAL("plain ~ \\ text"), "plain ~ \\ text");
	assert_printable(LITERAL("a\nb\tc\rd"), "a\\nb\\tc\\x0dd");
	assert_printable(LITERAL("\x1b[31mred\x1b[0m"), "\\x1b[31mred\\x1b[0m");
	assert_printable(LITERAL("nul\0end\x7f"), "nul\\x00end\\x7f");
	assert_printable(LITERAL("\xc2\x9b\x33\x31m"), "\\u{009b}31m"); /* CSI as one character */
	assert_printable(LITERAL("\x9b\x33\x31m"), "\\x9b31m");         /* and as one byte */
}

static void bytes_that_are_not_utf8_become_hex(void **state)
{
	(void)state;
	assert_printable(LITERAL("\xff\xfe\xc3("), "\\xff\\xfe\\xc3(");
	assert_printable(LITERAL("\xed\xa0\x80"), "\\xed\\xa0\\x80");
	assert_printable(LITERAL("cut \xe2\x82"), "cut \\xe2\\x82");
}

static void bidirectional_and_invisible_characters_become_escapes(void **state)
{
	(void)state;
	assert_printable(LITERAL("gpj.\u202eexe"), "gpj.\\u{202e}exe");
	assert_printable(LITERAL("\u200f\u200e\u061c\u2066\u2069"),
			 "\\u{200f}\\u{200e}\\u{061c}\\u{2066}\\u{2069}");
	assert_printable(LITERAL("ro\u200bot\u00ad\ufeff"), "ro\\u{200b}ot\\u{00ad}\\u{feff}");
	assert_printable(LITERAL("a\u2028b\u2029c"), "a\\u{2028}b\\u{2029}c");
	assert_printable("\xf3\xa0\x81\x81", 4, "\\u{0e0041}"); /* a tag letter, U+E0041 */
	assert_printable(LITERAL("\ufdd0"), "\\u{fdd0}"); /* a noncharacter: wcwidth has none */
}

static void readable_text_beyond_ascii_stays(void **state)
{
	(void)state;
	assert_printable(LITERAL("na\u00efve \u65e5\u672c \u05d0"),
			 "na\u00efve \u65e5\u672c \u05d0");
	assert_printable(LITERAL("e\u0301"), "e\u0301"); /* e and a combining acute */
}

static void a_flood_of_combining_marks_does_not_reach_the_terminal(void **state)
{
	struct text flood = {0};
	struct text shown = {0};

	(void)state;
	text_add_char(&flood, 'e');
	for (int i = 0; i < 1000; i++)
		text_add_string(&flood, "\u0301");
	text_add_printable(&shown, flood.data, flood.length);
	assert_int_equal(text_width(shown.data, shown.length), 1 + 996 * strlen("\\u{0301}"));
	text_free(&flood);
	text_free(&shown);
}

static void outside_utf8_everything_beyond_ascii_is_escaped(void **state)
{
	(void)state;
	setlocale(LC_ALL, "C");
	assert_printable(LITERAL("na\u00efve"), "na\\u{00ef}ve");
	assert_true(setlocale(LC_ALL, "C.UTF-8") != NULL);
}

static void whatever_goes_in_only_printable_characters_come_out(void **state)
{
	uint64_t random = 88172645463325252ULL;
	struct text shown = {0};
	char bytes[64];

	(void)state;
	for (int round = 0; round < 20000; round++) {
		for (size_t i = 0; i < sizeof(bytes); i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			bytes[i] = (char)(random >> (random & 15));
		}
		text_clear(&shown);
		text_add_printable(&shown, bytes, sizeof(bytes));
		for (size_t i = 0, size; i < shown.length; i += size) {
			uint32_t codepoint;

			size = text_decode(shown.data + i, shown.length - i, &codepoint);
			assert_int_not_equal(size, 0);
			assert_true(wcwidth((wchar_t)codepoint) >= 0);
			assert_false(codepoint < 0x20 || (codepoint >= 0x7f && codepoint < 0xa0));
		}
	}
	text_free(&shown);
}

static void width_counts_columns_not_bytes(void **state)
{
	(void)state;
	assert_int_equal(text_width(LITERAL("sleep 3600")), 10);
	assert_int_equal(text_width(LITERAL("\u65e5\u672c")), 4);
	assert_int_equal(text_width(LITERAL("e\u0301x")), 2);
	assert_int_equal(text_width("", 0), 0);
}

static void a_cut_never_splits_a_character(void **state)
{
	(void)state;
	assert_int_equal(text_fit(LITERAL("sleep"), 3), 3);
	assert_int_equal(text_fit(LITERAL("sleep"), 9), 5);
	assert_int_equal(text_fit(LITERAL("\u65e5\u672c"), 3), 3); /* one of the two, 3 bytes */
	assert_int_equal(text_fit(LITERAL("\u65e5\u672c"), 1), 0);
	assert_int_equal(text_fit(LITERAL("e\u0301x"), 1), 3); /* the mark stays with its letter */
}

static void distance_counts_edits(void **state)
{
	(void)state;
	assert_int_equal(text_distance("kitten", "sitting"), 3);
	assert_int_equal(text_distance("IN-USER", "in-user"), 0);
	assert_int_equal(text_distance("", "abc"), 3);
	assert_int_equal(text_distance("secomp", "seccomp"), 1);
}

static int use_utf8(void **state)
{
	(void)state;
	return setlocale(LC_ALL, "C.UTF-8") ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_written_as_printf_writes_them),
		cmocka_unit_test(text_grows_from_nothing_and_past_its_first_size),
		cmocka_unit_test(decoding_agrees_with_the_c_library_on_random_bytes),
		cmocka_unit_test(overlong_surrogate_and_too_large_are_not_utf8),
		cmocka_unit_test(controls_become_escapes),
		cmocka_unit_test(bytes_that_are_not_utf8_become_hex),
		cmocka_unit_test(bidirectional_and_invisible_characters_become_escapes),
		cmocka_unit_test(readable_text_beyond_ascii_stays),
		cmocka_unit_test(a_flood_of_combining_marks_does_not_reach_the_terminal),
		cmocka_unit_test(outside_utf8_everything_beyond_ascii_is_escaped),
		cmocka_unit_test(whatever_goes_in_only_printable_characters_come_out),
		cmocka_unit_test(width_counts_columns_not_bytes),
		cmocka_unit_test(a_cut_never_splits_a_character),
		cmocka_unit_test(distance_counts_edits),
	};

	return cmocka_run_group_tests_name("text", tests, use_utf8, NULL);
}
