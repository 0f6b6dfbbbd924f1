/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which devices the processes of a cgroup may open: docker's list. CAP_MKNOD is in the default set,
 * and must reach no disk.
 */
#ifndef NSVIEW_LAUNCH_DEVICE_GUARD_H
#define NSVIEW_LAUNCH_DEVICE_GUARD_H

#include <stdbool.h>

/* By version 1's devices controller. dir: the cgroup's directory. Whether it guards from now on. */
bool device_guard_v1(const char *dir);

/* By a BPF program, which goes with the cgroup: version 2 has no files for it. */
bool device_guard_v2(const char *dir);

#endif
