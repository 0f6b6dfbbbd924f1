/* SPDX-License-Identifier: GPL-2.0-only */
/* The end of one cgroup, of either version. */
#ifndef NSVIEW_LAUNCH_CGROUP_CLEAR_H
#define NSVIEW_LAUNCH_CGROUP_CLEAR_H

/* Kills every process in the cgroup at path and below, and removes all of it: a container may
 * have made cgroups of its own, as deep as it liked. Waits for the dying, some seconds at most. */
void cgroup_clear(const char *path);

#endif
