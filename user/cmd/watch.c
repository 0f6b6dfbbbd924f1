/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/naming.h"
#include "cmd/recorder.h"
#include "cmd/replay.h"
#include "cmd/watch_private.h"
#include "model/model.h"
#include "source/privileges.h"
#include "source/source.h"
#include "view/query.h"

#define NAMING_EVERY_NS (WATCH_SECOND_NS / 100)
#define FINISH_ROUNDS 8 /* of reading at the end: a storm may go on */

uint64_t watch_now(const struct watch *watch)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)((int64_t)now.tv_sec * (int64_t)WATCH_SECOND_NS + now.tv_nsec -
			  watch->app->facts.time_ns_offset_ns);
}

static int watch_work(struct watch *watch)
{
	struct session *session = &watch->session;
	uint64_t now_ns = watch_now(watch);

	if (session->replay)
		return 0;
	if (now_ns >= watch->named_ns + NAMING_EVERY_NS) {
		watch->named_ns = now_ns;
		naming_retry(session->naming, session->model, now_ns, watch_named, watch);
	}
	return watch->stopped ? watch->stopped : watch_sweep(watch, now_ns);
}

static const struct proc *watch_snapshot_parent(struct watch *watch, uint32_t ppid)
{
	const struct proc *parent = model_find(watch->session.model, ppid);

	return parent || !watch->session.replay ? parent
						: replay_parent(watch->session.replay, ppid);
}

static int watch_tell_snapshot(struct watch *watch)
{
	struct session *session = &watch->session;
	size_t count;
	const struct proc *procs = model_procs(session->model, &count);
	int r = 0;

	watch->owes_snapshot = false;
	for (size_t i = 0; i < count && !r; i++) {
		const struct proc *parent = watch_snapshot_parent(watch, procs[i].task->ppid);
		struct event_line line = {
			.kind = LINE_SNAPSHOT,
			.time_boot_ns = watch->moment_ns,
			.proc = &procs[i],
			.container = procs[i].container,
		};

		if (parent && parent->task->start_boot_ns <= procs[i].task->start_boot_ns)
			line.parent = parent;
		if (watch_selects(watch, &procs[i]))
			r = watch_tell(watch, &line);
	}
	return r;
}

static void watch_begin(struct watch *watch, watch_sink sink, void *context)
{
	watch->sink = sink;
	watch->context = context;
	watch->lines = 0;
	watch->stopped = 0;
}

/* The caller's own answer goes before whatever was made of it on the way. */
static int watch_result(const struct watch *watch, int r)
{
	if (watch->stopped)
		return watch->stopped;
	return r < 0 ? r : watch->lines;
}

int watch_wait(struct watch *watch, int timeout_ms, watch_sink sink, void *context)
{
	int r = 0;

	watch_begin(watch, sink, context);
	if (watch->owes_snapshot)
		r = watch_tell_snapshot(watch);
	if (!r)
		r = source_poll(watch->session.source, timeout_ms, watch_take, watch);
	if (r >= 0 && !watch->stopped)
		r = watch_work(watch);
	if (watch->recorder)
		recorder_flush(watch->recorder);
	return watch_result(watch, r);
}

int watch_finish(struct watch *watch, watch_sink sink, void *context)
{
	int r = 1;

	watch_begin(watch, sink, context);
	for (int round = 0; round < FINISH_ROUNDS && r > 0 && !watch->stopped; round++)
		r = source_poll(watch->session.source, 0, watch_take, watch);
	return watch_result(watch, r == -ENODATA ? 0 : r);
}

/* A container that is not there may come; a pid that nothing has is a mistake. */
static int watch_check_selection(struct watch *watch)
{
	const struct selection *selection = &watch->session.selection;
	const struct query query = {.selection = *selection};
	struct query_result result = {0};
	struct text complaint = {0};
	int exit_code = EXIT_DONE;
	int r = query_run(&query, &watch->session.view, &result, &complaint);

	/* What a recording starts with is not all that is in it. */
	if (watch->session.replay && r != -EEXIST)
		r = 0;
	if (r)
		log_lines(text_string(&complaint));
	if (r == -EEXIST || (r && !selection->containers_count && !selection->pod))
		exit_code = EXIT_FAILED;
	else if (r)
		log_note("waiting for it to start");
	free(result.procs);
	text_free(&complaint);
	return exit_code;
}

/* The snapshot, and what goes with it. */
static int watch_look_first(struct watch *watch)
{
	static const struct selection everything = {0};
	struct session *session = &watch->session;
	int exit_code;

	watch->swept_ns = watch_now(watch);
	exit_code = session_snapshot(session);
	if (exit_code != EXIT_DONE)
		return exit_code;
	watch->sweep_cost_ns = watch_now(watch) - watch->swept_ns;
	if (session->replay)
		replay_clock(session);
	watch->moment_ns = watch->app->facts.boot_now_ns;
	watch->selects_all = !memcmp(&session->selection, &everything, sizeof(everything));
	watch->query = query_live_new(&session->selection, &session->view);
	if (watch_read_exes(watch))
		return EXIT_FAILED;
	watch->has_begun = true;
	if (watch->recorder)
		recorder_snapshot(watch->recorder);
	return EXIT_DONE;
}

static int watch_start(struct watch *watch, const struct watch_options *options)
{
	struct session *session = &watch->session;
	struct select_options select = *options->select;
	int exit_code, r;

	if (!select.source && !select.replay)
		select.source = bpf_source.name; /* no other has events of this machine */
	exit_code = session_open_listening(session, watch->app, &select, options->listen);
	if (exit_code == EXIT_DONE && options->record_path)
		exit_code = recorder_open(&watch->recorder, session, options->record_path);
	if (exit_code == EXIT_DONE)
		exit_code = watch_look_first(watch);
	if (exit_code != EXIT_DONE)
		return exit_code;
	r = session->replay ? 0 : source_drop_privileges();
	if (r) {
		log_fail(r, "give up the privileges that are no longer needed");
		return EXIT_FAILED;
	}
	return watch_check_selection(watch);
}

int watch_open(struct watch **watch, struct app *app, const struct watch_options *options)
{
	struct watch *opened = mem_new(sizeof(*opened));
	int exit_code;

	opened->app = app;
	opened->owes_snapshot = options->wants_snapshot;
	opened->session.view.proc_fd = -1;
	exit_code = watch_start(opened, options);
	if (exit_code != EXIT_DONE)
		watch_close(opened);
	else
		*watch = opened;
	return exit_code;
}

static int watch_take_usage(void *context, const struct record_header *record)
{
	return model_apply(context, record);
}

int watch_usage(struct watch *watch)
{
	return source_usage(watch->session.source, watch_take_usage, watch->session.model);
}

int watch_heed(struct watch *watch, int fd)
{
	return source_heed(watch->session.source, fd);
}

int watch_play(struct watch *watch, uint64_t until_boot_ns, struct source_span *span)
{
	return source_play(watch->session.source, until_boot_ns, span);
}

struct session *watch_session(struct watch *watch)
{
	return &watch->session;
}

int watch_close(struct watch *watch)
{
	int exit_code;

	if (!watch)
		return EXIT_DONE;
	exit_code = recorder_close(watch->recorder);
	query_live_free(watch->query);
	session_close(&watch->session);
	free(watch);
	return exit_code;
}
