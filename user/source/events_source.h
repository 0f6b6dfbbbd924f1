/* SPDX-License-Identifier: GPL-2.0-only */
/* The events of the kernel: attached hooks, the ring that they write to, and what they missed. */
#ifndef NSVIEW_SOURCE_EVENTS_SOURCE_H
#define NSVIEW_SOURCE_EVENTS_SOURCE_H

#include "source/attach.h"
#include "wire/wire.h"

struct events_source;
struct facts;
struct hook_report;

/* NULL and *error: nothing could be loaded at all; the hooks' own failures are in the report. */
struct events_source *events_source_open(const struct facts *facts,
					 const struct attach_options *options, int *error);
void events_source_close(struct events_source *events);

/* As in struct source_ops. */
int events_source_poll(struct events_source *events, int timeout_ms, record_sink sink,
		       void *context);
int events_source_heed(struct events_source *events, int fd);
void events_source_report(const struct events_source *events, struct hook_report *hooks);

/* Of the sweep: between the two, its events are handed to events_source_give. */
const struct bpf_loaded *events_source_loaded(const struct events_source *events);
void events_source_sweep_start(struct events_source *events);
int events_source_give(struct events_source *events, struct event_record *record, record_sink sink,
		       void *context);
void events_source_sweep_end(struct events_source *events);

#endif
