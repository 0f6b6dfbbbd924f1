/* SPDX-License-Identifier: GPL-2.0-only */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "source/outlive.h"

#define PATIENCE_STEPS 3000
#define STEP_US 10000

/* Of /proc/PID/NAME, without the last byte; 0: it is gone. */
static size_t file_read(pid_t pid, const char *name, char *text, size_t room)
{
	char path[64];
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? 0 : read(fd, text, room - 1);
	if (fd >= 0)
		close(fd);
	length = length < 0 ? 0 : length;
	text[length] = 0;
	return (size_t)length;
}

/* The only child that this program has. */
static pid_t child_find(void)
{
	DIR *directory = opendir("/proc");
	pid_t found = 0;
	struct dirent *entry;

	assert_non_null(directory);
	while (!found && (entry = readdir(directory))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		char text[512];
		const char *at;

		if (pid > 0 && file_read(pid, "stat", text, sizeof(text)) &&
		    (at = strrchr(text, ')')) && strtol(at + strlen(") S "), NULL, 10) == getpid())
			found = pid;
	}
	closedir(directory);
	return found;
}

static void it_says_in_its_arguments_what_it_does(void **state)
{
	char text[256] = "";
	int last = outlive_start(NULL, 0);
	pid_t child = child_find();
	int status;

	(void)state;
	assert_true(last >= 0);
	assert_true(child > 0);
	for (int i = 0;
	     i < PATIENCE_STEPS && strcmp(text, "nsview: letting go of tracepoints") != 0; i++) {
		usleep(STEP_US);
		file_read(child, "cmdline", text, sizeof(text));
	}
	assert_string_equal(text, "nsview: letting go of tracepoints");
	assert_true(file_read(child, "comm", text, sizeof(text)));
	assert_string_equal(text, "nsview-detach\n");
	close(last);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void what_is_held_ends_after_the_last_descriptor(void **state)
{
	struct pollfd other;
	int ends[2], last;
	char byte;

	(void)state;
	assert_return_code(pipe2(ends, O_CLOEXEC), 0);
	last = outlive_start(&ends[1], 1);
	assert_true(last >= 0);
	close(ends[1]);
	other = (struct pollfd){.fd = ends[0], .events = POLLIN};
	assert_int_equal(poll(&other, 1, 100), 0);
	close(last);
	assert_int_equal(read(ends[0], &byte, 1), 0);
	assert_true(wait(NULL) > 0);
	close(ends[0]);
}

static void what_is_not_held_ends_at_once(void **state)
{
	int held[2], other[2], last;
	char byte;

	(void)state;
	assert_return_code(pipe2(held, O_CLOEXEC), 0);
	assert_return_code(pipe2(other, O_CLOEXEC), 0);
	last = outlive_start(&held[1], 1);
	assert_true(last >= 0);
	close(other[1]);
	assert_int_equal(read(other[0], &byte, 1), 0);
	close(last);
	assert_true(wait(NULL) > 0);
	close(held[0]);
	close(held[1]);
	close(other[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_in_its_arguments_what_it_does),
		cmocka_unit_test(what_is_held_ends_after_the_last_descriptor),
		cmocka_unit_test(what_is_not_held_ends_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
