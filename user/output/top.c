/* SPDX-License-Identifier: GPL-2.0-only */
#include "output/top.h"

#include <string.h>

#include "output/top_parts.h"
#include "view/changes.h"

/* From which height on there is room for what. */
#define HEIGHT_HEADING 2
#define HEIGHT_SUMMARY 3
#define HEIGHT_KEYS 4
#define HEIGHT_SECOND 5
#define HEIGHT_BLANK 12 /* below the summary */
#define HEIGHT_SPARE 16 /* a blank line above the keys; the pane */

/* Three lines at 24, six at 30, a fifth of what is higher; up to half of the screen for who is in
 * it, if there is so much to see. */
static size_t pane_lines(size_t height, bool is_focused, size_t count)
{
	size_t lines = height < HEIGHT_SPARE ? 1 : 2;

	if (height >= 30)
		lines = height / 5;
	else if (height >= 24)
		lines = 3 + (height - 24) / 2;
	if (is_focused)
		lines = top_max(lines, top_min(count, (height - HEIGHT_SECOND) / 2));
	return lines;
}

/* A document has room for all. */
static size_t pane_height(const struct top_frame *frame, size_t height)
{
	bool is_focused = frame->pane == TOP_PANE_FOCUSED;

	if (frame->pane == TOP_PANE_NONE || !frame->changes)
		return 0;
	if (!frame->keys_count)
		return top_max(1, changes_count(frame->changes));
	if (height < (is_focused ? HEIGHT_SECOND + 3 : HEIGHT_SPARE))
		return 0;
	return pane_lines(height, is_focused, changes_count(frame->changes));
}

void top_layout_make(struct top_layout *layout, const struct canvas *canvas,
		     const struct top_frame *frame)
{
	size_t height = canvas_height(canvas);
	bool has_bottom = frame->keys_count || frame->message || frame->prompt.label;
	size_t top;
	size_t below = 0;

	*layout = (struct top_layout){0};
	layout->summary = height >= HEIGHT_SECOND ? 2 : height >= HEIGHT_SUMMARY ? 1 : 0;
	layout->has_heading = height >= HEIGHT_HEADING;
	layout->has_bottom = has_bottom && (height >= HEIGHT_KEYS || frame->prompt.label);
	layout->heading_y = layout->summary + (height >= HEIGHT_BLANK);
	top = layout->heading_y + layout->has_heading;
	if (has_bottom && height >= HEIGHT_KEYS)
		below = 1 + (height >= HEIGHT_SPARE);
	layout->pane_lines = pane_height(frame, height);
	/* A blank line and its title. */
	if (layout->pane_lines)
		below += layout->pane_lines + 1 + (height >= HEIGHT_SPARE);
	layout->rows_y = top;
	layout->rows = height > top + below ? height - top - below : 1;
	if (!frame->keys_count) {
		size_t count;

		live_rows(frame->live, &count);
		layout->rows = top_min(layout->rows, top_max(count, 1));
	}
	layout->pane_title_y = top + layout->rows + (height >= HEIGHT_SPARE);
}

/* Columns begin anew with a canvas of another width. */
static void memory_begin(const struct top_frame *frame, size_t width)
{
	if (frame->memory && frame->memory->canvas_width != width)
		*frame->memory = (struct top_memory){.canvas_width = width};
}

void top_draw(struct canvas *canvas, const struct top_frame *frame)
{
	struct top_layout layout;

	memory_begin(frame, canvas_width(canvas));
	top_layout_make(&layout, canvas, frame);
	top_summary_draw(canvas, frame, layout.summary);
	top_table_draw(canvas, frame, &layout);
	if (layout.pane_lines)
		top_pane_draw(canvas, frame, &layout);
	if (layout.has_bottom)
		top_bottom_draw(canvas, frame);
}

size_t top_rows(const struct canvas *canvas, const struct top_frame *frame)
{
	struct top_layout layout;

	top_layout_make(&layout, canvas, frame);
	return layout.rows;
}
