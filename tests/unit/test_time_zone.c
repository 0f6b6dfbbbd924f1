/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/time_zone.h"

#define HOUR 3600
#define YEAR (365 * 24 * HOUR)

/* A file of tzfile(5): one block of 32 bits, one of 64, the rule for what comes after. */
static void add_big(struct text *out, int64_t value, int bytes)
{
	while (bytes--)
		text_add_char(out, (char)((uint64_t)value >> (8 * bytes)));
}

static void add_block(struct text *out, int time_bytes, const int64_t *times, uint32_t count)
{
	static const int32_t offsets[] = {-1234, HOUR, 2 * HOUR};

	text_add_string(out, "TZif2");
	for (int i = 0; i < 15; i++)
		text_add_char(out, '\0');
	add_big(out, 0, 4);
	add_big(out, 0, 4);
	add_big(out, 0, 4);
	add_big(out, count, 4);
	add_big(out, 3, 4);
	add_big(out, 4, 4);
	for (uint32_t i = 0; i < count; i++)
		add_big(out, times[i], time_bytes);
	for (uint32_t i = 0; i < count; i++)
		add_big(out, 1 + i % 2, 1);
	for (int i = 0; i < 3; i++) {
		add_big(out, offsets[i], 4);
		add_big(out, i == 2, 1);
		add_big(out, 0, 1);
	}
	text_add(out, "ABC", 4);
}

static void make_file(struct text *out, const int64_t *times, uint32_t count, const char *rule)
{
	add_block(out, 4, NULL, 0);
	add_block(out, 8, times, count);
	text_printf(out, "\n%s\n", rule);
}

static struct time_zone *parse(struct text *file)
{
	struct time_zone *zone = NULL;

	assert_int_equal(time_zone_parse(file->data, file->length, &zone), 0);
	text_free(file);
	return zone;
}

static void a_transition_counts_from_its_second_on(void **state)
{
	static const int64_t times[] = {-5000000000, 1000, 2000};
	struct text file = {0};
	struct time_zone *zone;

	(void)state;
	make_file(&file, times, 3, "");
	zone = parse(&file);
	assert_int_equal(time_zone_offset(zone, -5000000001), -1234);
	assert_int_equal(time_zone_offset(zone, -5000000000), HOUR);
	assert_int_equal(time_zone_offset(zone, 999), HOUR);
	assert_int_equal(time_zone_offset(zone, 1000), 2 * HOUR);
	assert_int_equal(time_zone_offset(zone, 2000), HOUR);
	assert_int_equal(time_zone_offset(zone, 1LL << 40), HOUR);
	time_zone_free(zone);
}

/* Offsets from 1972 to 2080 against the C library's, in steps that meet every hour of a day. */
static void compare_years(const struct time_zone *zone, const char *name)
{
	setenv("TZ", name, 1);
	tzset();
	for (int64_t epoch = 2 * YEAR; epoch < 110LL * YEAR; epoch += 25 * HOUR + 1799) {
		time_t time = (time_t)epoch;
		struct tm expected;
		struct tm local;

		assert_non_null(localtime_r(&time, &expected));
		assert_int_equal(time_zone_offset(zone, epoch), expected.tm_gmtoff);
		assert_int_equal(time_zone_local(zone, epoch, &local), 0);
		assert_int_equal(local.tm_year, expected.tm_year);
		assert_int_equal(local.tm_yday, expected.tm_yday);
		assert_int_equal(local.tm_hour, expected.tm_hour);
		assert_int_equal(local.tm_min, expected.tm_min);
	}
	unsetenv("TZ");
	tzset();
}

static void the_rule_behind_the_last_transition_is_read_as_the_c_library_does(void **state)
{
	static const char *const rules[] = {
		"UTC0",
		"CET-1CEST,M3.5.0,M10.5.0/3",
		"EST5EDT,M3.2.0,M11.1.0",
		"AEST-10AEDT,M10.1.0,M4.1.0/3",
		"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
		"IST-2IDT,M3.4.4/26,M10.5.0",
		"<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
		"WWW3SSS,J60/0,J300",
		"WWW3SSS,59/0,299/5:30:10",
		"WWW-0:30:15",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		struct text file = {0};
		struct time_zone *zone;

		make_file(&file, NULL, 0, rules[i]);
		zone = parse(&file);
		compare_years(zone, rules[i]);
		time_zone_free(zone);
	}
}

static void installed_zones_are_read_as_the_c_library_does(void **state)
{
	static const char *const names[] = {
		"Europe/Berlin",    "America/New_York", "Asia/Kolkata", "Africa/Casablanca",
		"Australia/Sydney", "Pacific/Apia",     "Asia/Gaza",    "America/Nuuk",
		"Europe/Dublin",    "Antarctica/Troll", "Etc/UTC",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		autofree char *path = mem_printf("/usr/share/zoneinfo/%s", names[i]);
		autofclose FILE *stream = fopen(path, "re");
		struct text file = {0};
		struct time_zone *zone;
		char chunk[16384];

		/* A machine without tzdata has the other tests. */
		if (!stream)
			continue;
		text_add(&file, chunk, fread(chunk, 1, sizeof(chunk), stream));
		zone = parse(&file);
		compare_years(zone, names[i]);
		time_zone_free(zone);
	}
}

static void what_is_no_zone_is_refused_at_every_length(void **state)
{
	static const int64_t times[] = {1000, 1000};
	struct text file = {0};
	struct time_zone *zone = NULL;
	size_t rule = sizeof("\nCET-1\n") - 1;

	(void)state;
	make_file(&file, times, 1, "CET-1");
	for (size_t length = 0; length < file.length - rule; length++) {
		autofree char *part = mem_resize(NULL, length + 1, 1);

		memcpy(part, file.data, length);
		assert_int_equal(time_zone_parse(part, length, &zone), -22);
	}
	text_clear(&file);
	make_file(&file, times, 2, "");
	assert_int_equal(time_zone_parse(file.data, file.length, &zone), -22);
	memset(file.data + 20, 0xff, 24);
	assert_int_equal(time_zone_parse(file.data, file.length, &zone), -22);
	assert_null(zone);
	text_free(&file);
}

static void a_rule_that_is_none_leaves_the_last_offset(void **state)
{
	static const int64_t times[] = {1000};
	static const char *const rules[] = {
		"C1",           "CET",  "CET-1CEST,M13.1.0,M3.1.0", "CET-1CEST,M3.6.0,M4.1.0",
		"CET-99999999", "<CET", "CET-1CEST,J0,J5",          "CET-1CEST,M3.5.0",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		struct text file = {0};
		struct time_zone *zone;

		make_file(&file, times, 1, rules[i]);
		zone = parse(&file);
		assert_int_equal(time_zone_offset(zone, 1LL << 31), HOUR);
		time_zone_free(zone);
	}
}

static void no_zone_is_utc(void **state)
{
	struct tm local;

	(void)state;
	assert_int_equal(time_zone_offset(NULL, 12345), 0);
	assert_int_equal(time_zone_local(NULL, 86400, &local), 0);
	assert_int_equal(local.tm_yday, 1);
	assert_int_not_equal(time_zone_local(NULL, INT64_MAX / 2, &local), 0);
}

/* As the C library has it: "CET" may be a file or, where zones are not installed, a rule. */
static void the_processs_own_zone_is_the_c_librarys(void **state)
{
	static const char *const names[] = {
		"Europe/Berlin",
		":America/New_York",
		"Asia/Kathmandu",
		"Africa/Casablanca",
		"NZST-12NZDT,M9.5.0,M4.1.0/3",
		"<+0545>-5:45",
		"EST5EDT,M3.2.0,M11.1.0",
		"",
		"UTC0",
		"no/such/zone",
		"/usr/share/zoneinfo/Australia/Lord_Howe",
		NULL,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct text tzif = {0};
		struct time_zone *zone;

		if (names[i])
			setenv("TZ", names[i], 1);
		else
			unsetenv("TZ");
		tzset();
		time_zone_own(&tzif);
		zone = parse(&tzif);
		for (time_t time = 0; time < 100LL * YEAR; time += 7919 * 61) {
			struct tm expected, local;

			localtime_r(&time, &expected);
			assert_int_equal(time_zone_local(zone, time, &local), 0);
			if (local.tm_hour != expected.tm_hour || local.tm_min != expected.tm_min ||
			    local.tm_yday != expected.tm_yday)
				fail_msg("%s: %lld", names[i] ? names[i] : "-", (long long)time);
			/* Back again: an hour that comes twice may be the other one. */
			expected.tm_isdst = -1;
			if (time_zone_epoch(zone, &local) != time) {
				struct tm other;

				time_zone_local(zone, time_zone_epoch(zone, &local), &other);
				assert_int_equal(other.tm_hour, local.tm_hour);
				assert_int_equal(other.tm_min, local.tm_min);
			}
		}
		time_zone_free(zone);
	}
	unsetenv("TZ");
	tzset();
}

static void a_time_left_out_in_spring_is_the_one_as_long_after_the_switch(void **state)
{
	static const struct {
		const char *name;
		int64_t epoch;
	} zones[] = {
		{"CET-1CEST,M3.5.0,M10.5.0/3", 1774747800}, /* 2026-03-29T01:30:00Z */
		{"EST5EDT,M3.2.0,M11.1.0", 1772955000},     /* 2026-03-08T07:30:00Z */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(zones); i++) {
		struct tm local = {.tm_year = 126,
				   .tm_mon = 2,
				   .tm_mday = i ? 8 : 29,
				   .tm_hour = 2,
				   .tm_min = 30};
		struct text tzif = {0};
		struct time_zone *zone;

		setenv("TZ", zones[i].name, 1);
		time_zone_own(&tzif);
		zone = parse(&tzif);
		assert_int_equal(time_zone_epoch(zone, &local), zones[i].epoch);
		time_zone_free(zone);
	}
	unsetenv("TZ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_transition_counts_from_its_second_on),
		cmocka_unit_test(the_rule_behind_the_last_transition_is_read_as_the_c_library_does),
		cmocka_unit_test(installed_zones_are_read_as_the_c_library_does),
		cmocka_unit_test(what_is_no_zone_is_refused_at_every_length),
		cmocka_unit_test(a_rule_that_is_none_leaves_the_last_offset),
		cmocka_unit_test(no_zone_is_utc),
		cmocka_unit_test(the_processs_own_zone_is_the_c_librarys),
		cmocka_unit_test(a_time_left_out_in_spring_is_the_one_as_long_after_the_switch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
