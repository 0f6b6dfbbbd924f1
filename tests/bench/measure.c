/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * measure COMMAND [ARG...]: runs it with its output thrown away and prints its exit status, CPU
 * time and wall time in microseconds, and peak resident memory in KiB. A program of its own
 * because a child's peak starts with what its parent had: here, next to nothing.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long microseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	long started = microseconds();
	pid_t child;
	int status;

	if (argc < 2)
		return 2;
	child = fork();
	if (child == 0) {
		dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
		execvp(argv[1], argv + 1);
		perror(argv[1]);
		_exit(127);
	}
	if (wait4(child, &status, 0, &usage) < 0)
		return 1;
	printf("%d %ld %ld %ld\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1,
	       (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec +
		       usage.ru_stime.tv_usec,
	       microseconds() - started, usage.ru_maxrss);
	return 0;
}
