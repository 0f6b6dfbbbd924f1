/* SPDX-License-Identifier: GPL-2.0-only */
/* Which rows, in which order: selection options, --filter and --sort over the columns. */
#ifndef NSVIEW_VIEW_QUERY_H
#define NSVIEW_VIEW_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "view/column.h"

struct container;
struct filter;
struct text;

/*
 * Parses EXPR (cli.md). -EINVAL: says why in `complaint` (one sentence, the expression and a
 * caret line under the place, nothing for the terminal to obey). Free with filter_free.
 */
int filter_parse(const char *expression, const struct view_context *view, struct filter **filter,
		 struct text *complaint);
void filter_free(struct filter *filter);

enum filter_verdict {
	FILTER_NO,
	FILTER_YES,
	FILTER_UNKNOWN, /* would turn on something unknown: left out, and counted */
};
enum filter_verdict filter_match(const struct filter *filter, const struct view_context *view,
				 const struct proc *proc);

/* What the selection options said; zero means "did not say". Arrays are borrowed. */
struct selection {
	const char *const *containers;
	size_t containers_count;
	const uint32_t *pids;
	size_t pids_count;
	const uint32_t *in_pids;
	size_t in_pids_count;
	const uint32_t *uids; /* effective, host side */
	size_t uids_count;
	const char *const *in_users; /* uid or name inside */
	size_t in_users_count;
	const char *runtime;
	const char *image;         /* a glob */
	const char *pod;           /* [NAMESPACE/]NAME */
	const char *pod_namespace; /* Kubernetes' */
	bool only_containers;
	bool only_host;
	const struct filter *filter;
};

struct query {
	struct selection selection;
	const struct column **sort; /* borrowed; count 0: host by pid, then containers by start */
	bool *sort_descending;
	size_t sort_count;
};

struct query_result {
	const struct proc **procs; /* free the array */
	size_t count;
	size_t unknown; /* left out because the selection would turn on something unknown */
};

/*
 * Kinds of selection narrow each other, several values of one kind add up. -ENOENT: nothing has
 * one of the pids or containers, or the pod, asked for, with a sentence a line in complaint; the result holds
 * what the others select. -EEXIST: an ambiguous container prefix, nothing is selected.
 */
int query_run(const struct query *query, const struct view_context *view,
	      struct query_result *result, struct text *complaint);

/*
 * The same selection for one process at a time, while containers come, get their names and go. An
 * id's beginning means every container whose id begins so. Both arguments are borrowed.
 */
struct query_live;
struct query_live *query_live_new(const struct selection *selection,
				  const struct view_context *view);
bool query_live_match(struct query_live *live, const struct proc *proc);
enum filter_verdict query_live_verdict(struct query_live *live, const struct proc *proc);
void query_live_free(struct query_live *live); /* takes NULL */

/*
 * The one container that `word` (--inside) means: its name, id, a glob or an id's beginning, else
 * the host pid of a process. *container is NULL and *proc a process of the host where that is one;
 * else *proc is the process whose pid it was, or the container's first one. -ENOENT: none; -EEXIST:
 * several; a sentence in complaint.
 */
int query_container(const struct view_context *view, const char *word,
		    const struct container **container, const struct proc **proc,
		    struct text *complaint);

#endif
