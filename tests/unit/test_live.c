/* SPDX-License-Identifier: GPL-2.0-only */
#include "live_scene.h"

static void containers_stand_by_their_power_and_the_host_last_and_folded(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene);
	assert_string_equal(rows_of(&scene), "-priv  docker 1/ 4170/-plain  docker 2/ 3816/ 3815/"
					     "-pid:4026539021 1/ 4388/+host 4");
	scene_end(&scene);
}

static void a_drifting_container_stands_first(void **state)
{
	struct scene scene;
	size_t count;

	(void)state;
	scene_start(&scene);
	scene.plain.caps &= ~1ULL;
	live_refresh(scene.live, NOW_NS);
	assert_string_equal(live_groups(scene.live, &count)[0].container->name, "plain");
	assert_true(live_groups(scene.live, &count)[0].is_drifting);
	assert_int_equal(live_rows(scene.live, &count)[1].drift, 1);
	assert_string_equal(group_cell(&scene, "plain", LIVE_COMMAND),
			    "more than declared; host root");
	scene_end(&scene);
}

/* Where root itself lacks a capability. */
static void a_privileged_container_is_one_without_every_capability_too(void **state)
{
	struct scene scene;
	struct task_record *task;
	struct live_sums sums;

	(void)state;
	scene_start(&scene);
	task = (struct task_record *)model_find(scene.machine.view.model, 4170)->task;
	for (int set = 0; set < CAP_SETS; set++)
		task->caps[set] &= ~(1ULL << 24);
	task = (struct task_record *)model_find(scene.machine.view.model, 3816)->task;
	task->caps[CAP_SET_EFFECTIVE] = scene.plain.caps |= 1ULL << 33; /* as heavy, and older */
	live_refresh(scene.live, NOW_NS);
	assert_non_null(strstr(rows_of(&scene), "-priv  docker 1/ 4170/-plain"));
	assert_string_equal(group_cell(&scene, "priv", LIVE_COMMAND),
			    "privileged; host root; no seccomp");
	live_sum(scene.live, &sums);
	assert_int_equal(sums.privileged, 1);
	for (uint32_t pid = 1; pid <= 612; pid += 611) {
		task = (struct task_record *)model_find(scene.machine.view.model, pid)->task;
		task->caps[CAP_SET_EFFECTIVE] &= ~(1ULL << 24);
	}
	live_refresh(scene.live, NOW_NS);
	assert_string_equal(group_cell(&scene, "host", LIVE_COMMAND), "2 as root");
	scene_end(&scene);
}

static void a_group_says_what_is_to_be_said_of_it(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene);
	assert_string_equal(group_cell(&scene, "plain", LIVE_COMMAND), "host root");
	assert_string_equal(group_cell(&scene, "plain", LIVE_CAPS), "docker-default");
	assert_string_equal(group_cell(&scene, "plain", LIVE_MEMORY), "2/500M");
	assert_string_equal(group_cell(&scene, "priv", LIVE_COMMAND),
			    "privileged; host root; no seccomp");
	assert_string_equal(group_cell(&scene, "priv", LIVE_CAPS), "full");
	assert_string_equal(group_cell(&scene, "pid:4026539021", LIVE_COMMAND),
			    "userns of 4000001");
	assert_string_equal(group_cell(&scene, "pid:4026539021", LIVE_CAPS),
			    "podman-default in userns");
	assert_string_equal(group_cell(&scene, "host", LIVE_COMMAND),
			    "2 as root with full capabilities");
	scene_end(&scene);
}

static void what_counts_only_in_a_user_namespace_stands_with_what_counts_for_nothing(void **state)
{
	struct scene scene;
	struct task_record *task;

	(void)state;
	scene_start(&scene);
	for (uint32_t pid = 3815; pid <= 3816; pid++) {
		task = (struct task_record *)model_find(scene.machine.view.model, pid)->task;
		memset(task->caps, 0, sizeof(task->caps));
	}
	live_refresh(scene.live, NOW_NS);
	/* The older one of the two stands first. */
	assert_non_null(
		strstr(rows_of(&scene), "/-plain  docker 2/ 3816/ 3815/-pid:4026539021 1/"));
	assert_int_equal(group_of(&scene, "plain")->weight, LIVE_NO_POWER);
	assert_int_equal(group_of(&scene, "pid:4026539021")->weight, LIVE_IN_USERNS);
	scene_end(&scene);
}

static void what_a_container_was_given_beyond_the_usual_is_named(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene);
	scene.plain.caps |= 1ULL << 33;
	live_refresh(scene.live, NOW_NS);
	assert_string_equal(group_cell(&scene, "plain", LIVE_COMMAND), "+MAC_ADMIN; host root");
	scene.plain.caps |= 1ULL << 12;
	live_refresh(scene.live, NOW_NS);
	assert_string_equal(group_cell(&scene, "plain", LIVE_COMMAND),
			    "+NET_ADMIN +MAC_ADMIN; host root");
	scene.plain.caps |= 1ULL << 21;
	live_refresh(scene.live, NOW_NS);
	assert_string_equal(group_cell(&scene, "plain", LIVE_COMMAND),
			    "+3 capabilities; host root");
	scene_end(&scene);
}

static void a_pid_used_again_is_somebody_else(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene);
	use(&scene, 3815, 10 * SECOND);
	live_update(scene.live, NOW_NS + SECOND);
	end_at(&scene, 3815, NOW_NS + SECOND);
	fork_inside(&scene, 3815, NOW_NS + SECOND * 3 / 2);
	use(&scene, 3815, SECOND / 4);
	live_update(scene.live, NOW_NS + 2 * SECOND);
	assert_string_equal(cell(&scene, 3815, LIVE_CPU), "-25.0");
	assert_non_null(strstr(rows_of(&scene), "*3815"));
	assert_non_null(strstr(rows_of(&scene), "x3815"));
	scene_end(&scene);
}

static void a_process_is_new_for_three_seconds(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene);
	live_fold(scene.live, group_of(&scene, "priv")->key, true);
	fork_inside(&scene, 3900, NOW_NS + SECOND / 2);
	live_refresh(scene.live, NOW_NS + SECOND);
	assert_string_equal(rows_of(&scene), "+priv  docker 1/-plain  docker 3/ 3816/ 3815/*3900/"
					     "-pid:4026539021 1/ 4388/+host 4");
	live_refresh(scene.live, NOW_NS + 4 * SECOND);
	assert_string_equal(rows_of(&scene), "+priv  docker 1/-plain  docker 3/ 3816/ 3815/ 3900/"
					     "-pid:4026539021 1/ 4388/+host 4");
	scene_end(&scene);
}

static void a_change_of_identity_is_marked(void **state)
{
	struct scene scene;
	struct model *model;
	const struct live_row *rows;
	size_t count;

	(void)state;
	scene_start(&scene);
	model = scene.machine.view.model;
	live_event(scene.live, LIVE_IDENTITY, model_find(model, 3815), NOW_NS + SECOND / 2);
	live_event(scene.live, LIVE_EXECUTED, model_find(model, 3816), NOW_NS + SECOND / 2);
	live_refresh(scene.live, NOW_NS + SECOND);
	rows = live_rows(scene.live, &count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(rows[i].mark, rows[i].proc && rows[i].proc->task->tgid == 3815
						       ? LIVE_CHANGED
						       : LIVE_PLAIN);
	live_refresh(scene.live, NOW_NS + 4 * SECOND);
	rows = live_rows(scene.live, &count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(rows[i].mark, LIVE_PLAIN);
	scene_end(&scene);
}

static void what_came_and_went_is_counted_and_shown_for_a_second(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene);
	for (uint32_t i = 0; i < 100; i++) {
		fork_inside(&scene, 3900 + i, NOW_NS + SECOND / 4);
		end_at(&scene, 3900 + i, NOW_NS + SECOND / 2);
	}
	fork_inside(&scene, 3890, NOW_NS + SECOND / 2); /* the model lets the last one go */
	end_at(&scene, 3815, NOW_NS + SECOND / 2);
	fork_inside(&scene, 3891, NOW_NS + SECOND / 2);
	live_update(scene.live, NOW_NS + SECOND);
	assert_int_equal(group_of(&scene, "plain")->short_lived, 100);
	assert_int_equal(group_of(&scene, "plain")->procs, 3);
	assert_string_equal(group_cell(&scene, "plain", LIVE_COMMAND),
			    "host root; 100 came and went");
	assert_non_null(strstr(rows_of(&scene), "/ 3816/*3890/*3891/x3900/x3901/x3902/"));
	assert_null(strstr(rows_of(&scene), "x3990"));
	assert_string_equal(cell(&scene, 3900, LIVE_IN_PID), "100");
	assert_string_equal(cell(&scene, 3900, LIVE_CPU), "-");
	assert_string_equal(cell(&scene, 3900, LIVE_COMMAND), "sleep 3600");
	live_refresh(scene.live, NOW_NS + SECOND * 3 / 2);
	assert_non_null(strstr(rows_of(&scene), "x3900"));
	live_update(scene.live, NOW_NS + 2 * SECOND);
	assert_null(strchr(rows_of(&scene), 'x'));
	assert_int_equal(group_of(&scene, "plain")->short_lived, 0);
	scene_end(&scene);
}

static void what_was_there_in_the_frame_before_did_not_come_and_go(void **state)
{
	struct scene scene;
	struct task_record *task;

	(void)state;
	scene_start(&scene);
	end_at(&scene, 3815, NOW_NS + SECOND / 2);
	live_update(scene.live, NOW_NS + SECOND);
	/* The model keeps it until the next record. */
	assert_non_null(strstr(rows_of(&scene), "plain  docker 1/ 3816/x3815/"));
	fork_inside(&scene, 3900, NOW_NS + SECOND);
	live_refresh(scene.live, NOW_NS + SECOND);
	assert_non_null(strstr(rows_of(&scene), "/ 3816/x3815/*3900/"));
	assert_int_equal(group_of(&scene, "plain")->short_lived, 0);
	task = (struct task_record *)model_find(scene.machine.view.model, 3900)->task;
	end_at(&scene, 3900, NOW_NS + SECOND);
	task->flags |= TASK_ZOMBIE; /* as a sweep finds it, whose parent does not wait for it */
	live_refresh(scene.live, NOW_NS + SECOND);
	assert_non_null(strstr(rows_of(&scene), "/ 3816/x3815/*3900/-"));
	scene_end(&scene);
}

static void cpu_is_that_of_the_time_between_two_updates(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene);
	assert_string_equal(cell(&scene, 3816, LIVE_CPU), "?");
	assert_string_equal(group_cell(&scene, "plain", LIVE_CPU), "?");
	use(&scene, 3816, SECOND);
	use(&scene, 3815, SECOND / 2);
	fork_inside(&scene, 3900, NOW_NS + SECOND);
	use(&scene, 3900, SECOND / 4);
	live_update(scene.live, NOW_NS + 2 * SECOND);
	assert_string_equal(cell(&scene, 3816, LIVE_CPU), "50.0");
	assert_string_equal(cell(&scene, 3815, LIVE_CPU), "25.0");
	assert_string_equal(cell(&scene, 3900, LIVE_CPU), "12.5");
	assert_string_equal(group_cell(&scene, "plain", LIVE_CPU), "87.5");
	use(&scene, 3816, SECOND / 4);
	live_refresh(scene.live, NOW_NS + 2 * SECOND + SECOND / 4);
	assert_string_equal(cell(&scene, 3816, LIVE_CPU), "50.0");
	live_update(scene.live, NOW_NS + 4 * SECOND);
	assert_string_equal(cell(&scene, 3816, LIVE_CPU), "12.5");
	assert_string_equal(cell(&scene, 3815, LIVE_CPU), "0.0");
	scene_end(&scene);
}

static void a_replay_has_no_cpu_and_a_paused_one_keeps_its_counts(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene);
	scene.machine.view.insides = (const struct insides *)&scene; /* that there are some */
	fork_inside(&scene, 3900, NOW_NS + SECOND / 4);
	end_at(&scene, 3900, NOW_NS + SECOND / 2);
	use(&scene, 3816, SECOND / 2);
	live_update(scene.live, NOW_NS + SECOND);
	live_update(scene.live, NOW_NS + SECOND);
	assert_string_equal(cell(&scene, 3816, LIVE_CPU), "?");
	assert_int_equal(group_of(&scene, "plain")->short_lived, 1);
	scene_end(&scene);
}

static void a_clock_that_goes_back_begins_anew(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene);
	use(&scene, 3816, SECOND);
	live_event(scene.live, LIVE_IDENTITY, model_find(scene.machine.view.model, 3815), NOW_NS);
	live_update(scene.live, NOW_NS + SECOND);
	live_refresh(scene.live, NOW_NS - SECOND);
	assert_string_equal(cell(&scene, 3816, LIVE_CPU), "?");
	assert_null(strchr(rows_of(&scene), '*'));
	scene_end(&scene);
}

/* As without privileges, where each frame takes a new snapshot. */
static void another_model_is_remembered_by_pid_and_start(void **state)
{
	struct scene scene;
	struct model *old;
	struct host_record host = {{sizeof(host), RECORD_HOST, 0}, {0}};

	(void)state;
	scene_start(&scene);
	old = scene.machine.view.model;
	scene.machine.view.model = model_new();
	for (int kind = 0; kind < NS_KINDS; kind++)
		host.ns[kind] = HOST_NS(kind);
	model_apply(scene.machine.view.model, &host.header);
	add_host(&scene);
	add_containers(&scene);
	machine_settle(&scene.machine);
	model_free(old);
	use(&scene, 612, SECOND);
	live_fold_all(scene.live, false);
	live_update(scene.live, NOW_NS + SECOND);
	assert_string_equal(cell(&scene, 612, LIVE_CPU), "100");
	assert_null(strchr(rows_of(&scene), '*'));
	scene_end(&scene);
}

static void order_is_kept_while_cpu_only_trembles(void **state)
{
	static const uint64_t per_mille[] = {49, 51, 49, 52, 48};
	struct scene scene;
	size_t count;

	(void)state;
	scene_start(&scene);
	scene.plain.caps = scene.priv.caps = caps_full(40);
	for (int set = 0; set < CAP_SETS; set++)
		((struct task_record *)model_find(scene.machine.view.model, 3815)->task)
			->caps[set] = caps_full(40);
	for (size_t i = 0; i < ARRAY_SIZE(per_mille); i++) {
		use(&scene, 4170, per_mille[i] * SECOND / 1000);
		use(&scene, 3816, 50 * SECOND / 1000);
		live_update(scene.live, NOW_NS + (i + 1) * SECOND);
		assert_string_equal(live_groups(scene.live, &count)[0].container->name, "plain");
	}
	use(&scene, 4170, SECOND / 2);
	live_update(scene.live, NOW_NS + 9 * SECOND);
	live_update(scene.live, NOW_NS + 10 * SECOND);
	use(&scene, 4170, SECOND / 2);
	live_update(scene.live, NOW_NS + 11 * SECOND);
	assert_string_equal(live_groups(scene.live, &count)[0].container->name, "priv");
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(containers_stand_by_their_power_and_the_host_last_and_folded),
		cmocka_unit_test(a_drifting_container_stands_first),
		cmocka_unit_test(a_privileged_container_is_one_without_every_capability_too),
		cmocka_unit_test(a_group_says_what_is_to_be_said_of_it),
		cmocka_unit_test(
			what_counts_only_in_a_user_namespace_stands_with_what_counts_for_nothing),
		cmocka_unit_test(what_a_container_was_given_beyond_the_usual_is_named),
		cmocka_unit_test(a_pid_used_again_is_somebody_else),
		cmocka_unit_test(a_process_is_new_for_three_seconds),
		cmocka_unit_test(a_change_of_identity_is_marked),
		cmocka_unit_test(what_came_and_went_is_counted_and_shown_for_a_second),
		cmocka_unit_test(what_was_there_in_the_frame_before_did_not_come_and_go),
		cmocka_unit_test(cpu_is_that_of_the_time_between_two_updates),
		cmocka_unit_test(a_replay_has_no_cpu_and_a_paused_one_keeps_its_counts),
		cmocka_unit_test(a_clock_that_goes_back_begins_anew),
		cmocka_unit_test(another_model_is_remembered_by_pid_and_start),
		cmocka_unit_test(order_is_kept_while_cpu_only_trembles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
