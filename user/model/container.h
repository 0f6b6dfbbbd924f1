/* SPDX-License-Identifier: GPL-2.0-only */
/* Which processes belong together, and what the group is called. Private to model/. */
#ifndef NSVIEW_MODEL_CONTAINER_H
#define NSVIEW_MODEL_CONTAINER_H

#include "model/model.h"

struct arena;
struct container_entry;

/* Zero-initialise; container_table_free releases it, its containers live in the arena. */
struct container_table {
	struct container_entry *by_key;
	struct container **in_order; /* of their start, once container_table_sort was called */
	size_t count;
	size_t capacity;
};

/*
 * The container that proc is in, made when it is the first one seen of it; NULL for a host
 * process. What sets a process apart: a container's cgroup, else a pid, user or mount namespace
 * that is not the host's (docs/containers.md has the exceptions).
 */
struct container *container_of_proc(struct container_table *table, struct arena *arena,
				    const struct proc *proc, const uint32_t host_ns[NS_KINDS]);

void container_name_set(struct container *container, const struct container_name *name);

/* Gives each container the name that a state file has for it, of those without a first_pid. */
void container_table_name(struct container_table *table, const struct container_name *names,
			  size_t count);

void container_table_sort(struct container_table *table);
void container_table_free(struct container_table *table);

#endif
