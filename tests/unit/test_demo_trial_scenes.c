/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <linux/capability.h>

#include "base/mem.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/demo_trial_scenes.h"
#include "model/model.h"

#define OWN_NS 4026532000U
#define OTHER_NS 4026532001U

struct candidate {
	struct app app;
	struct stage stage;
	struct task_record task;
	struct pid_level chain[2];
	struct proc proc;
};

/* As the container of the scene is: no SYS_BOOT, a pid namespace of its own. */
static void candidate_make(struct candidate *candidate)
{
	*candidate = (struct candidate){
		.app.facts.self_ns[NS_PID] = OWN_NS,
		.task = {.tgid = 100, .chain_count = 2},
		.chain = {{OWN_NS, 100}, {OTHER_NS, 1}},
	};
	candidate->stage.session.app = &candidate->app;
	candidate->proc = (struct proc){.task = &candidate->task, .chain = candidate->chain};
	for (int set = 0; set < CAP_SETS; set++)
		candidate->task.caps[set] = UINT64_MAX & ~(1ULL << CAP_SYS_BOOT);
}

static bool candidate_may_reboot(const struct candidate *candidate)
{
	struct text said = {0};
	bool may = false;

	for (size_t i = 0; i < trial_scenes_count; i++) {
		const struct trial *trial = &trial_scenes[i].trials[0];

		if (trial->may_go_on)
			may = trial->may_go_on(&candidate->stage, &candidate->proc, &said);
	}
	assert_int_equal(may, said.length == 0);
	if (!may)
		assert_non_null(strstr(text_string(&said), "It was not tried: "));
	text_free(&said);
	return may;
}

static void test_reboot_is_tried_without_sys_boot_in_another_pid_namespace(void **state)
{
	struct candidate candidate;

	(void)state;
	candidate_make(&candidate);
	assert_true(candidate_may_reboot(&candidate));
}

static void test_reboot_is_not_tried_with_sys_boot_in_any_set(void **state)
{
	(void)state;
	for (int set = 0; set < CAP_SETS; set++) {
		struct candidate candidate;

		candidate_make(&candidate);
		candidate.task.caps[set] |= 1ULL << CAP_SYS_BOOT;
		assert_false(candidate_may_reboot(&candidate));
	}
}

static void test_reboot_is_not_tried_in_the_hosts_or_nsviews_pid_namespace(void **state)
{
	struct candidate candidate;

	(void)state;
	candidate_make(&candidate);
	candidate.chain[1].ns = OWN_NS;
	assert_false(candidate_may_reboot(&candidate));
	candidate.chain[1].ns = NS_HOST_PID;
	assert_false(candidate_may_reboot(&candidate));
	candidate_make(&candidate);
	candidate.task.chain_count = 1;
	assert_false(candidate_may_reboot(&candidate));
	/* Another one than nsview's, and the only one all the same: the host's. */
	candidate.chain[0].ns = OTHER_NS;
	assert_false(candidate_may_reboot(&candidate));
}

static void test_reboot_is_not_tried_when_either_could_not_be_read(void **state)
{
	struct candidate candidate;

	(void)state;
	candidate_make(&candidate);
	candidate.proc.unknown = FIELD_BIT(FIELD_CHAIN);
	assert_false(candidate_may_reboot(&candidate));
	candidate.proc.unknown = FIELD_BIT(FIELD_CAPS);
	assert_false(candidate_may_reboot(&candidate));
	candidate_make(&candidate);
	candidate.app.facts.self_ns[NS_PID] = 0;
	assert_false(candidate_may_reboot(&candidate));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reboot_is_tried_without_sys_boot_in_another_pid_namespace),
		cmocka_unit_test(test_reboot_is_not_tried_with_sys_boot_in_any_set),
		cmocka_unit_test(test_reboot_is_not_tried_in_the_hosts_or_nsviews_pid_namespace),
		cmocka_unit_test(test_reboot_is_not_tried_when_either_could_not_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
