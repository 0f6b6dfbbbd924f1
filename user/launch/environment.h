/* SPDX-License-Identifier: GPL-2.0-only */
/* COMMAND's environment variables: a later one replaces an earlier one of its name. */
#ifndef NSVIEW_LAUNCH_ENVIRONMENT_H
#define NSVIEW_LAUNCH_ENVIRONMENT_H

#include <stddef.h>

/* Zero-initialise; environment_free releases what is in it. items ends with a NULL. */
struct environment {
	char **items;
	size_t count;
	size_t capacity;
};

void environment_set(struct environment *environment, const char *name, const char *value);

/*
 * -e NAME=VALUE, or NAME, whose value is nsview's own: where it has none, COMMAND gets none
 * either, as docker has it. -EINVAL, there is no name, has been said.
 */
int environment_add(struct environment *environment, const char *words);

/* Borrowed, until the next change; NULL: not set. */
const char *environment_get(const struct environment *environment, const char *name);

void environment_free(struct environment *environment);

#endif
