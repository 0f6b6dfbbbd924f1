/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * crowd PROCESSES NAMESPACES: so many sleeping processes, spread over so many pid namespaces. Says
 * "ready" when all are there. They are killed when standard input ends or the parent dies: each
 * namespace dies with its first process, and those die with this one.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES_MAX 25000
#define NAMESPACES_MAX 200

static _Noreturn void sleep_for_ever(void)
{
	for (;;)
		pause();
}

/* The first process of a namespace: makes the others, tells how many there are. */
static _Noreturn void fill_namespace(long processes, int ready)
{
	long made = 1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (; made < processes; made++) {
		pid_t child = fork();

		if (child == 0) {
			close(ready);
			sleep_for_ever();
		}
		if (child < 0)
			break;
	}
	(void)!write(ready, &made, sizeof(made));
	close(ready);
	sleep_for_ever();
}

static long make_namespace(long processes, pid_t *first)
{
	long made = 0;
	int ready[2];

	if (pipe(ready))
		return 0;
	*first = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
	if (*first == 0) {
		close(ready[0]);
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		fill_namespace(processes, ready[1]);
	}
	close(ready[1]);
	if (*first < 0 || read(ready[0], &made, sizeof(made)) != sizeof(made))
		made = 0;
	close(ready[0]);
	return made;
}

int main(int argc, char **argv)
{
	static pid_t firsts[NAMESPACES_MAX];
	long processes = argc == 3 ? atol(argv[1]) : 0;
	long namespaces = argc == 3 ? atol(argv[2]) : 0;
	long made = 0;
	char byte;

	if (namespaces < 1 || namespaces > NAMESPACES_MAX || processes < namespaces ||
	    processes > PROCESSES_MAX) {
		fprintf(stderr, "usage: crowd PROCESSES (at most %d) NAMESPACES (at most %d)\n",
			PROCESSES_MAX, NAMESPACES_MAX);
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (long i = 0; i < namespaces; i++)
		made += make_namespace(processes / namespaces + (i < processes % namespaces),
				       &firsts[i]);
	if (made == processes)
		puts("ready");
	else
		printf("made %ld of %ld: %s\n", made, processes, strerror(errno));
	fflush(stdout);
	while (made == processes && read(STDIN_FILENO, &byte, 1) > 0)
		;
	for (long i = 0; i < namespaces; i++)
		if (firsts[i] > 0)
			kill(firsts[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	return made != processes;
}
