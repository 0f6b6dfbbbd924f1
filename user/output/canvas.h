/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A screen's worth of cells, before anybody knows which terminal shows it: the live table is drawn
 * on it, and it goes to a terminal (screen.h), to a stream (--once, w) or to a test.
 */
#ifndef NSVIEW_OUTPUT_CANVAS_H
#define NSVIEW_OUTPUT_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* What it means; screen.h has the colours. Never the only bearer of a meaning. */
enum canvas_style {
	STYLE_PLAIN,
	STYLE_BOLD,
	STYLE_DIM,      /* in userns; not of interest */
	STYLE_INSIDE,   /* the container's view */
	STYLE_POWERFUL, /* capabilities of weight on the host */
	STYLE_FULL,     /* all of them */
	STYLE_HEADING,  /* of the columns, of the panes */
	STYLE_SELECTED, /* the row that keys act on */
	STYLE_GROUP,
	STYLE_FRESH, /* new or changed */
	STYLE_GONE,
	STYLE_ALARM, /* lost is not 0; an error */
	STYLE_KEY,   /* F1 in the last line */
	CANVAS_STYLES,
};

struct canvas;

/* All blank. A side of 0 is taken as 1. */
struct canvas *canvas_new(size_t width, size_t height);
void canvas_free(struct canvas *canvas); /* takes NULL */
void canvas_resize(struct canvas *canvas, size_t width, size_t height);
void canvas_clear(struct canvas *canvas);
size_t canvas_width(const struct canvas *canvas);
size_t canvas_height(const struct canvas *canvas);

/*
 * Puts raw text at a place, made printable, cut to at most `width` columns (a wide character is
 * never halved) and to the canvas; beyond it nothing happens. Returns the columns it took.
 */
size_t canvas_put(struct canvas *canvas, size_t y, size_t x, size_t width, enum canvas_style style,
		  const char *text, size_t length);
size_t canvas_put_right(struct canvas *canvas, size_t y, size_t x, size_t width,
			enum canvas_style style, const char *text, size_t length);
/* Makes a row blank again. */
void canvas_blank(struct canvas *canvas, size_t y);
/* Gives what is there already another style: the selected row. */
void canvas_style(struct canvas *canvas, size_t y, size_t x, size_t width, enum canvas_style style);

/* Where the terminal's cursor rests: on the selected row, for who reads the screen by it (hidden),
 * or where a prompt takes the next character. Kept within the canvas; cleared to the top left. */
struct canvas_cursor {
	size_t y;
	size_t x;
	bool is_shown;
};
void canvas_cursor_set(struct canvas *canvas, size_t y, size_t x, bool is_shown);
struct canvas_cursor canvas_cursor(const struct canvas *canvas);

/* One cell, for who shows it: the bytes of a character and of up to CANVAS_MARKS_MAX marks that
 * combine with it; length 0: the right half of a wide one. */
#define CANVAS_MARKS_MAX 4
struct canvas_cell {
	const char *text;
	size_t length;
	enum canvas_style style;
};
struct canvas_cell canvas_at(const struct canvas *canvas, size_t y, size_t x);

/* to gets the size of from, and what is on it. */
void canvas_copy(struct canvas *to, const struct canvas *from);

/* Whether row y of both, which have the same width, looks the same. */
bool canvas_is_same_row(const struct canvas *one, const struct canvas *other, size_t y);

/* As lines of text, without the blanks that trail each and the blank lines that trail all; 0 or
 * -errno of the stream. */
int canvas_write(const struct canvas *canvas, FILE *stream);

#endif
