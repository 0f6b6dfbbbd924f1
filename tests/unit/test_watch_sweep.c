/* SPDX-License-Identifier: GPL-2.0-only */
/* When all processes are looked at again, on a clock that the test moves: the source here is a table of
 * two processes, and gaps when the test says so. */
#include "model_make.h"

#include <time.h>

#include "base/text.h"
#include "cmd/command.h"
#include "cmd/watch_private.h"
#include "source/source.h"

struct machine {
	struct watch watch;
	struct app app;
	uint32_t euid;    /* of process 100 */
	bool has_gap;     /* told at the next poll */
	uint64_t look_ns; /* what a snapshot takes */
	uint64_t now_ns;
	size_t looks;
	size_t lines;
	size_t gaps;
};

static struct machine *opened_machine;

static int machine_open(const struct source_options *options, void **state, struct text *why)
{
	(void)options;
	(void)why;
	*state = opened_machine;
	return 0;
}

static void machine_close(void *state)
{
	(void)state;
}

/* Its clock is the machine's own with an offset, as in a time namespace. */
static void set_clock(struct machine *machine, uint64_t now_ns)
{
	machine->now_ns = now_ns;
	machine->app.facts.time_ns_offset_ns = 0;
	machine->app.facts.time_ns_offset_ns =
		(int64_t)watch_now(&machine->watch) - (int64_t)now_ns;
}

static int machine_snapshot(void *state, record_sink sink, void *context)
{
	struct machine *machine = state;
	uint64_t room[EVENT_TASK_MAX / 8];
	struct task_record *task;

	machine->looks++;
	set_clock(machine, machine->now_ns + machine->look_ns);
	sink(context, &task_make(room, 1, "init")->header);
	task = task_make(room, 100, "sh");
	task->ids.euid = machine->euid;
	return sink(context, &task->header);
}

static int machine_poll(void *state, int timeout_ms, record_sink sink, void *context)
{
	struct machine *machine = state;
	const struct gap_record gap = {
		.header = {sizeof(gap), RECORD_GAP, 0}, .first = 1, .last = 1, .hook = HOOKS};
	(void)timeout_ms;

	if (!machine->has_gap)
		return 0;
	machine->has_gap = false;
	return sink(context, &gap.header);
}

static const struct source_ops machine_source = {
	.name = "machine",
	.open = machine_open,
	.close = machine_close,
	.snapshot = machine_snapshot,
	.poll = machine_poll,
};

static int take_line(void *context, const struct event_line *line)
{
	struct machine *machine = context;

	if (line->kind == LINE_GAP)
		machine->gaps++;
	else
		machine->lines++;
	return 0;
}

static int start_machine(void **state)
{
	struct machine *machine = mem_new(sizeof(*machine));
	struct source_options options = {0};
	struct text why = {0};

	opened_machine = machine;
	machine->watch.app = &machine->app;
	machine->watch.sink = take_line;
	machine->watch.context = machine;
	machine->watch.selects_all = true;
	machine->watch.session.view.proc_fd = -1;
	machine->watch.session.model = model_of_two();
	assert_int_equal(
		source_open(&machine_source, &options, &machine->watch.session.source, &why), 0);
	set_clock(machine, SECOND * 1000);
	machine->watch.swept_ns = machine->now_ns;
	*state = machine;
	return 0;
}

static int stop_machine(void **state)
{
	struct machine *machine = *state;

	source_close(machine->watch.session.source);
	model_free(machine->watch.session.model);
	free(machine);
	return 0;
}

/* What an idle watch does. What the test itself takes is no part of what a look costs. */
static void look_around(struct machine *machine, uint64_t later_ns)
{
	size_t looks = machine->looks;

	set_clock(machine, machine->now_ns + later_ns);
	assert_int_equal(watch_sweep(&machine->watch, machine->now_ns), 0);
	if (machine->looks == looks)
		return;
	assert_true(machine->watch.sweep_cost_ns >= machine->look_ns);
	machine->watch.sweep_cost_ns = machine->look_ns;
}

/* A sweep's second half, too. */
static void look_whole(struct machine *machine, uint64_t later_ns)
{
	size_t looks = machine->looks;

	look_around(machine, later_ns);
	assert_int_equal(machine->looks, looks + 1);
	look_around(machine, 0);
	assert_int_equal(machine->looks, looks + 1);
}

static void lose(struct machine *machine)
{
	machine->has_gap = true;
	assert_true(source_poll(machine->watch.session.source, 0, watch_take, &machine->watch) >=
		    0);
	assert_int_equal(machine->gaps, 1);
}

static void everybody_is_looked_at_every_three_seconds(void **state)
{
	struct machine *machine = *state;

	look_around(machine, SECOND);
	look_around(machine, SECOND);
	assert_int_equal(machine->looks, 0);
	look_whole(machine, SECOND);
	look_around(machine, 2 * SECOND);
	assert_int_equal(machine->looks, 1);
}

static void after_a_gap_it_is_half_a_second(void **state)
{
	struct machine *machine = *state;

	lose(machine);
	look_around(machine, SECOND / 4);
	assert_int_equal(machine->looks, 0);
	look_whole(machine, SECOND / 4);
	look_around(machine, 2 * SECOND); /* once */
	assert_int_equal(machine->looks, 1);
}

static void after_a_gap_one_sweep_tells_what_changed(void **state)
{
	struct machine *machine = *state;

	machine->euid = 1000;
	lose(machine);
	look_whole(machine, SECOND / 2);
	assert_int_equal(machine->lines, 1);
	assert_int_equal(model_find(machine->watch.session.model, 100)->task->ids.euid, 1000);
}

static void a_gap_that_is_told_during_a_sweep_is_for_the_next(void **state)
{
	struct machine *machine = *state;

	machine->has_gap = true;
	machine->euid = 1000;
	look_whole(machine, 3 * SECOND);
	assert_int_equal(machine->gaps, 1);
	assert_int_equal(machine->lines, 0);
	look_whole(machine, SECOND / 2);
	assert_int_equal(machine->lines, 1);
}

static void without_a_gap_it_takes_two(void **state)
{
	struct machine *machine = *state;

	machine->euid = 1000;
	look_whole(machine, 3 * SECOND);
	assert_int_equal(machine->lines, 0);
	look_whole(machine, 3 * SECOND);
	assert_int_equal(machine->lines, 1);
}

static void a_large_host_is_looked_at_less_often(void **state)
{
	struct machine *machine = *state;

	machine->look_ns = SECOND;
	look_whole(machine, 3 * SECOND);
	look_around(machine, 98 * SECOND); /* after the second that it took */
	assert_int_equal(machine->looks, 1);
	look_whole(machine, SECOND);
	lose(machine);
	look_around(machine, 2 * SECOND);
	assert_int_equal(machine->looks, 2);
	look_whole(machine, SECOND);
}

#define TEST(claim) cmocka_unit_test_setup_teardown(claim, start_machine, stop_machine)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(everybody_is_looked_at_every_three_seconds),
		TEST(after_a_gap_it_is_half_a_second),
		TEST(after_a_gap_one_sweep_tells_what_changed),
		TEST(a_gap_that_is_told_during_a_sweep_is_for_the_next),
		TEST(without_a_gap_it_takes_two),
		TEST(a_large_host_is_looked_at_less_often),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
