/* SPDX-License-Identifier: GPL-2.0-only */
/* The terminal, by ncursesw: shows canvases, hands out keys, and is always given back as it was. */
#ifndef NSVIEW_OUTPUT_SCREEN_H
#define NSVIEW_OUTPUT_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct canvas;
struct screen;

/* What a terminal sends that is no character. Characters are their code points. */
enum screen_key {
	KEY_SCREEN = 0x110000, /* beyond Unicode */
	KEY_UP_ARROW,
	KEY_DOWN_ARROW,
	KEY_LEFT_ARROW,
	KEY_RIGHT_ARROW,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
	KEY_TO_START,
	KEY_TO_END,
	KEY_DELETE_LEFT,
	KEY_DELETE_RIGHT,
	KEY_RETURN,
	KEY_ESCAPE,
	KEY_TABULATOR,
	KEY_RESIZED,
	KEY_FUNCTION, /* + 1: F1, ... + 12 */
	KEY_FUNCTION_LAST = KEY_FUNCTION + 12,
};

/* -ENOTTY: standard input or output is no terminal; -ENOENT: TERM names none that is known
 * (said by the caller). has_colour: NO_COLOR is not set. */
int screen_open(struct screen **screen, bool has_colour);
/* Gives the terminal back; takes NULL. A crash, SIGTERM, SIGHUP and exit() do so too. */
void screen_close(struct screen *screen);

void screen_size(const struct screen *screen, size_t *width, size_t *height);

/* Writes only what differs from what is there. */
void screen_show(struct screen *screen, const struct canvas *canvas);
/* All of it again (Ctrl-L, after ^Z and fg). */
void screen_redraw(struct screen *screen);

/* The next key that is there already; 0: none. Never waits: the caller polls standard input. */
uint32_t screen_key(struct screen *screen);

/* ^Z: gives the terminal back, stops this process group, and takes it again after fg. */
void screen_suspend(struct screen *screen);

#endif
