/* SPDX-License-Identifier: GPL-2.0-only */
/* COMMAND: found by PATH below the current root, and executed. */
#ifndef NSVIEW_LAUNCH_PROGRAM_H
#define NSVIEW_LAUNCH_PROGRAM_H

#define PROGRAM_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/*
 * Does not return when it works. Else the reason has been said, and the return is one of enum
 * launch_exit: not found, or found and not executable. path is PATH's value.
 */
int program_execute(char *const *command, char *const *environment, const char *path);

#endif
