/* SPDX-License-Identifier: GPL-2.0-only */
/* The paths of cgroups that events name by id. Private to model/. */
#ifndef NSVIEW_MODEL_CGROUP_PATHS_H
#define NSVIEW_MODEL_CGROUP_PATHS_H

#include <stddef.h>
#include <stdint.h>

struct cgroup_path_entry;

/* Zero-initialise; cgroup_paths_free releases it. */
struct cgroup_paths {
	struct cgroup_path_entry *by_id; /* the one that was told longest ago first */
	struct cgroup_path_entry *last;  /* found last: who forks does so in one cgroup */
	size_t turned_out;               /* to make room for others */
};

struct cgroup_path {
	const char *data; /* no NUL; borrowed until the next cgroup_paths_add */
	uint16_t length;
	uint16_t is_cut; /* only its end */
};

/* Replaces what was known of this id. */
void cgroup_paths_add(struct cgroup_paths *paths, uint64_t id, uint32_t hierarchy,
		      const struct cgroup_path *path);
/* NULL: not known. */
const struct cgroup_path *cgroup_paths_find(struct cgroup_paths *paths, uint64_t id,
					    uint32_t hierarchy);
void cgroup_paths_remove(struct cgroup_paths *paths, uint64_t id, uint32_t hierarchy);
void cgroup_paths_free(struct cgroup_paths *paths);

#endif
