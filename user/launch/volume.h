/* SPDX-License-Identifier: GPL-2.0-only */
/* -v SRC:DST[:MODE]: a file or directory of the host in the container. */
#ifndef NSVIEW_LAUNCH_VOLUME_H
#define NSVIEW_LAUNCH_VOLUME_H

#include <stdbool.h>
#include <stddef.h>

struct volume {
	char *source;              /* absolute, on the host */
	char *target;              /* absolute, in the container, without . and .. */
	unsigned long propagation; /* MS_SHARED, MS_SLAVE or MS_PRIVATE, perhaps with MS_REC */
	bool is_read_only;
};

/* Zero-initialise; volumes_free releases what is in it. */
struct volumes {
	struct volume *items;
	size_t count;
	size_t capacity;
};

/*
 * docker's syntax and rules: both paths absolute, DST not / and not in /proc, MODE of ro, rw and
 * [r]shared, [r]slave, [r]private (the default is rprivate). -EINVAL: said in one sentence.
 */
int volumes_add(struct volumes *volumes, const char *words);
void volumes_free(struct volumes *volumes);

/* The source, before the root or the mount namespace's root is changed: an O_PATH descriptor.
 * What failed has been said. */
int volume_open(const struct volume *volume);

/* A copy of the mounts there, to be placed. What failed has been said. */
int volume_copy(const struct volume *volume, int source_fd);

/*
 * Mounts that copy at its target in this process's root, which is private, with the options it
 * should have; the mount point is made when missing. Unlike docker's, read-only holds for all
 * mounts below it too. proc_fd: the container's /proc. has_devices: rootfs.c tells; without, no
 * device node in the volume can be opened. What failed has been said.
 */
struct volume_place {
	int tree_fd;
	int proc_fd;
	bool has_devices;
};
int volume_mount(const struct volume *volume, const struct volume_place *place);

#endif
