/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages over the whole screen: the help, all about one row, what a container sees. */
#include <string.h>

#include "base/mem.h"
#include "output/top_parts.h"
#include "view/page.h"

#define HEIGHT_TITLE 2
#define HEIGHT_KEYS 4
#define HEIGHT_BLANK 12
#define KEYS_WIDTH_MIN 16 /* of the help's first column */

static const enum canvas_style styles[PAGE_STYLES] = {
	[PAGE_PLAIN] = STYLE_PLAIN,
	[PAGE_HEADING] = STYLE_BOLD,
	[PAGE_DIM] = STYLE_DIM,
	[PAGE_WARN] = STYLE_POWERFUL,
};

static void title_draw(struct canvas *canvas, const char *title, const struct page *page,
		       size_t first, size_t room)
{
	size_t last = top_min(first + room, page->count);
	struct top_line line = {0};

	top_line_part(&line, STYLE_HEADING, false, 1);
	text_add_printable(&line.text, title, strlen(title));
	if (page->count > room) {
		top_line_part(&line, STYLE_HEADING, true, 0);
		text_printf(&line.text, "%zu-%zu of %zu", first + 1, last, page->count);
	}
	top_line_draw(canvas, 0, &line, 2);
	canvas_style(canvas, 0, 0, SIZE_MAX, STYLE_HEADING);
	text_free(&line.text);
}

static void keys_draw(struct canvas *canvas, bool is_long)
{
	static const char *const words[][2] = {{"Esc", "back"}, {"arrows PgUp PgDn", "move"}};
	size_t y = canvas_height(canvas) - 1;
	size_t x = 0;

	for (size_t i = 0; i < (is_long ? 2 : 1); i++) {
		x += canvas_put(canvas, y, x, SIZE_MAX, STYLE_KEY, words[i][0],
				strlen(words[i][0]));
		x += 1 + canvas_put(canvas, y, x + 1, SIZE_MAX, STYLE_PLAIN, words[i][1],
				    strlen(words[i][1]));
		x += 2;
	}
}

void top_draw_page(struct canvas *canvas, const char *title, const struct page *page, size_t *first,
		   const struct top_prompt *prompt)
{
	size_t height = canvas_height(canvas);
	size_t top = (height >= HEIGHT_TITLE) + (height >= HEIGHT_BLANK);
	size_t below = (height >= HEIGHT_KEYS) + (height >= HEIGHT_BLANK);
	size_t room = height - top - below;

	top_scroll(first, SIZE_MAX, page->count, room);
	if (height >= HEIGHT_TITLE)
		title_draw(canvas, title, page, *first, room);
	for (size_t i = 0; i < room && *first + i < page->count; i++) {
		const struct page_line *line = &page->lines[*first + i];

		canvas_put(canvas, top + i, 0, SIZE_MAX, styles[line->style],
			   page->text.data + line->offset, line->length);
	}
	canvas_cursor_set(canvas, top, 0, false);
	if (height >= HEIGHT_KEYS)
		keys_draw(canvas, page->count > room);
	if (prompt && prompt->label)
		top_prompt_draw(canvas, prompt);
}

/* What the table itself has no room to explain. */
static const char *const signs[][2] = {
	{"*", "new, or its credentials or namespaces have changed: for 3 s"},
	{"x", "has ended: for 1 s"},
	{"- +", "a group, open and folded; the number behind its name is its processes'"},
	{"?", "could not be known"},
	{"-", "does not apply"},
	{"MEM/LIMIT", "a process's resident memory; a container's use and its limit"},
	{"in userns", "these capabilities do not count on the host; without it they do"},
	{"<- 3 more ...", "capabilities beyond what the container declares"},
};

void top_help(struct page *page, const struct top_key_help *keys, size_t count)
{
	size_t width = KEYS_WIDTH_MIN;

	for (size_t i = 0; i < count; i++)
		width = top_max(width, strlen(keys[i].keys));
	for (size_t i = 0; i < count; i++)
		page_add(page, PAGE_PLAIN, "%-*s  %s", (int)width, keys[i].keys, keys[i].help);
	page_add_heading(page, "signs");
	for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
		page_add(page, PAGE_PLAIN, "%-*s  %s", (int)width, signs[i][0], signs[i][1]);
}
