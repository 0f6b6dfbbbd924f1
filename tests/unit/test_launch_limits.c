/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <locale.h>
#include <stdio.h>

#include "base/mem.h"
#include "launch/limits.h"
#include "listen.h"

#define KIB 1024ULL
#define MIB (KIB * KIB)
#define GIB (KIB * MIB)

/* docker's manual: --cpus .5 is a quota of 50000 in a period of 100000. */
static void cpus_are_dockers(void **state)
{
	static const struct {
		const char *words;
		uint64_t nano_cpus;
		uint64_t quota_us;
	} cases[] = {
		{".5", 500000000, 50000},
		{"0.5", 500000000, 50000},
		{"1.5", 1500000000, 150000},
		{"2", 2000000000, 200000},
		{"1.", 1000000000, 100000},
		{"0.01", 10000000, 1000},
		{"4.000", 4000000000, 400000},
		{"0.333333333", 333333333, 33333},
		{"0", 0, 0},
		{"0.000", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t nano_cpus = 42;

		assert_int_equal(limits_read_cpus(cases[i].words, 4, &nano_cpus), 0);
		assert_int_equal(nano_cpus, cases[i].nano_cpus);
		assert_int_equal(limits_quota_us(nano_cpus), cases[i].quota_us);
	}
	assert_string_equal(said, "");
}

static void what_is_no_number_of_cpus_is_refused(void **state)
{
	static const char *const bad[] = {"",
					  ".",
					  "abc",
					  "1.5.5",
					  "-1",
					  "+1",
					  "1,5",
					  " 1",
					  "1 ",
					  "1e1x",
					  "0x1",
					  "nan",
					  "0.001",
					  "4.1",
					  "1000",
					  "1m",
					  "0.0000000001",
					  "\x1b[m",
					  "99999999999999999999999999999999999999999999"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint64_t nano_cpus = 42;

		said[0] = '\0';
		assert_int_not_equal(limits_read_cpus(bad[i], 4, &nano_cpus), 0);
		assert_non_null(strstr(said, "--cpus"));
		assert_int_equal(nano_cpus, 42);
	}
}

/* Units as in docker's manual and in github.com/docker/go-units' documentation. */
static void memory_is_dockers(void **state)
{
	static const struct {
		const char *words;
		uint64_t bytes;
	} cases[] = {
		{"500m", 524288000},
		{"64m", 64 * MIB},
		{"2g", 2 * GIB},
		{"1G", GIB},
		{"6291456", 6 * MIB},
		{"6291456b", 6 * MIB},
		{"6144k", 6 * MIB},
		{"6144kb", 6 * MIB},
		{"6144KiB", 6 * MIB},
		{"6144 K", 6 * MIB},
		{"1.5g", 1536 * MIB},
		{"1t", 1024 * GIB},
		{"1p", 1024 * 1024 * GIB},
		{"6.5m", 6815744},
		{"6291456.9", 6 * MIB},
		{"7.1m", 7444889},
		{"0", 0},
		{"0m", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t bytes = 42;

		assert_int_equal(limits_read_memory(cases[i].words, &bytes), 0);
		assert_int_equal(bytes, cases[i].bytes);
	}
	assert_string_equal(said, "");
}

static void what_is_no_size_is_refused(void **state)
{
	static const char *const bad[] = {"",      "m",
					  "abc",   "-1",
					  "-64m",  "64 m m",
					  "64  m", "64mm",
					  "64x",   "1.5.5m",
					  "1e9",   "0x100000000",
					  "64m ",  " 64m",
					  "64bk",  "4m",
					  "1",     "6291455",
					  "9000p", "8192p",
					  "∞",     "99999999999999999999999999999"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint64_t bytes = 42;

		said[0] = '\0';
		assert_int_not_equal(limits_read_memory(bad[i], &bytes), 0);
		assert_non_null(strstr(said, "--memory"));
		assert_int_equal(bytes, 42);
	}
}

static void pids_are_dockers(void **state)
{
	static const char *const bad[] = {"",   "-",   "-2",      "abc", "1.5",
					  "1k", " 10", "4194305", "1e3", "99999999999999999999"};
	uint64_t pids = 42;

	(void)state;
	assert_int_equal(limits_read_pids("100", &pids), 0);
	assert_int_equal(pids, 100);
	assert_int_equal(limits_read_pids("-1", &pids), 0);
	assert_int_equal(pids, 0);
	assert_int_equal(limits_read_pids("0", &pids), 0);
	assert_int_equal(pids, 0);
	pids = 42;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		said[0] = '\0';
		assert_int_not_equal(limits_read_pids(bad[i], &pids), 0);
		assert_non_null(strstr(said, "--pids-limit"));
		assert_int_equal(pids, 42);
	}
}

static void a_sentence_names_the_word_and_the_range(void **state)
{
	uint64_t value;

	(void)state;
	assert_int_equal(limits_read_cpus("5", 2, &value), -ERANGE);
	assert_non_null(strstr(said, "--cpus 5: this machine has 2, so it is from 0.01 to 2"));
	assert_int_equal(limits_read_memory("4m", &value), -ERANGE);
	assert_non_null(strstr(said, "--memory 4m: the least is 6m"));
}

#define CLAIM(function) cmocka_unit_test_setup_teardown(function, start_listening, stop_listening)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CLAIM(cpus_are_dockers),  CLAIM(what_is_no_number_of_cpus_is_refused),
		CLAIM(memory_is_dockers), CLAIM(what_is_no_size_is_refused),
		CLAIM(pids_are_dockers),  CLAIM(a_sentence_names_the_word_and_the_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
