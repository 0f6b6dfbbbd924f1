/* SPDX-License-Identifier: GPL-2.0-only */
/* A directory as the container's root, without ever changing it. */
#ifndef NSVIEW_LAUNCH_OVERLAY_H
#define NSVIEW_LAUNCH_OVERLAY_H

/*
 * Mounts on this process's / an overlay of the directory and a tmpfs: what is written goes into
 * that, and with the mount namespace. dir_fd: of this mount namespace; what is mounted below it
 * does not show. attributes: MOUNT_ATTR_* of the overlay. Changes the current
 * directory. Returns a descriptor of the overlay's root; what failed has been said, with name.
 */
int overlay_mount(int dir_fd, const char *name, unsigned int attributes);

#endif
