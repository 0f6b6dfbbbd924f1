/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "source/args.h"

#define ONE_MAX ((size_t)256 << 10)

/* What a process with arguments of that length gets. */
static size_t take(struct args_budget *budget, size_t length)
{
	size_t room = args_budget_room(budget, ONE_MAX);
	size_t kept = length < room ? length : room;

	args_budget_take(budget, kept);
	return kept;
}

static void all_processes_together_have_a_bound(void **state)
{
	struct args_budget budget;
	size_t total = 0;

	(void)state;
	args_budget_start(&budget);
	for (int i = 0; i < 20000; i++)
		total += take(&budget, (size_t)2 << 20);
	assert_in_range(total, ARGS_TOTAL_MAX / 2, ARGS_TOTAL_MAX + 20000 * ARGS_LEAST);
}

static void the_first_ones_leave_something_to_the_last(void **state)
{
	struct args_budget budget;

	(void)state;
	args_budget_start(&budget);
	for (int i = 0; i < 20000; i++) {
		take(&budget, (size_t)2 << 20);
		assert_int_equal(take(&budget, 200), 200);
	}
}

static void long_arguments_of_a_few_are_whole(void **state)
{
	struct args_budget budget;

	(void)state;
	args_budget_start(&budget);
	for (int i = 0; i < 100; i++)
		assert_int_equal(take(&budget, ONE_MAX), ONE_MAX);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(take(&budget, 5000), 5000);
}

static void each_snapshot_begins_anew(void **state)
{
	struct args_budget budget;

	(void)state;
	args_budget_start(&budget);
	for (int i = 0; i < 20000; i++)
		take(&budget, ONE_MAX);
	assert_true(take(&budget, ONE_MAX) < ONE_MAX);
	args_budget_start(&budget);
	assert_int_equal(take(&budget, ONE_MAX), ONE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_processes_together_have_a_bound),
		cmocka_unit_test(the_first_ones_leave_something_to_the_last),
		cmocka_unit_test(long_arguments_of_a_few_are_whole),
		cmocka_unit_test(each_snapshot_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
