/* SPDX-License-Identifier: GPL-2.0-only */
#include "output/procps.h"

#include <langinfo.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <wchar.h>
#include <wctype.h>

#include "base/mem.h"
#include "base/text.h"
#include "bpf/event.h"
#include "model/model.h"
#include "output/stream.h"
#include "view/column.h"
#include "view/vantage.h"

#define LINE_WIDTH_MAX 131072 /* what ps takes for the width of a pipe */
#define ARGS_BYTES_MAX 131071 /* what it reads of the arguments */
#define COLUMNS_MAX 11
#define USER_WIDTH 8
#define COMMAND_WIDTH_MIN 3

struct line {
	const struct vantage *vantage;
	const struct vantage_row *row;
	struct text *cell;
	struct text *raw;            /* scratch */
	const struct column *column; /* of ours, where the cell is what that shows */
	size_t room;                 /* for the last column */
	bool is_terminal;
};

struct layout_column {
	const char *heading;
	const char *key; /* of our column; NULL: none is the same */
	size_t width;    /* 0: that of a pid */
	bool is_right;
	size_t filled; /* blanks that are part of the cell: it is never narrower, wherever it goes */
	/* Appends to line->cell; the columns on the screen that it takes. */
	size_t (*add)(struct line *line);
};

static size_t added(const struct line *line, size_t start)
{
	return line->cell->length - start;
}

/*
 * As procps's library does it first: outside of UTF-8, and from the first byte on that starts no
 * character, control characters are dots and what is not ASCII question marks; before that only
 * control characters are replaced.
 */
static void escape_bytes(char *data, size_t length)
{
	bool is_utf8 = !strcasecmp(nl_langinfo(CODESET), "UTF-8");
	size_t step;

	for (size_t i = 0; i < length; i += step) {
		unsigned char byte = (unsigned char)data[i];

		step = byte < 0x80 ? 1 : byte < 0xc2 ? 0 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
		if (!step || byte > 0xf4 || step > length - i)
			is_utf8 = false;
		if (!is_utf8)
			step = 1;
		if (byte < 0x20 || byte == 0x7f)
			data[i] = is_utf8 ? '?' : '.';
		else if (byte >= 0x80 && !is_utf8)
			data[i] = '?';
	}
}

/* As ps does it then: what the C library would not print is a question mark. Returns columns. */
static size_t escape_add(const struct line *line, const char *data, size_t length, size_t room)
{
	struct text *out = line->cell;
	mbstate_t state = {0};
	size_t cells = 0;

	while (length && cells < room) {
		wchar_t character = L'\0';
		size_t bytes = mbrtowc(&character, data, length, &state);
		bool is_broken = bytes == 0 || bytes > length;
		int width = is_broken ? -1 : wcwidth(character);

		if (is_broken) {
			memset(&state, 0, sizeof(state));
			bytes = 1;
		}
		if (width < 0 || !iswprint((wint_t)character) ||
		    (line->is_terminal && text_is_hidden((uint32_t)character))) {
			text_add_char(out, '?');
			width = 1;
		} else if (cells + (size_t)width > room) {
			break;
		} else {
			text_add(out, data, bytes);
		}
		cells += (size_t)width;
		data += bytes;
		length -= bytes;
	}
	return cells;
}

/* A name that is too long ends with +, or is its number where that would tear a character. */
static size_t add_user(struct line *line)
{
	struct text *cell = line->cell;
	size_t start = cell->length;
	char name[64];
	uint32_t uid;
	size_t cells;

	vantage_user(line->vantage, line->row->proc, name);
	escape_bytes(name, strlen(name));
	cells = escape_add(line, name, strlen(name), LINE_WIDTH_MAX);
	if (cells <= USER_WIDTH)
		return cells;
	if ((unsigned char)cell->data[start + USER_WIDTH - 1] < 0x80) {
		cell->length = start + USER_WIDTH - 1;
		text_add_char(cell, '+');
	} else if (vantage_uid(line->vantage, line->row->proc, &uid)) {
		cell->length = start;
		text_add_unsigned(cell, uid);
	}
	return added(line, start);
}

static size_t add_pid(struct line *line)
{
	size_t start = line->cell->length;

	text_add_unsigned(line->cell, line->row->pid);
	return added(line, start);
}

static size_t add_ppid(struct line *line)
{
	size_t start = line->cell->length;

	text_add_unsigned(line->cell, line->row->ppid);
	return added(line, start);
}

/* What the table shows for the column. */
static size_t add_value(struct line *line, const struct column *column)
{
	const struct view_context *view = line->vantage->view;
	size_t start = line->cell->length;
	struct value value;

	column_get(column, view, line->row->proc, &value);
	cell_format(line->cell, column, &value, view);
	return added(line, start);
}

static size_t add_column(struct line *line)
{
	return add_value(line, line->column);
}

static size_t add_tty(struct line *line)
{
	struct text *raw = line->raw;

	text_clear(raw);
	if (!vantage_tty(line->vantage, line->row->proc, raw))
		text_add_char(raw, '?');
	return escape_add(line, raw->data, raw->length, LINE_WIDTH_MAX);
}

static size_t add_stat(struct line *line)
{
	const struct proc *proc = line->row->proc;
	size_t length = add_column(line);

	if (!(proc->task->flags & TASK_FOREGROUND) && vantage_is_foreground(line->vantage, proc)) {
		text_add_char(line->cell, '+');
		length++;
	}
	return length;
}

static size_t add_start(struct line *line)
{
	const struct vantage *vantage = line->vantage;
	const char *format = "%H:%M";
	struct tm start;
	struct tm now;
	char shown[32];
	size_t length;

	if (line->row->proc->unknown & FIELD_BIT(FIELD_START) ||
	    !vantage_local(vantage, vantage_start(vantage, line->row->proc), &start) ||
	    !vantage_local(vantage, vantage_now(vantage), &now)) {
		text_add_char(line->cell, '?');
		return 1;
	}
	if (start.tm_yday != now.tm_yday)
		format = "%b%d";
	if (start.tm_year != now.tm_year)
		format = "%Y";
	length = strftime(shown, sizeof(shown), format, &start);
	text_add(line->cell, shown, length);
	return length;
}

/* The arguments as procps reads them: one line, whatever they hold. False: there are none. */
static bool args_read(const struct proc *proc, struct text *raw)
{
	size_t length = proc->args ? proc->args_length : 0;

	if (!length || proc->task->flags & (TASK_ZOMBIE | TASK_KTHREAD))
		return false;
	if (length > ARGS_BYTES_MAX)
		length = ARGS_BYTES_MAX;
	text_add(raw, proc->args, length);
	/* The end is a blank only where a program has written over its arguments. */
	if (strchr(" \n", raw->data[length - 1]) && raw->data[length - 1])
		raw->length--;
	else
		while (raw->length && !raw->data[raw->length - 1])
			raw->length--;
	for (size_t i = 0; i < raw->length; i++) {
		if (!raw->data[i] || raw->data[i] == '\n')
			raw->data[i] = ' ';
	}
	/* What has wiped its arguments. */
	if (!raw->length)
		text_add_char(raw, '?');
	return true;
}

static size_t add_command(struct line *line)
{
	const struct proc *proc = line->row->proc;
	const char *name = proc->long_name ? proc->long_name : proc->task->comm;
	struct text *raw = line->raw;

	text_clear(raw);
	if (!args_read(proc, raw)) {
		text_add_char(raw, '[');
		text_add(raw, name, strnlen(name, proc->long_name ? SIZE_MAX : COMM_SIZE));
		text_add_char(raw, ']');
		/* Not yet, while it goes on with its exit. */
		if (proc->task->state == 'Z')
			text_add_string(raw, " <defunct>");
	}
	escape_bytes(raw->data, raw->length);
	return escape_add(line, raw->data, raw->length, line->room);
}

static const struct layout_column user_columns[] = {
	{"USER", NULL, USER_WIDTH, false, 0, add_user},
	{"PID", NULL, 0, true, 0, add_pid},
	{"%CPU", "cpu", 4, true, 0, add_column},
	{"%MEM", "mem", 4, true, 4, add_column},
	{"VSZ", "vsz", 6, true, 0, add_column},
	{"RSS", "rss", 5, true, 0, add_column},
	{"TTY", NULL, 8, false, 0, add_tty},
	{"STAT", "stat", 4, false, 0, add_stat},
	{"START", NULL, 5, true, 0, add_start},
	{"TIME", "time", 6, true, 6, add_column},
	{"COMMAND", NULL, 0, false, 0, add_command},
};

static const struct layout_column full_columns[] = {
	{"UID", NULL, USER_WIDTH, false, 0, add_user}, {"PID", NULL, 0, true, 0, add_pid},
	{"PPID", NULL, 0, true, 0, add_ppid},          {"C", "c", 2, true, 2, add_column},
	{"STIME", NULL, 5, true, 0, add_start},        {"TTY", NULL, 8, false, 0, add_tty},
	{"TIME", "time", 8, true, 0, add_column},      {"CMD", NULL, 0, false, 0, add_command},
};

struct layout {
	const struct layout_column *columns;
	const struct column *found[COLUMNS_MAX]; /* by their keys */
	size_t count;
	size_t width;
};

/*
 * Where a cell is too wide, the next ones give up their blanks until all stand in their places
 * again: `due` is where the row should be by now, `at` where it is.
 */
static void layout_add_row(const struct layout *layout, struct line *line, struct text *out)
{
	size_t due = 0;
	size_t at = 0;

	for (size_t i = 0; i < layout->count; i++) {
		const struct layout_column *column = &layout->columns[i];
		size_t width = column->width ? column->width : (size_t)line->vantage->pid_digits;
		size_t gap = due > at ? due - at : i > 0;
		bool is_last = i + 1 == layout->count;
		size_t fill = 0;
		size_t taken;

		line->room = layout->width > at + gap ? layout->width - at - gap : 0;
		line->column = layout->found[i];
		text_clear(line->cell);
		if (line->row) {
			taken = column->add(line);
		} else {
			text_add_string(line->cell, column->heading);
			taken = line->cell->length;
		}
		if (line->row && taken < column->filled) {
			fill = column->filled - taken;
			taken = column->filled;
		}
		if (!is_last && column->is_right && taken < width) {
			size_t pad = width - taken;

			gap = due + pad > at ? due + pad - at : 1;
		}
		text_add_spaces(out, gap + fill);
		text_add(out, line->cell->data, line->cell->length);
		at += gap + taken;
		due += width + 1;
	}
	text_add_char(out, '\n');
}

/* The time of ps -ef has another form than that of ps aux, and C is only there. */
static void layout_find(struct layout *layout, bool is_full)
{
	const char *nearest;

	for (size_t i = 0; i < layout->count; i++) {
		const char *key = layout->columns[i].key;

		if (key)
			layout->found[i] =
				is_full ? proc_columns_full_find(key) : column_find(key, &nearest);
	}
}

/* A narrow terminal gets rows of as many of its lines as the columns and COMMAND_WIDTH_MIN of the
 * command need. */
static size_t layout_width(const struct layout *layout, size_t terminal, size_t pid_width)
{
	size_t needed = COMMAND_WIDTH_MIN;
	size_t width = terminal;

	if (!terminal)
		return LINE_WIDTH_MAX;
	for (size_t i = 0; i + 1 < layout->count; i++)
		needed += 1 + (layout->columns[i].width ? layout->columns[i].width : pid_width);
	while (width < needed)
		width += terminal;
	return width;
}

int procps_write(FILE *stream, const struct vantage *vantage, const struct procps_options *options)
{
	struct layout layout = {.columns = user_columns, .count = ARRAY_SIZE(user_columns)};
	struct text cell = {0};
	struct text raw = {0};
	struct text out = {0};
	struct line line = {
		.vantage = vantage,
		.cell = &cell,
		.raw = &raw,
		.is_terminal = options->is_terminal,
	};
	int r = 0;

	if (options->is_full) {
		layout.columns = full_columns;
		layout.count = ARRAY_SIZE(full_columns);
	}
	layout_find(&layout, options->is_full);
	layout.width = layout_width(&layout, options->width, (size_t)vantage->pid_digits);
	if (!options->no_headers)
		layout_add_row(&layout, &line, &out);
	for (size_t i = 0; i < vantage->count && !r; i++) {
		line.row = &vantage->rows[i];
		layout_add_row(&layout, &line, &out);
		r = stream_add(stream, &out);
	}
	if (!r)
		r = stream_finish(stream, &out);
	text_free(&cell);
	text_free(&raw);
	text_free(&out);
	return r;
}
