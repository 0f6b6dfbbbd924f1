/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a frame of the live table costs with 20,000 processes in 50 containers, and what it costs
 * to take in a storm between two frames. CPU time of this thread, the best of several rounds.
 */
#include "../unit/event_make.h"
#include "../unit/machine.h"

#include <stdio.h>
#include <time.h>

#include "view/changes.h"
#include "view/live.h"

#define PROCS 20000U
#define CONTAINERS 50U
#define ROUNDS 20
#define STORM 8000U
#define SCREEN_ROWS 40
#define NOW_NS (NOW_BOOT * SECOND)

struct bench {
	struct machine machine;
	struct live *live;
	struct changes *changes;
	uint64_t now_ns;
	struct text cell;
	struct event_make make;
};

static double cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void bench_fill(struct bench *bench)
{
	static const char args[] = "/usr/bin/program\0--with\0some=arguments";

	machine_start(&bench->machine);
	for (uint32_t i = 1; i <= PROCS; i++) {
		uint32_t ns = 4026540000U + 10 * (i % CONTAINERS);
		struct process process =
			i % 2 ? process_make(i) : process_make_inside(i, i / CONTAINERS + 1, ns);

		process.task.start_boot_ns += i;
		process.task.ppid = i / 8;
		process.task.rss_pages = i;
		process.task.seccomp = 2;
		process.args = args;
		process.args_length = sizeof(args);
		machine_add(&bench->machine, &process);
	}
	machine_settle(&bench->machine);
}

static void use_some(struct bench *bench)
{
	size_t count;
	struct proc *procs = model_procs(bench->machine.view.model, &count);

	for (size_t i = 0; i < count; i += 3)
		procs[i].cpu_ns += i * 100;
}

/* What a screen of 120x40 shows. */
static void draw(struct bench *bench)
{
	size_t count;
	const struct live_row *rows = live_rows(bench->live, &count);
	struct live_sums sums;

	live_sum(bench->live, &sums);
	for (size_t i = 0; i < count && i < SCREEN_ROWS; i++) {
		text_clear(&bench->cell);
		if (!rows[i].proc)
			live_group_title(bench->live, rows[i].group, true, &bench->cell);
		for (int column = 0; column < LIVE_COLUMNS; column++)
			live_cell(bench->live, &rows[i], (enum live_column)column, &bench->cell);
	}
}

static void frame(struct bench *bench)
{
	bench->now_ns += SECOND;
	live_update(bench->live, bench->now_ns);
	draw(bench);
}

static void report(const char *what, double ms, double limit_ms)
{
	printf("%-56s %8.2f ms%s\n", what, ms, ms > limit_ms ? "  (more than wanted)" : "");
}

static void measure_frame(struct bench *bench, const char *what,
			  const struct live_settings *settings, double limit_ms)
{
	double best = 1e9;

	live_set(bench->live, settings);
	for (int i = 0; i < ROUNDS; i++) {
		double start, took;

		use_some(bench);
		start = cpu_ms();
		frame(bench);
		took = cpu_ms() - start;
		best = took < best ? took : best;
	}
	report(what, best, limit_ms);
}

/* A process of the first container comes, executes a program and goes. */
static void storm_one(struct bench *bench, uint32_t pid, bool is_told)
{
	struct model *model = bench->machine.view.model;
	const struct proc *parent = model_find(model, 2);
	const struct task_identity identity = parent->task->identity;
	const struct pid_level chain[2] = {{HOST_NS(NS_PID), pid}, {identity.ns[NS_PID], pid}};
	static const enum event_action actions[] = {EVENT_FORK, EVENT_EXEC, EVENT_EXIT};

	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		struct event_make *make = &bench->make;
		struct change_source source = {.time_boot_ns = bench->now_ns};
		struct event event;

		event_make_start(make, actions[i], pid);
		make->record.start_boot_ns = make->record.time_boot_ns = bench->now_ns + pid;
		make->record.ppid = 2;
		make->record.parent_start_boot_ns = parent->task->start_boot_ns;
		make->record.chain_count = 2;
		event_make_add(make, PART_IDENTITY, &identity, sizeof(identity));
		event_make_add(make, PART_CHAIN, chain, sizeof(chain));
		if (actions[i] == EVENT_EXEC)
			event_make_exec(make, "/bin/true", "true", sizeof("true"), 1);
		model_apply(model, &make->record.header);
		if (!is_told)
			continue;
		event_read(&make->record, &event);
		source.event = &event;
		source.proc = model_last_proc(model);
		source.container = source.proc->container;
		if (actions[i] != EVENT_EXEC)
			live_event(bench->live,
				   actions[i] == EVENT_FORK ? LIVE_STARTED : LIVE_EXITED,
				   source.proc, bench->now_ns);
		if (changes_kind(&event, source.proc, &source.kind))
			changes_add(bench->changes, &source);
		parent = model_find(model, 2);
	}
}

static double storm(struct bench *bench, bool is_told)
{
	double start = cpu_ms();

	for (uint32_t i = 0; i < STORM; i++)
		storm_one(bench, 100000 + i, is_told);
	return cpu_ms() - start;
}

static void measure_storm(struct bench *bench)
{
	double model = 1e9;
	double told = 1e9;
	double framed = 1e9;

	for (int i = 0; i < ROUNDS; i++) {
		double took = storm(bench, false);

		model = took < model ? took : model;
		took = storm(bench, true);
		told = took < told ? took : told;
		took = cpu_ms();
		frame(bench);
		took = cpu_ms() - took;
		framed = took < framed ? took : framed;
	}
	report("8,000 programs: taken into the table's memory and pane", told - model, 20);
	report("8,000 programs: the model's own part", model, 50);
	report("frame after them", framed, 40);
}

int main(void)
{
	struct bench *bench = mem_new(sizeof(*bench));
	const struct live_settings usual = {0};
	struct live_settings settings = {0};
	struct filter *filter = NULL;
	struct text complaint = {0};

	bench_fill(bench);
	bench->now_ns = NOW_NS;
	bench->live = live_new(&bench->machine.view);
	bench->changes = changes_new(&bench->machine.view);
	live_update(bench->live, bench->now_ns);
	measure_frame(bench, "frame, 20,000 processes, the host folded", &usual, 10);
	live_fold_all(bench->live, false);
	measure_frame(bench, "frame, all open", &usual, 10);
	settings.sort = column_of("cpu");
	settings.is_reversed = true;
	measure_frame(bench, "frame, all open, by %CPU", &settings, 40);
	settings.sort = column_of("command");
	measure_frame(bench, "frame, all open, by command", &settings, 40);
	settings = (struct live_settings){.is_tree = true};
	measure_frame(bench, "frame, all open, as a tree", &settings, 40);
	filter_parse("euid=0 and caps~SYS_ADMIN", &bench->machine.view, &filter, &complaint);
	settings = (struct live_settings){.filter = filter};
	measure_frame(bench, "frame, all open, with a filter", &settings, 40);
	live_set(bench->live, &usual);
	measure_storm(bench);
	live_free(bench->live);
	changes_free(bench->changes);
	filter_free(filter);
	text_free(&bench->cell);
	machine_end(&bench->machine);
	free(bench);
	return 0;
}
