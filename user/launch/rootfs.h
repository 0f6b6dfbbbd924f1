/* SPDX-License-Identifier: GPL-2.0-only */
/* The container's file tree, built in its own mount namespace. */
#ifndef NSVIEW_LAUNCH_ROOTFS_H
#define NSVIEW_LAUNCH_ROOTFS_H

#include <stdbool.h>

#include "launch/volume.h"

struct image;
struct spec;

/* Zero-initialise; rootfs_plan_free releases what is in it. */
struct rootfs_plan {
	const char *dir;       /* --rootfs, borrowed; NULL: the host's own programs */
	struct image *image;   /* --image, owned; NULL: none */
	const char *directory; /* made when missing, borrowed; NULL: none */
	struct volumes volumes;
	bool is_read_only; /* --read-only */
	bool is_open;      /* --privileged: nothing masked, all devices */
	bool has_host_pid; /* --pid host and so on */
	bool has_host_ipc;
	bool has_device_guard; /* the cgroup keeps it from devices: no mount has to be nodev */
};

/* Checks the words of the spec that are about files. What failed has been said. */
int rootfs_plan_read(const struct spec *spec, struct rootfs_plan *plan);
void rootfs_plan_free(struct rootfs_plan *plan);

/*
 * Makes what the plan says the root of this process's mount namespace, with /proc, /sys and /dev
 * as docker has them, and nothing else of the host left mounted. Without --rootfs it is a private
 * tmpfs with the host's programs read-only in it; with it an overlay, so that the directory itself
 * is never changed; an image is unpacked into a tmpfs. The caller is process 1 of new namespaces. What failed has been said.
 */
int rootfs_enter(const struct rootfs_plan *plan);

#endif
