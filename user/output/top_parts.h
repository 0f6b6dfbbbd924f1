/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the live table's frame have in common. Private to output/top*.c. */
#ifndef NSVIEW_OUTPUT_TOP_PARTS_H
#define NSVIEW_OUTPUT_TOP_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "output/canvas.h"
#include "output/top.h"

/* Which rows of the canvas are for what; the height of what has no room is 0. */
struct top_layout {
	size_t summary; /* lines, from the top */
	size_t heading_y;
	bool has_heading;
	size_t rows_y;
	size_t rows;
	size_t pane_title_y; /* right above its lines */
	size_t pane_lines;   /* 0: no pane */
	bool has_bottom;     /* the last line */
};
void top_layout_make(struct top_layout *layout, const struct canvas *canvas,
		     const struct top_frame *frame);

void top_summary_draw(struct canvas *canvas, const struct top_frame *frame, size_t lines);
void top_table_draw(struct canvas *canvas, const struct top_frame *frame,
		    const struct top_layout *layout);
void top_pane_draw(struct canvas *canvas, const struct top_frame *frame,
		   const struct top_layout *layout);

/* The last line: a prompt, a message, or the keys. */
void top_bottom_draw(struct canvas *canvas, const struct top_frame *frame);
void top_prompt_draw(struct canvas *canvas, const struct top_prompt *prompt);

/* A line of parts, those on the right as far right as possible. The ones with the lowest `leaves`
 * go when there is no room for all. */
struct top_part {
	size_t start; /* in the line's text */
	size_t length;
	enum canvas_style style;
	bool is_right;
	unsigned int leaves;
	bool has_left;
};
#define TOP_PARTS_MAX 16
struct top_line {
	struct text text; /* text_free */
	struct top_part parts[TOP_PARTS_MAX];
	size_t count;
};
/* Begins a part; what is added to line->text until the next one is its text. */
void top_line_part(struct top_line *line, enum canvas_style style, bool is_right,
		   unsigned int leaves);
/* gap: blanks between two parts, if there is room for that. */
void top_line_draw(struct canvas *canvas, size_t y, struct top_line *line, size_t gap);

/* Scrolls *first so that `selected` (SIZE_MAX: none) of `count` is one of the `room` shown. */
void top_scroll(size_t *first, size_t selected, size_t count, size_t room);

static inline size_t top_max(size_t one, size_t other)
{
	return one > other ? one : other;
}

static inline size_t top_min(size_t one, size_t other)
{
	return one < other ? one : other;
}

#endif
