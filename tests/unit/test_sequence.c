/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "source/sequence.h"
#include "wire/wire.h"

static uint64_t number_next(struct sequence *sequence)
{
	struct event_record event = {0};

	sequence_number(sequence, &event);
	return event.sequence;
}

static void test_numbers_begin_at_one_and_rise_by_one(void **state)
{
	struct sequence sequence = {0};

	(void)state;
	for (uint64_t i = 1; i < 100; i++)
		assert_int_equal(number_next(&sequence), i);
	sequence_free(&sequence);
}

static void test_a_gap_names_the_numbers_that_are_missing(void **state)
{
	struct sequence sequence = {0};
	struct gap_record gap;

	(void)state;
	assert_int_equal(number_next(&sequence), 1);
	assert_true(sequence_lost(&sequence, 3, 5, &gap));
	assert_int_equal(gap.first, 2);
	assert_int_equal(gap.last, 6);
	assert_int_equal(gap.reason, GAP_RING_FULL);
	assert_int_equal(gap.hook, HOOKS);
	assert_int_equal(number_next(&sequence), 7);
	assert_true(record_is_sound(&gap.header, sizeof(gap)));
	sequence_free(&sequence);
}

static void test_a_count_that_has_not_grown_is_no_gap(void **state)
{
	struct sequence sequence = {0};
	struct gap_record gap;

	(void)state;
	assert_false(sequence_lost(&sequence, 0, 0, &gap));
	assert_true(sequence_lost(&sequence, 0, 4, &gap));
	assert_false(sequence_lost(&sequence, 0, 4, &gap));
	/* An event that was made before another on its CPU, and read after it. */
	assert_false(sequence_lost(&sequence, 0, 2, &gap));
	assert_int_equal(sequence.last, 4);
	sequence_free(&sequence);
}

static void test_each_cpu_has_a_count_of_its_own(void **state)
{
	struct sequence sequence = {0};
	struct gap_record gap;

	(void)state;
	assert_true(sequence_lost(&sequence, 7, 2, &gap));
	assert_true(sequence_lost(&sequence, 0, 2, &gap));
	assert_int_equal(gap.first, 3);
	assert_int_equal(gap.last, 4);
	assert_false(sequence_lost(&sequence, 7, 2, &gap));
	sequence_free(&sequence);
}

static void test_a_number_that_is_no_cpus_is_ignored(void **state)
{
	struct sequence sequence = {0};
	struct gap_record gap;

	(void)state;
	assert_false(sequence_lost(&sequence, UINT32_MAX, 9, &gap));
	assert_int_equal(sequence.cpus, 0);
	sequence_free(&sequence);
}

static void test_skipped_runs_are_a_gap_of_their_hook(void **state)
{
	struct sequence sequence = {0};
	struct gap_record gap;

	(void)state;
	assert_false(sequence_skipped(&sequence, HOOK_FORK, 0, &gap));
	assert_true(sequence_skipped(&sequence, HOOK_FORK, 3, &gap));
	assert_int_equal(gap.first, 1);
	assert_int_equal(gap.last, 3);
	assert_int_equal(gap.reason, GAP_SKIPPED);
	assert_int_equal(gap.hook, HOOK_FORK);
	sequence_free(&sequence);
}

static void test_seen_and_lost_and_skipped_are_all_that_was_generated(void **state)
{
	struct sequence sequence = {0};
	struct gap_record gap;
	uint64_t lost[4] = {0};
	uint64_t seen = 0;
	uint64_t missing = 0;
	uint64_t last = 0;

	(void)state;
	for (uint32_t i = 1; i < 10000; i++) {
		uint32_t cpu = i * 7 % 4;

		lost[cpu] += i % 11 == 0 ? i % 5 : 0;
		if (sequence_lost(&sequence, cpu, lost[cpu], &gap)) {
			assert_int_equal(gap.first, last + 1);
			missing += gap.last - gap.first + 1;
			last = gap.last;
		}
		if (i % 97 == 0 && sequence_skipped(&sequence, HOOK_EXIT, 2, &gap)) {
			assert_int_equal(gap.first, last + 1);
			missing += 2;
			last = gap.last;
		}
		assert_int_equal(number_next(&sequence), last + 1);
		last++;
		seen++;
	}
	assert_int_equal(sequence.last, seen + missing);
	assert_int_equal(sequence.lost + sequence.skipped, missing);
	sequence_free(&sequence);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_begin_at_one_and_rise_by_one),
		cmocka_unit_test(test_a_gap_names_the_numbers_that_are_missing),
		cmocka_unit_test(test_a_count_that_has_not_grown_is_no_gap),
		cmocka_unit_test(test_each_cpu_has_a_count_of_its_own),
		cmocka_unit_test(test_a_number_that_is_no_cpus_is_ignored),
		cmocka_unit_test(test_skipped_runs_are_a_gap_of_their_hook),
		cmocka_unit_test(test_seen_and_lost_and_skipped_are_all_that_was_generated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
