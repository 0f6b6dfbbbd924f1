/* SPDX-License-Identifier: GPL-2.0-only */
/* A directory of the host for a container to write to, of which nothing is left. */
#ifndef NSVIEW_CMD_DEMO_FOLDER_H
#define NSVIEW_CMD_DEMO_FOLDER_H

#include <stdint.h>
#include <sys/types.h>

#define FOLDER_FILE "file" /* the only one that may be made in it */

struct folder {
	char path
		[64]; /* anybody may write to it who knows it: its name is random, and not listed */
	pid_t keeper;
	int life_fd;
};

/*
 * It is made, and at the end removed, by a process of its own, also when nsview is killed with -9.
 * -errno without a word.
 */
int folder_make(struct folder *folder);

/* Whose FOLDER_FILE is. -errno: there is none. */
int folder_owner(const struct folder *folder, uint32_t *uid);

/* Returns when it has gone. */
void folder_remove(const struct folder *folder);

#endif
