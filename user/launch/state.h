/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state file of a running sample container, for `nsview ps` and whoever else wants to know
 * its name: NAME.json in nsview_state_path, mode 0600, there from before COMMAND is executed until
 * its end. host/runtime/nsview_state.h reads it.
 */
#ifndef NSVIEW_LAUNCH_STATE_H
#define NSVIEW_LAUNCH_STATE_H

#include <stdint.h>
#include <sys/types.h>

struct rights;
struct spec;
struct volumes;

struct state {
	const struct spec *spec;
	const char *name;
	const char *id;
	const char *image; /* its name, or the archive's path as typed; NULL: none */
	const struct rights *rights;
	const struct volumes *volumes;
	pid_t pid;
};

/* The caller's directory (nsview_state_path), made when missing. What failed has been said. */
int state_open_dir(void);

/* -EEXIST: a container of that name runs. What failed has been said. */
int state_write(int dir_fd, const struct state *state);

/* Removes the file if it is still this container's, and what an interrupted state_write left. */
void state_remove(int dir_fd, const char *name, const char *id);

#endif
