/* SPDX-License-Identifier: GPL-2.0-only */
/* One line of the pane of changes as it is kept until somebody looks at it. Private to view/. */
#ifndef NSVIEW_VIEW_CHANGE_LINE_H
#define NSVIEW_VIEW_CHANGE_LINE_H

#include "view/changes.h"
#include "wire/wire.h"

#define CHANGE_NAME_BYTES 128
#define CHANGE_ARGS_BYTES 160

/* All that its words are made of, copied: the model and the event are gone by then. */
struct change_line {
	uint64_t time_boot_ns;
	uint64_t start_boot_ns;
	uint64_t lost;
	uint64_t times;  /* it happened, in a row */
	uint64_t steps;  /* what it tells of lines that it takes the place of */
	uint64_t age_ns; /* of a container that has ended; 0: not known */
	uint64_t declared_caps;
	enum change_kind kind;
	uint32_t tgid;
	uint32_t in_pid; /* 0: it is in no container */
	uint32_t parent_pid;
	uint32_t args_length;
	bool has_identity;
	bool has_before;
	bool has_children;
	bool has_declared;
	bool is_first;    /* of its container */
	bool is_entering; /* its parent is not in its container */
	bool is_args_cut;
	char comm[COMM_SIZE];
	char parent_comm[COMM_SIZE];
	char container[CHANGE_NAME_BYTES]; /* "": none */
	char runtime[CHANGE_NAME_BYTES];
	char image[CHANGE_NAME_BYTES];
	char args[CHANGE_ARGS_BYTES];
	struct event_record record; /* cause and error are 0 where there was no event */
	struct task_identity after;
	struct event_before before;
	struct event_children children;
};

struct text;

/* Its parent is in another container, or in none. */
bool change_is_entering(const struct change_source *source);

/* The same process does the same once more, at once: a runtime drops capabilities one by one. */
bool change_line_repeats(const struct change_line *line, const struct change_source *source);
/* From what was before the first to what is after the last; how often is said. */
void change_line_merge(struct change_line *line, const struct change_source *source);

void change_line_take(struct change_line *line, const struct change_source *source);

/*
 * Whether the later line makes the earlier one superfluous: what a process changed on its way into a
 * container is told by the exec that it leads to; that nameless namespaces have ended says that
 * they had begun.
 */
bool change_line_tells(const struct change_line *later, const struct change_line *earlier);

void change_line_who(const struct change_line *line, struct text *out);
void change_line_text(const struct change_line *line, const struct view_context *view,
		      struct text *out);
bool change_line_is_loud(const struct change_line *line, const struct view_context *view);

#endif
