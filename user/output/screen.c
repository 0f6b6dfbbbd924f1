/* SPDX-License-Identifier: GPL-2.0-only */
#include "output/screen.h"

#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "output/canvas.h"
#include "output/keys.h"
#include "output/paint.h"
#include "output/tty.h"
#include "output/tty_guard.h"

#define REST_MS 50 /* of a key: terminals send it at once, slow lines in pieces */
#define READ_SIZE 512

struct screen {
	struct tty *tty;
	struct paint *paint;
	struct keys *keys;
	struct canvas *latest; /* what there is to see; NULL: nothing yet */
	struct text bytes;
	bool is_late; /* latest is newer than what the terminal got */
	bool is_gone;
	bool may_be_resized; /* while it was somebody else's */
};

static int complain(int error)
{
	const char *term = getenv("TERM");

	switch (error) {
	case -ENOTTY:
		return log_error(error, "show the live table: standard input and output have to be "
					"a terminal; nsview ps, or nsview top --once, need none");
	case -ENODATA:
		return log_error(-ENOENT,
				 "show the live table: this machine has no terminfo database "
				 "(package ncurses-base); nsview ps needs none");
	case -ENOENT:
		if (!term || !*term)
			return log_error(error,
					 "show the live table: TERM is not set; try "
					 "TERM=xterm, or nsview ps, which needs no terminal");
		return log_error(error,
				 "show the live table: no terminal is known as TERM=%s here; try "
				 "TERM=xterm, or nsview ps, which needs no terminal",
				 term);
	case -EOPNOTSUPP:
		return log_error(error,
				 "show the live table: a terminal like TERM=%s cannot place text; "
				 "nsview ps needs none that can",
				 term ? term : "");
	default:
		return log_fail(error, "take the terminal for the live table");
	}
}

/* What a signal's handler would write has to be known before. */
static void screen_set_last(struct screen *screen)
{
	struct text last = {0};
	size_t width;
	size_t height;

	screen_size(screen, &width, &height);
	paint_last(screen->paint, height, &last);
	tty_set_last(screen->tty, last.data, last.length);
	text_free(&last);
}

int screen_open(struct screen **result, bool has_colour)
{
	struct screen *screen = mem_new(sizeof(*screen));
	int r = tty_open(&screen->tty);
	size_t width;
	size_t height;

	if (!r) {
		tty_size(screen->tty, &width, &height);
		r = paint_open(&screen->paint, has_colour, width, height);
	}
	if (r) {
		screen_close(screen);
		return complain(r);
	}
	screen->keys = keys_new();
	paint_keys(screen->paint, screen->keys);
	screen_set_last(screen);
	tty_enter(screen->tty);
	*result = screen;
	return 0;
}

void screen_close(struct screen *screen)
{
	if (!screen)
		return;
	if (screen->tty)
		tty_leave(screen->tty);
	tty_close(screen->tty);
	paint_close(screen->paint);
	keys_free(screen->keys);
	canvas_free(screen->latest);
	text_free(&screen->bytes);
	free(screen);
}

int screen_fd(const struct screen *screen)
{
	return tty_fd(screen->tty);
}

void screen_size(const struct screen *screen, size_t *width, size_t *height)
{
	size_t guessed_width;
	size_t guessed_height;

	tty_size(screen->tty, width, height);
	paint_size(screen->paint, &guessed_width, &guessed_height);
	if (!*width)
		*width = guessed_width;
	if (!*height)
		*height = guessed_height;
}

/* Paints the latest canvas, unless the terminal has not even taken the one before. */
static void screen_catch_up(struct screen *screen)
{
	if (tty_flush(screen->tty) || !screen->is_late)
		return;
	screen->is_late = false;
	text_clear(&screen->bytes);
	paint_canvas(screen->paint, screen->latest, &screen->bytes);
	tty_write(screen->tty, screen->bytes.data, screen->bytes.length);
}

void screen_show(struct screen *screen, const struct canvas *canvas)
{
	if (!screen->latest)
		screen->latest = canvas_new(1, 1);
	canvas_copy(screen->latest, canvas);
	screen->is_late = true;
	screen_catch_up(screen);
}

void screen_redraw(struct screen *screen)
{
	paint_forget(screen->paint);
	screen->is_late = screen->latest;
	screen_catch_up(screen);
}

/* Takes the terminal again, which somebody else may have left in any state. */
static void screen_enter(struct screen *screen)
{
	tty_enter(screen->tty);
	screen_set_last(screen);
	screen_redraw(screen);
}

void screen_suspend(struct screen *screen)
{
	tty_leave(screen->tty);
	paint_leave(screen->paint);
	guard_stop();
	guard_take_news();
	screen_enter(screen);
	screen->may_be_resized = true;
	tty_wake(screen->tty);
}

/* What signals have told, as a key; 0: nothing that the caller has to know. */
static uint32_t screen_news(struct screen *screen)
{
	struct guard_news news = guard_take_news();

	news.is_resized |= screen->may_be_resized;
	screen->may_be_resized = false;
	if (news.is_continued) {
		paint_leave(screen->paint);
		screen_enter(screen);
	}
	if (news.is_resized) {
		/* What it shows now is the terminal's own idea. */
		paint_forget(screen->paint);
		screen_set_last(screen);
	}
	if (news.is_stopped)
		return KEY_STOPPED;
	return news.is_resized || news.is_continued ? KEY_RESIZED : 0;
}

/* false: nothing has come. */
static bool screen_read(struct screen *screen, int timeout_ms)
{
	char data[READ_SIZE];
	ssize_t r = tty_read(screen->tty, data, sizeof(data), timeout_ms);

	if (r < 0)
		screen->is_gone = true;
	if (r <= 0)
		return false;
	keys_add(screen->keys, data, (size_t)r);
	return true;
}

uint32_t screen_key(struct screen *screen)
{
	uint32_t key = screen_news(screen);
	bool is_partial;

	if (key)
		return key;
	screen_catch_up(screen);
	screen_read(screen, 0);
	key = keys_next(screen->keys, false, &is_partial);
	while (!key && is_partial)
		key = keys_next(screen->keys, !screen_read(screen, REST_MS), &is_partial);
	/* Whoever takes a few keys and then polls is told of the others. */
	if (keys_has_more(screen->keys))
		tty_wake(screen->tty);
	if (!key && screen->is_gone)
		return KEY_GONE;
	return key;
}
