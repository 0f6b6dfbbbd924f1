/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a daemon keeps its containers' files: nobody tells, but the containers show it. */
#ifndef NSVIEW_HOST_RUNTIME_DOCKER_ROOT_H
#define NSVIEW_HOST_RUNTIME_DOCKER_ROOT_H

#include <stdbool.h>
#include <stdint.h>

#define DOCKER_ID_LENGTH 64

struct rootfile;

struct docker_root {
	int fd;       /* O_PATH: the root directory that folder is to be looked up in */
	char *folder; /* <data-root>/containers */
};

/* 64 digits of hex, and so nothing that leads out of a folder. */
bool docker_is_id(const char *id);

/*
 * From the shim, whose working directory is the bundle of the container it serves: the bundle's
 * config.json has mounts from the folder. id: in, "" if not known; out, the container's. -ENOENT:
 * the process is not the shim of that container. Close root->fd and free root->folder.
 */
int docker_root_from_shim(struct rootfile *reader, int proc_fd, uint32_t pid,
			  char id[DOCKER_ID_LENGTH + 1], struct docker_root *root);

/*
 * From a process of the container, where Docker has mounted /etc/hostname, /etc/hosts and
 * /etc/resolv.conf from the folder. -ENOENT: it has not; or the container, which may mount
 * what it likes if it has SYS_ADMIN, can write to that place itself.
 */
int docker_root_from_mounts(int proc_fd, uint32_t pid, char id[DOCKER_ID_LENGTH + 1],
			    struct docker_root *root);

#endif
