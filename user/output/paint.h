/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bytes that make a terminal show a canvas, given what it shows: all of ncursesw that nsview
 * uses. ncurses writes into memory, since its own way to a slow terminal is to wait for it, and to
 * a broken one, to try for ever.
 */
#ifndef NSVIEW_OUTPUT_PAINT_H
#define NSVIEW_OUTPUT_PAINT_H

#include <stdbool.h>
#include <stddef.h>

struct canvas;
struct keys;
struct paint;
struct text;

/* For the terminal that TERM names, of this size; 0: not known. -ENOENT: unknown; -EOPNOTSUPP: it cannot place text. */
int paint_open(struct paint **paint, bool has_colour, size_t width, size_t height);
void paint_close(struct paint *paint); /* takes NULL */

/* The size of a terminal that does not tell one, as terminfo has it. */
void paint_size(const struct paint *paint, size_t *width, size_t *height);

/* Appends the bytes. The first time, and after paint_leave, they take the terminal over. */
void paint_canvas(struct paint *paint, const struct canvas *canvas, struct text *out);

/* What the terminal shows is not known any more: the next canvas is painted whole. */
void paint_forget(struct paint *paint);

/* Appends what gives the terminal back. `height` is its height now. */
void paint_last(const struct paint *paint, size_t height, struct text *out);
void paint_leave(struct paint *paint);

/* Tells keys what this terminal's own ones send. */
void paint_keys(const struct paint *paint, struct keys *keys);

#endif
