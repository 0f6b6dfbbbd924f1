/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <cmocka.h>

#include <linux/capability.h>
#include <sys/capability.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/caps.h"

#define BIT(capability) (1ULL << (capability))
#define RANDOM_MASKS 10000

/* xorshift64: the same masks in each run. */
static uint64_t random_next(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15ULL;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void assert_words(uint64_t set, bool is_host_effective, const char *expected)
{
	struct text out = {0};

	caps_words(&out, set, 40, is_host_effective);
	assert_string_equal(text_string(&out), expected);
	text_free(&out);
}

static void assert_parses_back(const char *words, uint64_t set, int cap_last)
{
	uint64_t parsed = ~set;
	int bad_offset = -1;

	if (caps_parse(words, cap_last, &parsed, &bad_offset))
		fail_msg("'%s' of %llx does not parse at %d", words, (unsigned long long)set,
			 bad_offset);
	if (parsed != set)
		fail_msg("'%s' of %llx parses to %llx", words, (unsigned long long)set,
			 (unsigned long long)parsed);
}

/* A count stands where a name would: "46 caps", "full -3". Numbers without a name start at 41. */
static bool has_count(const char *words)
{
	if (strstr(words, " caps"))
		return true;
	for (const char *at = words; *at; at++) {
		bool starts = at == words || at[-1] == ' ' || at[-1] == '+' || at[-1] == '-';

		if (starts && *at >= '0' && *at <= '9' && atoi(at) <= CAP_LAST_CAP)
			return true;
	}
	return false;
}

static size_t short_forms_parsed;

static void check_mask(uint64_t set, int cap_last)
{
	struct text out = {0};

	caps_words_long(&out, set, cap_last, set & 1);
	assert_false(has_count(text_string(&out)));
	assert_parses_back(text_string(&out), set, cap_last);
	text_clear(&out);
	caps_words(&out, set, cap_last, set & 2);
	if (!has_count(text_string(&out))) {
		assert_parses_back(text_string(&out), set, cap_last);
		short_forms_parsed++;
	}
	text_free(&out);
}

static uint64_t flip_bits(uint64_t set, unsigned int count)
{
	while (count--)
		set ^= BIT(random_next() % 64);
	return set;
}

static void words_of_ten_thousand_masks_parse_back(void **state)
{
	static const int lasts[] = {40, 63, 37};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lasts); i++) {
		const uint64_t named[] = {0, caps_full(lasts[i]), CAPS_DOCKER_DEFAULT,
					  CAPS_PODMAN_DEFAULT};

		for (int mask = 0; mask < RANDOM_MASKS; mask++) {
			check_mask(random_next(), lasts[i]);
			check_mask(random_next() & caps_full(lasts[i]), lasts[i]);
			check_mask(flip_bits(named[mask % 4], (unsigned int)mask / 4 % 12),
				   lasts[i]);
		}
	}
	assert_true(short_forms_parsed > RANDOM_MASKS / 4);
}

static void named_sets_are_named(void **state)
{
	(void)state;
	assert_words(0, true, "none");
	assert_words(0, false, "none");
	assert_words(0x1ffffffffffULL, true, "full");
	assert_words(0xa80425fb, true, "docker-default");
	assert_words(0xa80425fb, false, "docker-default in userns");
	assert_words(0x800405fb, false, "podman-default in userns");
	assert_words(0x1ffffffffffULL, false, "full in userns");
}

static void full_follows_the_kernel(void **state)
{
	struct text out = {0};

	(void)state;
	caps_words(&out, 0x3fffffffffULL, 37, true);
	assert_string_equal(text_string(&out), "full");
	text_clear(&out);
	caps_words(&out, 0x1ffffffffffULL, 41, true);
	assert_string_equal(text_string(&out), "full -41");
	text_free(&out);
}

/* docker --cap-add and --cap-drop as runtimes.md measured them. */
static void up_to_two_differences_are_named_more_are_counted(void **state)
{
	(void)state;
	assert_words(0x2a80425fbULL, true, "docker-default +MAC_ADMIN");
	assert_words(0xa80425db, true, "docker-default -KILL");
	assert_words(0x2a80425dbULL, true, "docker-default +MAC_ADMIN -KILL");
	assert_words(0xaa0435fb, true, "docker-default +NET_ADMIN +SYS_TIME");
	assert_words(0x1fffeffffffULL, true, "full -SYS_RESOURCE");
	assert_words(0x1fffcfeffffULL, true, "full -3");
	assert_words(0x3ffeffffffULL, true, "full -4");
	assert_words(0xaa2c35dbULL, false, "docker-default +4 -1 in userns");
}

static void far_sets_are_names_or_a_number(void **state)
{
	(void)state;
	assert_words(BIT(CAP_NET_RAW), true, "NET_RAW");
	assert_words(BIT(CAP_NET_RAW) | BIT(CAP_KILL), false, "KILL NET_RAW in userns");
	assert_words(0x20000420, true, "3 caps");
	assert_words(0xfcecbfff, true, "26 caps"); /* systemd-nspawn */
	assert_words(BIT(50), true, "50");
}

static void near_ends_at_eight_differences_or_at_the_sets_own_size(void **state)
{
	const uint64_t six_of_podman = 0xfb & ~BIT(CAP_SETUID);

	(void)state;
	assert_words(caps_full(40) & ~0xffULL, true, "full -8");
	assert_words(caps_full(40) & ~0x1ffULL, true, "32 caps");
	assert_words(six_of_podman, true, "podman-default -5");
	assert_words(six_of_podman & ~BIT(CAP_KILL), true, "5 caps");
}

static void counts_do_not_parse(void **state)
{
	static const char *const words[] = {"full -3", "docker-default +3 -1", "5 caps",
					    "docker-default +40"};
	uint64_t set;
	int bad_offset;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		assert_int_equal(caps_parse(words[i], 40, &set, &bad_offset), -22);
	assert_int_equal(caps_parse("docker-default +3", 40, &set, &bad_offset), -22);
	assert_int_equal(bad_offset, 15);
}

static void lists_and_hex_parse(void **state)
{
	(void)state;
	assert_parses_back("CAP_KILL,net_raw  5", BIT(CAP_KILL) | BIT(CAP_NET_RAW), 40);
	assert_parses_back("0xa80425fb", CAPS_DOCKER_DEFAULT, 40);
	assert_parses_back("ALL -KILL", caps_full(40) & ~BIT(CAP_KILL), 40);
	assert_parses_back("Docker-Default +cap_bpf in userns", CAPS_DOCKER_DEFAULT | BIT(CAP_BPF),
			   40);
}

static void what_is_no_word_is_refused(void **state)
{
	static const char *const words[] = {
		"",
		" ,",
		"0x",
		"0xg",
		"0x10000000000000000",
		"in userns",
		"KILL in user",
		"KILLL",
		"64",
		"+",
		"full in userns now",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	};
	uint64_t set = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		assert_int_equal(caps_parse(words[i], 40, &set, NULL), -22);
	assert_int_equal(set, 7);
}

static void names_are_libcaps(void **state)
{
	(void)state;
	assert_int_equal(caps_named, CAP_LAST_CAP + 1);
	for (int i = 0; i < caps_named; i++) {
		char *theirs = cap_to_name(i);
		int capability = -1;

		assert_int_equal(strncasecmp(theirs, "cap_", 4), 0);
		assert_int_equal(strcasecmp(theirs + 4, caps_name(i)), 0);
		assert_int_equal(caps_from_name(theirs, &capability, NULL), 0);
		assert_int_equal(capability, i);
		assert_non_null(caps_meaning(i));
		cap_free(theirs);
	}
	for (int i = caps_named; i < 64; i++) {
		assert_int_equal(atoi(caps_name(i)), i);
		assert_null(caps_meaning(i));
	}
}

static void a_mistyped_name_finds_its_nearest(void **state)
{
	const char *nearest = NULL;
	int capability = -1;

	(void)state;
	assert_int_equal(caps_from_name("CAP_SYS_ADMN", &capability, &nearest), -2);
	assert_string_equal(nearest, "SYS_ADMIN");
	assert_int_equal(caps_from_name("frobnicate", &capability, &nearest), -2);
	assert_null(nearest);
	assert_int_equal(capability, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_of_ten_thousand_masks_parse_back),
		cmocka_unit_test(named_sets_are_named),
		cmocka_unit_test(full_follows_the_kernel),
		cmocka_unit_test(up_to_two_differences_are_named_more_are_counted),
		cmocka_unit_test(far_sets_are_names_or_a_number),
		cmocka_unit_test(near_ends_at_eight_differences_or_at_the_sets_own_size),
		cmocka_unit_test(counts_do_not_parse),
		cmocka_unit_test(lists_and_hex_parse),
		cmocka_unit_test(what_is_no_word_is_refused),
		cmocka_unit_test(names_are_libcaps),
		cmocka_unit_test(a_mistyped_name_finds_its_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
