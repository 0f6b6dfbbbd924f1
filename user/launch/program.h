/* SPDX-License-Identifier: GPL-2.0-only */
/* COMMAND: found by PATH below the current root, and executed. */
#ifndef NSVIEW_LAUNCH_PROGRAM_H
#define NSVIEW_LAUNCH_PROGRAM_H

#include <stdbool.h>

#define PROGRAM_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct program {
	char *const *command; /* NULL-terminated, as the next */
	char *const *environment;
	const char *path;       /* PATH's value */
	bool is_on_hosts_files; /* no image was needed to have programs */
};

/*
 * Does not return when it works. Else the reason has been said, and the return is one of enum
 * launch_exit: not found, or found and not executable.
 */
int program_execute(const struct program *program);

#endif
