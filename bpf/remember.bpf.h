/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What nsview remembers of a thread (struct memory): made at fork and by the task iterator, gone
 * with the thread. Whoever finds none adopts what he sees, in silence.
 */
#ifndef NSVIEW_REMEMBER_BPF_H
#define NSVIEW_REMEMBER_BPF_H

#include "emit.bpf.h"
#include "kernel.bpf.h"
#include "maps.bpf.h"

static const struct memory memory_blank = {};

static __always_inline struct memory *remember_find(struct task_struct *task)
{
	u64 key = (u64)task;

	if (has_task_storage)
		return bpf_task_storage_get(&remembered, task, 0, 0);
	return bpf_map_lookup_elem(&remembered_by_task, &key);
}

static __always_inline void remember_count_forgotten(void)
{
	struct event_counters *counted = emit_counters();

	if (counted)
		__sync_fetch_and_add(&counted->forgotten, 1);
}

/* A new memory for a thread that has none, blank. NULL: no room. */
static __always_inline struct memory *remember_make(struct task_struct *task)
{
	struct memory *memory;
	u64 key = (u64)task;

	if (has_task_storage) {
		memory = bpf_task_storage_get(&remembered, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	} else {
		bpf_map_update_elem(&remembered_by_task, &key, &memory_blank, BPF_ANY);
		memory = bpf_map_lookup_elem(&remembered_by_task, &key);
	}
	if (!memory)
		remember_count_forgotten();
	return memory;
}

/* Task storage goes by itself. */
static __always_inline void remember_end(struct task_struct *task)
{
	u64 key = (u64)task;

	if (!has_task_storage)
		bpf_map_delete_elem(&remembered_by_task, &key);
}

#endif
