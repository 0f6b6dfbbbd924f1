/* SPDX-License-Identifier: GPL-2.0-only */
/* How rows look. Each format is one row of output_formats; all see the same rows and columns. */
#ifndef NSVIEW_OUTPUT_OUTPUT_H
#define NSVIEW_OUTPUT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "view/group.h"

struct column;
struct proc;
struct view_context;

struct output_options {
	const struct column *const *columns; /* tables only: JSON has all keys */
	size_t columns_count;
	size_t width; /* of the terminal; 0: nothing is dropped or cut */
	bool has_colour;
	bool no_headers;
};

struct output_format {
	const char *name; /* table, json, ndjson */
	/* Writes all rows; 0 or -errno of the stream (a closed pipe is -EPIPE: end quietly). */
	int (*write)(FILE *stream, const struct output_options *options,
		     const struct view_context *view, const struct proc *const *procs,
		     size_t count);
};

extern const struct output_format output_table;
extern const struct output_format output_json;   /* an array, one compact object a line */
extern const struct output_format output_ndjson; /* one object a line */

/* The rows of --by: a table, a JSON array, or an object a line. As write. */
enum groups_format {
	GROUPS_TABLE,
	GROUPS_JSON,
	GROUPS_NDJSON,
};
int output_groups(FILE *stream, enum groups_format format, bool no_headers,
		  const struct view_context *view, const struct groups *groups, enum group_way way);

/* Every column: a table, or JSON with key, heading, type, unit, meaning, ecs. */
int output_columns(FILE *stream, bool as_json);

#endif
