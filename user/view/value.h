/* SPDX-License-Identifier: GPL-2.0-only */
/* One cell before it has a look: what a column's getter gives to tables, JSON, sort, filter. */
#ifndef NSVIEW_VIEW_VALUE_H
#define NSVIEW_VIEW_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum value_kind {
	VALUE_NONE,    /* does not apply: `-`, null */
	VALUE_UNKNOWN, /* could not be known: `?`, null and named in `unknown` */
	VALUE_NUMBER,
	VALUE_REAL,
	VALUE_BOOL,
	VALUE_TEXT,  /* raw bytes, hostile */
	VALUE_MASK,  /* a capability set */
	VALUE_WORDS, /* strings: groups as digits, names of shared namespaces, ... */
};

struct value {
	enum value_kind kind;
	union {
		int64_t number;
		double real;
		bool is_true;
		uint64_t mask;
		struct {
			const char *data; /* borrowed from the model, the context or a literal */
			size_t length;
		} text;
		struct {
			const char *const *items; /* borrowed */
			size_t count;
		} words;
	};
};

#endif
