/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Docker's containers, by its state files and never over its socket: whoever may use that may do
 * anything, and a daemon that hangs would take nsview with it. Any --data-root and any number of
 * daemons, rootless and nested ones too.
 */
#ifndef NSVIEW_HOST_RUNTIME_DOCKER_H
#define NSVIEW_HOST_RUNTIME_DOCKER_H

#include <stddef.h>
#include <stdint.h>

#include "host/runtime/runtime.h"

struct docker; /* the data-roots that were found, and each container once */
struct arena;

/* proc_fd: of procfs_open, borrowed. host_root: NULL or --host-root. */
struct docker *docker_new(int proc_fd, const char *host_root, int cap_last);
void docker_free(struct docker *docker); /* takes NULL */

/*
 * The container that first_pid is the first process of; parent_pid is that one's parent, which is
 * Docker's shim unless it died (0: none). id: from the cgroup; "" where that does not tell.
 * Borrowed until docker_free; read once, so that a later `docker rename` or `docker update` is not
 * seen. NULL: not Docker's, or not ours to read.
 */
const struct runtime_container *docker_find(struct docker *docker, const char *id,
					    uint32_t first_pid, uint32_t parent_pid);

/*
 * config.v2.json and hostconfig.json of the container id as one; strings are put into the arena.
 * -EINVAL: not such files, or another container's.
 */
int docker_parse(struct arena *arena, const char *id, const char *config, size_t config_length,
		 const char *host_config, size_t host_config_length, int cap_last,
		 struct runtime_container *container);

#endif
