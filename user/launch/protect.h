/* SPDX-License-Identifier: GPL-2.0-only */
/* What of /proc and /sys a container does not see, or may not write. */
#ifndef NSVIEW_LAUNCH_PROTECT_H
#define NSVIEW_LAUNCH_PROTECT_H

/*
 * docker's masked and read-only paths, in this process's root. proc_fd: its /proc. What failed
 * has been said.
 */
int protect_system(int proc_fd);

/* Hides the host's own files with passwords, where its /etc is shown. */
int protect_passwords(void);

#endif
