/* SPDX-License-Identifier: GPL-2.0-only */
/* A second process in a container that runs, as `docker exec` starts one. */
#ifndef NSVIEW_LAUNCH_JOIN_H
#define NSVIEW_LAUNCH_JOIN_H

#include <sys/types.h>

struct cgroup;
struct init;

struct join_task {
	const struct init *init; /* of the container, with what the process is to execute */
	const struct cgroup *cgroup;
	int pidfd; /* of the container's pid 1 */
};

struct joined {
	pid_t pid;    /* host pid of COMMAND */
	pid_t helper; /* its parent, a child of nsview: it waits for COMMAND, and then ends */
};

/*
 * COMMAND with the container's rights, in its namespaces and its cgroup. Returns once it has been
 * executed; what failed has been said. It ends with the container at the latest, also when nsview
 * is killed meanwhile.
 */
int join_start(const struct join_task *task, struct joined *joined);

/* Waits for its end: so call it after the container's. */
void join_finish(const struct joined *joined);

#endif
