/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/detach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "launch/launch.h"

struct detach_report {
	int exit_code; /* 0: it runs */
	char name[SPEC_NAME_MAX + 1];
};

static int detach_read(int fd, void *data, size_t size)
{
	ssize_t got;

	do {
		got = recv(fd, data, size, MSG_WAITALL);
	} while (got < 0 && errno == EINTR);
	return got == (ssize_t)size ? 0 : -ECHILD;
}

/* Of the caller it keeps only its stderr, and that until COMMAND runs: whoever waits for the end
 * of another of its descriptors would otherwise wait for the container's. */
static void detach_close_others(int fd)
{
	if (fd > STDERR_FILENO + 1)
		close_range(STDERR_FILENO + 1, fd - 1, 0);
	close_range(fd + 1, ~0U, 0);
}

/* *hold_fd: as long as it is open, nobody who reads COMMAND's standard input sees an end. */
static int detach_set_stdio(struct spec *spec, int null_fd, int *hold_fd)
{
	int pipe_fds[2];

	for (int i = 0; i < 3; i++)
		spec->stdio[i] = null_fd;
	if (!spec->keeps_stdin)
		return 0;
	if (pipe2(pipe_fds, O_CLOEXEC))
		return log_fail(-errno, "make a pipe for the container's standard input");
	spec->stdio[0] = pipe_fds[0];
	*hold_fd = pipe_fds[1];
	return 0;
}

static void detach_leave_caller(int null_fd)
{
	for (int i = 0; i < 3; i++)
		dup2(null_fd, i);
	(void)!chdir("/");
}

static _Noreturn void detach_main(const struct spec *spec, int fd)
{
	struct detach_report report = {.exit_code = LAUNCH_EXIT_FAILED};
	struct spec own = *spec;
	struct launch *launch = NULL;
	int null_fd, hold_fd = -1;
	char byte;

	setsid();
	detach_close_others(fd);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0) {
		log_fail(-errno, "open /dev/null");
	} else if (!detach_set_stdio(&own, null_fd, &hold_fd) &&
		   !launch_start(&own, &launch, &report.exit_code)) {
		report.exit_code = 0;
		snprintf(report.name, sizeof(report.name), "%s", launch_name(launch));
	}
	send(fd, &report, sizeof(report), MSG_NOSIGNAL);
	if (launch && !detach_read(fd, &byte, sizeof(byte))) {
		detach_leave_caller(null_fd);
		close(fd);
		launch_wait(launch);
	}
	launch_free(launch);
	_exit(0);
}

int detach_start(const struct spec *spec, struct detached *detached, int *exit_code)
{
	struct detach_report report;
	int pair[2], r;

	*exit_code = LAUNCH_EXIT_FAILED;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return log_fail(-errno, "make a connection to the detached container");
	detached->pid = fork();
	if (detached->pid == 0) {
		close(pair[0]);
		detach_main(spec, pair[1]);
	}
	r = detached->pid < 0 ? -errno : 0;
	close(pair[1]);
	detached->fd = pair[0];
	if (r) {
		close(detached->fd);
		return log_fail(r, "start the process that stays with the detached container");
	}
	r = detach_read(detached->fd, &report, sizeof(report));
	if (!r && !report.exit_code) {
		memcpy(detached->name, report.name, sizeof(detached->name));
		return 0;
	}
	if (r)
		log_error(r, "cannot detach the container: the process that was to stay with it "
			     "has ended");
	else
		*exit_code = report.exit_code;
	detach_cancel(detached);
	return -ECANCELED;
}

int detach_release(struct detached *detached)
{
	bool is_released = send(detached->fd, "", 1, MSG_NOSIGNAL) == 1;

	close(detached->fd);
	return is_released
		       ? 0
		       : log_error(-ECHILD, "the container %s has ended already", detached->name);
}

void detach_cancel(struct detached *detached)
{
	close(detached->fd);
	while (waitpid(detached->pid, NULL, 0) < 0 && errno == EINTR)
		;
}
