/* SPDX-License-Identifier: GPL-2.0-only */
/* What is in the container's /dev. */
#ifndef NSVIEW_LAUNCH_DEVICES_H
#define NSVIEW_LAUNCH_DEVICES_H

#include <stdbool.h>

/*
 * docker's device nodes and links, in the tmpfs that is mounted on root_fd's dev. They are the
 * host's own nodes, mounted one by one: the rest of the container is nodev, so that CAP_MKNOD,
 * which is in the default set, reaches no disk though no device cgroup stands in its way.
 * has_all (--privileged): all of the host's nodes, made anew. What failed has been said.
 */
int devices_add(int host_fd, int root_fd, bool has_all);

#endif
