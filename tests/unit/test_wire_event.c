/* SPDX-License-Identifier: GPL-2.0-only */
/* Events from outside: each part is found where it is, and nothing that is not whole is taken. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "event_make.h"

static const uint32_t groups[] = {27, 1000, 1001};
static const char args[] = "sh\0-c\0id";
static const char path[] = "/docker/de4939f2";

/* Every part that there is, each with other bytes. */
static void make_whole(struct event_make *make)
{
	struct id_block in_ids = {.uid = 1, .fsgid = 8};
	struct event_before before = {.groups_total = 40, .groups_kept = 2, .securebits = 3};
	struct event_children children = {.pid_ns = 11, .map_ns = 12};
	struct event_exit exit = {.status = 256};
	struct event_cgroup cgroup = {.id = 99, .length = sizeof(path) - 1};
	struct event_exec exec = {.filename_length = 7,
				  .interpreter_length = 9,
				  .args_length = sizeof(args),
				  .env_length = 5,
				  .args_count = 3};
	struct task_identity *identity;

	event_make_start(make, EVENT_EXEC, 3816);
	identity = event_make_identity(make, "sh", 3);
	identity->groups_total = identity->groups_kept = 3;
	event_make_add(make, PART_GROUPS, groups, sizeof(groups));
	event_make_add(make, PART_IN_IDS, &in_ids, sizeof(in_ids));
	event_make_add(make, PART_BEFORE, &before, sizeof(before));
	event_make_add(make, PART_BEFORE_GROUPS, groups + 1, 2 * sizeof(*groups));
	event_make_add(make, PART_CHILDREN, &children, sizeof(children));
	event_make_add(make, PART_EXEC, &exec, sizeof(exec));
	event_make_add(make, PART_EXEC, "/bin/it", 7);
	event_make_add(make, PART_EXEC, "/bin/dash", 9);
	event_make_add(make, PART_EXEC, args, sizeof(args));
	event_make_add(make, PART_EXEC, "A=bc", 5);
	event_make_add(make, PART_EXIT, &exit, sizeof(exit));
	event_make_add(make, PART_CGROUP, &cgroup, sizeof(cgroup));
	event_make_add(make, PART_CGROUP, path, sizeof(path) - 1);
}

static bool is_sound(const struct event_make *make)
{
	return record_is_sound(&make->record.header, sizeof(make->bytes));
}

static void test_each_part_of_a_whole_event_is_found(void **state)
{
	struct event_make make = {0};
	struct event event;

	(void)state;
	make_whole(&make);
	assert_true(is_sound(&make));
	event_read(&make.record, &event);
	assert_string_equal(event.identity->comm, "sh");
	assert_int_equal(event.chain[2].pid, 1);
	assert_memory_equal(event.groups, groups, sizeof(groups));
	assert_int_equal(event.in_ids->fsgid, 8);
	assert_int_equal(event.before->securebits, 3);
	assert_int_equal(event.before_groups[1], 1001);
	assert_int_equal(event.children->map_ns, 12);
	assert_memory_equal(event.filename, "/bin/it", 7);
	assert_memory_equal(event.interpreter, "/bin/dash", 9);
	assert_memory_equal(event.args, args, sizeof(args));
	assert_string_equal(event.env, "A=bc");
	assert_int_equal(event.exit->status, 256);
	assert_int_equal(event.cgroup->id, 99);
	assert_memory_equal(event.cgroup_path, path, sizeof(path) - 1);
}

static void test_ids_inside_are_those_outside_when_none_came(void **state)
{
	struct event_make make = {0};
	struct task_identity *identity;
	struct event event;

	(void)state;
	event_make_start(&make, EVENT_FORK, 5);
	identity = event_make_identity(&make, "a", 1);
	identity->ids.euid = 1000;
	assert_true(is_sound(&make));
	event_read(&make.record, &event);
	assert_int_equal(event.in_ids->euid, 1000);
	assert_null(event.before);
	assert_null(event.exec);
}

static void test_an_event_that_is_cut_anywhere_is_refused(void **state)
{
	struct event_make make = {0};
	uint32_t whole;

	(void)state;
	make_whole(&make);
	whole = make.record.header.size;
	for (uint32_t size = 0; size < whole; size++) {
		autofree struct event_record *copy = malloc(size ? size : 1);

		memcpy(copy, &make, size);
		assert_false(record_is_sound(&copy->header, size));
		if (size < sizeof(struct record_header))
			continue;
		copy->header.size = size;
		assert_false(record_is_sound(&copy->header, size));
	}
}

static void test_what_an_action_cannot_be_told_without_is_asked_for(void **state)
{
	struct event_make make = {0};

	(void)state;
	event_make_start(&make, EVENT_EXIT, 5);
	assert_false(is_sound(&make));
	event_make_exit(&make, 9);
	assert_true(is_sound(&make));
	for (int action = EVENT_FORK; action < EVENT_ACTIONS; action++) {
		event_make_start(&make, (enum event_action)action, 5);
		assert_false(is_sound(&make));
	}
}

static void is_refused_with(size_t offset, uint8_t value)
{
	struct event_make make = {0};

	make_whole(&make);
	assert_true(is_sound(&make));
	make.bytes[offset] = (char)value;
	assert_false(is_sound(&make));
}

static void test_numbers_that_mean_nothing_are_refused(void **state)
{
	(void)state;
	is_refused_with(offsetof(struct event_record, action), 0);
	is_refused_with(offsetof(struct event_record, action), EVENT_ACTIONS);
	is_refused_with(offsetof(struct event_record, hook), HOOKS);
	is_refused_with(offsetof(struct event_record, tier), TIERS);
	is_refused_with(offsetof(struct event_record, cause), CAUSES);
	is_refused_with(offsetof(struct event_record, chain_count), PID_LEVELS_MAX + 1);
	is_refused_with(offsetof(struct event_record, chain_count), 2);
	is_refused_with(sizeof(struct event_record) + offsetof(struct task_identity, groups_kept),
			GROUPS_KEPT + 1);
	is_refused_with(sizeof(struct event_record) + offsetof(struct task_identity, chain_count),
			2);
	is_refused_with(sizeof(struct event_record) + offsetof(struct task_identity, comm) +
				COMM_SIZE - 1,
			'x');
}

static void test_an_event_becomes_the_row_of_a_snapshot(void **state)
{
	struct event_make make = {0};
	uint64_t room[EVENT_TASK_MAX / 8];
	struct task_record *task;
	struct event event;

	(void)state;
	make_whole(&make);
	make.record.ppid = 12;
	event_read(&make.record, &event);
	task = event_task(&event, path, strlen(path), room);
	assert_true(record_is_sound(&task->header, sizeof(room)));
	assert_int_equal(task->tgid, 3816);
	assert_int_equal(task->ppid, 12);
	assert_int_equal(task->start_boot_ns, 3816000000000);
	assert_string_equal(task->comm, "sh");
	assert_int_equal(task->in_ids.uid, 1);
	assert_int_equal(record_chain(task)[1].pid, 7);
	assert_int_equal(record_groups(task)[2], 1001);
	assert_memory_equal(record_cgroup_path(task), path, strlen(path));
	assert_true(task->unknown & FIELD_BIT(FIELD_CPU));
	assert_false(task->unknown & FIELD_BIT(FIELD_IDS));
}

static void test_the_longest_path_of_a_row_fits(void **state)
{
	struct event_make make = {0};
	uint64_t room[EVENT_TASK_MAX / 8];
	char longest[CGROUP_PATH_MAX + 10];
	struct task_record *task;
	struct event event;

	(void)state;
	memset(longest, 'x', sizeof(longest));
	make_whole(&make);
	event_read(&make.record, &event);
	task = event_task(&event, longest, sizeof(longest), room);
	assert_true(record_is_sound(&task->header, sizeof(room)));
	assert_int_equal(task->cgroup_length, CGROUP_PATH_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_part_of_a_whole_event_is_found),
		cmocka_unit_test(test_ids_inside_are_those_outside_when_none_came),
		cmocka_unit_test(test_an_event_that_is_cut_anywhere_is_refused),
		cmocka_unit_test(test_what_an_action_cannot_be_told_without_is_asked_for),
		cmocka_unit_test(test_numbers_that_mean_nothing_are_refused),
		cmocka_unit_test(test_an_event_becomes_the_row_of_a_snapshot),
		cmocka_unit_test(test_the_longest_path_of_a_row_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
