/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/events_options.h"
#include "cmd/session.h"
#include "cmd/watch.h"
#include "output/events.h"
#include "output/sink.h"
#include "source/source.h"

#define WAIT_MS 100
#define WAIT_BLOCKED_MS 1 /* for events, while who reads the lines is waited for */
#define SINK_WAIT_MS 10
#define FINISH_MS 60 /* of the 100 in which it is to be over */
#define MS_NS 1000000ULL

/* A signal's handler can reach nothing else. */
static volatile sig_atomic_t events_is_ended;
static volatile sig_atomic_t events_is_hung_up;

struct events {
	const struct events_options *options;
	struct app *app;
	struct watch *watch;
	struct event_writer *writer;
	struct sink *sink;
	bool is_wanted[EVENTS_ACTIONS_MAX]; /* by the place in event_actions */
	uint64_t left;                      /* of --count */
	uint64_t lost;                      /* lines not written, as far as that was said */
	uint64_t deadline_ns;               /* of --duration; 0: none */
};

static void events_take_signal(int signal_number)
{
	if (signal_number == SIGHUP)
		events_is_hung_up = 1;
	else
		events_is_ended = 1;
}

static void events_catch(int signal_number)
{
	struct sigaction action = {.sa_handler = events_take_signal};
	struct sigaction old;

	/* Ignored by who started us: it is not for us (nohup, a job of a script). */
	if (!sigaction(signal_number, NULL, &old) && old.sa_handler != SIG_IGN)
		sigaction(signal_number, &action, NULL);
}

/* Without a file to open again, a hang-up is the end of the terminal and of this. */
static void events_catch_signals(bool has_file)
{
	struct sigaction reopen = {.sa_handler = events_take_signal};
	struct sigaction end = {.sa_handler = SIG_IGN};

	events_catch(SIGINT);
	events_catch(SIGTERM);
	sigaction(SIGPIPE, &end, NULL); /* the write says so */
	sigaction(SIGXFSZ, &end, NULL);
	if (has_file)
		sigaction(SIGHUP, &reopen, NULL);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static bool events_wants(const struct events *events, const struct event_line *line)
{
	const char *action;

	if (line->kind == LINE_GAP || (line->kind == LINE_SNAPSHOT && events->options->snapshot))
		return true;
	action = event_line_action(line);
	for (size_t i = 0; i < EVENTS_ACTIONS_MAX && event_actions[i]; i++) {
		if (event_actions[i] == action)
			return events->is_wanted[i];
	}
	return false;
}

static int events_put(struct events *events, const struct event_line *line)
{
	uint64_t first = 0;
	uint64_t last = 0;

	if (line->gap) {
		first = line->gap->first;
		last = line->gap->last;
	} else if (line->event) {
		first = last = line->event->record->sequence;
	}
	event_writer_set_clock(events->writer, events->app->facts.boot_offset_ns);
	event_writer_add(events->writer, line, sink_text(events->sink));
	return sink_commit(events->sink, first, last);
}

static uint64_t events_boot_now(const struct events *events)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)((int64_t)now.tv_sec * 1000000000 + now.tv_nsec -
			  events->app->facts.time_ns_offset_ns);
}

static void events_say_lost(struct events *events)
{
	uint64_t lost = sink_lost(events->sink);

	if (lost > events->lost)
		log_note("%llu line%s could not be written to %s: who reads them is too slow, or "
			 "the disk is full",
			 (unsigned long long)(lost - events->lost),
			 lost - events->lost == 1 ? "" : "s",
			 events->options->output ? events->options->output : "standard output");
	events->lost = lost;
}

/* Lines that who reads them was too slow for, once there is room to say so. */
static int events_tell_loss(struct events *events)
{
	struct sink_loss loss;
	struct gap_record gap = {
		.header = {.size = sizeof(gap), .type = RECORD_GAP},
		.reason = GAP_OUTPUT,
		.hook = HOOKS,
	};
	struct event_line line = {.kind = LINE_GAP, .gap = &gap};

	if (!sink_take_loss(events->sink, &loss))
		return 0;
	events_say_lost(events);
	if (!loss.first)
		return 0;
	gap.time_boot_ns = events_boot_now(events);
	gap.first = loss.first;
	gap.last = loss.last;
	line.time_boot_ns = gap.time_boot_ns;
	return events_put(events, &line);
}

static int events_write(struct events *events, const struct event_line *line)
{
	int r = events_tell_loss(events);

	return r ? r : events_put(events, line);
}

/* -ECANCELED: it was the last one wanted. */
static int events_take(void *context, const struct event_line *line)
{
	struct events *events = context;
	int r;

	if (!events_wants(events, line))
		return 0;
	r = events_write(events, line);
	if (r || line->kind == LINE_GAP || line->kind == LINE_INFO || !events->left)
		return r;
	return --events->left ? 0 : -ECANCELED;
}

static int events_timeout(const struct events *events, bool is_blocked)
{
	int timeout_ms = is_blocked ? WAIT_BLOCKED_MS : WAIT_MS;
	uint64_t now = now_ns();

	if (events->deadline_ns && now + (uint64_t)timeout_ms * MS_NS > events->deadline_ns)
		timeout_ms = now < events->deadline_ns
				     ? (int)((events->deadline_ns - now) / MS_NS) + 1
				     : 0;
	return timeout_ms;
}

static bool events_is_over(const struct events *events)
{
	return events_is_ended || (events->deadline_ns && now_ns() >= events->deadline_ns);
}

static int events_round(struct events *events)
{
	bool is_blocked = sink_is_blocked(events->sink);
	int r;

	if (events_is_hung_up) {
		events_is_hung_up = 0;
		sink_reopen(events->sink);
	}
	r = watch_wait(events->watch, events_timeout(events, is_blocked), events_take, events);
	if (r >= 0)
		r = events_tell_loss(events);
	if (r < 0)
		return r;
	r = sink_flush(events->sink);
	if (!r && sink_is_blocked(events->sink))
		sink_wait(events->sink, SINK_WAIT_MS);
	return r;
}

/* An exit code. */
static int events_follow(struct events *events)
{
	int r = 0;

	while (!r && !events_is_over(events))
		r = events_round(events);
	if (!r)
		r = watch_finish(events->watch, events_take, events);
	if (r >= 0 || r == -ECANCELED || r == -ENODATA) {
		r = sink_finish(events->sink, FINISH_MS);
		if (!r)
			r = events_tell_loss(events);
		if (!r)
			r = sink_finish(events->sink, SINK_WAIT_MS);
		events_say_lost(events);
	}
	if (!r || r == -EPIPE || r == -EAGAIN)
		return EXIT_DONE;
	return EXIT_FAILED;
}

/* On standard error, so that it is no part of the stream. */
static void events_tell_stats(const struct events *events)
{
	struct hook_report hooks[HOOKS] = {0};
	struct hook_report all = {0};
	struct text out = {0};

	source_report(watch_session(events->watch)->source, hooks);
	for (size_t i = 0; i < HOOKS; i++) {
		all.seen += hooks[i].seen;
		all.lost += hooks[i].lost;
		all.skipped += hooks[i].skipped;
	}
	text_printf(&out,
		    "seen %llu, lost %llu, skipped %llu; lines written %llu, not written %llu",
		    (unsigned long long)all.seen, (unsigned long long)all.lost,
		    (unsigned long long)all.skipped, (unsigned long long)sink_lines(events->sink),
		    (unsigned long long)sink_lost(events->sink));
	for (size_t i = 0; i < HOOKS; i++) {
		const char *tier = tier_name(hooks[i].tier);

		if (hooks[i].name)
			text_printf(&out, "\n  %-14s %-10s seen %llu, lost %llu, skipped %llu",
				    hooks[i].name, tier ? tier : "-",
				    (unsigned long long)hooks[i].seen,
				    (unsigned long long)hooks[i].lost,
				    (unsigned long long)hooks[i].skipped);
	}
	log_lines(text_string(&out));
	text_free(&out);
}

static int events_start(struct events *events, const struct events_settings *settings)
{
	const struct events_options *options = events->options;
	const struct watch_options watch_options = {
		.select = &options->select,
		.listen = &settings->listen,
		.record_path = options->record,
		.wants_snapshot = options->snapshot,
	};
	const struct event_writer_options writer_options = {
		.format = settings->format,
		.line_max = settings->line_max,
		.env = settings->env,
		.env_count = settings->env_count,
		.host_name = events->app->facts.hostname,
		.boot_id = events->app->facts.boot_id,
	};
	int exit_code = EXIT_DONE;

	if (options->output && sink_open(&events->sink, options->output))
		return EXIT_FAILED;
	if (!options->output)
		events->sink = sink_new(STDOUT_FILENO, "standard output");
	events_catch_signals(options->output);
	exit_code = watch_open(&events->watch, events->app, &watch_options);
	if (exit_code == EXIT_DONE)
		events->writer =
			event_writer_new(&writer_options, &watch_session(events->watch)->view);
	return exit_code;
}

static int events_run(struct app *app, void *target, int argc, char **argv)
{
	struct events events = {.options = target, .app = app};
	struct events_settings settings;
	int exit_code, closed;

	if (argc > 1) {
		log_error(0,
			  "events takes no word %s: -c selects a container, --types what happened",
			  argv[1]);
		return EXIT_USAGE;
	}
	exit_code = events_settings_read(events.options, &settings);
	if (exit_code == EXIT_DONE) {
		_Static_assert(sizeof(events.is_wanted) == sizeof(settings.is_wanted), "types");
		memcpy(events.is_wanted, settings.is_wanted, sizeof(events.is_wanted));
		events.left = settings.count;
		exit_code = events_start(&events, &settings);
	}
	if (exit_code == EXIT_DONE) {
		if (settings.duration_ns)
			events.deadline_ns = now_ns() + settings.duration_ns;
		exit_code = events_follow(&events);
		if (events.options->stats)
			events_tell_stats(&events);
	}
	sink_close(events.sink);
	event_writer_free(events.writer);
	closed = watch_close(events.watch);
	events_settings_free(&settings);
	return exit_code == EXIT_DONE ? closed : exit_code;
}

const struct command events_command = {
	.name = "events",
	.usage = "[OPTIONS]",
	.summary = "every change of a process's identity, one JSON object a line, as it happens",
	.details =
		"Nothing is lost in silence: a line with the action gap names what is missing, and "
		"none means\nthat nothing is. docs/events.schema.json describes the lines.",
	.example = "nsview events --types exec,capabilities_changed -c web | jq .process.args",
	.options = events_option_table,
	.options_size = sizeof(struct events_options),
	.run = events_run,
};
