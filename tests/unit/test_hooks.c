/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "source/hooks.h"
#include "source/source.h"

static struct listen_options best(void)
{
	struct listen_options options = {0};

	memset(options.tiers, TIERS, sizeof(options.tiers));
	return options;
}

static void assert_refused(const char *words, const char *complaint)
{
	struct listen_options options = best();
	struct text said = {0};

	assert_int_equal(listen_options_parse(&options, words, &said), -EINVAL);
	assert_string_equal(text_string(&said), complaint);
	text_free(&said);
}

static void test_each_hook_has_a_row_and_a_name(void **state)
{
	(void)state;
	for (int id = 0; id < HOOKS; id++) {
		assert_non_null(hook_name(id));
		assert_non_null(hook_rows[id].meaning);
		for (int other = 0; other < id; other++)
			assert_string_not_equal(hook_name(id), hook_name(other));
	}
	assert_null(hook_name(HOOKS));
}

static void test_each_tier_has_a_name(void **state)
{
	(void)state;
	for (int tier = 0; tier < TIERS; tier++)
		assert_non_null(tier_name(tier));
	assert_null(tier_name(TIERS));
}

static void test_each_hook_but_the_sweep_is_attached_once(void **state)
{
	unsigned seen = 0;

	(void)state;
	for (size_t i = 0; i < HOOKS_ATTACHED; i++) {
		assert_false(seen & 1U << hook_order[i]);
		assert_non_null(hook_candidate_at(hook_order[i], 0));
		seen |= 1U << hook_order[i];
	}
	assert_int_equal(seen, ((1U << HOOKS) - 1) & ~(1U << HOOK_SWEEP));
}

/* A task's memory begins with its fork: a change before the hook would go unseen. */
static void test_credentials_are_watched_before_forks_are(void **state)
{
	size_t place[HOOKS] = {0};

	(void)state;
	for (size_t i = 0; i < HOOKS_ATTACHED; i++)
		place[hook_order[i]] = i;
	assert_true(place[HOOK_CREDENTIALS] < place[HOOK_FORK]);
	assert_true(place[HOOK_NAMESPACES] < place[HOOK_FORK]);
	assert_true(place[HOOK_EXIT] < place[HOOK_FORK]);
}

static void test_a_row_names_each_tier_once_and_the_exact_one_first(void **state)
{
	(void)state;
	for (int id = 0; id < HOOKS; id++) {
		const struct hook_candidate *candidate;

		/* A tracepoint may stand twice: as the best, and as the last resort. */
		for (size_t i = 0; (candidate = hook_candidate_at(id, i)); i++)
			assert_true(hook_candidate_of(id, candidate->tier) == candidate ||
				    hook_candidate_of(id, candidate->tier)->preemption ==
					    ON_OTHERS);
	}
	assert_int_equal(hook_candidate_at(HOOK_CREDENTIALS, 0)->tier, TIER_KPROBE);
	assert_int_equal(hook_candidate_at(HOOK_CREDENTIALS, 1)->tier, TIER_FENTRY);
	assert_int_equal(hook_candidate_at(HOOK_CREDENTIALS, 2)->tier, TIER_SYSCALL);
	assert_null(hook_candidate_at(HOOK_CREDENTIALS, 3));
}

static void test_the_lower_tiers_say_what_they_miss(void **state)
{
	(void)state;
	for (int id = 0; id < HOOKS; id++) {
		const struct hook_candidate *candidate = hook_candidate_of(id, TIER_SYSCALL);

		if (candidate)
			assert_non_null(candidate->missed);
	}
	assert_null(hook_candidate_of(HOOK_CREDENTIALS, TIER_KPROBE)->missed);
	assert_non_null(hook_candidate_of(HOOK_CREDENTIALS, TIER_FENTRY)->missed);
}

static void test_programs_that_are_not_attached_by_btf_have_targets(void **state)
{
	(void)state;
	for (int id = 0; id < HOOKS; id++) {
		const struct hook_candidate *candidate;

		for (size_t i = 0; (candidate = hook_candidate_at(id, i)); i++) {
			for (size_t j = 0; j < HOOK_PROGRAMS_MAX && candidate->programs[j].name;
			     j++) {
				const struct hook_program *program = &candidate->programs[j];

				assert_true(program->kind == ATTACH_BTF ||
					    (program->targets && program->targets[0]));
			}
		}
	}
}

static void test_choices_change_their_hooks_and_no_other(void **state)
{
	struct listen_options options = best();
	struct text said = {0};

	(void)state;
	assert_int_equal(listen_options_parse(
				 &options, "credentials=syscall,fork=off,exec=tracepoint", &said),
			 0);
	assert_int_equal(said.length, 0);
	for (int id = 0; id < HOOKS; id++) {
		int expected = id == HOOK_CREDENTIALS ? TIER_SYSCALL
			       : id == HOOK_FORK      ? TIER_OFF
			       : id == HOOK_EXEC      ? TIER_TRACEPOINT
						      : TIERS;

		assert_int_equal(options.tiers[id], expected);
	}
}

static void test_a_wrong_word_is_told_the_nearest_right_one(void **state)
{
	(void)state;
	assert_refused("credential=kprobe", "unknown hook credential: did you mean credentials?");
	assert_refused("exec=tracepont", "unknown tier tracepont: did you mean tracepoint?");
	assert_refused("fork=kprobe,exot=off", "unknown hook exot: did you mean exit?");
}

static void test_a_choice_without_a_tier_is_refused(void **state)
{
	(void)state;
	assert_refused("exec", "exec: a choice is HOOK=TIER, as in credentials=syscall");
}

static void test_a_tier_that_a_hook_has_not_is_refused_with_those_it_has(void **state)
{
	(void)state;
	assert_refused("fork=syscall",
		       "hook fork has no tier syscall: it has tracepoint, kprobe, off");
}

/* The one is --complete's business, the other is always there. */
static void test_the_sweep_and_the_comparison_at_every_call_are_no_choice(void **state)
{
	struct listen_options options = best();
	struct text said = {0};

	(void)state;
	assert_int_equal(listen_options_parse(&options, "sweep=off", &said), -EINVAL);
	assert_int_equal(listen_options_parse(&options, "complete=tracepoint", &said), -EINVAL);
	text_free(&said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_hook_has_a_row_and_a_name),
		cmocka_unit_test(test_each_tier_has_a_name),
		cmocka_unit_test(test_each_hook_but_the_sweep_is_attached_once),
		cmocka_unit_test(test_credentials_are_watched_before_forks_are),
		cmocka_unit_test(test_a_row_names_each_tier_once_and_the_exact_one_first),
		cmocka_unit_test(test_the_lower_tiers_say_what_they_miss),
		cmocka_unit_test(test_programs_that_are_not_attached_by_btf_have_targets),
		cmocka_unit_test(test_choices_change_their_hooks_and_no_other),
		cmocka_unit_test(test_a_wrong_word_is_told_the_nearest_right_one),
		cmocka_unit_test(test_a_choice_without_a_tier_is_refused),
		cmocka_unit_test(test_a_tier_that_a_hook_has_not_is_refused_with_those_it_has),
		cmocka_unit_test(test_the_sweep_and_the_comparison_at_every_call_are_no_choice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
