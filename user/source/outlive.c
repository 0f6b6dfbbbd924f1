/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/outlive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/procfs.h"
#include "host/procstat.h"

#define OUTLIVE_COMM "nsview-detach"
#define OUTLIVE_TITLE "nsview: letting go of tracepoints"
#define STAT_ARG_START 48 /* of the fields of /proc/PID/stat, counted from 1: proc(5) */
#define STAT_ENV_END 51
#define STAT_BYTES 4096

/* Where the arguments and, behind them, the environment lie: false: nobody says so. */
static bool outlive_find_title(char **start, char **end)
{
	uint64_t fields[STAT_ENV_END + 1] = {0};
	struct text text = {0};
	int proc_fd = procfs_open("/proc");
	bool is_told = proc_fd >= 0 &&
		       !procfs_read(proc_fd, PROCFS_SELF, "stat", STAT_BYTES, &text) &&
		       !procstat_parse_numbers(text.data, text.length, fields, STAT_ENV_END);

	if (proc_fd >= 0)
		close(proc_fd);
	text_free(&text);
	*start = (char *)(uintptr_t)fields[STAT_ARG_START];
	*end = (char *)(uintptr_t)fields[STAT_ENV_END];
	return is_told && *start && *end > *start;
}

/* For whoever looks at processes meanwhile. The kernel shows a title that has gone on into the
 * environment, which nobody needs any more, up to its end (fs/proc/base.c, get_mm_proctitle). */
static void outlive_set_title(void)
{
	char *start, *end;
	size_t room;

	prctl(PR_SET_NAME, OUTLIVE_COMM);
	if (!outlive_find_title(&start, &end))
		return;
	room = (size_t)(end - start);
	memset(start, 0, room);
	memcpy(start, OUTLIVE_TITLE,
	       room > sizeof(OUTLIVE_TITLE) ? sizeof(OUTLIVE_TITLE) - 1 : room - 1);
}

static int number_compare(const void *left, const void *right)
{
	return *(const int *)left - *(const int *)right;
}

/* Everything but those, whoever waits for the end of a pipe first. */
static void others_close(const int *held, size_t count)
{
	unsigned int from = 0;

	for (size_t i = 0; i < count; i++) {
		if ((unsigned int)held[i] > from)
			close_range(from, (unsigned int)held[i] - 1, 0);
		from = (unsigned int)held[i] + 1;
	}
	close_range(from, ~0U, 0);
}

/* Until the other side has let go of them. */
static _Noreturn void outlive_hold(const int *held, size_t count, int end)
{
	int *all = mem_new((count + 1) * sizeof(*all));
	char nothing;

	if (count)
		memcpy(all, held, count * sizeof(*all));
	all[count] = end;
	qsort(all, count + 1, sizeof(*all), number_compare);
	others_close(all, count + 1);
	outlive_set_title();
	while (read(end, &nothing, sizeof(nothing)) < 0 && errno == EINTR)
		;
	close_range(0, ~0U, 0); /* here, where it takes its time, and not when the title is gone */
	_exit(0);
}

int outlive_start(const int *held, size_t count)
{
	autoclose int end = -1;
	autoclose int ours = -1;
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	end = ends[0];
	ours = ends[1];
	child = fork();
	if (!child)
		outlive_hold(held, count, end);
	return child < 0 ? -1 : steal_fd(&ours);
}
