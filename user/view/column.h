/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A column is one table row. Its getter serves the table, JSON, --sort and --filter alike, so a
 * new column is a new row in proc_columns.c, and a getter where none of those there fits.
 */
#ifndef NSVIEW_VIEW_COLUMN_H
#define NSVIEW_VIEW_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "view/value.h"

struct container_limits;
struct facts;
struct insides;
struct live;
struct model;
struct passwd_cache;
struct proc;
struct text;
struct tree;

/* How a table shows a value; JSON always has it raw. */
enum column_type {
	COLUMN_TEXT,
	COLUMN_NUMBER,
	COLUMN_UID,       /* a host uid, shown as its name; JSON has the number */
	COLUMN_KIB,       /* bytes, shown in KiB as ps does */
	COLUMN_CPUS,      /* two decimals; JSON has nine */
	COLUMN_PERCENT,   /* one decimal, none from 100 on, as ps */
	COLUMN_CPU_TIME,  /* nanoseconds: ps's M:SS; JSON in seconds */
	COLUMN_CPU_CLOCK, /* the same as ps -ef has it: [DD-]HH:MM:SS */
	COLUMN_START,     /* epoch nanoseconds: ps's 06:06, Nov12 or 2024; JSON RFC 3339 */
	COLUMN_BOOL,      /* yes, no */
	COLUMN_CAPS,      /* a mask by meaning (caps.h) */
	COLUMN_CAP_NAMES, /* a mask as names with commas; JSON an array of CAP_ names */
	COLUMN_DECLARED,  /* a mask by meaning; JSON an object with all that was declared */
	COLUMN_HEX,       /* a mask, 16 digits */
	COLUMN_WORDS,     /* words with commas; JSON an array */
	COLUMN_IDS,       /* numbers with commas; JSON an array */
	COLUMN_CHAIN,     /* pids with slashes; JSON an array of {ns, pid} */
	COLUMN_TYPES,
};

/* All that a getter may look at. Not kept between calls. */
struct view_context {
	const struct facts *facts;
	struct model *model; /* only read */
	struct passwd_cache *users;
	struct container_limits *limits; /* NULL: none can be known */
	int proc_fd;                     /* for the container's passwd, exe, cwd; -1: none */
	const struct insides *insides;   /* of a recording; NULL: the machine is asked */
	const struct live *live; /* of a live table: %CPU since its last frame; NULL: ps's */
	const struct tree *tree; /* tables: how deep COMMAND stands; NULL: no tree */
	struct text *scratch;    /* a getter may put text here; valid until the row's next getter */
};

struct column {
	const char *key;     /* what -o, --sort and --filter say: "in-user" */
	const char *heading; /* "IN-USER" */
	const char *json;    /* JSON key, "group.member" inside an object: "ns.mnt"; NULL: none */
	const char *unit;    /* of what the table shows, for --columns; NULL: none */
	const char *ecs;     /* the field in schema.md's stream; NULL: none */
	const char *meaning; /* one line, for --columns and the man page */
	const char *none;    /* shown where it does not apply; NULL: `-` */
	/* The only words it can have, NULL-terminated, so that a filter can refuse others. */
	const char *const *domain;
	void (*get)(const struct column *column, const struct view_context *view,
		    const struct proc *proc, struct value *value);
	uint64_t needs; /* FIELD_BIT()s: any of them unknown makes the cell `?` */
	uint32_t at;    /* for the getter: the offset of a field, or a number of its own meaning */
	enum column_type type;
	bool is_inside; /* the container's view: does not apply to host processes */
	bool is_hidden; /* JSON only: -o does not take it */
};

extern const struct column proc_columns[];
extern const size_t proc_columns_count;

/* What `nsview ps` shows when not told otherwise, in its order; NULL-terminated. */
extern const char *const proc_columns_default[];

/* What `nsview ps -ef` shows, in its order; NULL-terminated. Their headings and forms are ps -ef's. */
extern const char *const proc_columns_full[];
const struct column *proc_columns_full_find(const char *key); /* one that is there */

/* By key, heading, JSON key or ps(1)'s name, any case, `_` as `-`, with or without %. NULL, and
 * then *nearest names the nearest key, or is NULL when none is near. */
const struct column *column_find(const char *name, const char **nearest);

/* The word for the type in --columns: text, number, ... */
const char *column_type_name(enum column_type type);

/* Numbers stand on the right. */
bool column_is_right(const struct column *column);

/* The getter, with `needs` looked at first. */
void column_get(const struct column *column, const struct view_context *view,
		const struct proc *proc, struct value *value);

/* Appends what the table shows for the value: printable, unpadded, uncut, never empty. */
void cell_format(struct text *out, const struct column *column, const struct value *value,
		 const struct view_context *view);

/* Visits VALUE_WORDS: the first word when *word is NULL, then each next one. False: no more. */
bool value_next_word(const struct value *value, const char **word, size_t *length);

#endif
