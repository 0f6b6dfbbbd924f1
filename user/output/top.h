/* SPDX-License-Identifier: GPL-2.0-only */
/* How the live table looks: the frame of `nsview top` on a canvas of any size. */
#ifndef NSVIEW_OUTPUT_TOP_H
#define NSVIEW_OUTPUT_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "view/live.h"

struct canvas;
struct changes;
struct page;
struct view_context;

/* The two lines at the top. Below 0, 0 or NULL where a thing is not known, as said there. */
struct top_summary {
	const char *hostname;
	const char *release;
	uint64_t uptime_s;
	int cpus;
	double cpu_percent;         /* of all CPUs together; below 0: not known */
	uint64_t memory_used_bytes; /* 0: not known */
	uint64_t memory_bytes;
	unsigned int hooks;        /* attached */
	unsigned int hooks_wanted; /* 0: no events (/proc only), and `mode` says so */
	const char *mode;          /* the weakest tier, "from /proc", "replay", "replay, paused" */
	double interval_s;         /* "every 1 s" */
	bool is_frozen;            /* p */
	int64_t now_epoch_ns;
	double events_per_s; /* below 0: there are none */
	uint64_t lost;
};

/* What stands in the last line instead of the keys. */
struct top_prompt {
	const char *label;     /* "Filter: "; NULL: none */
	const char *text;      /* typed so far, UTF-8 */
	size_t cursor;         /* in bytes */
	const char *complaint; /* NULL: none; the line above it */
	size_t complaint_at;   /* bytes into text where it went wrong; SIZE_MAX: nowhere */
};

/* The key line and the help page are made from these, cmd/top_keys.c's one table. */
struct top_key_help {
	const char *keys;  /* "F3 /" */
	const char *brief; /* "Search": in the last line; NULL: in the help only */
	const char *help;  /* "search the rows" */
};

enum top_pane {
	TOP_PANE_NONE,
	TOP_PANE_SHOWN,
	TOP_PANE_FOCUSED, /* arrows move in it */
};

/* How wide columns have become, so that they do not move with each row that comes and goes.
 * Zero-initialise; a canvas of another width begins anew. */
struct top_memory {
	size_t canvas_width;
	size_t columns[LIVE_COLUMNS];
	size_t word; /* of the pane */
	size_t container;
	size_t who;
};

/* keys_count 0: a document rather than a screen, with all lines of the pane and no last line. */
struct top_frame {
	const struct view_context *view;
	const struct live *live;
	struct changes *changes;
	struct top_summary summary;
	size_t selected; /* index in live_rows; SIZE_MAX: none */
	size_t *first;   /* the first row shown: moved so that the selected one is visible */
	enum top_pane pane;
	size_t pane_selected;
	size_t *pane_first;
	struct top_prompt prompt;
	const struct top_key_help *keys;
	size_t keys_count;
	const char *message;       /* for a moment, instead of the keys; NULL: none */
	const char *filter;        /* in force, shown in line 2; NULL: none */
	struct top_memory *memory; /* NULL: columns are as wide as these rows need */
};

void top_draw(struct canvas *canvas, const struct top_frame *frame);

/* A page over the whole screen: help, inspect, inside. first: moved so that it is not beyond the
 * end. prompt: NULL, or what stands in the last line. */
void top_draw_page(struct canvas *canvas, const char *title, const struct page *page, size_t *first,
		   const struct top_prompt *prompt);

/* How many rows of the table, and lines of a page, fit: for page up and down. */
size_t top_rows(const struct canvas *canvas, const struct top_frame *frame);

/* The help page of the keys. */
void top_help(struct page *page, const struct top_key_help *keys, size_t count);

#endif
