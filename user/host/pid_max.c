/* SPDX-License-Identifier: GPL-2.0-only */
#include "host/pid_max.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

#define DIGITS_DEFAULT 5 /* procps's own, where there is no such file */
#define DIGITS_MAX 7     /* PID_MAX_LIMIT is 4194304: no pid namespace can have more */

static int digits_read(int proc_fd)
{
	autoclose int fd = openat(proc_fd, "sys/kernel/pid_max", O_RDONLY | O_CLOEXEC);
	char number[16];
	ssize_t length = fd < 0 ? -1 : read(fd, number, sizeof(number));
	int digits = 0;

	while (digits < length && number[digits] >= '0' && number[digits] <= '9')
		digits++;
	return digits ? digits : DIGITS_DEFAULT;
}

/* A process of a new pid namespace, whose exit status is the answer; -1: not allowed. */
static int digits_try(int proc_fd, unsigned long flags)
{
	int status;
	pid_t pid = (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(digits_read(proc_fd));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

int pid_max_digits(int proc_fd, bool is_own)
{
	int own = digits_read(proc_fd);
	int digits = own;

	if (is_own || own >= DIGITS_MAX)
		return own;
	digits = digits_try(proc_fd, CLONE_NEWPID);
	if (digits < 0)
		digits = digits_try(proc_fd, CLONE_NEWUSER | CLONE_NEWPID);
	return digits < 0 ? own : digits;
}
