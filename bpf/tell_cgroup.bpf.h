/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The cgroup that events name by its id: which one it is, and its path, which goes into the ring
 * before the first event that needs it.
 *
 * These are global functions, which the verifier walks once each, whoever calls them. They may
 * take and give numbers only, so a cgroup is the address of its kernfs_node with the hierarchy in
 * the three bits that are 0 there.
 */
#ifndef NSVIEW_TELL_CGROUP_BPF_H
#define NSVIEW_TELL_CGROUP_BPF_H

#include "kernel.bpf.h"
#include "maps.bpf.h"

#define CGROUP_HIERARCHY_MASK 7ULL
#define CGROUP_TELL_DEPTH 32
#define CGROUP_TELL_NAME 256 /* NAME_MAX and the NUL */
/* The slot: the record; then room for one name; then the path, which grows from its end down. */
#define CGROUP_TELL_TAIL (CGROUP_PATH_MAX + 8)
#define CGROUP_TELL_ROOM (2 * CGROUP_PATH_MAX)
#define CGROUP_TELL_LOW (CGROUP_TELL_ROOM - CGROUP_PATH_MAX)

struct tell_cgroup_slot {
	struct cgroup_record record;
	char path[CGROUP_TELL_TAIL];
	char room[CGROUP_TELL_ROOM + 2 * CGROUP_TELL_NAME];
};

/* 0: the task is in that hierarchy's root. */
__weak __noinline u64 tell_cgroup_try(u64 css_set, u64 controller, u64 hierarchy)
{
	struct cgroup_subsys_state *state = kernel_cgroup_state((void *)css_set, controller);
	struct kernfs_node *node = state ? BPF_CORE_READ(state, cgroup, kn) : 0;

	return node && kernel_node_parent(node) ? (u64)node | hierarchy : 0;
}

/* As the task iterator chooses (cgroup_choose): the unified hierarchy, unless the task is in its
 * root and off the root of another. */
__weak __noinline u64 tell_cgroup_of(u64 css_set)
{
	struct css_set *set = (void *)css_set;
	struct kernfs_node *unified = BPF_CORE_READ(set, dfl_cgrp, kn);
	u64 found;

	if (kernel_node_parent(unified))
		return (u64)unified;
	found = tell_cgroup_try(css_set, kernel_controller(pids), CGROUP_PIDS);
	if (!found)
		found = tell_cgroup_try(css_set, kernel_controller(memory), CGROUP_MEMORY);
	if (!found)
		found = tell_cgroup_try(css_set, kernel_controller(cpu), CGROUP_CPU);
	if (!found)
		found = tell_cgroup_try(css_set, kernel_controller(devices), CGROUP_DEVICES);
	if (!found)
		found = tell_cgroup_try(css_set, kernel_controller(freezer), CGROUP_FREEZER);
	if (!found)
		found = tell_cgroup_try(css_set, kernel_controller(cpuset), CGROUP_CPUSET);
	return found ? found : (u64)unified;
}

static __always_inline u64 tell_cgroup_id(u64 place)
{
	struct kernfs_node *node = (void *)(place & ~CGROUP_HIERARCHY_MASK);

	return BPF_CORE_READ(node, id);
}

/* Writes the path in front of the room's end and returns where it begins. */
static __always_inline u64 tell_cgroup_path(struct tell_cgroup_slot *slot, struct kernfs_node *node)
{
	struct kernfs_node *parent;
	u64 start = CGROUP_TELL_ROOM, depth;
	const char *name;
	long size;

	slot->record.is_cut = 1;
	for (depth = 0; depth < CGROUP_TELL_DEPTH; depth++) {
		parent = kernel_node_parent(node);
		if (!parent) {
			slot->record.is_cut = 0;
			break;
		}
		name = BPF_CORE_READ(node, name);
		size = bpf_probe_read_kernel_str(&slot->room[CGROUP_TELL_ROOM + CGROUP_TELL_NAME],
						 CGROUP_TELL_NAME, name);
		if (size <= 0 || size > CGROUP_TELL_NAME || start < CGROUP_TELL_LOW + (u64)size)
			break;
		start -= size; /* the slash takes the place of the NUL */
		start &= CGROUP_TELL_ROOM - 1;
		slot->room[start] = '/';
		bpf_probe_read_kernel(&slot->room[start + 1], size - 1, name);
		node = parent;
	}
	return start;
}

static __always_inline void tell_cgroup_fill(struct tell_cgroup_slot *slot, u64 place)
{
	struct kernfs_node *node = (void *)(place & ~CGROUP_HIERARCHY_MASK);
	u64 start, length;

	start = tell_cgroup_path(slot, node);
	length = CGROUP_TELL_ROOM - start;
	if (length == 0) {
		start = CGROUP_TELL_ROOM;
		slot->room[start & (2 * CGROUP_TELL_ROOM - 1)] = '/';
		length = 1;
	}
	if (length > CGROUP_PATH_MAX)
		length = CGROUP_PATH_MAX;
	*(u64 *)&slot->path[length & ~7ULL] = 0;
	bpf_probe_read_kernel(slot->path, length, &slot->room[start]);
	slot->record.id = BPF_CORE_READ(node, id);
	slot->record.hierarchy = place & CGROUP_HIERARCHY_MASK;
	slot->record.length = length;
	slot->record.header.size = sizeof(slot->record) + ((length + 7) & ~7ULL);
	slot->record.header.type = RECORD_CGROUP;
	slot->record.header.pad = 0;
}

/* Not 0: the ring has no room for it. */
__weak __noinline int tell_cgroup(u64 place)
{
	struct cgroup_key key = {tell_cgroup_id(place), place & CGROUP_HIERARCHY_MASK};
	struct tell_cgroup_slot *slot;
	u8 is_told = 1;

	if (bpf_map_lookup_elem(&cgroups_told, &key))
		return 0;
	slot = bpf_ringbuf_reserve(&events, sizeof(*slot), 0);
	if (!slot)
		return 1;
	tell_cgroup_fill(slot, place);
	bpf_ringbuf_submit(slot, BPF_RB_NO_WAKEUP);
	bpf_map_update_elem(&cgroups_told, &key, &is_told, BPF_ANY);
	return 0;
}

#endif
