/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A column is one table row. Its getter serves the table, JSON, --sort and --filter alike, so a
 * new column is a new row in proc_columns.c and nothing else.
 */
#ifndef NSVIEW_VIEW_COLUMN_H
#define NSVIEW_VIEW_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "view/value.h"

struct facts;
struct model;
struct passwd_cache;
struct proc;
struct text;

/* How a table shows a value; JSON always has it raw. */
enum column_type {
	COLUMN_TEXT,
	COLUMN_NUMBER,
	COLUMN_KIB,       /* bytes, shown in KiB as ps does */
	COLUMN_PERCENT,   /* one decimal, ps's rules above 99.9 */
	COLUMN_CPU_TIME,  /* nanoseconds: ps's M:SS; JSON in seconds */
	COLUMN_START,     /* epoch nanoseconds: ps's 06:06, Nov12 or 2024; JSON RFC 3339 */
	COLUMN_BOOL,      /* yes, no */
	COLUMN_CAPS,      /* a mask by meaning (caps.h) */
	COLUMN_CAP_NAMES, /* a mask as names with commas; JSON an array of CAP_ names */
	COLUMN_HEX,       /* a mask, 16 digits */
	COLUMN_WORDS,     /* words with commas; JSON an array */
	COLUMN_IDS,       /* words that are numbers; JSON an array of numbers */
};

/* All that a getter may look at. Not kept between calls. */
struct view_context {
	const struct facts *facts;
	const struct model *model;
	struct passwd_cache *users;
	int proc_fd;          /* for the container's passwd, exe, cwd; -1: none */
	struct text *scratch; /* a getter may put text here; valid until the row's next getter */
};

struct column {
	const char *key;     /* what -o, --sort and --filter say: "in-user" */
	const char *heading; /* "IN-USER" */
	const char *json;    /* JSON key, "group.member" inside an object: "ns.mnt"; NULL: none */
	const char *unit;    /* for --columns; NULL: none */
	const char *ecs;     /* the field in schema.md's stream; NULL: none */
	const char *meaning; /* one line, for --columns and the man page */
	void (*get)(const struct view_context *view, const struct proc *proc, struct value *value);
	uint64_t needs; /* FIELD_BIT()s: any of them unknown makes the cell `?` */
	enum column_type type;
	bool is_right;  /* right-aligned */
	bool is_hidden; /* JSON only: -o does not take it */
};

extern const struct column proc_columns[];
extern const size_t proc_columns_count;

/* By key or heading, any case, `_` as `-`, with or without %. NULL, and then *nearest names the
 * nearest key or is NULL. */
const struct column *column_find(const char *name, const char **nearest);

/* The getter, with `needs` looked at first. */
void column_get(const struct column *column, const struct view_context *view,
		const struct proc *proc, struct value *value);

/* Appends what the table shows for the value: printable, unpadded, uncut. */
void cell_format(struct text *out, const struct column *column, const struct value *value,
		 const struct view_context *view);

#endif
