/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * --replay: a session over a recording. All that a live session asks its machine comes from the
 * recording instead, or is unknown.
 */
#ifndef NSVIEW_CMD_REPLAY_H
#define NSVIEW_CMD_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"

struct container;
struct proc;
struct replay;
struct runtime_container;
struct session;

/* Opens the recording as the session's source and makes the session's facts and names its own.
 * An exit code; what went wrong has been said. at: --at, or NULL. */
int replay_open(struct session *session, const char *path, const char *at, size_t args_max);
void replay_free(struct replay *replay); /* takes NULL */

/*
 * Takes a record that only recordings have; false: it is for the model. Where it named a container
 * that the model has already, *named is that one (a watch tells so), else NULL.
 */
bool replay_take(struct session *session, const struct record_header *record,
		 struct container **named);

/* A process of the snapshot's that is known by its pid and its start only, since the recording holds
 * a child of it and not itself. NULL: nothing is known. */
const struct proc *replay_parent(const struct replay *replay, uint32_t pid);

/* What the recording has said of it so far; NULL: nothing. Asked instead of state files. */
const struct runtime_container *replay_declared(const struct replay *replay,
						const struct container *container);

/* Feeds the recording's snapshot to the session's new model; -errno: said. */
int replay_snapshot(struct session *session);
/* Once it is settled: gives its containers the names told so far. */
void replay_name(struct session *session);

/* Whether it had started before the first of its processes that is recorded: no line tells of
 * that. */
bool replay_was_running(const struct replay *replay, const struct container *container);

/* After that: everything up to --at or the end into the model, for who shows a table.
 * An exit code. */
int replay_finish(struct session *session);

/* Nothing else happens for now: what has just ended goes, which else would stay until the next record
 * comes. -errno. */
int replay_pause(struct session *session);

/* Brings the session's clock to where the recording is read. */
void replay_clock(struct session *session);

#endif
