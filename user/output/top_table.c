/* SPDX-License-Identifier: GPL-2.0-only */
/* The table: groups and processes, in columns as wide as they need. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/model.h"
#include "output/top_parts.h"
#include "view/column.h"

#define MARK_WIDTH 2      /* the mark and a blank */
#define COMMAND_WANTED 20 /* for its sake the numbers that ps has too leave */
#define COMMAND_LEAST 8   /* for its sake anything else does */
#define NUMBERS_LEAVE 2   /* live_columns.leaves up to here */
#define DRIFT_GAP 4
#define NAME_DOTS 3
#define NARROW_DRIFT_GAP 1

/* From the beginning, so that columns move seldom; and at most, so that one name does not push
 * the rest off the screen. 0: as in the code. */
static const struct {
	size_t least;
	size_t most;
} bounds[LIVE_COLUMNS] = {
	[LIVE_USER] = {7, 16},   [LIVE_PID] = {7, 10},    [LIVE_IN_USER] = {8, 16},
	[LIVE_IN_PID] = {6, 10}, [LIVE_CPU] = {5, 7},     [LIVE_MEMORY] = {9, 11},
	[LIVE_CAPS] = {25, 60},  [LIVE_COMMAND] = {7, 0},
};

struct cell {
	size_t start;
	size_t length;
};

struct table {
	struct canvas *canvas;
	const struct top_frame *frame;
	const struct live_row *rows; /* those shown */
	size_t count;
	struct cell (*cells)[LIVE_COLUMNS];
	struct text text;
	size_t widths[LIVE_COLUMNS];
	size_t at[LIVE_COLUMNS];
	bool has_left[LIVE_COLUMNS];
};

/* All cells that are seen, and how wide they make their columns. */
static void table_fill(struct table *table)
{
	table->cells = mem_new((table->count + 1) * sizeof(*table->cells));
	for (size_t i = 0; i < LIVE_COLUMNS; i++)
		table->widths[i] = bounds[i].least;
	for (size_t row = 0; row < table->count; row++) {
		for (enum live_column i = 0; i < LIVE_COLUMNS; i++) {
			struct cell *cell = &table->cells[row][i];
			size_t width;

			cell->start = table->text.length;
			live_cell(table->frame->live, &table->rows[row], i, &table->text);
			cell->length = table->text.length - cell->start;
			if (i == LIVE_COMMAND)
				continue;
			width = text_width(table->text.data + cell->start, cell->length);
			table->widths[i] =
				top_max(table->widths[i], top_min(width, bounds[i].most));
		}
	}
}

static void table_remember(struct table *table)
{
	struct top_memory *memory = table->frame->memory;

	if (!memory)
		return;
	for (size_t i = 0; i < LIVE_COLUMNS; i++) {
		memory->columns[i] = top_max(memory->columns[i], table->widths[i]);
		table->widths[i] = memory->columns[i];
	}
}

/* Where the last column begins: what the others take. */
static size_t table_place(struct table *table)
{
	size_t x = MARK_WIDTH;

	for (size_t i = 0; i < LIVE_COLUMNS; i++) {
		table->at[i] = x;
		if (i != LIVE_COMMAND && !table->has_left[i])
			x += table->widths[i] + 1;
	}
	return x;
}

static void table_narrow(struct table *table)
{
	size_t width = canvas_width(table->canvas);

	for (int leaves = 1; leaves < LIVE_COLUMNS; leaves++) {
		size_t wanted = leaves <= NUMBERS_LEAVE ? COMMAND_WANTED : COMMAND_LEAST;

		if (table_place(table) + wanted <= width)
			return;
		for (size_t i = 0; i < LIVE_COLUMNS; i++) {
			if (live_columns[i].leaves == leaves)
				table->has_left[i] = true;
		}
	}
	table_place(table);
}

static void table_put(const struct table *table, size_t y, enum live_column column,
		      enum canvas_style style, const char *text, size_t length)
{
	size_t width = column == LIVE_COMMAND ? SIZE_MAX : table->widths[column];

	if (table->has_left[column])
		return;
	if (live_columns[column].is_right)
		canvas_put_right(table->canvas, y, table->at[column], width, style, text, length);
	else
		canvas_put(table->canvas, y, table->at[column], width, style, text, length);
}

static void heading_draw(const struct table *table, size_t y)
{
	for (enum live_column i = 0; i < LIVE_COLUMNS; i++) {
		const char *heading = live_columns[i].heading;

		table_put(table, y, i, STYLE_HEADING, heading, strlen(heading));
	}
	canvas_style(table->canvas, y, 0, SIZE_MAX, STYLE_HEADING);
}

static enum canvas_style style_of_weight(enum live_weight weight, enum canvas_style usual)
{
	switch (weight) {
	case LIVE_FULL:
		return STYLE_FULL;
	case LIVE_POWERFUL:
		return STYLE_POWERFUL;
	case LIVE_IN_USERNS:
		return STYLE_DIM;
	case LIVE_NO_POWER:
	case LIVE_SOME_POWER:
		break;
	}
	return usual;
}

/* Cut in its middle where it does not fit: both ends of a name tell which one it is. */
static void name_put(const struct table *table, size_t y, size_t room, const struct text *name)
{
	size_t width = text_width(name->data, name->length);
	size_t front;
	size_t tail;

	if (width <= room || room < NAME_DOTS + 2) {
		canvas_put(table->canvas, y, MARK_WIDTH, room, STYLE_GROUP, name->data,
			   name->length);
		return;
	}
	front = (room - NAME_DOTS + 1) / 2;
	tail = text_fit(name->data, name->length, width - (room - NAME_DOTS - front));
	/* The middle of a wide character is no place to begin. */
	if (text_width(name->data + tail, name->length - tail) > room - NAME_DOTS - front)
		tail += text_fit(name->data + tail, name->length - tail, 2);
	front = canvas_put(table->canvas, y, MARK_WIDTH, front, STYLE_GROUP, name->data,
			   name->length);
	canvas_put(table->canvas, y, MARK_WIDTH + front, NAME_DOTS, STYLE_GROUP, "...", NAME_DOTS);
	canvas_put(table->canvas, y, MARK_WIDTH + front + NAME_DOTS, room - NAME_DOTS - front,
		   STYLE_GROUP, name->data + tail, name->length - tail);
}

static bool title_fits(const struct table *table, const struct live_group *group, bool has_image,
		       size_t room, struct text *title)
{
	struct text raw = {0};

	live_group_title(table->frame->live, group, has_image, &raw);
	text_clear(title);
	text_add_printable(title, raw.data, raw.length);
	text_free(&raw);
	return text_width(title->data, title->length) <= room;
}

/* The group's name, and what of its runtime and image there is room for. */
static void title_make(const struct table *table, const struct live_group *group, size_t room,
		       struct text *title)
{
	if (!table->has_left[LIVE_CPU] && title_fits(table, group, true, room, title))
		return;
	if (title_fits(table, group, false, room, title) || !group->container)
		return;
	text_clear(title);
	text_add_printable(title, group->container->name, strlen(group->container->name));
}

/* Where the columns end that a group's name stands in; where almost all have left, it takes of the
 * command's place what it needs, up to half of the line. */
static size_t title_end(const struct table *table, const struct live_group *group, size_t besides)
{
	const char *name = group->container ? group->container->name : "";
	size_t wanted = MARK_WIDTH + text_width(name, strlen(name)) + besides;
	size_t end = MARK_WIDTH;

	for (enum live_column i = LIVE_USER; i <= LIVE_IN_PID; i++) {
		if (!table->has_left[i])
			end = table->at[i] + table->widths[i];
	}
	if (!table->has_left[LIVE_CAPS])
		return end;
	return top_max(end, top_min(wanted, canvas_width(table->canvas) / 2));
}

/* "plain  docker  ubuntu  3": how many there are stands where IN-PID does in other rows. Returns
 * where it ends. */
static size_t title_draw(const struct table *table, size_t y, const struct live_group *group,
			 const struct cell *procs)
{
	size_t besides = 1 + text_width(table->text.data + procs->start, procs->length);
	size_t end = title_end(table, group, besides);
	size_t room = end > MARK_WIDTH + besides ? end - MARK_WIDTH - besides : 0;
	struct text title = {0};

	title_make(table, group, room, &title);
	name_put(table, y, room, &title);
	canvas_put_right(table->canvas, y, MARK_WIDTH, end - MARK_WIDTH, STYLE_GROUP,
			 table->text.data + procs->start, procs->length);
	text_free(&title);
	return end;
}

/* Of several judgements, as many as fit as a whole, and dots for the rest; the worst one is first. */
static void verdict_draw(const struct table *table, size_t y, size_t x, enum canvas_style style,
			 const struct cell *cell)
{
	static const char dots[] = "; ...";
	size_t room = canvas_width(table->canvas) > x ? canvas_width(table->canvas) - x : 0;
	const char *verdict = table->text.data + cell->start;
	size_t length = cell->length;

	if (text_width(verdict, length) <= room) {
		canvas_put(table->canvas, y, x, room, style, verdict, length);
		return;
	}
	while (length &&
	       (verdict[length] != ';' || text_width(verdict, length) + strlen(dots) > room))
		length--;
	x += canvas_put(table->canvas, y, x, room, style, verdict, length ? length : cell->length);
	if (length)
		canvas_put(table->canvas, y, x, SIZE_MAX, style, dots, strlen(dots));
}

static void group_draw(const struct table *table, size_t y, const struct live_group *group,
		       const struct cell *cells)
{
	size_t end = title_draw(table, y, group, &cells[LIVE_IN_PID]);

	canvas_put(table->canvas, y, 0, 1, STYLE_GROUP, group->is_folded ? "+" : "-", 1);
	for (enum live_column i = LIVE_CPU; i < LIVE_COLUMNS; i++) {
		enum canvas_style style = STYLE_GROUP;

		if (i == LIVE_CAPS)
			style = style_of_weight(group->weight, STYLE_GROUP);
		if (i != LIVE_COMMAND)
			table_put(table, y, i, style, table->text.data + cells[i].start,
				  cells[i].length);
	}
	verdict_draw(table, y, top_max(table->at[LIVE_COMMAND], end + 1),
		     group->is_drifting ? STYLE_FULL : STYLE_GROUP, &cells[LIVE_COMMAND]);
}

static enum canvas_style style_of_cell(const struct live_row *row, enum live_column column)
{
	if (row->mark == LIVE_GONE)
		return STYLE_GONE;
	if (column == LIVE_CAPS)
		return style_of_weight(row->weight, STYLE_PLAIN);
	return live_columns[column].is_inside ? STYLE_INSIDE : STYLE_PLAIN;
}

/* A command that is cut does not take along what is said about it. */
static void command_draw(const struct table *table, size_t y, const struct live_row *row,
			 const struct cell *cell)
{
	size_t x = table->at[LIVE_COMMAND];
	size_t room = canvas_width(table->canvas) > x ? canvas_width(table->canvas) - x : 0;
	const char *command = table->text.data + cell->start;
	struct text drift = {0};
	size_t gap = DRIFT_GAP;

	if (!row->drift || row->mark == LIVE_GONE) {
		canvas_put(table->canvas, y, x, room, style_of_cell(row, LIVE_COMMAND), command,
			   cell->length);
		return;
	}
	text_printf(&drift, "<- %u more than declared", row->drift);
	if (room < drift.length + gap + COMMAND_LEAST) {
		gap = NARROW_DRIFT_GAP;
		text_clear(&drift);
		text_printf(&drift, "<- +%u", row->drift);
	}
	room = room > drift.length + gap ? room - drift.length - gap : 0;
	x += canvas_put(table->canvas, y, x, room, STYLE_PLAIN, command, cell->length);
	canvas_put(table->canvas, y, x + gap, SIZE_MAX, STYLE_FULL, drift.data, drift.length);
	text_free(&drift);
}

static void proc_draw(const struct table *table, size_t y, const struct live_row *row,
		      const struct cell *cells)
{
	if (row->mark == LIVE_GONE)
		canvas_put(table->canvas, y, 0, 1, STYLE_GONE, "x", 1);
	else if (row->mark != LIVE_PLAIN)
		canvas_put(table->canvas, y, 0, 1, STYLE_FRESH, "*", 1);
	for (enum live_column i = 0; i < LIVE_COMMAND; i++)
		table_put(table, y, i, style_of_cell(row, i), table->text.data + cells[i].start,
			  cells[i].length);
	command_draw(table, y, row, &cells[LIVE_COMMAND]);
}

static void rows_draw(const struct table *table, const struct top_layout *layout)
{
	static const char nothing[] = "no process is selected";
	size_t selected = table->frame->selected;
	size_t first = *table->frame->first;

	if (!table->count)
		canvas_put(table->canvas, layout->rows_y, MARK_WIDTH, SIZE_MAX, STYLE_DIM, nothing,
			   strlen(nothing));
	for (size_t i = 0; i < table->count; i++) {
		const struct live_row *row = &table->rows[i];
		size_t y = layout->rows_y + i;

		if (row->proc)
			proc_draw(table, y, row, table->cells[i]);
		else
			group_draw(table, y, row->group, table->cells[i]);
		if (first + i != selected || table->frame->pane == TOP_PANE_FOCUSED)
			continue;
		canvas_style(table->canvas, y, 0, SIZE_MAX, STYLE_SELECTED);
		canvas_cursor_set(table->canvas, y, 0, false);
	}
}

void top_table_draw(struct canvas *canvas, const struct top_frame *frame,
		    const struct top_layout *layout)
{
	struct table table = {.canvas = canvas, .frame = frame};
	size_t count;
	const struct live_row *rows = live_rows(frame->live, &count);

	top_scroll(frame->first, frame->selected, count, layout->rows);
	if (count) {
		table.rows = rows + *frame->first;
		table.count = top_min(count - *frame->first, layout->rows);
	}
	table_fill(&table);
	table_remember(&table);
	table_narrow(&table);
	if (layout->has_heading)
		heading_draw(&table, layout->heading_y);
	rows_draw(&table, layout);
	free(table.cells);
	text_free(&table.text);
}
