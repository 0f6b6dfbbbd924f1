/* SPDX-License-Identifier: GPL-2.0-only */
/* The view as a file: what is on the screen and all that is above and below it, or as JSON. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "cmd/top_private.h"
#include "output/canvas.h"
#include "output/output.h"
#include "view/changes.h"
#include "view/query.h"

#define WIDTH_PIPE 160 /* nobody says how wide it is */
#define WIDTH_TERMINAL 80
#define LINES_AROUND 16 /* summary, headings, and what else a frame has besides its rows */

/* Never through a link, never something that is no file: the name may be one in /tmp. */
static int file_open(const char *path, bool may_replace, FILE **stream)
{
	int flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	autoclose int fd = open(path, flags | (may_replace ? 0 : O_EXCL), 0600);
	struct stat what;

	if (fd < 0 || fstat(fd, &what))
		return -errno;
	if (!S_ISREG(what.st_mode))
		return -EINVAL;
	if (what.st_nlink > 1)
		return -EMLINK;
	if (ftruncate(fd, 0) || fchmod(fd, 0600))
		return -errno;
	*stream = fdopen(fd, "w");
	if (!*stream)
		return -errno;
	steal_fd(&fd);
	return 0;
}

static int write_json(struct top *top, FILE *stream)
{
	struct query query = {.selection = top->settings.selection};
	const struct output_options options = {0};
	struct query_result result = {0};
	struct text complaint = {0};
	int r;

	query.selection.filter = top->filter;
	if (top->settings.has_user) {
		query.selection.uids = &top->settings.uid;
		query.selection.uids_count = 1;
	}
	query_run(&query, &top->view, &result, &complaint);
	r = output_json.write(stream, &options, &top->view, result.procs, result.count);
	free(result.procs);
	text_free(&complaint);
	return r;
}

/* A frame without a screen's bounds, as output/top.h draws a document: no keys, nothing selected. */
static int write_text(struct top *top, FILE *stream, size_t width)
{
	const struct top shown = *top;
	size_t lines = top->pane ? changes_count(top->changes) : 0;
	size_t count;
	int r;

	live_rows(top->live, &count);
	top->canvas = canvas_new(width, count + lines + LINES_AROUND);
	top->editor.kind = NULL;
	top->message_until_ns = 0;
	top->help_count = 0;
	top->selected = SIZE_MAX;
	top->first = top->pane_first = top->pane_selected = 0;
	top_frame_paint(top);
	r = canvas_write(top->canvas, stream);
	canvas_free(top->canvas);
	top->canvas = shown.canvas;
	top->editor.kind = shown.editor.kind;
	top->message_until_ns = shown.message_until_ns;
	top->help_count = shown.help_count;
	top->selected = shown.selected;
	top->first = shown.first;
	top->pane_first = shown.pane_first;
	top->pane_selected = shown.pane_selected;
	return r;
}

static bool is_json(const char *path)
{
	size_t length = strlen(path);

	return length > 5 && !strcmp(path + length - 5, ".json");
}

int top_write(struct top *top, const char *path, bool may_replace)
{
	FILE *stream = NULL;
	int r = file_open(path, may_replace, &stream);

	if (r)
		return r;
	r = is_json(path) ? write_json(top, stream)
			  : write_text(top, stream, canvas_width(top->canvas));
	if (fclose(stream) && !r)
		r = -errno;
	return r;
}

static size_t once_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size = {0};
	uint32_t width = 0;

	if (columns && !option_number(columns, &width) && width)
		return width;
	if (!isatty(STDOUT_FILENO))
		return WIDTH_PIPE;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	return WIDTH_TERMINAL;
}

int top_write_once(struct top *top)
{
	int r = write_text(top, stdout, once_width());

	if (!r && fflush(stdout))
		r = -errno;
	return r;
}

/* Where this user may write: here, or else at home, or else where everybody may. What nsview gives up
 * after attaching is root's right to write everywhere. */
char *top_write_path(struct top *top)
{
	const char *home = getenv("HOME");
	const char *folder = "";
	int64_t now = (int64_t)(top_feed_now(top) + top->app->facts.boot_offset_ns) /
		      (int64_t)TOP_NS_PER_S;
	struct tm local;

	if (faccessat(AT_FDCWD, ".", W_OK, AT_EACCESS))
		folder = home && *home && !faccessat(AT_FDCWD, home, W_OK, AT_EACCESS) ? home
										       : "/tmp";
	if (!facts_local(&top->app->facts, now, &local))
		local = (struct tm){0};
	return mem_printf("%s%snsview-%02d%02d%02d.txt", folder, *folder ? "/" : "", local.tm_hour,
			  local.tm_min, local.tm_sec);
}
