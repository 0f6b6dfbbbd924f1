/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A session that goes on: the snapshot, then every event, the model kept true by both. It knows
 * of sweeps, gaps and repairs, so that its callers (events, top, audit) see one stream of lines in
 * the kernel's order.
 */
#ifndef NSVIEW_CMD_WATCH_H
#define NSVIEW_CMD_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/session.h"
#include "output/events.h"

struct source_span;
struct watch;

struct watch_options {
	const struct select_options *select;
	const struct listen_options *listen;
	const char *record_path; /* --record; NULL: none */
	bool wants_snapshot;     /* a line for each process that is there already */
};

/* Each line that the selection lets through; gaps and infos always. What it points to is borrowed
 * for the call. Anything but 0 ends watch_wait and is returned from it. */
typedef int (*watch_sink)(void *context, const struct event_line *line);

/* Opens the source, listens, takes the snapshot. An exit code; what went wrong has been said. */
int watch_open(struct watch **watch, struct app *app, const struct watch_options *options);

/* Hands out what there is, waiting up to timeout_ms for something to come; sweeps when it is time.
 * How many lines, or -errno; -ENODATA: a recording's end. */
int watch_wait(struct watch *watch, int timeout_ms, watch_sink sink, void *context);

/* Everything that is in the ring, and the last count of losses, before the end. */
int watch_finish(struct watch *watch, watch_sink sink, void *context);

/* Before a frame: what each process uses now, into the model. -EOPNOTSUPP: only sweeps tell. */
int watch_usage(struct watch *watch);

/* From now on watch_wait also ends its waiting when fd can be read. 0 or -errno. */
int watch_heed(struct watch *watch, int fd);

/* A recording in time: watch_wait hands out nothing later than this. -EOPNOTSUPP: not a recording. */
int watch_play(struct watch *watch, uint64_t until_boot_ns, struct source_span *span);

struct session *watch_session(struct watch *watch);

/* An exit code: what of a recording could not be written has been said. Takes NULL. */
int watch_close(struct watch *watch);

#endif
