/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes a container from a spec by its own system calls: no other program is executed before
 * the command. docker's exit codes: 125 nsview could not make it, 126 the command cannot be
 * executed, 127 it is not there.
 */
#ifndef NSVIEW_LAUNCH_LAUNCH_H
#define NSVIEW_LAUNCH_LAUNCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct joined;
struct spec;

enum launch_exit {
	LAUNCH_EXIT_FAILED = 125,
	LAUNCH_EXIT_NOT_EXECUTABLE = 126,
	LAUNCH_EXIT_NOT_FOUND = 127,
};

/* A running container; free with launch_free, which kills what still runs. */
struct launch;

/*
 * Starts it and returns once COMMAND has been executed. Failure has been said in one sentence;
 * the return is -errno and *exit_code one of enum launch_exit.
 */
int launch_start(const struct spec *spec, struct launch **launch, int *exit_code);

/* Host pid of COMMAND (pid 1 inside). */
pid_t launch_pid(const struct launch *launch);
const char *launch_name(const struct launch *launch);

/* Waits for its end, forwarding signals meanwhile: the child's status, or 128 + signal. */
int launch_wait(struct launch *launch);

/* A second process in it: join.h. joined->helper is to be waited for after launch_free. */
int launch_join(const struct launch *launch, char *const *command, struct joined *joined);

/* As the kernel has it. -ENOENT: it has no such limit. */
int launch_memory_limit(const struct launch *launch, uint64_t *bytes);

/* How many processes in it the kernel has killed for want of memory; asked before launch_free. */
uint64_t launch_oom_kills(const struct launch *launch);

/* In how many periods of its CPU limit it ran, and in how many the limit stopped it. -ENOENT: it
 * has no such limit. */
int launch_cpu_periods(const struct launch *launch, uint64_t *periods, uint64_t *throttled);

void launch_free(struct launch *launch);

#endif
