/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mounts by descriptor (Linux 5.2): a tree is made or copied first, invisible to all, and then
 * placed below a root whose symbolic links cannot lead out of it. All return a descriptor or 0,
 * or -errno without a word: the caller knows what the mount was for.
 */
#ifndef NSVIEW_LAUNCH_MOUNT_H
#define NSVIEW_LAUNCH_MOUNT_H

#include <sys/mount.h>

/* A new filesystem. options: "key=value,flag", as mount -o; attributes: MOUNT_ATTR_*. */
int mount_create(const char *type, const char *options, unsigned int attributes);

/* A copy of what is mounted at path (a file or a directory) inside root_fd, with all below it. */
int mount_copy(int root_fd, const char *path);

/* Attaches either at path, which is resolved inside root_fd. */
int mount_place(int mount_fd, int root_fd, const char *path);

/*
 * Adds MS_* flags (MS_RDONLY, MS_NODEV, ...) to every mount at or below path, which is one of
 * this process's own root; keeps those it has. proc_fd: a procfs of its pid namespace. Needs no
 * mount_setattr(2) (Linux 5.12).
 */
int mount_restrict(int proc_fd, const char *path, unsigned long flags);

/* The same for the mount at path alone. */
int mount_restrict_one(int proc_fd, const char *path, unsigned long flags);

/* MS_SHARED and MS_SLAVE, each if the mount at path is. proc_fd: as above. */
int mount_propagation(int proc_fd, const char *path, unsigned long *found);

#endif
