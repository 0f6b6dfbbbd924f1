/* SPDX-License-Identifier: GPL-2.0-only */
/* What a cgroup's path says about the container in it, and which hierarchies this host has. */
#ifndef NSVIEW_HOST_CGROUP_H
#define NSVIEW_HOST_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"

enum cgroup_layout {
	CGROUP_LAYOUT_NONE,
	CGROUP_LAYOUT_V1,
	CGROUP_LAYOUT_HYBRID, /* version 1 controllers beside an (almost) empty unified tree */
	CGROUP_LAYOUT_V2,
};

enum cgroup_layout cgroup_layout_read(void); /* from /proc/self/mountinfo */
const char *cgroup_layout_name(enum cgroup_layout layout);

/* Beside those on the wire: version 1 counts CPU time apart from limiting it. */
#define CGROUP_CPUACCT CGROUP_HIERARCHIES

/* "v2", "pids", "memory", ..., "cpuacct" */
extern const char *const cgroup_hierarchy_names[CGROUP_HIERARCHIES + 1];

struct cgroup_container {
	const char *runtime; /* docker, podman, cri-o, containerd, lxc, nspawn, ...; static */
	const char *id;      /* borrowed from the path, not NUL-terminated */
	size_t id_length;
};

/*
 * Finds the component that a container runtime made, innermost first (crun and nspawn append
 * children): docker-<id>.scope, /docker/<id>, libpod-<id>, cri-containerd-<id>, crio-<id>,
 * kubepods/.../<64 hex>, lxc.payload.<name>, machine-<name>.scope, buildah-..., nsview/<12 hex>,
 * or a bare 64 hex id (runtime then NULL, as for kubepods: containerd and cri-dockerd look the same
 * there).
 */
bool cgroup_find_container(const char *path, size_t length, struct cgroup_container *found);

/* One line of /proc/PID/cgroup. */
struct cgroup_choice {
	enum cgroup_hierarchy hierarchy;
	const char *path; /* borrowed, not NUL-terminated; starts with / */
	size_t length;
};

/* The line that stands for the task: see enum cgroup_hierarchy. -ENOENT: there are no lines. */
int cgroup_choose(const char *data, size_t length, struct cgroup_choice *choice);

/* The line of one hierarchy. -ENOENT: it is not among them. */
int cgroup_choose_one(const char *data, size_t length, enum cgroup_hierarchy hierarchy,
		      struct cgroup_choice *choice);

struct cgroup_tree; /* where this host's hierarchies are mounted, and the ids found there */

/* From a whole mountinfo, which is changed. Never NULL. */
struct cgroup_tree *cgroup_tree_parse(char *mountinfo);
/* From /proc/self/mountinfo; never NULL. The ids are remembered, bounded, as long as the tree
 * lives: one tree serves one pass over the processes. */
struct cgroup_tree *cgroup_tree_read(void);
void cgroup_tree_free(struct cgroup_tree *tree);

/* The inode of the cgroup's directory, which is its id (on 64-bit kernels since 5.5); 0: not
 * mounted where nsview can see it, or removed. */
uint64_t cgroup_tree_id(struct cgroup_tree *tree, const struct cgroup_choice *choice);

/*
 * The cgroup's directory, to be freed, and how much of it is the mount point: the cgroups above it
 * that can be seen end there. NULL: it lies outside of what is mounted.
 */
char *cgroup_tree_directory(const struct cgroup_tree *tree, const struct cgroup_choice *choice,
			    size_t *mount_length);

#endif
