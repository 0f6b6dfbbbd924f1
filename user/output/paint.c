/* SPDX-License-Identifier: GPL-2.0-only */
#include "output/paint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <curses.h>
#include <term.h>

#include "base/mem.h"
#include "base/text.h"
#include "output/canvas.h"
#include "output/keys.h"
#include "output/screen.h"

struct paint {
	SCREEN *curses;
	FILE *memory; /* what curses takes for the terminal */
	struct canvas *shown;
	bool has_colour;
	bool is_forgotten;
	bool has_cursor; /* shown, as far as curses knows; it begins so */
};

/* What a style looks like; colour only repeats what the text says. */
static const struct {
	attr_t coloured;
	short colour; /* -1: the terminal's own */
	short ground;
	attr_t plain; /* where there is no colour */
} looks[CANVAS_STYLES] = {
	[STYLE_PLAIN] = {A_NORMAL, -1, -1, A_NORMAL},
	[STYLE_BOLD] = {A_BOLD, -1, -1, A_BOLD},
	[STYLE_DIM] = {A_DIM, -1, -1, A_NORMAL},
	[STYLE_INSIDE] = {A_NORMAL, COLOR_CYAN, -1, A_NORMAL},
	[STYLE_POWERFUL] = {A_NORMAL, COLOR_YELLOW, -1, A_BOLD},
	[STYLE_FULL] = {A_BOLD, COLOR_RED, -1, A_BOLD | A_UNDERLINE},
	[STYLE_HEADING] = {A_REVERSE, -1, -1, A_REVERSE},
	[STYLE_SELECTED] = {A_NORMAL, COLOR_BLACK, COLOR_CYAN, A_REVERSE},
	[STYLE_GROUP] = {A_BOLD, -1, -1, A_BOLD},
	[STYLE_FRESH] = {A_BOLD, COLOR_GREEN, -1, A_BOLD},
	[STYLE_GONE] = {A_DIM, -1, -1, A_NORMAL},
	[STYLE_ALARM] = {A_BOLD, COLOR_WHITE, COLOR_RED, A_BOLD | A_REVERSE},
	[STYLE_KEY] = {A_BOLD, COLOR_CYAN, -1, A_BOLD},
};

static const char *capability(const char *name)
{
	const char *value = tigetstr(name);

	return value == (const char *)-1 ? NULL : value;
}

static void colours_start(struct paint *paint, bool has_colour)
{
	paint->has_colour = has_colour && start_color() != ERR && COLORS >= 8 &&
			    use_default_colors() != ERR && COLOR_PAIRS > CANVAS_STYLES;
	if (!paint->has_colour)
		return;
	for (short i = 1; i < CANVAS_STYLES; i++)
		init_pair(i, looks[i].colour, looks[i].ground);
}

/* Asked before newterm, which has no way to say what is wrong. */
static int terminal_check(int fd)
{
	const char *term = getenv("TERM");
	int found = 0;
	bool can_place;

	if (!term || !*term)
		return -ENOENT;
	if (setupterm(NULL, fd, &found) == ERR)
		return found == -1 ? -ENODATA : -ENOENT;
	can_place = capability("cup") && capability("clear");
	del_curterm(cur_term);
	return can_place ? 0 : -EOPNOTSUPP;
}

static void environment_set(const char *name, size_t number)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%zu", number);
	setenv(name, digits, 1);
}

static void environment_restore(const char *name, const char *before)
{
	if (before)
		setenv(name, before, 1);
	else
		unsetenv(name);
}

/*
 * Its own output is no terminal that it could ask for its size, from which it makes the scrolling
 * region: LINES and COLUMNS tell, as the device has them; the shell's own are those of its start.
 */
static SCREEN *curses_start(FILE *memory, size_t width, size_t height)
{
	autofree char *old_height = getenv("LINES") ? mem_copy(getenv("LINES")) : NULL;
	autofree char *old_width = getenv("COLUMNS") ? mem_copy(getenv("COLUMNS")) : NULL;
	SCREEN *curses;

	if (width)
		environment_set("COLUMNS", width);
	if (height)
		environment_set("LINES", height);
	curses = newterm(NULL, memory, stdin);
	environment_restore("LINES", old_height);
	environment_restore("COLUMNS", old_width);
	return curses;
}

static int curses_open(struct paint *paint, size_t width, size_t height)
{
	int fd = memfd_create("nsview-screen", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	paint->memory = fdopen(fd, "w");
	if (!paint->memory) {
		r = -errno;
		close(fd);
		return r;
	}
	r = terminal_check(fd);
	if (r)
		return r;
	/* No terminal of our day wants to be waited for, and its speed is not known here. */
	setenv("NCURSES_NO_PADDING", "1", 0);
	paint->curses = curses_start(paint->memory, width, height);
	return paint->curses ? 0 : -ENOENT;
}

int paint_open(struct paint **result, bool has_colour, size_t width, size_t height)
{
	struct paint *paint = mem_new(sizeof(*paint));
	int r = curses_open(paint, width, height);

	if (r) {
		paint_close(paint);
		return r;
	}
	paint->shown = canvas_new(1, 1);
	paint->is_forgotten = true;
	paint->has_cursor = true;
	colours_start(paint, has_colour);
	typeahead(-1); /* it would look for keys, and put a frame off when there are some */
	nonl();
	keypad(stdscr, TRUE);
	*result = paint;
	return 0;
}

void paint_close(struct paint *paint)
{
	if (!paint)
		return;
	if (paint->curses) {
		endwin();
		delscreen(paint->curses);
	}
	if (paint->memory)
		fclose(paint->memory);
	canvas_free(paint->shown);
	free(paint);
}

void paint_size(const struct paint *paint, size_t *width, size_t *height)
{
	(void)paint;
	*width = COLS > 0 ? (size_t)COLS : 80;
	*height = LINES > 0 ? (size_t)LINES : 24;
}

/* Moves what curses has written to out; NULL: to nowhere. */
static void memory_take(struct paint *paint, struct text *out)
{
	int fd = fileno(paint->memory);
	off_t size = lseek(fd, 0, SEEK_CUR);
	ssize_t r;

	if (out && size > 0) {
		r = pread(fd, text_room(out, (size_t)size), (size_t)size, 0);
		if (r > 0)
			out->length += (size_t)r;
	}
	if (lseek(fd, 0, SEEK_SET) || ftruncate(fd, 0))
		return; /* cannot be, in memory */
}

static void cell_paint(const struct paint *paint, int y, int x, const struct canvas_cell *cell)
{
	wchar_t characters[CANVAS_MARKS_MAX + 2];
	const char *at = cell->text;
	size_t left = cell->length;
	size_t count = 0;
	uint32_t codepoint;
	cchar_t complex;

	while (left && count <= CANVAS_MARKS_MAX) {
		size_t size = text_decode(at, left, &codepoint);

		if (!size)
			break;
		characters[count++] = (wchar_t)codepoint;
		at += size;
		left -= size;
	}
	characters[count] = L'\0';
	setcchar(&complex, characters,
		 paint->has_colour ? looks[cell->style].coloured : looks[cell->style].plain,
		 paint->has_colour ? (short)cell->style : 0, NULL);
	mvadd_wch(y, x, &complex);
}

static void row_paint(const struct paint *paint, const struct canvas *canvas, size_t y)
{
	for (size_t x = 0; x < canvas_width(canvas); x++) {
		struct canvas_cell cell = canvas_at(canvas, y, x);

		if (cell.length)
			cell_paint(paint, (int)y, (int)x, &cell);
	}
}

static void cursor_paint(struct paint *paint, const struct canvas *canvas)
{
	struct canvas_cursor cursor = canvas_cursor(canvas);

	if (cursor.is_shown != paint->has_cursor)
		curs_set(cursor.is_shown);
	paint->has_cursor = cursor.is_shown;
	move((int)cursor.y, (int)cursor.x);
}

void paint_canvas(struct paint *paint, const struct canvas *canvas, struct text *out)
{
	size_t width = canvas_width(canvas);
	size_t height = canvas_height(canvas);
	bool is_whole = paint->is_forgotten;

	if (width != canvas_width(paint->shown) || height != canvas_height(paint->shown)) {
		resize_term((int)height, (int)width);
		canvas_resize(paint->shown, width, height);
		is_whole = true;
	}
	if (is_whole)
		clearok(curscr, TRUE);
	for (size_t y = 0; y < height; y++) {
		if (is_whole || !canvas_is_same_row(canvas, paint->shown, y))
			row_paint(paint, canvas, y);
	}
	canvas_copy(paint->shown, canvas);
	paint->is_forgotten = false;
	cursor_paint(paint, canvas);
	refresh();
	memory_take(paint, out);
}

void paint_forget(struct paint *paint)
{
	paint->is_forgotten = true;
}

/* Without the $<5> by which terminfo asks for time. */
static void add_capability(struct text *out, const char *value)
{
	while (value && *value) {
		const char *end = strncmp(value, "$<", 2) ? NULL : strchr(value, '>');

		if (end) {
			value = end + 1;
		} else {
			text_add_char(out, *value++);
		}
	}
}

void paint_last(const struct paint *paint, size_t height, struct text *out)
{
	const char *place = capability("cup");

	(void)paint;
	add_capability(out, capability("sgr0"));
	add_capability(out, capability("op"));
	if (capability("csr"))
		add_capability(out, tiparm(capability("csr"), 0, (int)height - 1));
	/* Where there is no other screen to go back to, the shell goes on below ours. */
	if (!capability("rmcup") && place) {
		add_capability(out, tiparm(place, (int)height - 1, 0));
		add_capability(out, capability("el"));
	}
	add_capability(out, capability("rmkx"));
	add_capability(out, capability("cnorm"));
	add_capability(out, capability("rmcup"));
}

void paint_leave(struct paint *paint)
{
	endwin();
	memory_take(paint, NULL);
	/* Taking it over again, curses thinks of the cursor that it has left. */
	paint->is_forgotten = true;
}

void paint_keys(const struct paint *paint, struct keys *keys)
{
	static const struct {
		const char *name;
		uint32_t key;
	} named[] = {
		{"kcuu1", KEY_UP_ARROW},     {"kcud1", KEY_DOWN_ARROW}, {"kcub1", KEY_LEFT_ARROW},
		{"kcuf1", KEY_RIGHT_ARROW},  {"kpp", KEY_PAGE_UP},      {"knp", KEY_PAGE_DOWN},
		{"khome", KEY_TO_START},     {"kend", KEY_TO_END},      {"kbs", KEY_DELETE_LEFT},
		{"kdch1", KEY_DELETE_RIGHT}, {"kent", KEY_RETURN},
	};

	(void)paint;
	for (size_t i = 0; i < ARRAY_SIZE(named); i++)
		keys_know(keys, capability(named[i].name), named[i].key);
	for (uint32_t i = 1; i <= 12; i++) {
		char name[8];

		snprintf(name, sizeof(name), "kf%u", i);
		keys_know(keys, capability(name), KEY_FUNCTION + i);
	}
}
