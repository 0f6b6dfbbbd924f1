/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The arguments of processes that something else than /proc told of. From /proc/PID/cmdline and
 * nowhere else: it gives up where memory is not there at once, while every other way to read a
 * process's memory waits for whoever serves it, for ever if they like (a FUSE file over argv).
 */
#ifndef NSVIEW_SOURCE_ARGS_H
#define NSVIEW_SOURCE_ARGS_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"

/*
 * What one snapshot may hold of all processes' arguments together: each may be megabytes long, and
 * anybody may start thousands of them.
 */
#define ARGS_TOTAL_MAX (64u << 20)
#define ARGS_LEAST 256 /* that a process gets even then */

struct args_budget {
	size_t left;
};

void args_budget_start(struct args_budget *budget);
/* How many bytes the next process may have, at most args_max: a part of what is left, so that
 * nobody leaves nothing to those that come later. */
size_t args_budget_room(const struct args_budget *budget, size_t args_max);
void args_budget_take(struct args_budget *budget, size_t length);

struct args_reader; /* free with args_close, which takes NULL */
struct facts;

/* Never fails: without a /proc that shows the processes, every answer is -ENODATA. args_max:
 * bytes of one process. facts: borrowed for the call. */
struct args_reader *args_open(const struct facts *facts, size_t args_max);
void args_close(struct args_reader *reader);

/* Before the first process of each snapshot: ARGS_TOTAL_MAX is for one. */
void args_start(struct args_reader *reader);

/*
 * The arguments of a process, for a kernel thread its full name: *record is borrowed until the
 * next call, NULL when the process has none. -ESRCH: it has gone. Anything else negative: they
 * cannot be known.
 */
int args_read(struct args_reader *reader, const struct task_record *task,
	      const struct args_record **record);

#endif
