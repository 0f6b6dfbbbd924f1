/* SPDX-License-Identifier: GPL-2.0-only */
/* The pane of latest changes: what happened in words, one line each, newest first. */
#ifndef NSVIEW_VIEW_CHANGES_H
#define NSVIEW_VIEW_CHANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct changes;
struct container;
struct event;
struct proc;
struct view_context;

#define CHANGES_KEPT 1000

enum change_kind {
	PANE_EXEC, /* one that comes into a container from outside, or changes who it is */
	PANE_CAPS,
	PANE_USER,
	PANE_USERNS,
	PANE_NS,
	PANE_PRIVILEGES,
	PANE_REFUSED,
	PANE_STARTED, /* a container */
	PANE_NAMED,
	PANE_ENDED,
	PANE_LOST, /* a gap in the stream; says how many are missing */
	PANE_KINDS,
};

/* One line of it. Borrowed, good until the next changes_get or changes_add. Text is raw. */
struct change {
	enum change_kind kind;
	uint64_t time_boot_ns;
	uint32_t pid; /* for Enter; 0: about no process */
	uint64_t start_boot_ns;
	const char *word;      /* "exec", "caps", "userns", ...: static */
	const char *container; /* its name; "-": the host */
	const char *who;       /* "4455/13 bash" */
	const char *text;      /* "root -> www-data; podman-default -> none; cause setuid" */
	bool is_loud;          /* lost, refused, gained capabilities: drawn bold */
};

struct changes *changes_new(const struct view_context *view);
void changes_free(struct changes *changes); /* takes NULL */

/*
 * What a line of the watch is about; all borrowed for the call. Plain forks, exits and execs
 * that change nothing make no line. Cheap under load: words are made when somebody looks at the
 * line, names when it is added.
 */
struct change_source {
	enum change_kind kind;
	uint64_t time_boot_ns;
	const struct event *event;         /* NULL: a container's line, or PANE_LOST */
	const struct proc *proc;           /* after it */
	const struct proc *parent;         /* NULL: not known */
	const struct container *container; /* NULL: the host */
	uint64_t lost;                     /* PANE_LOST */
};
void changes_add(struct changes *changes, const struct change_source *source);

/* Which kind an event's line is of; false: it makes none. changes_add still leaves out execs that
 * turn out to have been started inside. */
bool changes_kind(const struct event *event, const struct proc *proc, enum change_kind *kind);

/* place 0 is the newest. */
size_t changes_count(const struct changes *changes);
void changes_get(struct changes *changes, size_t place, struct change *change);

/* Those pushed out of the pane's memory, so that nothing goes without a count. */
uint64_t changes_forgotten(const struct changes *changes);

#endif
