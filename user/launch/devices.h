/* SPDX-License-Identifier: GPL-2.0-only */
/* What is in the container's /dev. */
#ifndef NSVIEW_LAUNCH_DEVICES_H
#define NSVIEW_LAUNCH_DEVICES_H

/*
 * CAP_MKNOD is in the default set, and must reach no disk. Where the container's cgroup says which
 * devices may be opened (device_guard.h), its nodes are made as docker makes them. Where none does, no
 * mount of the container lets a device be opened (nodev), but those of docker's few nodes, which
 * are the host's own.
 */
enum devices_kind {
	DEVICES_MOUNTED, /* docker's few, the host's own */
	DEVICES_MADE,    /* docker's few, made anew */
	DEVICES_ALL,     /* --privileged: all of the host's, made anew */
};

/* Device nodes and links in the tmpfs that is mounted on root_fd's dev. What failed has been
 * said. */
int devices_add(int host_fd, int root_fd, enum devices_kind kind);

#endif
