/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a task is among the cgroups, as a path. One path is kept, since neighbours in pid order
 * mostly share it; both it and the names on the way need more room than a BPF stack has, so this
 * is for the iterator only (see tasks.bpf.c on why it may).
 *
 * Sizes and offsets are u64: of a u32, clang checks a zero-extended copy and then uses the
 * original, which the verifier cannot follow.
 */
#ifndef NSVIEW_CGROUP_BPF_H
#define NSVIEW_CGROUP_BPF_H

#include "kernel.bpf.h"

#define CGROUP_DEPTH_MAX 32  /* deeper: the innermost 32 names, and TASK_CGROUP_CUT */
#define CGROUP_NAME_ROOM 256 /* NAME_MAX and the NUL that becomes the next slash */
#define CGROUP_NAMES_ROOM (CGROUP_DEPTH_MAX * CGROUP_NAME_ROOM)

static struct {
	struct kernfs_node *node; /* whose path this is */
	u64 id;                   /* and its id: an address may come again, this does not */
	u64 start;                /* of the part that is kept */
	u64 length;
	u64 depth;                            /* names noted */
	u32 flags;                            /* TASK_CGROUP_CUT or 0 */
	u64 names[CGROUP_DEPTH_MAX];          /* kernel addresses, innermost first */
	char path[2 * CGROUP_NAMES_ROOM + 8]; /* twice: the verifier knows no better */
} cgroup_path;

/* The cgroup that a record speaks of. */
static struct {
	struct kernfs_node *node;
	u64 id;
	u16 hierarchy;
} cgroup_choice;

/* false: it is its hierarchy's root. */
static __always_inline bool cgroup_take(struct kernfs_node *node, enum cgroup_hierarchy hierarchy)
{
	cgroup_choice.node = node;
	cgroup_choice.hierarchy = hierarchy;
	return kernel_node_parent(node);
}

static __always_inline bool cgroup_try(struct css_set *set, u64 controller,
				       enum cgroup_hierarchy hierarchy)
{
	struct cgroup_subsys_state *state = kernel_cgroup_state(set, controller);

	return state && cgroup_take(BPF_CORE_READ(state, cgroup, kn), hierarchy);
}

/* The unified hierarchy, unless the task is in its root and off the root of another. */
static __always_inline void cgroup_choose(struct css_set *set)
{
	struct kernfs_node *unified = BPF_CORE_READ(set, dfl_cgrp, kn), *chosen;

	if (!cgroup_take(unified, CGROUP_V2) &&
	    !cgroup_try(set, kernel_controller(pids), CGROUP_PIDS) &&
	    !cgroup_try(set, kernel_controller(memory), CGROUP_MEMORY) &&
	    !cgroup_try(set, kernel_controller(cpu), CGROUP_CPU) &&
	    !cgroup_try(set, kernel_controller(devices), CGROUP_DEVICES) &&
	    !cgroup_try(set, kernel_controller(freezer), CGROUP_FREEZER) &&
	    !cgroup_try(set, kernel_controller(cpuset), CGROUP_CPUSET))
		cgroup_take(unified, CGROUP_V2);
	chosen = kernel_forget(cgroup_choice.node);
	cgroup_choice.id = BPF_CORE_READ(chosen, id);
}

/* Notes the names from the leaf up, without the root's (it is empty). */
static __always_inline void cgroup_gather(void)
{
	struct kernfs_node *node = kernel_forget(cgroup_choice.node), *parent;
	u64 depth;

	cgroup_path.flags = TASK_CGROUP_CUT;
	for (depth = 0; depth < CGROUP_DEPTH_MAX; depth++) {
		parent = kernel_node_parent(node);
		if (!parent) {
			cgroup_path.flags = 0;
			break;
		}
		cgroup_path.names[depth] = (u64)BPF_CORE_READ(node, name);
		node = parent;
	}
	cgroup_path.depth = depth;
}

/* Adds one name; its NUL is where the next slash goes. Masks instead of checks: all names fit,
 * and what does not branch is verified once. */
static __always_inline void cgroup_path_add(u64 name)
{
	u64 end = cgroup_path.length;
	long size;

	barrier_var(end);
	end &= CGROUP_NAMES_ROOM - 1;
	cgroup_path.path[end] = '/';
	size = bpf_probe_read_kernel_str(&cgroup_path.path[end + 1], CGROUP_NAME_ROOM,
					 (void *)name);
	cgroup_path.length = end + (size > 0 ? size : 0);
}

/* Keeps the end of a path that is too long, and makes sure that zeros follow. */
static __always_inline void cgroup_path_end(void)
{
	u64 end = cgroup_path.length;

	barrier_var(end);
	end &= 2 * CGROUP_NAMES_ROOM - 1;
	if (end == 0)
		cgroup_path.path[end++] = '/';
	__builtin_memset(&cgroup_path.path[end], 0, 8);
	cgroup_path.length = end;
	cgroup_path.start = 0;
	if (end <= CGROUP_PATH_MAX)
		return;
	cgroup_path.start = end - CGROUP_PATH_MAX;
	cgroup_path.length = CGROUP_PATH_MAX;
	cgroup_path.flags = TASK_CGROUP_CUT;
}

/* Makes cgroup_path the path of the chosen cgroup, from its hierarchy's root. */
static __always_inline void cgroup_path_make(void)
{
	u64 i, place;

	if (kernel_forget(cgroup_choice.node) == cgroup_path.node &&
	    kernel_forget(cgroup_choice.id) == cgroup_path.id)
		return;
	cgroup_path.node = kernel_forget(cgroup_choice.node);
	cgroup_path.id = kernel_forget(cgroup_choice.id);
	cgroup_path.length = 0;
	cgroup_gather();
	for (i = 0; i < CGROUP_DEPTH_MAX; i++) {
		place = kernel_forget(cgroup_path.depth) - 1 - i;
		barrier_var(place);
		if (place >= CGROUP_DEPTH_MAX)
			break;
		cgroup_path_add(cgroup_path.names[place]);
	}
	cgroup_path_end();
}

/* Copies the kept part, and zeros up to `size` (at most 7 more), to a place with room for
 * CGROUP_PATH_MAX + 8 bytes. */
static __always_inline void cgroup_path_copy(char *to, u64 size)
{
	u64 start = cgroup_path.start & (CGROUP_NAMES_ROOM - 1);

	barrier_var(size); /* the verifier wants to see the check, clang sees no need for it */
	if (size <= CGROUP_PATH_MAX + 8)
		bpf_probe_read_kernel(to, size, &cgroup_path.path[start]);
}

#endif
