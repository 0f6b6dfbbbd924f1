/* SPDX-License-Identifier: GPL-2.0-only */
/* One cell before it has a look: what a column's getter gives to tables, JSON, sort, filter. */
#ifndef NSVIEW_VIEW_VALUE_H
#define NSVIEW_VIEW_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pid_level;
struct runtime_container;

enum value_kind {
	VALUE_NONE,    /* does not apply: `-`, null */
	VALUE_UNKNOWN, /* could not be known: `?`, null and named in `unknown` */
	VALUE_NUMBER,
	VALUE_REAL,
	VALUE_BOOL,
	VALUE_TEXT,  /* raw bytes, hostile */
	VALUE_CAPS,  /* a capability set */
	VALUE_WORDS, /* strings, each ended by a NUL but perhaps the last; hostile */
	VALUE_IDS,
	VALUE_CHAIN,
};

/* Whether capabilities count on the host. */
enum caps_reach {
	REACH_HOST,
	REACH_USERNS,
	REACH_UNKNOWN,
};

/* Text, words and ids: where there is more than could be carried. */
enum value_cut {
	CUT_NOT,
	CUT_START,
	CUT_END,
};

struct value {
	enum value_kind kind;
	enum value_cut cut;
	union {
		int64_t number;
		double real;
		bool is_true;
		struct {
			uint64_t mask;
			enum caps_reach reach;
			const struct runtime_container *declared; /* COLUMN_DECLARED only */
		} caps;
		struct {
			const char *data; /* borrowed from the model, the context or a literal */
			size_t length;
		} text; /* VALUE_TEXT and VALUE_WORDS */
		struct {
			const uint32_t *items; /* borrowed */
			size_t count;
		} ids;
		struct {
			const struct pid_level *levels; /* borrowed; outermost first */
			size_t count;
		} chain;
	};
};

#endif
