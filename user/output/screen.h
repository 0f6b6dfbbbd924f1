/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The terminal: shows canvases, hands out keys, and is always given back as it was. ncursesw says
 * which bytes make one canvas of another; a terminal that takes them slowly misses frames, and
 * never makes anybody wait.
 */
#ifndef NSVIEW_OUTPUT_SCREEN_H
#define NSVIEW_OUTPUT_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct canvas;
struct screen;

/* What a terminal sends that is no character. Characters are their code points, Ctrl-A is 1. */
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
	KEY_RESIZED,  /* screen_size is another one: draw anew */
	KEY_GONE,     /* the terminal is no longer there, nor will another key be: end */
	KEY_FUNCTION, /* + 1: F1, ... + 12 */
	KEY_FUNCTION_LAST = KEY_FUNCTION + 12,
};

/* ^Z, or SIGTSTP from elsewhere: screen_suspend. */
#define KEY_STOPPED ('Z' - '@')
/* Ctrl-L: screen_redraw. */
#define KEY_REDRAWN ('L' - '@')

/*
 * Takes the terminal. -ENOTTY: standard input or output is none; -ENOENT: TERM names none that is
 * known; -EOPNOTSUPP: one that cannot place text, like dumb. It has been said why. has_colour:
 * NO_COLOR is not set. ^C and ^\ stay signals, for which a caller may have handlers.
 */
int screen_open(struct screen **screen, bool has_colour);
/* Gives the terminal back; takes NULL. Any signal that ends the program, a crash too, and exit()
 * do so by themselves. */
void screen_close(struct screen *screen);

/* To be polled for input: screen_key has something to do. Borrowed. */
int screen_fd(const struct screen *screen);

void screen_size(const struct screen *screen, size_t *width, size_t *height);

/* Writes only what differs from what is there. */
void screen_show(struct screen *screen, const struct canvas *canvas);
/* All of it again (Ctrl-L). */
void screen_redraw(struct screen *screen);

/* The next key that is there already; 0: none. Waits only for the rest of a key that has begun to
 * come, 50 ms at most. */
uint32_t screen_key(struct screen *screen);

/* Gives the terminal back, stops this process, and takes it again after fg. */
void screen_suspend(struct screen *screen);

#endif
