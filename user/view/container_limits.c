/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/container_limits.h"

#include <string.h>

#include <uthash.h>

#include "base/mem.h"
#include "host/cgroup.h"
#include "model/model.h"

struct limits_entry {
	const struct container *container;
	struct cgroup_limits limits;
	int failed;
	UT_hash_handle hh;
};

struct container_limits {
	int proc_fd;
	struct cgroup_tree *tree; /* NULL: nobody has asked yet */
	struct limits_entry *by_container;
	struct arena arena;
};

struct container_limits *container_limits_new(int proc_fd)
{
	struct container_limits *limits = mem_new(sizeof(*limits));

	limits->proc_fd = proc_fd;
	return limits;
}

void container_limits_free(struct container_limits *limits)
{
	if (!limits)
		return;
	HASH_CLEAR(hh, limits->by_container);
	if (limits->tree)
		cgroup_tree_free(limits->tree);
	arena_free(&limits->arena);
	free(limits);
}

static struct limits_entry *entry_make(struct container_limits *limits,
				       const struct container *container)
{
	struct limits_entry *entry = arena_take(&limits->arena, sizeof(*entry));

	memset(entry, 0, sizeof(*entry));
	entry->container = container;
	entry->limits.unknown = (1u << CGROUP_FACTS) - 1;
	if (!limits->tree)
		limits->tree = cgroup_tree_read();
	entry->failed = cgroup_limits_read(limits->tree, limits->proc_fd, container->first_pid,
					   container->id, &entry->limits);
	HASH_ADD_PTR(limits->by_container, container, entry);
	return entry;
}

const struct cgroup_limits *container_limits_get(struct container_limits *limits,
						 const struct container *container, int *failed)
{
	struct limits_entry *entry;

	HASH_FIND_PTR(limits->by_container, &container, entry);
	if (!entry)
		entry = entry_make(limits, container);
	*failed = entry->failed;
	return &entry->limits;
}
