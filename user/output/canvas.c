/* SPDX-License-Identifier: GPL-2.0-only */
#include "output/canvas.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/mem.h"
#include "base/text.h"
#include "output/stream.h"

#define CHARACTER_MAX 4 /* bytes of one in UTF-8 */
#define CELL_MAX (CHARACTER_MAX * (1 + CANVAS_MARKS_MAX))

/* Compared as bytes: what is behind `length` is always zero. */
struct cell {
	char text[CELL_MAX];
	uint8_t length; /* 0: the right half of the wide character before it */
	uint8_t style;
};

struct canvas {
	size_t width;
	size_t height;
	struct cell *cells;
	struct canvas_cursor cursor;
	struct text printable;
};

static const struct cell blank = {.text = " ", .length = 1};

struct canvas *canvas_new(size_t width, size_t height)
{
	struct canvas *canvas = mem_new(sizeof(*canvas));

	canvas_resize(canvas, width, height);
	return canvas;
}

void canvas_free(struct canvas *canvas)
{
	if (!canvas)
		return;
	text_free(&canvas->printable);
	free(canvas->cells);
	free(canvas);
}

void canvas_resize(struct canvas *canvas, size_t width, size_t height)
{
	canvas->width = width ? width : 1;
	canvas->height = height ? height : 1;
	canvas->cells =
		mem_resize(canvas->cells, canvas->width * canvas->height, sizeof(*canvas->cells));
	canvas_clear(canvas);
}

void canvas_clear(struct canvas *canvas)
{
	for (size_t i = 0; i < canvas->width * canvas->height; i++)
		canvas->cells[i] = blank;
	canvas->cursor = (struct canvas_cursor){0};
}

size_t canvas_width(const struct canvas *canvas)
{
	return canvas->width;
}

size_t canvas_height(const struct canvas *canvas)
{
	return canvas->height;
}

static struct cell *cell_at(const struct canvas *canvas, size_t y, size_t x)
{
	return &canvas->cells[y * canvas->width + x];
}

/* Before x gets other contents: a wide character of which it is a half leaves as a whole. */
static void wide_leave(struct canvas *canvas, size_t y, size_t x)
{
	struct cell *cell = cell_at(canvas, y, x);
	uint8_t style;

	if (!cell->length && x) {
		style = cell[-1].style;
		cell[-1] = blank;
		cell[-1].style = style;
	}
	if (x + 1 < canvas->width && !cell[1].length) {
		style = cell[1].style;
		cell[1] = blank;
		cell[1].style = style;
	}
}

static void cell_set(struct canvas *canvas, size_t y, size_t x, enum canvas_style style,
		     const char *text, size_t length)
{
	struct cell *cell = cell_at(canvas, y, x);

	wide_leave(canvas, y, x);
	*cell = (struct cell){.length = (uint8_t)length, .style = (uint8_t)style};
	memcpy(cell->text, text, length);
}

/* A mark joins the character that this text has put before x. */
static void cell_join(struct canvas *canvas, size_t y, size_t x, const char *text, size_t length)
{
	struct cell *cell = cell_at(canvas, y, x - 1);

	if (!cell->length)
		cell--;
	if (cell->length + length > CELL_MAX)
		return;
	memcpy(cell->text + cell->length, text, length);
	cell->length = (uint8_t)(cell->length + length);
}

/* The bytes of the printable character at text, and the columns that it takes. */
static size_t character_measure(const char *text, size_t length, size_t *columns)
{
	uint32_t codepoint;
	size_t size = text_decode(text, length, &codepoint);
	int width = size ? wcwidth((wchar_t)codepoint) : 1;

	*columns = width < 0 ? 0 : (size_t)width;
	return size ? size : 1;
}

/* Puts printable text between x and end; returns where it ends. */
static size_t put_printable(struct canvas *canvas, size_t y, size_t x, size_t end,
			    enum canvas_style style, const char *text, size_t length)
{
	size_t start = x;
	size_t columns;
	size_t size;

	for (; length; text += size, length -= size) {
		size = character_measure(text, length, &columns);
		if (!columns && x > start) {
			cell_join(canvas, y, x, text, size);
			continue;
		}
		/* A mark that has nothing to stand on gets a blank. */
		if (x + (columns ? columns : 1) > end)
			break;
		if (columns) {
			cell_set(canvas, y, x, style, text, size);
		} else {
			cell_set(canvas, y, x, style, " ", 1);
			cell_join(canvas, y, x + 1, text, size);
		}
		if (columns == 2)
			cell_set(canvas, y, x + 1, style, "", 0);
		x += columns ? columns : 1;
	}
	return x;
}

/* What of raw text can be seen in `width` columns, made printable: the first character of a column
 * and its marks are CELL_MAX bytes at most, since further marks are escaped. */
static void make_printable(struct canvas *canvas, size_t width, const char *text, size_t length)
{
	size_t enough = (width + 1) * CELL_MAX;

	text_clear(&canvas->printable);
	text_add_printable(&canvas->printable, text, length < enough ? length : enough);
}

static size_t end_of(const struct canvas *canvas, size_t x, size_t width)
{
	return width < canvas->width - x ? x + width : canvas->width;
}

size_t canvas_put(struct canvas *canvas, size_t y, size_t x, size_t width, enum canvas_style style,
		  const char *text, size_t length)
{
	size_t end;

	if (y >= canvas->height || x >= canvas->width || !length)
		return 0;
	end = end_of(canvas, x, width);
	make_printable(canvas, end - x, text, length);
	return put_printable(canvas, y, x, end, style, canvas->printable.data,
			     canvas->printable.length) -
	       x;
}

size_t canvas_put_right(struct canvas *canvas, size_t y, size_t x, size_t width,
			enum canvas_style style, const char *text, size_t length)
{
	size_t columns;

	if (y >= canvas->height || x >= canvas->width || !length)
		return 0;
	make_printable(canvas, width, text, length);
	columns = text_width(canvas->printable.data, canvas->printable.length);
	if (columns < width) {
		x += width - columns;
		width = columns;
	}
	if (x >= canvas->width)
		return 0;
	return put_printable(canvas, y, x, end_of(canvas, x, width), style, canvas->printable.data,
			     canvas->printable.length) -
	       x;
}

void canvas_blank(struct canvas *canvas, size_t y)
{
	if (y >= canvas->height)
		return;
	for (size_t x = 0; x < canvas->width; x++)
		*cell_at(canvas, y, x) = blank;
}

void canvas_style(struct canvas *canvas, size_t y, size_t x, size_t width, enum canvas_style style)
{
	if (y >= canvas->height || x >= canvas->width)
		return;
	for (size_t end = end_of(canvas, x, width); x < end; x++)
		cell_at(canvas, y, x)->style = (uint8_t)style;
}

void canvas_cursor_set(struct canvas *canvas, size_t y, size_t x, bool is_shown)
{
	canvas->cursor.y = y < canvas->height ? y : canvas->height - 1;
	canvas->cursor.x = x < canvas->width ? x : canvas->width - 1;
	canvas->cursor.is_shown = is_shown;
}

struct canvas_cursor canvas_cursor(const struct canvas *canvas)
{
	return canvas->cursor;
}

struct canvas_cell canvas_at(const struct canvas *canvas, size_t y, size_t x)
{
	const struct cell *cell = &blank;

	if (y < canvas->height && x < canvas->width)
		cell = cell_at(canvas, y, x);
	return (struct canvas_cell){cell->text, cell->length, cell->style};
}

void canvas_copy(struct canvas *to, const struct canvas *from)
{
	size_t count = from->width * from->height;

	if (to->width != from->width || to->height != from->height)
		canvas_resize(to, from->width, from->height);
	memcpy(to->cells, from->cells, count * sizeof(*to->cells));
	to->cursor = from->cursor;
}

bool canvas_is_same_row(const struct canvas *one, const struct canvas *other, size_t y)
{
	return !memcmp(cell_at(one, y, 0), cell_at(other, y, 0), one->width * sizeof(struct cell));
}

/* How much of a row there is to write: trailing blanks say nothing. */
static size_t row_length(const struct canvas *canvas, size_t y)
{
	size_t x = canvas->width;

	while (x && cell_at(canvas, y, x - 1)->length == 1 &&
	       *cell_at(canvas, y, x - 1)->text == ' ')
		x--;
	return x;
}

int canvas_write(const struct canvas *canvas, FILE *stream)
{
	size_t height = canvas->height;
	struct text out = {0};
	int r = 0;

	while (height && !row_length(canvas, height - 1))
		height--;
	for (size_t y = 0; y < height && !r; y++) {
		size_t length = row_length(canvas, y);

		for (size_t x = 0; x < length; x++) {
			const struct cell *cell = cell_at(canvas, y, x);

			text_add(&out, cell->text, cell->length);
		}
		text_add_char(&out, '\n');
		r = stream_add(stream, &out);
	}
	if (!r)
		r = stream_finish(stream, &out);
	text_free(&out);
	return r;
}
