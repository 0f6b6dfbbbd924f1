/* SPDX-License-Identifier: GPL-2.0-only */
/* One `COLUMN OP VALUE` of a filter: the value is read by the column's type, once. */
#ifndef NSVIEW_VIEW_COMPARISON_H
#define NSVIEW_VIEW_COMPARISON_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "view/column.h"
#include "view/query.h"

enum comparison_op {
	OP_EQUAL,
	OP_NOT_EQUAL,
	OP_LESS,
	OP_LESS_EQUAL,
	OP_MORE,
	OP_MORE_EQUAL,
	OP_MATCH,
	OP_NO_MATCH,
};

enum literal_kind {
	LITERAL_NONE, /* `-`: what does not apply */
	LITERAL_NUMBER,
	LITERAL_REAL,
	LITERAL_BOOL,
	LITERAL_TEXT,
	LITERAL_REGEX,
	LITERAL_CAPS,
	LITERAL_CAPS_SHOWN, /* words that stand for many sets: `5 caps` */
	LITERAL_WORDS,
	LITERAL_IDS,
};

struct literal {
	enum literal_kind kind;
	union {
		int64_t number;
		double real;
		bool is_true;
		struct {
			char *data;
			size_t length;
		} text; /* LITERAL_TEXT, LITERAL_CAPS_SHOWN; LITERAL_WORDS: as VALUE_WORDS */
		regex_t regex;
		struct {
			uint64_t mask;
			bool is_in_userns;
		} caps;
		struct {
			uint32_t *items;
			size_t count;
		} ids;
	};
};

struct comparison {
	const struct column *column;
	enum comparison_op op;
	struct literal literal;
};

/* What was written after the operator. */
struct comparison_text {
	const char *data; /* NUL-terminated, without its quotes */
	bool is_quoted;
};

/*
 * Reads the value into comparison->literal; column and op are set. -EINVAL: why is one clause,
 * and *bad_offset where in the value it went wrong. Release with comparison_free either way.
 */
int comparison_read(struct comparison *comparison, const struct comparison_text *text,
		    const struct view_context *view, struct text *why, size_t *bad_offset);
void comparison_free(struct comparison *comparison);

enum filter_verdict comparison_match(const struct comparison *comparison,
				     const struct view_context *view, const struct proc *proc);

#endif
