/* SPDX-License-Identifier: GPL-2.0-only */
/* The words of the event stream. Private to output/. */
#ifndef NSVIEW_OUTPUT_EVENT_NAMES_H
#define NSVIEW_OUTPUT_EVENT_NAMES_H

#include "output/events.h"

/* In the order of event_actions. */
enum event_word {
	WORD_FORK,
	WORD_EXEC,
	WORD_EXIT,
	WORD_CREDENTIALS,
	WORD_CAPABILITIES,
	WORD_NAMESPACES,
	WORD_CGROUP_CREATED,
	WORD_CGROUP_REMOVED,
	WORD_CGROUP_CHANGED,
	WORD_CONTAINER_STARTED,
	WORD_CONTAINER_NAMED,
	WORD_CONTAINER_EXITED,
	WORD_SNAPSHOT,
	WORD_GAP,
	WORD_INFO,
	WORDS,
};

enum event_word event_line_word(const struct event_line *line);

/* What ECS wants to know of an action beside its name. */
struct event_class {
	const char *kind; /* event.kind */
	const char *type; /* event.type */
	bool has_outcome; /* it succeeded, or not */
};
extern const struct event_class event_classes[WORDS];

extern const char *const event_gap_reasons[GAP_REASONS];

#endif
