/* SPDX-License-Identifier: GPL-2.0-only */
/* The containers of `nsview demo`, and what it reads of them. */
#ifndef NSVIEW_CMD_DEMO_STAGE_H
#define NSVIEW_CMD_DEMO_STAGE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "cmd/session.h"
#include "launch/join.h"
#include "launch/spec.h"

struct launch;
struct proc;
struct text;

#define STAGE_ACTORS_MAX 16

/* A container that runs until the demo's end, or a process that has joined one. */
struct stage_actor {
	struct launch *launch;
	struct spec spec;     /* the launch's */
	struct joined joined; /* helper 0: the container's first process */
	pid_t pid;            /* as nsview's own pid namespace numbers it */
};

struct stage {
	struct session session;
	struct stage_actor actors[STAGE_ACTORS_MAX];
	size_t count;
};

/* Whether what was to be shown was seen. */
enum stage_end {
	STAGE_SHOWN,
	STAGE_FORBIDDEN,    /* this host does not let it be made: no failure of nsview's */
	STAGE_CONTRADICTED, /* seen was something else */
	STAGE_FAILED,       /* it cannot go on, and why has been said */
	STAGE_INTERRUPTED,
};

/*
 * spec has to outlive the launch. launch_start, unless nsview lacks the capabilities for it. STAGE_SHOWN: it runs, with all its
 * limits. STAGE_FORBIDDEN: *why has a sentence that names what is missing.
 */
enum stage_end stage_launch(const struct spec *spec, struct launch **launch, struct text *why);

/* The same for a container that stays; its first process is then the last of the actors. What spec
 * borrows has to live as long. */
enum stage_end stage_add(struct stage *stage, const struct spec *spec, struct text *why);

/* The container of that name; NULL: it could not be made here. */
const struct stage_actor *stage_actor(const struct stage *stage, const char *name);

/* The process that nsview itself knows by this pid, in the last snapshot: not the host's number
 * where nsview runs in a pid namespace. NULL: none. */
const struct proc *stage_find(const struct stage *stage, pid_t pid);

/* Kills and clears up after all of them. */
void stage_clear(struct stage *stage);

/* What ends the demo at the next step; blocked meanwhile. */
void stage_interrupt_signals(sigset_t *set);
bool stage_is_interrupted(void);

/* Until fd is readable (-1: none is), milliseconds have passed (-1: however many) or somebody
 * interrupts. False: the last. */
bool stage_await(int fd, int milliseconds);

#endif
