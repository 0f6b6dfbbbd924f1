/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/join.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "launch/cgroup.h"
#include "launch/init.h"
#include "launch/launch.h"
#include "launch/rights.h"

struct join_pipes {
	int go[2];
	int report[2]; /* the helper's struct join_report, then COMMAND's struct init_report */
};

struct join_report {
	pid_t pid;
	int error;
};

/*
 * COMMAND's parent, outside: in there its number is 0. It reaps COMMAND, because the container's
 * pid 1 cannot end before that is done, and nsview may be dead by then. It stays out of the
 * container's other namespaces, so that nobody takes it for one of its processes.
 */
static _Noreturn void join_help(const struct join_task *task, struct init *init,
				const struct join_pipes *pipes)
{
	struct join_report report = {0};
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	prctl(PR_SET_NAME, "nsview-join", 0, 0, 0);
	if (rights_has_own(init->rights, CLONE_NEWPID) && setns(task->pidfd, CLONE_NEWPID))
		report.error = -errno;
	else
		report.pid = fork();
	if (!report.error && report.pid == 0) {
		close(pipes->go[1]);
		close(pipes->report[0]);
		init_main(init);
	}
	if (report.pid < 0)
		report.error = -errno;
	(void)!write(pipes->report[1], &report, sizeof(report));
	/* Among them the last copies of what the keepers wait for the end of. */
	close_range(0, ~0U, 0);
	while (waitpid(-1, NULL, 0) >= 0 || errno == EINTR)
		;
	_exit(0);
}

static int join_read(int fd, void *data, size_t size)
{
	size_t length = 0;
	ssize_t got;

	while (length < size) {
		got = read(fd, (char *)data + length, size - length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		length += got;
	}
	return length == size ? 0 : -ECHILD;
}

static int join_go(const struct join_task *task, const struct join_pipes *pipes, pid_t pid)
{
	const char go = INIT_GO;
	struct init_report report = {0};
	int r = cgroup_enter(task->cgroup, pid);

	if (r)
		return r;
	if (write(pipes->go[1], &go, 1) != 1)
		return log_fail(-errno, "start the process that joins the container");
	if (join_read(pipes->report[0], &report, sizeof(report)))
		return log_error(-ECHILD, "cannot join the container: it has ended");
	/* The end of the pipe is that of its close-on-exec copy. */
	if (!report.exit_code && join_read(pipes->report[0], &report, sizeof(report)))
		return 0;
	return log_error(-ECANCELED, "%.*s", (int)sizeof(report.sentence), report.sentence);
}

static int join_try(const struct join_task *task, const struct join_pipes *pipes,
		    struct joined *joined)
{
	struct init init = *task->init;
	struct join_report report;

	init.join_fd = task->pidfd;
	init.go_fd = pipes->go[0];
	init.report_fd = pipes->report[1];
	init.terminal = NULL;
	joined->helper = fork();
	if (joined->helper == 0)
		join_help(task, &init, pipes);
	if (joined->helper < 0)
		return log_fail(-errno, "make the process that joins the container");
	close(pipes->go[0]);
	close(pipes->report[1]);
	if (join_read(pipes->report[0], &report, sizeof(report)))
		return log_error(-ECHILD, "cannot join the container: its new process has ended");
	if (report.error)
		return log_fail(report.error, "join the container's pid namespace");
	joined->pid = report.pid;
	return join_go(task, pipes, report.pid);
}

int join_start(const struct join_task *task, struct joined *joined)
{
	struct join_pipes pipes;
	int r;

	*joined = (struct joined){0};
	if (pipe2(pipes.go, O_CLOEXEC))
		return log_fail(-errno, "make a pipe to the container");
	if (pipe2(pipes.report, O_CLOEXEC)) {
		r = log_fail(-errno, "make a pipe from the container");
		close(pipes.go[0]);
		close(pipes.go[1]);
		return r;
	}
	r = join_try(task, &pipes, joined);
	if (joined->helper <= 0) {
		close(pipes.go[0]);
		close(pipes.report[1]);
	}
	close(pipes.go[1]);
	close(pipes.report[0]);
	/* Without the byte it waited for it has ended by itself. */
	if (r)
		join_finish(joined);
	return r;
}

void join_finish(const struct joined *joined)
{
	while (joined->helper > 0 && waitpid(joined->helper, NULL, 0) < 0 && errno == EINTR)
		;
}
