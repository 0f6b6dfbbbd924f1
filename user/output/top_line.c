/* SPDX-License-Identifier: GPL-2.0-only */
/* Lines of several parts, as many as there is room for. */
#include <string.h>

#include "output/top_parts.h"

void top_line_part(struct top_line *line, enum canvas_style style, bool is_right,
		   unsigned int leaves)
{
	if (line->count == TOP_PARTS_MAX)
		return;
	line->parts[line->count++] = (struct top_part){
		.start = line->text.length, .style = style, .is_right = is_right, .leaves = leaves};
}

static size_t part_width(const struct top_line *line, const struct top_part *part)
{
	return text_width(line->text.data + part->start, part->length);
}

static size_t line_width(const struct top_line *line, size_t gap)
{
	size_t width = 0;

	for (size_t i = 0; i < line->count; i++) {
		if (!line->parts[i].has_left)
			width += part_width(line, &line->parts[i]) + gap;
	}
	return width ? width - gap : 0;
}

/* false: one is left, which is cut. */
static bool line_drop_one(struct top_line *line)
{
	struct top_part *lowest = NULL;
	size_t left = 0;

	for (size_t i = 0; i < line->count; i++) {
		struct top_part *part = &line->parts[i];

		if (part->has_left)
			continue;
		left++;
		if (!lowest || part->leaves < lowest->leaves)
			lowest = part;
	}
	if (left < 2)
		return false;
	lowest->has_left = true;
	return true;
}

static void line_measure(struct top_line *line)
{
	for (size_t i = 0; i < line->count; i++) {
		struct top_part *part = &line->parts[i];
		size_t end = i + 1 < line->count ? part[1].start : line->text.length;

		part->length = end - part->start;
		part->has_left = !part->length;
	}
}

void top_line_draw(struct canvas *canvas, size_t y, struct top_line *line, size_t gap)
{
	size_t width = canvas_width(canvas);
	size_t right = 0;
	size_t x = 0;

	line_measure(line);
	if (line_width(line, gap) > width && gap > 2)
		gap = 2;
	while (line_width(line, gap) > width && line_drop_one(line))
		;
	for (size_t i = 0; i < line->count; i++) {
		if (line->parts[i].is_right && !line->parts[i].has_left)
			right += part_width(line, &line->parts[i]) + gap;
	}
	right = right && right - gap < width ? width - (right - gap) : 0;
	for (size_t i = 0; i < line->count; i++) {
		const struct top_part *part = &line->parts[i];

		if (part->has_left)
			continue;
		if (part->is_right && x < right)
			x = right;
		canvas_put(canvas, y, x, SIZE_MAX, part->style, line->text.data + part->start,
			   part->length);
		x += part_width(line, part) + gap;
	}
}

void top_scroll(size_t *first, size_t selected, size_t count, size_t room)
{
	if (selected != SIZE_MAX && room && selected < count) {
		if (selected < *first)
			*first = selected;
		else if (selected - *first >= room)
			*first = selected - room + 1;
	}
	if (*first > count || count - *first < room)
		*first = count > room ? count - room : 0;
}
