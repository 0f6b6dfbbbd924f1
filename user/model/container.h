/* SPDX-License-Identifier: GPL-2.0-only */
/* Which processes belong together, and what the group is called. Private to model/. */
#ifndef NSVIEW_MODEL_CONTAINER_H
#define NSVIEW_MODEL_CONTAINER_H

#include "model/model.h"

struct container_entry;

/* Zero-initialise; container_table_free releases it. */
struct container_table {
	struct container_entry *by_key; /* those without processes too, for a while */
	struct container **in_order;    /* with processes; of their start, once sorted */
	size_t count;
	size_t capacity;
	struct container_entry *ended_first; /* without processes, the one longest so first */
	struct container_entry *ended_last;
	size_t ended_count;
	bool is_sorted;
};

/*
 * The container that proc is in, made when it is the first one seen of it; NULL for a host
 * process. What sets a process apart: a container's cgroup, else a pid, user or mount namespace
 * that is not the host's (docs/containers.md has the exceptions).
 */
struct container *container_find(struct container_table *table, const struct proc *proc,
				 const uint32_t host_ns[NS_KINDS]);

/* The same, but none is made: NULL also where it would have to be. */
struct container *container_peek(const struct container_table *table, const struct proc *proc,
				 const uint32_t host_ns[NS_KINDS]);

/*
 * proc has come into a runtime's cgroup. A container that was known by its namespaces only, and of
 * which proc is all there is, goes with it and by that name from now on: true. What a runtime says of
 * it, which may be known already, stays.
 */
bool container_rename(struct container_table *table, const struct proc *proc,
		      const uint32_t host_ns[NS_KINDS]);

/* Of a snapshot: proc is one more in proc->container, and may be its first one. */
void container_count(const struct proc *proc);

/*
 * Once events change the model: proc is from now on in proc->container, or no more. The processes
 * of a container are a list, oldest first, of pids, since their places move. True: it is the
 * first one that has not ended; it was the last one.
 */
bool container_join(struct container_table *table, struct model *model, struct proc *proc);
bool container_leave(struct container_table *table, struct model *model, struct proc *proc,
		     uint64_t now_ns);

/* proc has ended, and stays for a while. True: it was the last one that had not. */
bool container_end(struct proc *proc);

/* Takes over what the container says of its first process, if proc is that one. */
void container_refresh(const struct proc *proc);

/* Puts proc, which container_count has counted already, behind those that are older. */
void container_list(struct container_table *table, struct model *model, struct proc *proc);

void container_name_set(struct container *container, const struct container_name *name);

/* Gives each container the name that a state file has for it, of those without a first_pid. */
void container_table_name(struct container_table *table, const struct container_name *names,
			  size_t count);

void container_table_sort(struct container_table *table);
void container_table_free(struct container_table *table);

#endif
