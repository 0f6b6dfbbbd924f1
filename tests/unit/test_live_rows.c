/* SPDX-License-Identifier: GPL-2.0-only */
#include "live_scene.h"

static void folding_is_of_the_group_and_stays(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene);
	live_fold(scene.live, group_of(&scene, "plain")->key, true);
	live_fold(scene.live, group_of(&scene, "host")->key, false);
	live_update(scene.live, NOW_NS + SECOND);
	assert_string_equal(rows_of(&scene), "-priv  docker 1/ 4170/+plain  docker 2/"
					     "-pid:4026539021 1/ 4388/-host 4/ 1/ 2/ 612/ 3727");
	live_fold_all(scene.live, true);
	assert_string_equal(rows_of(&scene),
			    "+priv  docker 1/+plain  docker 2/+pid:4026539021 1/+host 4");
	live_fold(scene.live, group_of(&scene, "priv")->key, false);
	assert_string_equal(rows_of(&scene), "-priv  docker 1/ 4170/+plain  docker 2/"
					     "+pid:4026539021 1/+host 4");
	scene_end(&scene);
}

static void the_host_is_open_where_there_is_no_container(void **state)
{
	struct scene scene;
	const struct live_settings settings = {.selection = {.only_host = true}};

	(void)state;
	scene_start(&scene);
	live_set(scene.live, &settings);
	assert_string_equal(rows_of(&scene), "-host 4/ 1/ 2/ 612/ 3727");
	scene_end(&scene);
}

static void only_what_is_selected_is_shown_and_summed(void **state)
{
	struct scene scene;
	struct filter *filter = NULL;
	struct text complaint = {0};
	struct live_settings settings = {.has_user = true, .uid = USER_NAMELESS};
	struct live_sums sums;

	(void)state;
	scene_start(&scene);
	live_sum(scene.live, &sums);
	assert_int_equal(sums.containers, 3);
	assert_int_equal(sums.host_root, 2);
	assert_int_equal(sums.privileged, 1);
	assert_int_equal(sums.procs, 8);
	live_set(scene.live, &settings);
	assert_string_equal(rows_of(&scene), "-pid:4026539021 1/ 4388/+host 1");
	assert_int_equal(filter_parse("pid > 3815 and runtime=docker", &scene.machine.view, &filter,
				      &complaint),
			 0);
	settings = (struct live_settings){.filter = filter};
	live_set(scene.live, &settings);
	assert_string_equal(rows_of(&scene), "-priv  docker 1/ 4170/-plain  docker 1/ 3816");
	live_sum(scene.live, &sums);
	assert_int_equal(sums.procs, 2);
	assert_int_equal(sums.left_out, 0);
	filter_free(filter);
	scene_end(&scene);
}

static void what_would_turn_on_something_unknown_is_counted(void **state)
{
	struct scene scene;
	const struct live_settings settings = {.has_user = true, .uid = 0};
	struct live_sums sums;

	(void)state;
	scene_start(&scene);
	model_find(scene.machine.view.model, 3727)->unknown = FIELD_BIT(FIELD_IDS);
	model_find(scene.machine.view.model, 612)->unknown = FIELD_BIT(FIELD_IDS);
	live_set(scene.live, &settings);
	live_sum(scene.live, &sums);
	assert_int_equal(sums.procs, 5);
	assert_int_equal(sums.left_out, 2);
	scene_end(&scene);
}

/* Not what ps means by it, which is the average of a life. */
static void a_filter_for_cpu_goes_by_what_is_shown(void **state)
{
	struct scene scene;
	struct filter *filter = NULL;
	struct text complaint = {0};
	struct live_settings settings = {0};

	(void)state;
	scene_start(&scene);
	assert_int_equal(filter_parse("cpu >= 50", &scene.machine.view, &filter, &complaint), 0);
	settings.filter = filter;
	live_set(scene.live, &settings);
	assert_string_equal(rows_of(&scene), "");
	use(&scene, 3816, SECOND / 2);
	use(&scene, 612, SECOND / 3);
	live_update(scene.live, NOW_NS + SECOND);
	assert_string_equal(rows_of(&scene), "-plain  docker 1/ 3816");
	filter_free(filter);
	scene_end(&scene);
}

static void rows_are_sorted_within_their_group(void **state)
{
	struct scene scene;
	struct live_settings settings = {.sort = column_of("rss")};

	(void)state;
	scene_start(&scene);
	live_set(scene.live, &settings);
	assert_non_null(strstr(rows_of(&scene), "plain  docker 2/ 3816/ 3815/"));
	settings.is_reversed = true;
	live_set(scene.live, &settings);
	assert_non_null(strstr(rows_of(&scene), "plain  docker 2/ 3815/ 3816/"));
	use(&scene, 3816, SECOND / 4);
	settings.sort = column_of("cpu");
	live_set(scene.live, &settings);
	live_update(scene.live, NOW_NS + SECOND);
	assert_non_null(strstr(rows_of(&scene), "plain  docker 2/ 3816/ 3815/"));
	settings.is_reversed = false;
	live_set(scene.live, &settings);
	assert_non_null(strstr(rows_of(&scene), "plain  docker 2/ 3815/ 3816/"));
	settings = (struct live_settings){.is_reversed = true};
	live_set(scene.live, &settings);
	assert_non_null(strstr(rows_of(&scene), "plain  docker 2/ 3815/ 3816/"));
	scene_end(&scene);
}

static void a_tree_stands_in_each_group_and_the_ended_below_it(void **state)
{
	struct scene scene;
	const struct live_settings settings = {.is_tree = true};

	(void)state;
	scene_start(&scene);
	fork_inside(&scene, 3814, NOW_NS);
	end_at(&scene, 3814, NOW_NS);
	fork_inside(&scene, 3900, NOW_NS);
	live_set(scene.live, &settings);
	live_fold_all(scene.live, false);
	assert_string_equal(rows_of(&scene),
			    "-priv  docker 1/ 4170/-plain  docker 3/ 3816/ 3900/ 3815/x3814/"
			    "-pid:4026539021 1/ 4388/-host 4/ 1/ 612/ 3727/ 2");
	assert_string_equal(cell(&scene, 3900, LIVE_COMMAND), " \\_ sleep 3600");
	assert_string_equal(cell(&scene, 3814, LIVE_COMMAND), "sleep 3600");
	scene_end(&scene);
}

static void search_goes_round_in_both_directions(void **state)
{
	struct scene scene;

	(void)state;
	scene_start(&scene);
	assert_int_equal(live_find(scene.live, "BASH", 0, false), 4);
	assert_int_equal(live_find(scene.live, "BASH", 5, false), 4);
	assert_int_equal(live_find(scene.live, "docker", 5, false), 0);
	assert_int_equal(live_find(scene.live, "plain", 0, true), 2);
	assert_int_equal(live_find(scene.live, "userns of", 0, false), 5);
	assert_int_equal(live_find(scene.live, "sshd", 0, false), SIZE_MAX);
	scene_end(&scene);
}

static void going_to_a_process_opens_its_group(void **state)
{
	struct scene scene;
	uint64_t start = (NOW_BOOT - 3600) * SECOND;

	(void)state;
	scene_start(&scene);
	assert_int_equal(live_go(scene.live, 3816, start), 3);
	assert_int_equal(live_go(scene.live, 612, start + 1), SIZE_MAX);
	assert_int_equal(live_go(scene.live, 5000, start), SIZE_MAX);
	assert_int_equal(live_go(scene.live, 612, start), 10);
	assert_non_null(strstr(rows_of(&scene), "-host 4/ 1/ 2/ 612/"));
	scene_end(&scene);
}

static void sizes_are_short_and_what_is_not_known_is_a_question_mark(void **state)
{
	struct scene scene;
	struct task_record *task;

	(void)state;
	scene_start(&scene);
	task = (struct task_record *)model_find(scene.machine.view.model, 3816)->task;
	assert_string_equal(cell(&scene, 3815, LIVE_MEMORY), "1716K");
	task->rss_pages = 422 * KIB * KIB / 4096;
	assert_string_equal(cell(&scene, 3816, LIVE_MEMORY), "422M");
	task->rss_pages = 12000 * KIB * KIB / 4096;
	assert_string_equal(cell(&scene, 3816, LIVE_MEMORY), "12G");
	model_find(scene.machine.view.model, 3816)->unknown = ~0ULL;
	live_refresh(scene.live, NOW_NS);
	for (int column = 0; column < LIVE_COMMAND; column++) {
		if (column != LIVE_PID && column != LIVE_IN_PID)
			assert_string_equal(cell(&scene, 3816, (enum live_column)column), "?");
	}
	assert_string_equal(group_cell(&scene, "plain", LIVE_CAPS), "?");
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folding_is_of_the_group_and_stays),
		cmocka_unit_test(the_host_is_open_where_there_is_no_container),
		cmocka_unit_test(only_what_is_selected_is_shown_and_summed),
		cmocka_unit_test(what_would_turn_on_something_unknown_is_counted),
		cmocka_unit_test(a_filter_for_cpu_goes_by_what_is_shown),
		cmocka_unit_test(rows_are_sorted_within_their_group),
		cmocka_unit_test(a_tree_stands_in_each_group_and_the_ended_below_it),
		cmocka_unit_test(search_goes_round_in_both_directions),
		cmocka_unit_test(going_to_a_process_opens_its_group),
		cmocka_unit_test(sizes_are_short_and_what_is_not_known_is_a_question_mark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
