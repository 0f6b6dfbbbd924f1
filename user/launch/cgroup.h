/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The container's own cgroup /nsview/ID, in each hierarchy of this machine, version 1 or 2: its
 * limits, what belongs to it, and its end.
 */
#ifndef NSVIEW_LAUNCH_CGROUP_H
#define NSVIEW_LAUNCH_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct cgroup;
struct limits;

/* Looks where the hierarchies are mounted; makes nothing. Never NULL; free with cgroup_free. The
 * keeper finds its way by what is found now, so this comes before it starts. */
struct cgroup *cgroup_find(const char *id);
void cgroup_free(struct cgroup *cgroup);

/*
 * Makes them, sets the limits and moves pid there. What cannot be had here (no such controller, or
 * no permission) is said, taken out of *limits, and the container goes on without, as docker does
 * it. A value that the kernel refuses is an error, and has been said.
 */
int cgroup_make(struct cgroup *cgroup, struct limits *limits, pid_t pid);

/*
 * Lets the cgroup's processes open docker's devices and no other (device_guard.h). Whether it does
 * so from now on: it takes version 1's devices controller, or a kernel that takes a BPF program
 * for it from this user.
 */
bool cgroup_guard_devices(const struct cgroup *cgroup);

/* Whether there is a cgroup in any hierarchy: if not, nobody can tell what belongs to it. */
bool cgroup_is_made(const struct cgroup *cgroup);

/* Another process of the container: into all that were made. What failed has been said. */
int cgroup_enter(const struct cgroup *cgroup, pid_t pid);

/* As the kernel has it. -ENOENT: there is none. */
int cgroup_memory_limit(struct cgroup *cgroup, uint64_t *bytes);

/* How many processes in it the kernel has killed for want of memory. */
uint64_t cgroup_oom_kills(struct cgroup *cgroup);

/* In how many periods of the CPU limit it ran, and in how many that stopped it. -ENOENT: there is
 * no limit. */
int cgroup_cpu_periods(struct cgroup *cgroup, uint64_t *periods, uint64_t *throttled);

/* Whether it is the name of a container's cgroup, and nothing that leads elsewhere. */
bool cgroup_is_id(const char *id);

/* Removes the cgroups of containers in which nothing has been for a minute: killed with -9 at the
 * wrong moment, nsview and its keeper may leave one that no state file speaks of. */
void cgroup_sweep(const struct cgroup *cgroup);

/* Kills what is still in it or below, and removes it. What was never made is no trouble. */
void cgroup_remove(const struct cgroup *cgroup);

#endif
