/* SPDX-License-Identifier: GPL-2.0-only */
#include "output/output.h"

#include <linux/capability.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/caps.h"
#include "host/facts.h"
#include "output/stream.h"
#include "view/column.h"

#define CONTAINER_WIDTH_MAX 24
#define CONTAINER_FRONT 11 /* of them before the dots, and after: both ends identify */
#define CONTAINER_BACK 10
#define PADDED_WIDTH_MAX 200 /* one hostile cell does not make every row as wide as itself */
#define MEMORY_BYTES 32
#define NS_PER_SECOND 1000000000
#define LAST_WIDTH_MIN 20 /* columns go until the last one, COMMAND, has so much */

/* What goes first when a terminal is too narrow. The others never go. */
static const char *const dropped_first[] = {
	"vsz", "tty", "mem", "time", "start", "stat", "rss", "cpu",
};

/* Holding one of these on the host is most of holding all. */
#define CAP(name) (1ULL << CAP_##name)
static const uint64_t caps_dangerous = CAP(SYS_ADMIN) | CAP(SYS_MODULE) | CAP(SYS_PTRACE) |
				       CAP(SYS_RAWIO) | CAP(DAC_READ_SEARCH) | CAP(NET_ADMIN) |
				       CAP(BPF) | CAP(MAC_ADMIN);

enum style {
	STYLE_PLAIN,
	STYLE_ALARM,
	STYLE_WARNING,
	STYLE_DIM,
	STYLE_INSIDE,
};

static const char *const style_codes[] = {
	[STYLE_ALARM] = "\033[1;31m",
	[STYLE_WARNING] = "\033[33m",
	[STYLE_DIM] = "\033[2m",
	[STYLE_INSIDE] = "\033[36m",
};
static const char style_end[] = "\033[0m";

struct cell {
	uint32_t length; /* bytes of table.cells_text, one cell after the other */
	uint32_t width : 24;
	uint32_t style : 8;
};

/* The cell above, where it is a number or a set: the next one often is the same. */
struct table_memory {
	struct value value;
	struct cell cell;
	bool is_set;
	char shown[MEMORY_BYTES];
};

struct table_column {
	const struct column *column;
	struct table_memory above;
	size_t width;
	bool is_dropped;
	bool is_late; /* the last one, on the left: neither padded nor kept, formatted when written */
};

struct table {
	FILE *stream;
	const struct output_options *options;
	const struct view_context *view;
	const struct proc *const *procs;
	size_t count;
	struct table_column *columns;
	struct cell *cells;
	struct text cells_text;
	struct text out;
	struct text styled;
	size_t late_room; /* columns for the late one; 0: as much as it takes */
};

static enum style style_of_caps(const struct value *value, const struct view_context *view)
{
	uint64_t mask = value->caps.mask;

	if (!mask)
		return STYLE_PLAIN;
	if (value->caps.reach != REACH_HOST)
		return STYLE_DIM;
	if (mask == caps_full(view->facts->cap_last))
		return STYLE_ALARM;
	return mask & caps_dangerous ? STYLE_WARNING : STYLE_PLAIN;
}

static enum style style_of(const struct column *column, const struct value *value,
			   const struct view_context *view)
{
	if (value->kind == VALUE_NONE || value->kind == VALUE_UNKNOWN)
		return STYLE_PLAIN;
	if (column->type == COLUMN_CAPS)
		return style_of_caps(value, view);
	return column->is_inside ? STYLE_INSIDE : STYLE_PLAIN;
}

/* Where the part begins that takes at most the last `width` columns of printable text. */
static size_t text_tail(const char *data, size_t length, size_t width)
{
	size_t all = text_width(data, length);
	size_t tail = all <= width ? 0 : text_fit(data, length, all - width);

	/* The middle of a wide character is no place to begin. */
	if (text_width(data + tail, length - tail) > width)
		tail += text_fit(data + tail, length - tail, 2);
	return tail;
}

/* Cuts the text from `start` on to CONTAINER_WIDTH_MAX columns, in its middle. */
static void cut_middle(struct text *text, size_t start)
{
	size_t length = text->length - start;
	const char *data = text->data + start;
	size_t front;
	size_t back;
	char *place;

	if (length <= CONTAINER_WIDTH_MAX || text_width(data, length) <= CONTAINER_WIDTH_MAX)
		return;
	front = text_fit(data, length, CONTAINER_FRONT);
	back = text_tail(data, length, CONTAINER_BACK);
	/* At least three columns go, and with them the three bytes that the dots need. */
	place = text->data + start + front;
	memmove(place + 3, data + back, length - back);
	memcpy(place, "...", 3);
	text->length = start + front + 3 + length - back;
}

/* Whether both look the same in a table: never said of texts. */
static bool is_same_cell(const struct column *column, const struct value *one,
			 const struct value *other)
{
	int64_t grain = column->type == COLUMN_START || column->type == COLUMN_CPU_TIME ||
					column->type == COLUMN_CPU_CLOCK
				? NS_PER_SECOND
				: 1;

	if (one->kind != other->kind)
		return false;
	switch (one->kind) {
	case VALUE_NONE:
	case VALUE_UNKNOWN:
		return true;
	case VALUE_NUMBER:
		return one->number / grain == other->number / grain;
	case VALUE_REAL:
		return one->real == other->real;
	case VALUE_CAPS:
		return one->caps.mask == other->caps.mask && one->caps.reach == other->caps.reach;
	default:
		return false;
	}
}

static void memory_keep(struct table_memory *above, const struct value *value,
			const struct cell *cell, const char *shown)
{
	above->is_set = cell->length <= MEMORY_BYTES;
	if (!above->is_set)
		return;
	above->value = *value;
	above->cell = *cell;
	memcpy(above->shown, shown, cell->length);
}

static void table_add_cell(struct table *table, struct table_column *column,
			   const struct proc *proc, struct cell *cell)
{
	size_t start = table->cells_text.length;
	struct table_memory *above = &column->above;
	struct value value;
	size_t width;

	column_get(column->column, table->view, proc, &value);
	if (above->is_set && is_same_cell(column->column, &above->value, &value)) {
		*cell = above->cell;
		text_add(&table->cells_text, above->shown, cell->length);
		return;
	}
	cell_format(&table->cells_text, column->column, &value, table->view);
	if (table->options->width && !strcmp(column->column->key, "container"))
		cut_middle(&table->cells_text, start);
	cell->length = (uint32_t)(table->cells_text.length - start);
	width = text_width(table->cells_text.data + start, cell->length);
	cell->width = width & 0xffffff;
	cell->style = table->options->has_colour ? style_of(column->column, &value, table->view)
						 : STYLE_PLAIN;
	if (width > column->width)
		column->width = width < PADDED_WIDTH_MAX ? width : PADDED_WIDTH_MAX;
	if (value.kind != VALUE_TEXT)
		memory_keep(above, &value, cell, table->cells_text.data + start);
}

/* All cells but the late ones, and with them how wide each column has to be. */
static void table_fill(struct table *table)
{
	size_t columns = table->options->columns_count;
	struct cell *cell;

	table->cells = mem_resize(NULL, table->count * columns, sizeof(*table->cells));
	cell = table->cells;
	for (size_t row = 0; row < table->count; row++) {
		for (size_t i = 0; i < columns; i++) {
			if (!table->columns[i].is_late)
				table_add_cell(table, &table->columns[i], table->procs[row],
					       cell++);
		}
	}
}

static enum style late_format(struct table *table, const struct table_column *late,
			      const struct proc *proc, struct text *out)
{
	struct value value;
	enum style style = STYLE_PLAIN;

	column_get(late->column, table->view, proc, &value);
	if (table->options->has_colour)
		style = style_of(late->column, &value, table->view);
	cell_format(out, late->column, &value, table->view);
	return style;
}

/* How much of the late column would have to be seen: what it takes, at most LAST_WIDTH_MIN. */
static size_t late_width(struct table *table, const struct table_column *late)
{
	size_t widest = text_width(late->column->heading, strlen(late->column->heading));
	struct text shown = {0};

	for (size_t row = 0; row < table->count && widest < LAST_WIDTH_MIN; row++) {
		size_t width;

		text_clear(&shown);
		late_format(table, late, table->procs[row], &shown);
		width = text_width(shown.data, shown.length);
		if (width > widest)
			widest = width;
	}
	text_free(&shown);
	return widest < LAST_WIDTH_MIN ? widest : LAST_WIDTH_MIN;
}

static struct table_column *table_find(struct table *table, const char *key)
{
	for (size_t i = 0; i < table->options->columns_count; i++) {
		if (!strcmp(table->columns[i].column->key, key) && !table->columns[i].is_late)
			return &table->columns[i];
	}
	return NULL;
}

/* Makes the rows fit the terminal: whole columns go, then only the late one is cut. */
static void table_narrow(struct table *table)
{
	struct table_column *late = &table->columns[table->options->columns_count - 1];
	size_t width = table->options->width;
	size_t taken = 0;
	size_t wanted;

	if (!width || !late->is_late)
		return;
	for (struct table_column *column = table->columns; column < late; column++)
		taken += column->width + 1;
	wanted = late_width(table, late);
	for (size_t i = 0; i < ARRAY_SIZE(dropped_first) && taken + wanted > width; i++) {
		struct table_column *column = table_find(table, dropped_first[i]);

		if (!column)
			continue;
		column->is_dropped = true;
		taken -= column->width + 1;
	}
	/* A terminal narrower than the columns that never go wraps the rows. */
	table->late_room = strlen(late->column->heading);
	if (width > taken + table->late_room)
		table->late_room = width - taken;
}

static void table_add_padded(struct table *table, const struct table_column *column,
			     const struct cell *cell, const char *data, bool is_last)
{
	size_t padding = column->width > cell->width ? column->width - cell->width : 0;
	bool is_right = column_is_right(column->column);

	if (is_right)
		text_add_spaces(&table->out, padding);
	if (cell->style)
		text_add_string(&table->out, style_codes[cell->style]);
	text_add(&table->out, data, cell->length);
	if (cell->style)
		text_add_string(&table->out, style_end);
	if (!is_last)
		text_add_spaces(&table->out, (is_right ? 0 : padding) + 1);
}

static void table_add_headings(struct table *table)
{
	size_t columns = table->options->columns_count;

	for (size_t i = 0; i < columns; i++) {
		const struct table_column *column = &table->columns[i];
		const char *heading = column->column->heading;
		struct cell cell = {.length = (uint32_t)strlen(heading)};

		cell.width = cell.length & 0xffffff;
		if (column->is_late)
			text_add_string(&table->out, heading);
		else if (!column->is_dropped)
			table_add_padded(table, column, &cell, heading, i + 1 == columns);
	}
	text_add_char(&table->out, '\n');
}

/* Cuts the text from `start` on to `width` columns, and leaves no blanks at the new end. */
static void cut_end(struct text *text, size_t start, size_t width)
{
	size_t length = text_fit(text->data + start, text->length - start, width);

	if (start + length == text->length)
		return;
	while (length > 1 && text->data[start + length - 1] == ' ')
		length--;
	text->length = start + length;
}

static void table_add_late(struct table *table, const struct table_column *late,
			   const struct proc *proc)
{
	struct text *out = &table->out;
	size_t start = out->length;
	enum style style = late_format(table, late, proc, out);

	if (table->late_room)
		cut_end(out, start, table->late_room);
	if (!style)
		return;
	/* Put around what is there only now, so that the code is not cut itself. */
	text_clear(&table->styled);
	text_add(&table->styled, out->data + start, out->length - start);
	out->length = start;
	text_add_string(out, style_codes[style]);
	text_add(out, table->styled.data, table->styled.length);
	text_add_string(out, style_end);
}

static int table_write_rows(struct table *table)
{
	size_t columns = table->options->columns_count;
	const struct cell *cell = table->cells;
	const char *data = table->cells_text.data;
	int r = 0;

	for (size_t row = 0; row < table->count && !r; row++) {
		for (size_t i = 0; i < columns; i++) {
			const struct table_column *column = &table->columns[i];

			if (column->is_late) {
				table_add_late(table, column, table->procs[row]);
				continue;
			}
			if (!column->is_dropped)
				table_add_padded(table, column, cell, data, i + 1 == columns);
			data += cell->length;
			cell++;
		}
		text_add_char(&table->out, '\n');
		r = stream_add(table->stream, &table->out);
	}
	return r ? r : stream_finish(table->stream, &table->out);
}

static void table_start(struct table *table)
{
	size_t columns = table->options->columns_count;

	table->columns = mem_new(columns * sizeof(*table->columns));
	for (size_t i = 0; i < columns; i++) {
		struct table_column *column = &table->columns[i];

		column->column = table->options->columns[i];
		if (!table->options->no_headers)
			column->width = strlen(column->column->heading);
		column->is_late = i + 1 == columns && !column_is_right(column->column);
	}
}

static int table_write(FILE *stream, const struct output_options *options,
		       const struct view_context *view, const struct proc *const *procs,
		       size_t count)
{
	struct table table = {
		.stream = stream,
		.options = options,
		.view = view,
		.procs = procs,
		.count = count,
	};
	int r;

	table_start(&table);
	table_fill(&table);
	table_narrow(&table);
	if (!options->no_headers)
		table_add_headings(&table);
	r = table_write_rows(&table);
	free(table.columns);
	free(table.cells);
	text_free(&table.cells_text);
	text_free(&table.out);
	text_free(&table.styled);
	return r;
}

const struct output_format output_table = {"table", table_write};
