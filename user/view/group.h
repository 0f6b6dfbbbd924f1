/* SPDX-License-Identifier: GPL-2.0-only */
/* ps --by: one row for all the processes that agree in something. */
#ifndef NSVIEW_VIEW_GROUP_H
#define NSVIEW_VIEW_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "view/column.h"
#include "view/value.h"

enum group_way {
	GROUP_CONTAINER,
	GROUP_IMAGE,
	GROUP_POD,
	GROUP_USER,
	GROUP_RUNTIME,
	GROUP_WAYS,
};

/* "container", ...: also the JSON key of what the group is called by. */
extern const char *const group_way_words[GROUP_WAYS];
/* -ENOENT: no such word. */
int group_way_find(const char *word, enum group_way *way);

struct group;
struct groups;

/*
 * procs: in the order of a query without --sort, so that a container's stand together. The groups
 * are in the order of their first process; those of users in that of their numbers. Free with
 * groups_free; names are borrowed from the model.
 */
struct groups *groups_make(enum group_way way, const struct view_context *view,
			   const struct proc *const *procs, size_t count);
void groups_free(struct groups *groups);
size_t groups_count(const struct groups *groups);
const struct group *groups_at(const struct groups *groups, size_t place);

/* One column of the rows: shown by its type as any column is. `column` has no getter. */
struct group_column {
	struct column column;
	void (*get)(const struct group *group, const struct view_context *view,
		    struct value *value);
	bool is_json_only;
	bool is_users;         /* names, of which a table shows the first ones */
	unsigned int left_out; /* 1 << enum group_way: where it would say the obvious */
};

extern const struct group_column group_columns[];
extern const size_t group_columns_count;

/* What the first column is called: the way's own word. */
const char *group_key_heading(enum group_way way);

#endif
