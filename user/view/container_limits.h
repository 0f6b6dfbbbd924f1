/* SPDX-License-Identifier: GPL-2.0-only */
/* What each container may use and uses, read when a column first asks for it. */
#ifndef NSVIEW_VIEW_CONTAINER_LIMITS_H
#define NSVIEW_VIEW_CONTAINER_LIMITS_H

#include "host/cgroup_limits.h"

struct container;
struct container_limits; /* of one snapshot: made with it and freed before the next */

/* proc_fd: from procfs_open, borrowed. */
struct container_limits *container_limits_new(int proc_fd);
void container_limits_free(struct container_limits *limits); /* takes NULL */

/* Borrowed. *failed: 0 or cgroup_limits_read's error, the facts then are all unknown. */
const struct cgroup_limits *container_limits_get(struct container_limits *limits,
						 const struct container *container, int *failed);

#endif
