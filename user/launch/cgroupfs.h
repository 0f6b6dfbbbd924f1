/* SPDX-License-Identifier: GPL-2.0-only */
/* The container's /sys/fs/cgroup. */
#ifndef NSVIEW_LAUNCH_CGROUPFS_H
#define NSVIEW_LAUNCH_CGROUPFS_H

#include <stdbool.h>

struct cgroupfs {
	int host_fd;      /* the host's root */
	int root_fd;      /* the container's, with its /sys mounted */
	int proc_fd;      /* the container's /proc */
	bool is_writable; /* --privileged */
};

/*
 * As docker has it: on version 2 the hierarchy itself, on version 1 a tmpfs with a directory for
 * each hierarchy, read-only. What is seen there begins at the cgroup namespace's root. What
 * failed has been said.
 */
int cgroupfs_mount(const struct cgroupfs *cgroupfs);

#endif
