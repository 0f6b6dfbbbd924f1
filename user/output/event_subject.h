/* SPDX-License-Identifier: GPL-2.0-only */
/* Whom a line is about, wherever that is known from: the event's own parts come before what the
 * table has, since credentials are a thread's. Private to output/. */
#ifndef NSVIEW_OUTPUT_EVENT_SUBJECT_H
#define NSVIEW_OUTPUT_EVENT_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"

struct container;
struct event_line;
struct proc;

/* Everything is borrowed from the line. */
struct event_subject {
	const struct proc *proc;              /* NULL: not in the table */
	const struct task_identity *identity; /* never NULL; zeros where all of it is unknown */
	const struct id_block *in_ids;        /* the same */
	const struct pid_level *chain;        /* NULL: not known */
	const uint32_t *groups;
	const struct container *container; /* NULL: a host process */
	uint64_t unknown;                  /* FIELD_BIT()s */
	uint64_t start_boot_ns;
	uint64_t parent_start_boot_ns; /* 0: not known, or there is none */
	uint32_t tgid;                 /* 0: the line is about no process */
	uint32_t tid;
	uint32_t ppid;
	uint16_t chain_count;
	bool has_name; /* identity->comm is known */

	uint64_t cgroup_id; /* 0: not known */
	uint32_t cgroup_hierarchy;
	const char *cgroup_path;
	size_t cgroup_length;
	bool is_cgroup_cut; /* only the path's end is here */

	const char *args; /* NUL-separated; NULL: none, or not known */
	size_t args_length;
	uint64_t args_total; /* of the whole vector, where it is longer; 0: not known */
	int64_t args_count;  /* -1: not known */
	bool is_args_cut;
};

void event_subject_read(const struct event_line *line, struct event_subject *subject);

#endif
