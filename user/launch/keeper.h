/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The process that clears up after nsview, also when that is killed with -9: the dead cannot, and
 * the parent-death signal does not reach a command that has changed its credentials.
 */
#ifndef NSVIEW_LAUNCH_KEEPER_H
#define NSVIEW_LAUNCH_KEEPER_H

#include <sys/types.h>

#include "launch/terminal.h"

struct cgroup;

struct keeper_task {
	struct terminal_mode terminal; /* nsview's own, to be as it was */
	int pidfd;                     /* of the container's pid 1 */
	int state_dir;                 /* borrowed, as everything here */
	const char *name;
	const char *id;
	const struct cgroup *cgroup;
};

/*
 * Starts it, and returns when it is ready. It acts when the last copy of *life_fd is closed, by hand or by death: whoever
 * shares it must not live longer. other_fd is closed in the keeper first: the pipe on which the
 * container waits for its parent's end. -errno without a word.
 */
int keeper_start(const struct keeper_task *task, int other_fd, pid_t *keeper, int *life_fd);

/* The work itself: kills the container, waits until all of it is gone, removes its cgroup and state. */
void keeper_clear(const struct keeper_task *task);

/* Closes life_fd and waits until everything is cleared, by the keeper or, had that been killed,
 * by the caller. */
void keeper_finish(const struct keeper_task *task, pid_t keeper, int life_fd);

#endif
