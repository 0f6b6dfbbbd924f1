/* SPDX-License-Identifier: GPL-2.0-only */
#include "model_make.h"

struct repairs {
	struct model *model;
	enum event_action actions[16];
	uint32_t tgids[16];
	uint16_t flags[16];
	size_t count;
	size_t silent;
};

static int take_repair(void *context, const struct record_header *record)
{
	const struct event_record *event = (const struct event_record *)record;
	struct repairs *repairs = context;

	if (record->type == RECORD_EVENT) {
		assert_true(repairs->count < ARRAY_SIZE(repairs->actions));
		assert_true(event->flags & EVENT_REPAIR);
		assert_int_equal(event->sequence, 0);
		repairs->actions[repairs->count] = event->action;
		repairs->tgids[repairs->count] = event->tgid;
		repairs->flags[repairs->count++] = event->flags;
	} else {
		repairs->silent++;
	}
	apply(repairs->model, record);
	return 0;
}

/* A sweep that sees init and the given ones, as they are in a snapshot. */
static struct repairs sweep(struct model *model, uint64_t begin_ns, const uint32_t *seen,
			    size_t count)
{
	struct repairs repairs = {.model = model};
	uint64_t room[EVENT_TASK_MAX / 8];

	model_sweep_begin(model, begin_ns, true);
	model_sweep_take(model, &task_make(room, 1, "init")->header);
	for (size_t i = 0; i < count; i++)
		model_sweep_take(model, &task_make(room, seen[i], "sh")->header);
	assert_int_equal(model_sweep_end(model, begin_ns + 1, take_repair, &repairs), 0);
	return repairs;
}

static void a_sweep_that_agrees_tells_nothing(void **state)
{
	struct model *model = model_of_two();
	struct repairs repairs = sweep(model, SECOND * 1000, (uint32_t[]){100}, 1);
	(void)state;

	assert_int_equal(repairs.count, 0);
	assert_int_equal(repairs.silent, 0);
	model_free(model);
}

static void a_sweep_tells_of_forks_and_exits_that_were_missed(void **state)
{
	struct model *model = model_of_two();
	struct repairs repairs = sweep(model, SECOND * 1000, (uint32_t[]){500}, 1);
	(void)state;

	assert_int_equal(repairs.count, 2);
	assert_int_equal(repairs.actions[0], EVENT_EXIT);
	assert_int_equal(repairs.tgids[0], 100);
	assert_int_equal(repairs.actions[1], EVENT_FORK);
	assert_int_equal(repairs.tgids[1], 500);
	assert_true(repairs.flags[0] & EVENT_INFERRED && repairs.flags[1] & EVENT_INFERRED);
	assert_null(model_find(model, 100));
	assert_non_null(model_find(model, 500));
	assert_int_equal(model_find(model, 500)->task->state, 'S');
	model_free(model);
}

static void a_sweep_does_not_know_better_than_what_came_after_it_began(void **state)
{
	struct model *model = model_of_two();
	struct repairs repairs;
	uint64_t room[EVENT_TASK_MAX / 8];
	(void)state;

	apply_fork(model, 300, 100, "sh");
	model_sweep_begin(model, start_of(300), true);
	repairs = (struct repairs){.model = model};
	model_sweep_take(model, &task_make(room, 1, "init")->header);
	model_sweep_take(model, &task_make(room, 400, "sh")->header);
	/* Between: 300 is older than its last event, 400 has ended since, 500 is new. */
	apply_fork(model, 400, 100, "sh");
	apply_exit(model, 400);
	apply_fork(model, 500, 100, "sh");
	assert_int_equal(model_sweep_end(model, start_of(600), take_repair, &repairs), 0);
	assert_int_equal(repairs.count, 1);
	assert_int_equal(repairs.tgids[0], 100);
	assert_non_null(model_find(model, 300));
	assert_null(model_find(model, 400));
	assert_non_null(model_find(model, 500));
	model_free(model);
}

static void a_zombie_comes_and_goes_in_silence(void **state)
{
	struct model *model = model_of_two();
	struct repairs repairs = {.model = model};
	uint64_t room[EVENT_TASK_MAX / 8];
	struct task_record *zombie;
	(void)state;

	apply_exit(model, 100);
	for (int round = 0; round < 2; round++) {
		model_sweep_begin(model, SECOND * (1000 + (uint64_t)round), true);
		model_sweep_take(model, &task_make(room, 1, "init")->header);
		zombie = task_make(room, 100, "sh");
		zombie->flags = TASK_ZOMBIE;
		model_sweep_take(model, &zombie->header);
		model_sweep_end(model, SECOND * 2000, take_repair, &repairs);
		assert_int_equal(repairs.count, 0);
		assert_non_null(model_find(model, 100));
	}
	repairs = sweep(model, SECOND * 3000, NULL, 0);
	assert_int_equal(repairs.count, 1);
	assert_false(repairs.flags[0] & EVENT_INFERRED);
	apply_fork(model, 300, 1, "init");
	assert_null(model_find(model, 100));
	model_free(model);
}

/* Its leader ended before its last thread, of which the kernel still holds something. */
static void a_process_whose_end_was_told_has_not_ended_twice(void **state)
{
	struct model *model = model_of_two();
	struct repairs repairs = {.model = model};
	uint64_t room[EVENT_TASK_MAX / 8];
	struct task_record *leader;
	(void)state;

	apply_exit(model, 100);
	model_sweep_begin(model, SECOND * 1000, true);
	model_sweep_take(model, &task_make(room, 1, "init")->header);
	leader = task_make(room, 100, "sh");
	leader->flags = TASK_ZOMBIE;
	leader->threads = 2;
	model_sweep_take(model, &leader->header);
	model_sweep_end(model, SECOND * 1001, take_repair, &repairs);
	assert_null(model_find(model, 100));
	repairs = sweep(model, SECOND * 2000, NULL, 0);
	assert_int_equal(repairs.count, 0);
	model_free(model);
}

/* The end of the process that had the pid before was lost. */
static void a_pid_that_is_another_processs_by_now_tells_of_the_first_ones_end(void **state)
{
	struct model *model = model_of_two();
	struct repairs repairs = {.model = model};
	struct event_make make = {0};
	(void)state;

	event_start(&make, EVENT_FORK, 100, 1);
	assert_int_equal(model_sweep_reused(model, &make.record, take_repair, &repairs), 0);
	assert_int_equal(repairs.count, 0);
	make.record.start_boot_ns = start_of(200);
	assert_int_equal(model_sweep_reused(model, &make.record, take_repair, &repairs), 0);
	assert_int_equal(repairs.count, 1);
	assert_int_equal(repairs.actions[0], EVENT_EXIT);
	assert_int_equal(repairs.tgids[0], 100);
	assert_true(repairs.flags[0] & EVENT_INFERRED);
	model_free(model);
}

static void a_sweep_tells_of_credentials_and_namespaces_that_changed(void **state)
{
	struct model *model = model_of_two();
	struct repairs repairs = {.model = model};
	uint64_t room[EVENT_TASK_MAX / 8];
	struct task_record *task;
	(void)state;

	for (int round = 0; round < 2; round++) {
		model_sweep_begin(model, SECOND * (1000 + (uint64_t)round), true);
		model_sweep_take(model, &task_make(room, 1, "init")->header);
		task = task_make(room, 100, "sh");
		task->ids.euid = 1000;
		task->ns[NS_NET] = 4026533000U;
		model_sweep_take(model, &task->header);
		model_sweep_end(model, SECOND * 2000, take_repair, &repairs);
		assert_int_equal(repairs.count, 1);
	}
	assert_int_equal(repairs.actions[0], EVENT_CREDENTIALS);
	assert_int_equal(model_find(model, 100)->task->ids.euid, 1000);
	assert_int_equal(model_find(model, 100)->args_length, 11);
	model_free(model);
}

/* How many events it makes of a process 100 with the given user. */
static size_t sweep_with_euid(struct model *model, uint32_t euid, bool has_missed)
{
	static uint64_t now_ns = SECOND * 1000;
	struct repairs repairs = {.model = model};
	uint64_t room[EVENT_TASK_MAX / 8];
	struct task_record *task;

	model_sweep_begin(model, now_ns += SECOND, has_missed);
	model_sweep_take(model, &task_make(room, 1, "init")->header);
	task = task_make(room, 100, "sh");
	task->ids.euid = euid;
	model_sweep_take(model, &task->header);
	assert_int_equal(model_sweep_end(model, now_ns, take_repair, &repairs), 0);
	return repairs.count;
}

static void without_a_gap_two_successive_sweeps_must_see_other_credentials(void **state)
{
	struct model *model = model_of_two();
	(void)state;

	assert_int_equal(sweep_with_euid(model, 1000, false), 0);
	assert_int_equal(model_find(model, 100)->task->ids.euid, 0);
	assert_int_equal(sweep_with_euid(model, 0, false), 0);
	assert_int_equal(sweep_with_euid(model, 1000, false), 0);
	assert_int_equal(sweep_with_euid(model, 1000, false), 1);
	assert_int_equal(model_find(model, 100)->task->ids.euid, 1000);
	assert_int_equal(sweep_with_euid(model, 0, true), 1);
	model_free(model);
}

static void cpu_time_is_that_of_all_threads_at_the_last_sweep(void **state)
{
	struct model *model = model_of_two();
	struct thread_record thread = {.header = {sizeof(thread), RECORD_THREAD, 0},
				       .start_boot_ns = start_of(100),
				       .cpu_ns = 300,
				       .tgid = 100,
				       .tid = 99};
	uint64_t room[EVENT_TASK_MAX / 8];
	struct repairs repairs = {.model = model};
	(void)state;

	for (int round = 0; round < 2; round++) {
		model_sweep_begin(model, SECOND * (1000 + (uint64_t)round), true);
		model_sweep_take(model, &thread.header);
		model_sweep_take(model, &task_make(room, 1, "init")->header);
		model_sweep_take(model, &task_make(room, 100, "sh")->header);
		model_sweep_end(model, SECOND * 2000, take_repair, &repairs);
		assert_int_equal(model_find(model, 100)->cpu_ns, 5300);
	}
	model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sweep_that_agrees_tells_nothing),
		cmocka_unit_test(a_sweep_tells_of_forks_and_exits_that_were_missed),
		cmocka_unit_test(a_sweep_does_not_know_better_than_what_came_after_it_began),
		cmocka_unit_test(a_zombie_comes_and_goes_in_silence),
		cmocka_unit_test(a_process_whose_end_was_told_has_not_ended_twice),
		cmocka_unit_test(a_pid_that_is_another_processs_by_now_tells_of_the_first_ones_end),
		cmocka_unit_test(a_sweep_tells_of_credentials_and_namespaces_that_changed),
		cmocka_unit_test(without_a_gap_two_successive_sweeps_must_see_other_credentials),
		cmocka_unit_test(cpu_time_is_that_of_all_threads_at_the_last_sweep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
