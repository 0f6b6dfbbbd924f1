/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * --record: writes down all that a watch applied to its model, and the names it looked up, so that
 * the same watch over the recording gives the same lines on a machine that knows none of it.
 */
#ifndef NSVIEW_CMD_RECORDER_H
#define NSVIEW_CMD_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/event.h"

struct container;
struct proc;
struct recorder;
struct session;

/*
 * session: borrowed, open, its source listening; the recorder hears of every user name that is
 * looked up in it. An exit code; what went wrong has been said.
 */
int recorder_open(struct recorder **recorder, struct session *session, const char *path);

/* The first snapshot: once the model is settled and its containers have their names, before any
 * other record and before any line of it. Only what the session's selection lets through. */
void recorder_snapshot(struct recorder *recorder);

/*
 * A record as the model got it, in that order; repairs and what a sweep inferred are events, too.
 * After its lines were handed out, so that names learned for them come first. proc: the process
 * that an event is about, as the model has it (at an exit before it goes), or NULL.
 * is_selected: whether the selection lets it through, whatever --types says.
 */
void recorder_add(struct recorder *recorder, const struct record_header *record,
		  const struct proc *proc, bool is_selected);

/* The record that recorder_add gets next started it: its first process is in it. */
void recorder_started(struct recorder *recorder, const struct container *container);

/* A container has got its name (container->declared) since, at this time: before the line that tells
 * it. What it is called from its start on comes with its first process. */
void recorder_container(struct recorder *recorder, const struct container *container,
			uint64_t time_boot_ns);

/* When there is nothing else to do. A full disk is said once; what is lost is counted. */
void recorder_flush(struct recorder *recorder);

/* Ends the recording; says what could not be written. An exit code. Takes NULL. */
int recorder_close(struct recorder *recorder);

#endif
