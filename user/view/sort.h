/* SPDX-License-Identifier: GPL-2.0-only */
/* The order of rows. Private to view/. */
#ifndef NSVIEW_VIEW_SORT_H
#define NSVIEW_VIEW_SORT_H

#include <stddef.h>

struct proc;
struct query;
struct view_context;

/* By the query's sort columns, ties by host pid; without any, host processes by pid, then the
 * containers in the order of their start, each by the pids inside. */
void sort_procs(const struct query *query, const struct view_context *view,
		const struct proc **procs, size_t count);

#endif
