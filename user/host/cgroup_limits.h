/* SPDX-License-Identifier: GPL-2.0-only */
/* What a container may use and what it uses, from the files of its own cgroups, both versions. */
#ifndef NSVIEW_HOST_CGROUP_LIMITS_H
#define NSVIEW_HOST_CGROUP_LIMITS_H

#include <stdint.h>

struct cgroup_tree;

#define CGROUP_NO_LIMIT UINT64_MAX

enum cgroup_fact {
	CGROUP_CPU_USAGE,    /* nanoseconds since the cgroup was made, ended processes included */
	CGROUP_CPU_LIMIT,    /* billionths of a CPU */
	CGROUP_MEMORY_USAGE, /* bytes, less the page cache that is not in use: as `docker stats` */
	CGROUP_MEMORY_LIMIT, /* bytes */
	CGROUP_PIDS_USAGE,   /* threads, that is what the kernel limits */
	CGROUP_PIDS_LIMIT,
	CGROUP_FACTS,
};

/* Limits are the tightest from the container's cgroup up to the root, as the kernel applies them. */
struct cgroup_limits {
	uint64_t facts[CGROUP_FACTS];
	uint32_t unknown; /* 1 << enum cgroup_fact: could not be read, and is 0 */
};

/*
 * pid: a process of the container; id: the container's, as cgroup_find_container finds it in the
 * process's cgroups: what lies below belongs to it too. -ENOENT: it has no cgroup of its own, so
 * that nothing of this can be told from its neighbours'; -ESRCH, -EACCES: as procfs.h.
 */
int cgroup_limits_read(const struct cgroup_tree *tree, int proc_fd, uint32_t pid, const char *id,
		       struct cgroup_limits *limits);

#endif
