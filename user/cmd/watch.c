/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/watch.h"

#include <errno.h>
#include <limits.h>
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
#include "host/facts.h"
#include "host/procfs.h"
#include "model/model.h"
#include "source/privileges.h"
#include "source/source.h"
#include "view/container_limits.h"
#include "view/query.h"

#define SECOND_NS 1000000000ULL
#define MILLISECOND_NS 1000000ULL

/* Looking at every process costs as much as `nsview ps`: on a large host it is done less often, so
 * that it takes at most a hundredth of one CPU. After a gap it cannot wait that long. */
#define SWEEP_EVERY_NS (3 * SECOND_NS)
#define SWEEP_SHARE 100
#define SWEEP_AFTER_GAP_NS (SECOND_NS / 2)
#define SWEEP_AFTER_GAP_SHARE 4

#define NAMING_EVERY_NS (10 * MILLISECOND_NS)
#define FINISH_ROUNDS 8 /* of reading at the end: a storm may go on */

struct watch {
	struct app *app;
	struct session session;
	struct query_live *query;
	struct recorder *recorder; /* NULL: none */
	bool has_begun;            /* the snapshot is complete: what follows is recorded */
	bool selects_all;
	bool owes_snapshot;
	uint64_t moment_ns; /* of the snapshot, then of the last clock record */
	/* The sweep: begun, every process looked at, and then what the events told meanwhile. */
	bool has_looked;
	bool has_gap;
	uint64_t swept_ns; /* when it began */
	uint64_t sweep_cost_ns;
	uint64_t named_ns;
	/* During a call: */
	watch_sink sink;
	void *context;
	int lines;
	int stopped; /* what the sink said, if not 0 */
};

static uint64_t watch_now(const struct watch *watch)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)((int64_t)now.tv_sec * (int64_t)SECOND_NS + now.tv_nsec -
			  watch->app->facts.time_ns_offset_ns);
}

static int watch_tell(struct watch *watch, const struct event_line *line)
{
	watch->lines++;
	watch->stopped = watch->sink(watch->context, line);
	return watch->stopped;
}

static bool watch_selects(struct watch *watch, const struct proc *proc)
{
	if (watch->selects_all)
		return true;
	return proc && query_live_match(watch->query, proc);
}

static const struct proc *watch_parent(struct watch *watch, uint32_t ppid, uint64_t start_boot_ns)
{
	const struct proc *parent = ppid ? model_find(watch->session.model, ppid) : NULL;

	return parent && parent->task->start_boot_ns == start_boot_ns ? parent : NULL;
}

static int watch_tell_container(struct watch *watch, enum event_line_kind kind,
				struct container *container, const struct proc *proc,
				const struct event_record *record)
{
	const struct event_line line = {
		.kind = kind,
		.time_boot_ns = record->time_boot_ns,
		.is_inferred = record->flags & EVENT_INFERRED,
		.container = container,
		.proc = kind == LINE_CONTAINER_NAMED ? NULL : proc,
	};
	struct proc member;

	if (!proc)
		return 0;
	member = *proc; /* it may be in another one by now */
	member.container = container;
	return watch_selects(watch, &member) ? watch_tell(watch, &line) : 0;
}

/* What was cached of another container may lie at the same place. */
static void watch_forget_limits(struct watch *watch)
{
	struct view_context *view = &watch->session.view;

	if (!view->limits)
		return;
	container_limits_free(view->limits);
	view->limits = container_limits_new(view->proc_fd);
}

static void watch_record(struct watch *watch, const struct record_header *record,
			 const struct proc *proc)
{
	if (watch->recorder && watch->has_begun)
		recorder_add(watch->recorder, record, proc, watch_selects(watch, proc));
}

/* What is known of its name at once. */
static void watch_name(struct watch *watch, struct container *container, uint64_t time_boot_ns)
{
	struct session *session = &watch->session;
	const struct runtime_container *declared;

	if (session->replay) {
		declared = replay_declared(session->replay, container);
		if (declared)
			model_declare(container, declared);
		return;
	}
	naming_add(session->naming, session->model, container, time_boot_ns);
}

/* A recording of a few processes has those of a container that had its name before. */
static void watch_name_running(struct watch *watch, const struct proc *proc)
{
	struct container *container = proc ? proc->container : NULL;
	const struct replay *replay = watch->session.replay;

	if (replay && container && !container->declared && replay_was_running(replay, container))
		watch_name(watch, container, 0);
}

static int watch_tell_change(struct watch *watch, enum container_change change,
			     struct container *container, const struct event_record *record)
{
	struct session *session = &watch->session;
	const struct proc *proc = model_last_proc(session->model);
	int r;

	switch (change) {
	case CONTAINER_STARTED:
		watch_forget_limits(watch);
		if (watch->recorder)
			recorder_started(watch->recorder, container);
		watch_name(watch, container, record->time_boot_ns);
		if (session->replay && replay_was_running(session->replay, container))
			return 0;
		return watch_tell_container(watch, LINE_CONTAINER_STARTED, container, proc, record);
	case CONTAINER_RENAMED:
		watch_name(watch, container, record->time_boot_ns);
		return watch_tell_container(watch, LINE_CONTAINER_NAMED, container, proc, record);
	case CONTAINER_ENDED:
		r = watch_tell_container(watch, LINE_CONTAINER_EXITED, container, proc, record);
		if (session->naming)
			naming_drop(session->naming, container);
		return r;
	}
	return 0;
}

static int watch_tell_containers(struct watch *watch, const struct event_record *record)
{
	enum container_change change;
	struct container *container;
	int r = 0;

	while (!r && (container = model_container_change(watch->session.model, &change)))
		r = watch_tell_change(watch, change, container, record);
	return r;
}

/* A zombie that has gone at last: its end was told when it came. */
static bool is_silent(const struct event_record *record)
{
	return record->flags & EVENT_REPAIR && !(record->flags & EVENT_INFERRED);
}

static int watch_apply_event(struct watch *watch, const struct event_record *record)
{
	struct model *model = watch->session.model;
	struct event event;
	struct event_line line = {
		.kind = LINE_EVENT,
		.is_inferred = record->flags & EVENT_INFERRED,
		.time_boot_ns = record->time_boot_ns,
		.event = &event,
	};
	int r = model_apply(model, &record->header);

	if (r)
		return r;
	event_read(record, &event);
	line.proc = model_last_proc(model);
	line.parent = watch_parent(watch, record->ppid, record->parent_start_boot_ns);
	line.container = line.proc ? line.proc->container : NULL;
	watch_name_running(watch, line.proc);
	if (!is_silent(record) && watch_selects(watch, line.proc))
		r = watch_tell(watch, &line);
	if (!r)
		r = watch_tell_containers(watch, record);
	watch_record(watch, &record->header, line.proc);
	return r;
}

/* Whatever makes the model true, from the source or made up for what that did not tell. */
static int watch_apply(void *context, const struct record_header *record)
{
	struct watch *watch = context;
	struct model *model = watch->session.model;
	struct event_record moment = {.flags = EVENT_INFERRED};
	int r;

	if (record->type == RECORD_EVENT)
		return watch_apply_event(watch, (const struct event_record *)record);
	r = model_apply(model, record);
	if (r)
		return r;
	if (record->type == RECORD_TASK) {
		moment.time_boot_ns = watch->moment_ns;
		r = watch_tell_containers(watch, &moment);
	}
	watch_record(watch, record, model_last_proc(model));
	return r;
}

/* Where its program lies, which no source tells: exec events do from now on. */
static int watch_read_exe(struct watch *watch, const struct proc *proc)
{
	int proc_fd = watch->session.view.proc_fd;
	struct {
		struct args_record args;
		char path[PATH_MAX + 8];
	} record = {0};
	struct text path = {0};

	if (proc_fd < 0 || proc->exe || proc->task->flags & (TASK_KTHREAD | TASK_ZOMBIE) ||
	    procfs_link(proc_fd, proc->task->tgid, "exe", &path) || path.length > PATH_MAX) {
		text_free(&path);
		return 0;
	}
	record.args.header = (struct record_header){
		.size = (uint32_t)(sizeof(record.args) + ((path.length + 7) & ~(size_t)7)),
		.type = RECORD_ARGS,
	};
	record.args.start_boot_ns = proc->task->start_boot_ns;
	record.args.tgid = proc->task->tgid;
	record.args.kind = ARGS_EXE;
	record.args.length = (uint32_t)path.length;
	memcpy(record.path, path.data, path.length);
	text_free(&path);
	return watch_apply(watch, &record.args.header);
}

/* What a sweep has found out about a process that no event told of. */
static int watch_repair(void *context, const struct record_header *record)
{
	struct watch *watch = context;
	int r = watch_apply(watch, record);
	const struct proc *proc = model_last_proc(watch->session.model);

	if (r || record->type != RECORD_TASK || !proc)
		return r;
	return watch_read_exe(watch, proc);
}

static void watch_named(void *context, struct container *container, uint64_t time_boot_ns)
{
	struct watch *watch = context;
	const struct event_line line = {
		.kind = LINE_CONTAINER_NAMED,
		.time_boot_ns = time_boot_ns,
		.container = container,
	};
	const struct proc *first;

	if (watch->recorder)
		recorder_container(watch->recorder, container, time_boot_ns);
	first = model_find(watch->session.model, container->first_pid);
	if (!watch->stopped && watch_selects(watch, first))
		watch_tell(watch, &line);
}

/* What only recordings have; false: it is none of that. */
static bool watch_take_recorded(struct watch *watch, const struct record_header *record)
{
	struct container *named;

	if (!watch->session.replay || !replay_take(&watch->session, record, &named))
		return false;
	if (named)
		watch_named(watch, named, ((const struct container_record *)record)->time_boot_ns);
	return true;
}

static int watch_take_notice(struct watch *watch, const struct record_header *record)
{
	const struct gap_record *gap = (const struct gap_record *)record;
	const struct info_record *info = (const struct info_record *)record;
	const struct clock_record *clock = (const struct clock_record *)record;
	struct event_line line = {0};
	int r = 0;

	if (record->type == RECORD_CLOCK) {
		watch->app->facts.boot_offset_ns = clock->boot_offset_ns;
		watch->moment_ns = clock->time_boot_ns;
	} else if (record->type == RECORD_GAP) {
		watch->has_gap = true;
		line = (struct event_line){
			.kind = LINE_GAP, .time_boot_ns = gap->time_boot_ns, .gap = gap};
		r = watch_tell(watch, &line);
	} else {
		line = (struct event_line){
			.kind = LINE_INFO, .time_boot_ns = info->time_boot_ns, .info = info};
		r = watch_tell(watch, &line);
	}
	watch_record(watch, record, NULL);
	return r;
}

static int watch_take(void *context, const struct record_header *record)
{
	const struct event_record *event = (const struct event_record *)record;
	struct watch *watch = context;
	int r;

	switch (record->type) {
	case RECORD_EVENT:
		/* A map was written: how every process in that namespace sees its ids has changed. */
		watch->has_gap |= event->action == EVENT_IDMAP && !event->error;
		r = model_sweep_reused(watch->session.model, event, watch_apply, watch);
		return r ? r : watch_apply(watch, record);
	case RECORD_GAP:
	case RECORD_INFO:
	case RECORD_CLOCK:
		return watch_take_notice(watch, record);
	default:
		return watch_take_recorded(watch, record) ? watch->stopped
							  : watch_apply(watch, record);
	}
}

/* What the source infers while it looks is an event like others. */
static int watch_look(void *context, const struct record_header *record)
{
	struct watch *watch = context;

	if (record->type == RECORD_EVENT)
		return watch_take(watch, record);
	return model_sweep_take(watch->session.model, record);
}

static bool watch_sweep_is_due(const struct watch *watch, uint64_t now_ns)
{
	uint64_t cost_ns = watch->sweep_cost_ns;
	uint64_t wait_ns =
		SWEEP_EVERY_NS > SWEEP_SHARE * cost_ns ? SWEEP_EVERY_NS : SWEEP_SHARE * cost_ns;
	uint64_t gap_ns = SWEEP_AFTER_GAP_NS > SWEEP_AFTER_GAP_SHARE * cost_ns
				  ? SWEEP_AFTER_GAP_NS
				  : SWEEP_AFTER_GAP_SHARE * cost_ns;

	return now_ns >= watch->swept_ns + (watch->has_gap ? gap_ns : wait_ns);
}

/* Lines of what a sweep finds have a time that is in a recording, too. */
static void watch_tick(struct watch *watch, uint64_t now_ns)
{
	const struct clock_record clock = {
		.header = {.size = sizeof(clock), .type = RECORD_CLOCK},
		.time_boot_ns = now_ns,
		.boot_offset_ns = watch->app->facts.boot_offset_ns,
	};

	watch_take_notice(watch, &clock.header);
}

/*
 * Half of it at a time: what happened while the processes were looked at lies in the ring, and what
 * was just being written there is complete at the next call.
 */
static int watch_sweep(struct watch *watch, uint64_t now_ns)
{
	struct session *session = &watch->session;
	int r;

	if (watch->has_looked) {
		watch->has_looked = false;
		watch_tick(watch, now_ns);
		return model_sweep_end(session->model, now_ns, watch_repair, watch);
	}
	if (!watch_sweep_is_due(watch, now_ns))
		return 0;
	watch->has_gap = false;
	watch->has_looked = true;
	watch->swept_ns = now_ns;
	model_sweep_begin(session->model, now_ns);
	r = source_snapshot(session->source, watch_look, watch);
	watch->sweep_cost_ns = watch_now(watch) - now_ns;
	if (r && !watch->stopped)
		return log_fail(r, "look at all processes again");
	if (!r)
		r = source_poll(session->source, 0, watch_take, watch);
	return r < 0 ? r : 0;
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

/* A replay has no processes to ask; its recording has the answers. */
static int watch_read_exes(struct watch *watch)
{
	struct model *model = watch->session.model;
	size_t count;
	const struct proc *procs = model_procs(model, &count);
	autofree uint32_t *pids = mem_resize(NULL, count, sizeof(*pids));
	int r = 0;

	for (size_t i = 0; i < count; i++)
		pids[i] = procs[i].task->tgid;
	for (size_t i = 0; i < count && !r; i++)
		r = watch_read_exe(watch, model_find(model, pids[i]));
	return r;
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
