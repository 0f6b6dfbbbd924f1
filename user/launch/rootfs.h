/* SPDX-License-Identifier: GPL-2.0-only */
/* The container's file tree, built in its own mount namespace. */
#ifndef NSVIEW_LAUNCH_ROOTFS_H
#define NSVIEW_LAUNCH_ROOTFS_H

/*
 * Makes a private tmpfs the root of this process's mount namespace, with the host's programs
 * read-only in it, /proc, /sys and /dev as docker has them, and nothing else of the host left
 * mounted. The caller is pid 1 of new pid and mount namespaces. What failed has been said.
 */
int rootfs_enter(void);

#endif
