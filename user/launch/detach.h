/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * -d: a copy of nsview, in a session of its own, stays behind as the container's parent. Whatever
 * holds for `nsview run` holds for the copy: killed with -9 it takes the container with it, a
 * signal that it gets is the container's, and the keeper clears up.
 */
#ifndef NSVIEW_LAUNCH_DETACH_H
#define NSVIEW_LAUNCH_DETACH_H

#include <sys/types.h>

#include "launch/spec.h"

struct detached {
	char name[SPEC_NAME_MAX + 1];
	pid_t pid; /* of the copy */
	int fd;
};

/*
 * Returns once COMMAND has been executed. It reads and writes /dev/null; with keeps_stdin it reads
 * a pipe into which nothing comes. The caller's end, or detach_cancel, is the container's, until
 * detach_release. Failure has been said, *exit_code is one of enum launch_exit.
 */
int detach_start(const struct spec *spec, struct detached *detached, int *exit_code);

/* It goes on without the caller. */
int detach_release(struct detached *detached);

/* Returns when nothing of it is left. */
void detach_cancel(struct detached *detached);

#endif
