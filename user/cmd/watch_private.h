/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of a watch share: watch.c is its life, watch_take.c makes lines of records,
 * watch_sweep.c looks at all processes again. */
#ifndef NSVIEW_CMD_WATCH_PRIVATE_H
#define NSVIEW_CMD_WATCH_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/session.h"
#include "cmd/watch.h"

struct query_live;
struct recorder;

#define WATCH_SECOND_NS 1000000000ULL

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

uint64_t watch_now(const struct watch *watch); /* of the host's boot clock */

int watch_tell(struct watch *watch, const struct event_line *line);
bool watch_selects(struct watch *watch, const struct proc *proc);

/* Record sinks; context: the watch. Whatever the source hands out, and whatever makes the model true:
 * it is applied, told and recorded. */
int watch_take(void *context, const struct record_header *record);
int watch_apply(void *context, const struct record_header *record);

/* A gap, a sentence, or what the time is. */
int watch_take_notice(struct watch *watch, const struct record_header *record);

/* A naming_sink. */
void watch_named(void *context, struct container *container, uint64_t time_boot_ns);

/* Does a sweep's next step if its time has come. */
int watch_sweep(struct watch *watch, uint64_t now_ns);

/* Asks where the programs lie of the processes that there are. A replay has none to ask; its
 * recording has the answers. */
int watch_read_exes(struct watch *watch);

#endif
