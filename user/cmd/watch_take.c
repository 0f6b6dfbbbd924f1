/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/command.h"
#include "cmd/naming.h"
#include "cmd/recorder.h"
#include "cmd/replay.h"
#include "cmd/watch_private.h"
#include "model/model.h"
#include "view/container_limits.h"
#include "view/query.h"

int watch_tell(struct watch *watch, const struct event_line *line)
{
	watch->lines++;
	watch->stopped = watch->sink(watch->context, line);
	return watch->stopped;
}

bool watch_selects(struct watch *watch, const struct proc *proc)
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
	int r;

	event_read(record, &event);
	r = model_apply_event(model, &event);
	if (r)
		return r;
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
int watch_apply(void *context, const struct record_header *record)
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

void watch_named(void *context, struct container *container, uint64_t time_boot_ns)
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

int watch_take_notice(struct watch *watch, const struct record_header *record)
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

int watch_take(void *context, const struct record_header *record)
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
