/* SPDX-License-Identifier: GPL-2.0-only */
/* Records from outside: a sound one is taken, anything else is not, and what is taken holds. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "wire/wire.h"

#define BYTES_MAX 2048
#define MUTATIONS 200000
#define PATH "/system.slice/web.service"

static size_t padded(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

/* A task with three pid levels, two groups and a path, in zeroed memory of BYTES_MAX. */
static struct task_record *task_new(void)
{
	struct task_record *task = mem_new(BYTES_MAX);
	struct pid_level *chain = (void *)(task + 1);
	uint32_t *groups;

	task->header.type = RECORD_TASK;
	task->chain_count = 3;
	for (uint32_t i = 0; i < 3; i++)
		chain[i] = (struct pid_level){.ns = 4026531836U + i, .pid = 300 - i};
	task->groups_total = task->groups_kept = 2;
	groups = (void *)(chain + 3);
	groups[0] = 27;
	groups[1] = 1000;
	task->cgroup_length = strlen(PATH);
	memcpy(groups + 2, PATH, strlen(PATH));
	memcpy(task->comm, "web", 4);
	task->header.size = (uint32_t)padded(sizeof(*task) + 3 * 8 + 2 * 4 + strlen(PATH));
	return task;
}

static struct args_record *args_new(uint32_t length)
{
	struct args_record *args = mem_new(BYTES_MAX);

	args->header.type = RECORD_ARGS;
	args->length = length;
	args->header.size = (uint32_t)padded(sizeof(*args) + length);
	return args;
}

static void is_refused_after(struct task_record *task)
{
	assert_false(record_is_sound(&task->header, BYTES_MAX));
	free(task);
}

static void test_a_sound_task_is_taken_and_its_tail_is_found(void **state)
{
	autofree struct task_record *task = task_new();

	(void)state;
	assert_true(record_is_sound(&task->header, task->header.size));
	assert_int_equal(record_chain(task)[2].pid, 298);
	assert_int_equal(record_groups(task)[1], 1000);
	assert_memory_equal(record_cgroup_path(task), PATH, strlen(PATH));
}

static void test_the_largest_task_is_taken(void **state)
{
	autofree struct task_record *task = task_new();

	(void)state;
	task->chain_count = PID_LEVELS_MAX;
	task->groups_kept = GROUPS_KEPT;
	task->groups_total = 65536;
	task->cgroup_length = CGROUP_PATH_MAX;
	task->header.size = (uint32_t)padded(sizeof(*task) + PID_LEVELS_MAX * 8 + GROUPS_KEPT * 4 +
					     CGROUP_PATH_MAX);
	assert_true(record_is_sound(&task->header, task->header.size));
}

static void test_the_fixed_types_are_taken_at_their_size_only(void **state)
{
	static const struct {
		uint16_t type;
		uint32_t size;
	} fixed[] = {
		{RECORD_HOST, sizeof(struct host_record)},
		{RECORD_THREAD, sizeof(struct thread_record)},
	};
	uint64_t bytes[16] = {0};
	struct record_header *record = (void *)bytes;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++) {
		record->type = fixed[i].type;
		for (record->size = 0; record->size <= sizeof(bytes); record->size++)
			assert_int_equal(record_is_sound(record, sizeof(bytes)),
					 record->size == fixed[i].size);
	}
}

static void test_a_record_that_is_cut_anywhere_is_refused(void **state)
{
	autofree struct task_record *task = task_new();
	autofree struct args_record *args = args_new(100);

	(void)state;
	/* Exactly as much memory as is said to be there, so that a sanitizer sees a step beyond. */
	for (size_t available = 0; available < task->header.size; available++) {
		autofree void *copy = malloc(available ? available : 1);

		memcpy(copy, task, available);
		assert_false(record_is_sound(copy, available));
	}
	for (size_t available = 0; available < args->header.size; available++) {
		autofree void *copy = malloc(available ? available : 1);

		memcpy(copy, args, available);
		assert_false(record_is_sound(copy, available));
	}
}

static void test_counts_beyond_their_bounds_are_refused(void **state)
{
	struct task_record *task = task_new();

	(void)state;
	task->chain_count = 0;
	task->header.size -= 3 * sizeof(struct pid_level);
	is_refused_after(task);
	task = task_new();
	task->chain_count = PID_LEVELS_MAX + 1;
	task->header.size += (PID_LEVELS_MAX - 2) * sizeof(struct pid_level);
	is_refused_after(task);
	task = task_new();
	task->groups_kept = task->groups_total = GROUPS_KEPT + 2;
	task->header.size += GROUPS_KEPT * sizeof(uint32_t);
	is_refused_after(task);
	task = task_new();
	task->groups_total = 1; /* fewer than are there */
	is_refused_after(task);
	task = task_new();
	task->cgroup_length = CGROUP_PATH_MAX + 1;
	task->header.size = (uint32_t)padded(sizeof(*task) + 3 * 8 + 2 * 4 + CGROUP_PATH_MAX + 1);
	is_refused_after(task);
	task = task_new();
	task->cgroup_hierarchy = CGROUP_HIERARCHIES;
	is_refused_after(task);
}

static void test_a_size_that_the_counts_do_not_add_up_to_is_refused(void **state)
{
	struct task_record *task = task_new();

	(void)state;
	task->header.size += 8;
	is_refused_after(task);
	task = task_new();
	task->header.size -= 8;
	is_refused_after(task);
	task = task_new();
	task->header.size -= 1;
	is_refused_after(task);
	task = task_new();
	task->header.size = UINT32_MAX;
	is_refused_after(task);
}

static void test_a_name_without_its_end_is_refused(void **state)
{
	struct task_record *task = task_new();

	(void)state;
	memset(task->comm, 'x', COMM_SIZE);
	is_refused_after(task);
}

static void test_arguments_longer_than_their_record_are_refused(void **state)
{
	autofree struct args_record *args = args_new(100);

	(void)state;
	assert_true(record_is_sound(&args->header, args->header.size));
	args->length = 105;
	assert_false(record_is_sound(&args->header, BYTES_MAX));
	args->length = UINT32_MAX; /* and 31 more would be 30 again */
	assert_false(record_is_sound(&args->header, BYTES_MAX));
	args->length = 100;
	args->kind = ARGS_EXE + 1;
	assert_false(record_is_sound(&args->header, BYTES_MAX));
}

static void test_unknown_types_are_refused(void **state)
{
	uint64_t bytes[1024 / 8] = {0};
	struct record_header *record = (void *)bytes;

	(void)state;
	record->size = sizeof(bytes);
	for (uint32_t type = 0; type <= UINT16_MAX; type++) {
		record->type = (uint16_t)type;
		if (type < RECORD_HOST || type > RECORD_ARGS)
			assert_false(record_is_sound(record, sizeof(bytes)));
	}
}

/* Everything that a sound record lets its readers look at. */
static void is_within(const struct record_header *record)
{
	const char *end = (const char *)record + record->size;

	if (record->type == RECORD_TASK) {
		const struct task_record *task = (const void *)record;

		assert_true(record_cgroup_path(task) + task->cgroup_length <= end);
		assert_true(memchr(task->comm, 0, COMM_SIZE));
	} else if (record->type == RECORD_ARGS) {
		const struct args_record *args = (const void *)record;

		assert_true(record_args(args) + args->length <= end);
	}
}

static void test_whatever_is_taken_stays_within_its_bytes(void **state)
{
	autofree struct task_record *task = task_new();
	autofree struct args_record *args = args_new(100);
	size_t taken = 0;

	(void)state;
	srandom(1);
	for (size_t i = 0; i < MUTATIONS; i++) {
		const struct record_header *from = i % 2 ? &task->header : &args->header;
		size_t available = from->size;
		autofree unsigned char *copy = malloc(available);

		memcpy(copy, from, available);
		for (long changes = random() % 4; changes >= 0; changes--) {
			/* Mostly where sizes and counts are. */
			size_t room = random() % 2 ? available : 40;

			copy[(size_t)random() % room] = (unsigned char)(random() & 0xff);
		}
		if (record_is_sound((const void *)copy, available)) {
			is_within((const void *)copy);
			taken++;
		}
	}
	assert_in_range(taken, 1, MUTATIONS - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_sound_task_is_taken_and_its_tail_is_found),
		cmocka_unit_test(test_the_largest_task_is_taken),
		cmocka_unit_test(test_the_fixed_types_are_taken_at_their_size_only),
		cmocka_unit_test(test_a_record_that_is_cut_anywhere_is_refused),
		cmocka_unit_test(test_counts_beyond_their_bounds_are_refused),
		cmocka_unit_test(test_a_size_that_the_counts_do_not_add_up_to_is_refused),
		cmocka_unit_test(test_a_name_without_its_end_is_refused),
		cmocka_unit_test(test_arguments_longer_than_their_record_are_refused),
		cmocka_unit_test(test_unknown_types_are_refused),
		cmocka_unit_test(test_whatever_is_taken_stays_within_its_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
