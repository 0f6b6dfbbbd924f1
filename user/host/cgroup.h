/* SPDX-License-Identifier: GPL-2.0-only */
/* What a cgroup's path says about the container in it, and which hierarchies this host has. */
#ifndef NSVIEW_HOST_CGROUP_H
#define NSVIEW_HOST_CGROUP_H

#include <stdbool.h>
#include <stddef.h>

enum cgroup_layout {
	CGROUP_LAYOUT_NONE,
	CGROUP_LAYOUT_V1,
	CGROUP_LAYOUT_HYBRID, /* version 1 controllers beside an (almost) empty unified tree */
	CGROUP_LAYOUT_V2,
};

enum cgroup_layout cgroup_layout_read(void); /* from /proc/self/mountinfo */
const char *cgroup_layout_name(enum cgroup_layout layout);

struct cgroup_container {
	const char *runtime; /* docker, podman, cri-o, containerd, lxc, nspawn, ...; static */
	const char *id;      /* borrowed from the path, not NUL-terminated */
	size_t id_length;
};

/*
 * Finds the component that a container runtime made, innermost first (crun and nspawn append
 * children): docker-<id>.scope, /docker/<id>, libpod-<id>, cri-containerd-<id>, crio-<id>,
 * kubepods/.../<64 hex>, lxc.payload.<name>, machine-<name>.scope, buildah-..., or a bare 64
 * hex id (runtime then NULL). The tables are in facts/runtimes.md 2.
 */
bool cgroup_find_container(const char *path, size_t length, struct cgroup_container *found);

#endif
