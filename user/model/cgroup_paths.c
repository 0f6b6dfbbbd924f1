/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/cgroup_paths.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/mem.h"

/* The kernel tells a path once and remembers that it did (bpf/maps.bpf.h), so more are kept here
 * than there; of what is pushed out all the same the next sweep tells. */
#define PATHS_MAX 65536

struct cgroup_path_entry {
	struct cgroup_key {
		uint64_t id;
		uint64_t hierarchy;
	} key;
	struct cgroup_path path;
	UT_hash_handle hh;
	char data[];
};

static struct cgroup_path_entry *entry_find(const struct cgroup_paths *paths, uint64_t id,
					    uint32_t hierarchy)
{
	struct cgroup_key key = {id, hierarchy};
	struct cgroup_path_entry *entry;

	HASH_FIND(hh, paths->by_id, &key, sizeof(key), entry);
	return entry;
}

static void entry_free(struct cgroup_paths *paths, struct cgroup_path_entry *entry)
{
	if (paths->last == entry)
		paths->last = NULL;
	HASH_DEL(paths->by_id, entry);
	free(entry);
}

void cgroup_paths_add(struct cgroup_paths *paths, uint64_t id, uint32_t hierarchy,
		      const struct cgroup_path *path)
{
	struct cgroup_path_entry *entry;

	cgroup_paths_remove(paths, id, hierarchy);
	if (HASH_COUNT(paths->by_id) >= PATHS_MAX) {
		entry_free(paths, paths->by_id);
		paths->turned_out++;
	}
	entry = mem_new(sizeof(*entry) + path->length);
	entry->key = (struct cgroup_key){id, hierarchy};
	entry->path = (struct cgroup_path){entry->data, path->length, path->is_cut};
	memcpy(entry->data, path->data, path->length);
	HASH_ADD(hh, paths->by_id, key, sizeof(entry->key), entry);
}

const struct cgroup_path *cgroup_paths_find(struct cgroup_paths *paths, uint64_t id,
					    uint32_t hierarchy)
{
	struct cgroup_path_entry *last = paths->last;

	if (last && last->key.id == id && last->key.hierarchy == hierarchy)
		return &last->path;
	last = entry_find(paths, id, hierarchy);
	if (last)
		paths->last = last;
	return last ? &last->path : NULL;
}

void cgroup_paths_remove(struct cgroup_paths *paths, uint64_t id, uint32_t hierarchy)
{
	struct cgroup_path_entry *entry = entry_find(paths, id, hierarchy);

	if (entry)
		entry_free(paths, entry);
}

void cgroup_paths_free(struct cgroup_paths *paths)
{
	struct cgroup_path_entry *entry, *next;

	HASH_ITER (hh, paths->by_id, entry, next)
		entry_free(paths, entry);
}
