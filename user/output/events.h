/* SPDX-License-Identifier: GPL-2.0-only */
/* The event stream: one line for each event, in the formats of --format. schema.md is the promise,
 * docs/events.schema.json the same for programs. */
#ifndef NSVIEW_OUTPUT_EVENTS_H
#define NSVIEW_OUTPUT_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/wire.h"

struct container;
struct event_writer;
struct proc;
struct text;
struct view_context;

enum event_line_kind {
	LINE_EVENT,             /* event: what the kernel told */
	LINE_SNAPSHOT,          /* proc: one that is there already */
	LINE_CONTAINER_STARTED, /* container and proc: its first process */
	LINE_CONTAINER_NAMED,   /* container: a runtime's file has told its name since */
	LINE_CONTAINER_EXITED,  /* container: its last process has gone (proc, as it was) */
	LINE_GAP,
	LINE_INFO,
};

/* All that one line may be made of; NULL: does not apply, or is not known. */
struct event_line {
	enum event_line_kind kind;
	bool is_inferred;
	uint64_t time_boot_ns;
	const struct event *event;
	const struct proc *proc; /* the task as it is after the event; at its exit as it last was */
	const struct proc *parent; /* the process that proc's ppid names, if it is known to be it */
	const struct container *container;
	const struct gap_record *gap;
	const struct info_record *info;
};

enum event_format {
	EVENT_FORMAT_ECS,
	EVENT_FORMAT_OTEL,
	EVENT_FORMAT_TEXT, /* for people */
	EVENT_FORMATS,
};

/* Who, what and when fit into so many bytes, whatever the process is called. */
#define EVENT_LINE_MIN 2048
#define EVENT_LINE_DEFAULT 16384

struct event_writer_options {
	enum event_format format;
	size_t line_max;        /* --line-max; the newline counts; at least EVENT_LINE_MIN */
	const char *const *env; /* --env: the names wanted, borrowed */
	size_t env_count;
	const char *host_name; /* borrowed, as all below */
	const char *boot_id;
};

struct event_writer *event_writer_new(const struct event_writer_options *options,
				      const struct view_context *view);
void event_writer_free(struct event_writer *writer);

/* From now on boot times become times since the epoch with this. */
void event_writer_set_clock(struct event_writer *writer, uint64_t boot_offset_ns);

/* Appends the line and its newline: valid UTF-8, at most line_max bytes. */
void event_writer_add(struct event_writer *writer, const struct event_line *line, struct text *out);

/* By the word of --format: -EINVAL: there is no such. */
int event_format_by_name(const char *name, enum event_format *format);

/* event.action of the line, as --types selects by it: "exec", "capabilities_changed", ... */
const char *event_line_action(const struct event_line *line);

/* All of them, then NULL. */
extern const char *const event_actions[];

#endif
