/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd/command.h"
#include "cmd/top_private.h"
#include "cmd/watch.h"
#include "host/passwd.h"
#include "output/events.h"
#include "output/screen.h"
#include "view/changes.h"
#include "view/container_limits.h"

#define ARGS_MAX 4096         /* of one process: more than any screen is wide */
#define RING_BYTES (8U << 20) /* as events has it */

/* What is said while a source is tried: whether anybody is to read it turns out later. */
struct heard {
	struct text sentences; /* each ended by a newline */
};

static void heard_take(void *context, const char *sentence)
{
	struct heard *heard = context;

	text_add_string(&heard->sentences, sentence);
	text_add_char(&heard->sentences, '\n');
}

/* The first of them, for the line of messages; the rest would not fit there. */
static void heard_show(struct top *top, struct heard *heard)
{
	const char *all = text_string(&heard->sentences);

	if (*all)
		top_say(top, "%.*s", (int)strcspn(all, "\n"), all);
}

static void heard_tell(struct heard *heard)
{
	char *rest = (char *)text_string(&heard->sentences);
	char *sentence;

	while ((sentence = strsep(&rest, "\n"))) {
		if (*sentence)
			log_lines(sentence);
	}
}

static int open_watch(struct top *top)
{
	struct listen_options listen = {
		.ring_bytes = RING_BYTES,
		.args_max = ARGS_MAX,
		.wants_usage = true,
	};
	const struct watch_options options = {.select = &top->select, .listen = &listen};
	int exit_code;

	memset(listen.tiers, TIERS, sizeof(listen.tiers));
	exit_code = watch_open(&top->watch, top->app, &options);
	if (exit_code == EXIT_DONE)
		top->session = watch_session(top->watch);
	return exit_code;
}

static int open_snapshots(struct top *top)
{
	int exit_code = session_open(&top->snapshots, top->app, &top->select, ARGS_MAX);

	top->session = &top->snapshots;
	top->feed = FEED_SNAPSHOTS;
	if (exit_code == EXIT_DONE)
		exit_code = session_snapshot(&top->snapshots);
	if (exit_code == EXIT_DONE)
		top->lacking = source_kind(top->session->source) == &proc_source ? "from /proc"
										 : "no events";
	return exit_code;
}

/* The best there is: what each process does, or else only what it is, again and again. */
static int open_best(struct top *top)
{
	struct heard heard = {0};
	int exit_code;

	log_set_sink(heard_take, &heard);
	exit_code = open_watch(top);
	if (exit_code == EXIT_IMPOSSIBLE && !top->select.source) {
		size_t first = heard.sentences.length;

		exit_code = open_snapshots(top);
		/* Of two reasons the second one says more, if there is one. */
		if (heard.sentences.length > first) {
			memmove(heard.sentences.data, heard.sentences.data + first,
				heard.sentences.length - first);
			heard.sentences.length -= first;
		}
	}
	log_set_sink(NULL, NULL);
	if (exit_code == EXIT_DONE)
		heard_show(top, &heard);
	else
		heard_tell(&heard);
	text_free(&heard.sentences);
	return exit_code;
}

static int open_feed(struct top *top)
{
	bool is_proc = top->select.source && !strcmp(top->select.source, proc_source.name);

	top->feed = top->select.replay ? FEED_REPLAY : FEED_EVENTS;
	if (top->select.replay || (top->select.at && !top->select.replay))
		return open_watch(top);
	return is_proc || top->options->is_once ? open_snapshots(top) : open_best(top);
}

int top_feed_open(struct top *top)
{
	int exit_code = open_feed(top);

	if (exit_code != EXIT_DONE)
		return exit_code;
	top->settings.selection = top->session->selection;
	top_feed_refresh_view(top);
	return EXIT_DONE;
}

int top_feed_close(struct top *top)
{
	int exit_code = EXIT_DONE;

	if (top->watch)
		exit_code = watch_close(top->watch);
	else if (top->session)
		session_close(top->session);
	container_limits_free(top->view.limits);
	top->view.limits = NULL;
	top->watch = NULL;
	top->session = NULL;
	return exit_code;
}

int top_feed_restart(struct top *top)
{
	top_feed_close(top);
	return top_feed_open(top);
}

void top_feed_refresh_view(struct top *top)
{
	uint64_t now_ns = top_clock();
	struct container_limits *limits = top->view.limits;
	bool is_old = now_ns >= top->limits_ns + TOP_NS_PER_S || top->has_new_container ||
		      top->feed == FEED_SNAPSHOTS;

	top->view = top->session->view;
	top->view.limits = limits;
	if (!is_old && limits)
		return;
	container_limits_free(limits);
	top->view.limits = top->view.proc_fd >= 0 ? container_limits_new(top->view.proc_fd) : NULL;
	top->limits_ns = now_ns;
	top->has_new_container = false;
	if (top->feed != FEED_REPLAY)
		passwd_refresh(top->view.users);
}

/* What an event means to the rows. False: nothing. */
static bool live_kind(const struct event_record *record, enum live_event_kind *kind)
{
	switch (record->action) {
	case EVENT_FORK:
		*kind = LIVE_STARTED;
		return true;
	case EVENT_EXEC:
		*kind = LIVE_EXECUTED;
		return true;
	case EVENT_EXIT:
		*kind = LIVE_EXITED;
		return true;
	default:
		*kind = LIVE_IDENTITY;
		return record->changed && !record->error;
	}
}

static void take_event(struct top *top, const struct event_line *line, struct change_source *change)
{
	const struct event_record *record = line->event->record;
	enum live_event_kind kind;

	if (line->proc && !top->frozen && live_kind(record, &kind)) {
		live_event(top->live, kind, line->proc, record->time_boot_ns);
		if (kind == LIVE_EXECUTED && record->changed)
			live_event(top->live, LIVE_IDENTITY, line->proc, record->time_boot_ns);
	}
	if (changes_kind(line->event, line->proc, &change->kind))
		changes_add(top->changes, change);
}

/* A watch_sink. */
static int take(void *context, const struct event_line *line)
{
	struct top *top = context;
	struct change_source change = {
		.time_boot_ns = line->time_boot_ns,
		.event = line->event,
		.proc = line->proc,
		.parent = line->parent,
		.container = line->container,
	};

	if (line->kind == LINE_EVENT && line->event) {
		take_event(top, line, &change);
		return 0;
	}
	switch (line->kind) {
	case LINE_CONTAINER_STARTED:
		top->has_new_container = true;
		change.kind = PANE_STARTED;
		break;
	case LINE_CONTAINER_NAMED:
		change.kind = PANE_NAMED;
		break;
	case LINE_CONTAINER_EXITED:
		change.kind = PANE_ENDED;
		break;
	case LINE_GAP:
		change.kind = PANE_LOST;
		change.lost = line->gap->last - line->gap->first + 1;
		if (line->gap->hook >= HOOKS)
			top->lost_unwritten += change.lost;
		break;
	default:
		return 0;
	}
	changes_add(top->changes, &change);
	return 0;
}

static int poll_keys(const struct top *top, int timeout_ms)
{
	struct pollfd wanted = {.fd = top->screen ? screen_fd(top->screen) : -1, .events = POLLIN};

	poll(&wanted, 1, timeout_ms); /* a signal ends it, too */
	return 0;
}

int top_feed_wait(struct top *top, uint64_t until_ns)
{
	uint64_t now_ns = top_clock();
	int timeout_ms = until_ns > now_ns
				 ? (int)((until_ns - now_ns + TOP_NS_PER_MS - 1) / TOP_NS_PER_MS)
				 : 0;
	int r;

	if (top->feed != FEED_EVENTS)
		return poll_keys(top, timeout_ms);
	r = watch_wait(top->watch, timeout_ms ? timeout_ms : 1, take, top);
	top->is_stale = true;
	return r < 0 ? log_fail(r, "follow what the kernel tells") : 0;
}

int top_feed_sample(struct top *top)
{
	int r = 0;

	if (top->feed == FEED_SNAPSHOTS && session_snapshot(top->session) != EXIT_DONE)
		return -EIO;
	if (top->feed == FEED_EVENTS) {
		facts_read_clock(&top->app->facts);
		r = watch_usage(top->watch);
	}
	if (r && r != -EOPNOTSUPP) /* then sweeps tell the same, less often */
		return log_fail(r, "read what the processes use");
	top_feed_refresh_view(top);
	return 0;
}

int top_feed_run(struct top *top)
{
	int r = watch_wait(top->watch, 0, take, top);

	top->is_stale = true;
	return r;
}

uint64_t top_feed_now(const struct top *top)
{
	struct timespec now;

	if (top->feed == FEED_REPLAY)
		return top->app->facts.boot_now_ns;
	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)((int64_t)now.tv_sec * (int64_t)TOP_NS_PER_S + now.tv_nsec -
			  top->app->facts.time_ns_offset_ns);
}

/* The watch has done so itself, of what it was given. */
int top_feed_check(struct top *top)
{
	const struct query query = {.selection = top->settings.selection};
	struct query_result result = {0};
	struct text complaint = {0};
	int exit_code = EXIT_DONE;
	const char *heard;
	int r;

	if (top->feed != FEED_SNAPSHOTS)
		return EXIT_DONE;
	r = query_run(&query, &top->view, &result, &complaint);
	/* A container may come; a pid that nothing has is a mistake. */
	if (r == -ENOENT && !top->options->is_once &&
	    (query.selection.containers_count || query.selection.pod)) {
		heard = text_string(&complaint);
		top_say(top, "%.*s", (int)strcspn(heard, "\n"), heard);
	} else if (r) {
		log_lines(text_string(&complaint));
		exit_code = EXIT_FAILED;
	}
	free(result.procs);
	text_free(&complaint);
	return exit_code;
}
