/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "launch/cgroup.h"
#include "launch/state.h"

#define KEEPER_DESCRIPTORS 16

/* Everything but the few descriptors it works with: a pipe it kept open would never end for
 * whoever reads nsview's output. */
static int keeper_close_others(struct keeper_task *task, int *life_fd)
{
	int *kept[] = {life_fd, &task->pidfd, &task->state_dir, &task->terminal.fd};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return -errno;
	/* Above all others first, so that none of the low numbers is still in use; and so high that
	 * as many as clearing up takes can be had then. */
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		if (*kept[i] < 0)
			continue;
		*kept[i] = fcntl(*kept[i], F_DUPFD_CLOEXEC, KEEPER_DESCRIPTORS);
		if (*kept[i] < 0)
			return errno == EINVAL ? -EMFILE : -errno;
	}
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		if (*kept[i] >= 0)
			*kept[i] = dup2(*kept[i], STDERR_FILENO + 1 + (int)i);
	}
	close_range(STDERR_FILENO + 1 + ARRAY_SIZE(kept), ~0U, 0);
	return 0;
}

static _Noreturn void keeper_main(struct keeper_task *task, int life_fd)
{
	sigset_t all;
	char byte;
	int r;

	/* Ctrl-C and a hang-up are for nsview and its command; this one has work to do after. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	prctl(PR_SET_NAME, "nsview-keeper", 0, 0, 0);
	r = keeper_close_others(task, &life_fd);
	if (r)
		_exit(-r);
	(void)!write(life_fd, "", 1);
	while (read(life_fd, &byte, 1) < 0 && errno == EINTR)
		;
	keeper_clear(task);
	_exit(0);
}

/* Once it has left nsview's process group and listens to no signal, it can be relied on. Else
 * -errno: its exit status says which. */
static int keeper_await(pid_t keeper, int life_fd)
{
	int status = 0;
	char byte;
	ssize_t got;

	do {
		got = read(life_fd, &byte, 1);
	} while (got < 0 && errno == EINTR);
	if (got == 1)
		return 0;
	while (waitpid(keeper, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && WEXITSTATUS(status) ? -WEXITSTATUS(status) : -ECHILD;
}

int keeper_start(const struct keeper_task *task, int other_fd, pid_t *keeper, int *life_fd)
{
	struct keeper_task own = *task;
	int life[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, life))
		return -errno;
	pid = fork();
	if (pid == 0) {
		close(other_fd);
		close(life[1]);
		keeper_main(&own, life[0]);
	}
	close(life[0]);
	if (pid < 0) {
		int error = errno;

		close(life[1]);
		return -error;
	}
	*keeper = pid;
	*life_fd = life[1];
	return keeper_await(pid, life[1]);
}

void keeper_clear(const struct keeper_task *task)
{
	struct pollfd end = {.fd = task->pidfd, .events = POLLIN};

	terminal_mode_restore(&task->terminal);
	/* Pid 1 takes its whole pid namespace with it, and its descriptor is readable only after
	 * the last of them has gone. */
	syscall(SYS_pidfd_send_signal, task->pidfd, SIGKILL, NULL, 0);
	while (poll(&end, 1, -1) < 0 && errno == EINTR)
		;
	cgroup_remove(task->cgroup);
	state_remove(task->state_dir, task->name, task->id);
}

void keeper_finish(const struct keeper_task *task, pid_t keeper, int life_fd)
{
	int status = -1;

	if (keeper > 0) {
		close(life_fd);
		while (waitpid(keeper, &status, 0) < 0 && errno == EINTR)
			;
	}
	if (status)
		keeper_clear(task);
}
