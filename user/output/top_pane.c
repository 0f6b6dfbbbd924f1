/* SPDX-License-Identifier: GPL-2.0-only */
/* The pane of latest changes. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/facts.h"
#include "output/top_parts.h"
#include "view/changes.h"
#include "view/column.h"

#define NS_PER_S 1000000000ULL
#define TIME_WIDTH 8
#define WORD_WIDTH 7
#define WORD_MOST 12
#define CONTAINER_WIDTH 10
#define CONTAINER_MOST 24
#define WHO_WIDTH 16
#define WHO_MOST 28

struct pane {
	struct canvas *canvas;
	const struct top_frame *frame;
	size_t first;
	size_t count; /* of lines shown */
	size_t word;
	size_t container;
	size_t who;
};

static size_t width_of(const char *raw)
{
	struct text printable = {0};
	size_t width;

	text_add_printable(&printable, raw, strlen(raw));
	width = text_width(printable.data, printable.length);
	text_free(&printable);
	return width;
}

static void pane_measure(struct pane *pane)
{
	struct top_memory *memory = pane->frame->memory;
	struct change change;

	pane->word = top_max(WORD_WIDTH, memory ? memory->word : 0);
	pane->container = top_max(CONTAINER_WIDTH, memory ? memory->container : 0);
	pane->who = top_max(WHO_WIDTH, memory ? memory->who : 0);
	for (size_t i = 0; i < pane->count; i++) {
		changes_get(pane->frame->changes, pane->first + i, &change);
		pane->word = top_max(pane->word, top_min(WORD_MOST, width_of(change.word)));
		pane->container = top_max(pane->container,
					  top_min(CONTAINER_MOST, width_of(change.container)));
		pane->who = top_max(pane->who, top_min(WHO_MOST, width_of(change.who)));
	}
	if (!memory)
		return;
	memory->word = pane->word;
	memory->container = pane->container;
	memory->who = pane->who;
}

static void time_draw(const struct pane *pane, size_t y, uint64_t time_boot_ns)
{
	const struct facts *facts = pane->frame->view->facts;
	struct tm local;
	char shown[16] = "?";

	if (facts_local(facts, (int64_t)((time_boot_ns + facts->boot_offset_ns) / NS_PER_S),
			&local))
		strftime(shown, sizeof(shown), "%H:%M:%S", &local);
	canvas_put(pane->canvas, y, 0, TIME_WIDTH, STYLE_PLAIN, shown, strlen(shown));
}

static enum canvas_style style_of(const struct change *change)
{
	if (change->kind == PANE_LOST)
		return STYLE_ALARM;
	return change->is_loud ? STYLE_BOLD : STYLE_PLAIN;
}

static void change_draw(const struct pane *pane, size_t y, const struct change *change)
{
	enum canvas_style style = style_of(change);
	size_t x = TIME_WIDTH + 1;

	time_draw(pane, y, change->time_boot_ns);
	canvas_put(pane->canvas, y, x, pane->word, style, change->word, strlen(change->word));
	x += pane->word + 1;
	canvas_put(pane->canvas, y, x, pane->container, STYLE_PLAIN, change->container,
		   strlen(change->container));
	x += pane->container + 1;
	canvas_put(pane->canvas, y, x, pane->who, STYLE_PLAIN, change->who, strlen(change->who));
	x += pane->who + 1;
	canvas_put(pane->canvas, y, x, SIZE_MAX, style == STYLE_ALARM ? STYLE_BOLD : style,
		   change->text, strlen(change->text));
}

/* "-- changes  7-12 of 1000, 345 older ones gone ------------- Enter: go  e: hide ---" */
static void title_draw(const struct pane *pane, size_t y, size_t all)
{
	bool is_focused = pane->frame->pane == TOP_PANE_FOCUSED;
	const char *hint = is_focused ? " Enter: go  Tab: back ---" : " Tab: into  e: hide ---";
	uint64_t gone = changes_forgotten(pane->frame->changes);
	size_t width = canvas_width(pane->canvas);
	struct text title = {0};

	text_add_string(&title, "-- changes");
	if (is_focused && pane->count)
		text_printf(&title, "  %zu-%zu of %zu", pane->first + 1, pane->first + pane->count,
			    all);
	if (gone)
		text_printf(&title, "  %llu older gone", (unsigned long long)gone);
	text_add_char(&title, ' ');
	if (!pane->frame->keys_count)
		hint = "";
	while (title.length + strlen(hint) < width)
		text_add_char(&title, '-');
	if (title.length + strlen(hint) <= width)
		text_add_string(&title, hint);
	canvas_put(pane->canvas, y, 0, width, is_focused ? STYLE_BOLD : STYLE_DIM, title.data,
		   title.length);
	text_free(&title);
}

static void lines_draw(const struct pane *pane, size_t y)
{
	static const char nothing[] = "nothing yet";
	struct change change;

	if (!pane->count)
		canvas_put(pane->canvas, y, 0, SIZE_MAX, STYLE_DIM, nothing, strlen(nothing));
	for (size_t i = 0; i < pane->count; i++) {
		changes_get(pane->frame->changes, pane->first + i, &change);
		change_draw(pane, y + i, &change);
		if (pane->frame->pane != TOP_PANE_FOCUSED ||
		    pane->first + i != pane->frame->pane_selected)
			continue;
		canvas_style(pane->canvas, y + i, 0, SIZE_MAX, STYLE_SELECTED);
		canvas_cursor_set(pane->canvas, y + i, 0, false);
	}
}

void top_pane_draw(struct canvas *canvas, const struct top_frame *frame,
		   const struct top_layout *layout)
{
	struct pane pane = {.canvas = canvas, .frame = frame};
	bool is_focused = frame->pane == TOP_PANE_FOCUSED;
	size_t all = frame->changes ? changes_count(frame->changes) : 0;

	top_scroll(frame->pane_first, is_focused ? frame->pane_selected : SIZE_MAX, all,
		   layout->pane_lines);
	pane.first = *frame->pane_first;
	pane.count = top_min(all - pane.first, layout->pane_lines);
	pane_measure(&pane);
	title_draw(&pane, layout->pane_title_y, all);
	lines_draw(&pane, layout->pane_title_y + 1);
}
