/* SPDX-License-Identifier: GPL-2.0-only */
/* What processes use between snapshots: threads told one by one become a process's sum, and that goes
 * into the model. */
#include "model_make.h"

#include "source/usage.h"

#define TOLD_MAX 64

struct told {
	struct usage_record records[TOLD_MAX];
	size_t count;
};

static int tell(void *context, const struct record_header *record)
{
	struct told *told = context;

	assert_int_equal(record->type, RECORD_USAGE);
	assert_true(record_is_sound(record, record->size));
	assert_true(told->count < TOLD_MAX);
	told->records[told->count++] = *(const struct usage_record *)record;
	return 0;
}

static void take(struct usage *usage, enum record_type type, struct record_header *record,
		 size_t size)
{
	record->type = (__u16)type;
	record->size = (__u32)size;
	assert_int_equal(usage_take(usage, record), 0);
}

static void take_process(struct usage *usage, uint32_t tgid, uint32_t threads, uint64_t cpu_ns)
{
	struct usage_record record = {
		.rss_pages = tgid,
		.state = 'R',
		.threads = threads,
		.start_boot_ns = start_of(tgid),
		.cpu_ns = cpu_ns,
		.tgid = tgid,
	};

	take(usage, RECORD_USAGE, &record.header, sizeof(record));
}

static void take_thread(struct usage *usage, uint32_t tgid, uint32_t tid, uint64_t cpu_ns)
{
	struct thread_record record = {.tgid = tgid, .tid = tid, .cpu_ns = cpu_ns};

	record.start_boot_ns = start_of(tgid);
	take(usage, RECORD_THREAD, &record.header, sizeof(record));
}

static const struct usage_record *told_of(const struct told *told, uint32_t tgid)
{
	const struct usage_record *found = NULL;

	for (size_t i = 0; i < told->count; i++) {
		if (told->records[i].tgid != tgid)
			continue;
		assert_null(found);
		found = &told->records[i];
	}
	return found;
}

static void threads_count_for_their_process_wherever_they_stand(void **state)
{
	struct usage *usage = usage_new();
	struct told told = {0};
	(void)state;

	for (int round = 0; round < 2; round++) { /* nothing stays from the sample before */
		told.count = 0;
		usage_start(usage, tell, &told);
		take_thread(usage, 500, 90, 7); /* pids have gone round */
		take_process(usage, 100, 1, 40);
		take_process(usage, 500, 3, 1000);
		take_process(usage, 600, 2, 10000);
		take_thread(usage, 500, 601, 200);
		take_thread(usage, 600, 602, 50000);
		take_thread(usage, 700, 701, 1); /* its process has gone */
		assert_int_equal(usage_end(usage), 0);
		assert_int_equal(told.count, 3);
		assert_int_equal(told_of(&told, 100)->cpu_ns, 40);
		assert_int_equal(told_of(&told, 500)->cpu_ns, 1207);
		assert_int_equal(told_of(&told, 500)->rss_pages, 500);
		assert_int_equal(told_of(&told, 600)->cpu_ns, 60000);
	}
	usage_free(usage);
}

static void many_processes_with_threads_keep_their_own(void **state)
{
	struct usage *usage = usage_new();
	struct told told = {0};
	(void)state;

	usage_start(usage, tell, &told);
	for (uint32_t i = 1; i <= 3000; i++)
		take_thread(usage, 64 * i, 64 * i + 1, i);
	for (uint32_t i = 1; i <= TOLD_MAX; i++)
		take_process(usage, 64 * i, 2, 1000000);
	assert_int_equal(usage_end(usage), 0);
	assert_int_equal(told.count, TOLD_MAX);
	for (uint32_t i = 1; i <= TOLD_MAX; i++)
		assert_int_equal(told_of(&told, 64 * i)->cpu_ns, 1000000 + i);
	usage_free(usage);
}

static void apply_usage(struct model *model, uint32_t tgid, uint64_t start_boot_ns, uint64_t cpu_ns)
{
	const struct usage_record record = {
		.header = {.size = sizeof(record), .type = RECORD_USAGE},
		.start_boot_ns = start_boot_ns,
		.tgid = tgid,
		.threads = 4,
		.cpu_ns = cpu_ns,
		.vsz_pages = 30,
		.rss_pages = 20,
		.priority = 39,
		.nice = 19,
		.state = 'D',
	};

	assert_int_equal(model_apply(model, &record.header), 0);
}

static void the_model_has_what_its_process_uses_and_no_other_one(void **state)
{
	struct model *model = model_of_two();
	const struct proc *proc;
	(void)state;

	apply_fork(model, 200, 100, "sh");
	assert_true(model_find(model, 200)->unknown & FIELD_BIT(FIELD_CPU));
	apply_usage(model, 200, model_find(model, 200)->task->start_boot_ns, 123456);
	proc = model_find(model, 200);
	assert_int_equal(proc->cpu_ns, 123456);
	assert_int_equal(proc->task->rss_pages, 20);
	assert_int_equal(proc->task->vsz_pages, 30);
	assert_int_equal(proc->task->threads, 4);
	assert_int_equal(proc->task->nice, 19);
	assert_int_equal(proc->task->state, 'D');
	assert_false(proc->unknown & (FIELD_BIT(FIELD_CPU) | FIELD_BIT(FIELD_MEMORY)));
	/* CPU time never goes back, and who had the pid before is somebody else. */
	apply_usage(model, 200, proc->task->start_boot_ns, 123);
	apply_usage(model, 200, proc->task->start_boot_ns - 1, 999999);
	apply_usage(model, 4000, 1, 1);
	assert_int_equal(model_find(model, 200)->cpu_ns, 123456);
	assert_null(model_find(model, 4000));
	model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_count_for_their_process_wherever_they_stand),
		cmocka_unit_test(many_processes_with_threads_keep_their_own),
		cmocka_unit_test(the_model_has_what_its_process_uses_and_no_other_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
