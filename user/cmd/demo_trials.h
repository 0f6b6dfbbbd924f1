/* SPDX-License-Identifier: GPL-2.0-only */
/* The lessons of `nsview demo` in which a command inside tries something. */
#ifndef NSVIEW_CMD_DEMO_TRIALS_H
#define NSVIEW_CMD_DEMO_TRIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct text;

enum trial_end {
	TRIAL_WORKS,
	TRIAL_FAILS,
	TRIAL_OUT_OF_MEMORY, /* killed for want of memory */
	TRIAL_HALF_A_CPU,    /* runs on, and in a second has had half a CPU's time */
};

struct trial {
	const char *options; /* of nsview run, as shown */
	const char *user;
	const char *cap_add;
	const char *cap_drop;
	const char *cpus;
	const char *memory;
	const char *program; /* what it is called when this machine lacks it */
	const char *shown;   /* the command as shown */
	char *const *command;
	bool has_peer; /* $PEER is a process of another container, and is shown at the end */
	enum trial_end end;
};

#define TRIAL_COUNT_MAX 3

struct trial_scene {
	const char *title;
	const struct trial trials[TRIAL_COUNT_MAX]; /* up to the first without a command */
	const char *claim;                          /* for the case that it was not so */
	const char *said;                           /* about what was, said only then */
};

extern const struct trial_scene trial_scenes[];
extern const size_t trial_scenes_count;

/*
 * Runs them one after the other, and adds what was typed and seen to out, then a paragraph to said.
 * peer: the host pid of another container's process. False: it was not as claimed, and said tells what was seen instead.
 */
bool trial_play(const struct trial_scene *scene, pid_t peer, struct text *out, struct text *said);

#endif
