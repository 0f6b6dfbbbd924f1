/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What nsview remembers of a thread (struct memory): made at fork and by the task iterator, gone
 * with the thread. Whoever finds none adopts what he sees, in silence.
 *
 * A place of remembered_by_place belongs to one task at a time; places are taken at forks. It is
 * free again a moment after its task has ended, not at once: a sweep on another CPU may be looking at
 * that task, and note something there. The kernel itself uses a task's address again only when
 * nobody holds the task any more.
 */
#ifndef NSVIEW_REMEMBER_BPF_H
#define NSVIEW_REMEMBER_BPF_H

#include "emit.bpf.h"
#include "kernel.bpf.h"
#include "maps.bpf.h"

static const struct memory memory_blank = {};

#define PLACE_REST_JIFFIES 2
#define PLACE_FACTOR 0x9e3779b97f4a7c15ULL /* 2^64 divided by the golden ratio */

/* address: of the task, as a number: nothing may be computed from a typed pointer. */
static __always_inline u32 remember_place(u64 address)
{
	return address * PLACE_FACTOR >> 32 & places_mask;
}

static __always_inline struct memory *remember_at(u32 place)
{
	return bpf_map_lookup_elem(&remembered_by_place, &place);
}

/* Its own place; the start tells it from one before at the same address, whose end was missed. A
 * thread that calls exec gets its leader's start. */
static __always_inline struct memory *remember_find_place(struct task_struct *task, u64 address)
{
	u64 start_boot_ns = kernel_number(has_task_helpers, task, start_boottime);
	struct memory *memory = remember_at(remember_place(address));

	if (memory && memory->owner == address && !memory->ended_jiffies &&
	    (memory->owner_start_boot_ns == start_boot_ns ||
	     memory->start_boot_ns == start_boot_ns))
		return memory;
	return 0;
}

static __always_inline struct memory *remember_find_kept(struct task_struct *task, u64 address)
{
	if (has_task_storage)
		return bpf_task_storage_get(&remembered, task, 0, 0);
	return bpf_map_lookup_elem(&remembered_by_task, &address);
}

/* To be written. */
static __always_inline struct memory *remember_find_at(struct task_struct *task, u64 address)
{
	struct memory *memory = remember_find_place(task, address);

	return memory ? memory : remember_find_kept(task, address);
}

static __always_inline struct memory *remember_find(struct task_struct *task)
{
	return remember_find_at(task, kernel_address((u64)task));
}

kernel_shared struct memory *remember_find_current(void)
{
	return remember_find_at(kernel_current(), bpf_get_current_task());
}

/* Where it can be read: at its place, as a copy of what is kept elsewhere, or with owner 0 what is
 * remembered of nobody. */
static __always_inline u32 remember_readable(struct task_struct *task, u64 address, u32 slot)
{
	struct memory *kept, *copy;
	u32 place;

	if (remember_find_place(task, address))
		return remember_place(address);
	kept = remember_find_kept(task, address);
	place = PLACES_COPIES + bpf_get_smp_processor_id() * LOOK_SLOTS + slot;
	copy = kept ? remember_at(place) : 0;
	if (!copy)
		return PLACES_BLANK;
	bpf_probe_read_kernel(copy, sizeof(*copy), kept);
	copy->owner = address;
	return place;
}

/* Of the current task. Global functions are verified once in each program, however often and from
 * wherever they are called, and nothing is known of what they return: a number. */
__weak __noinline u32 remember_readable_current(u64 slot)
{
	return remember_readable(kernel_current(), bpf_get_current_task(), slot);
}

/* To be read. Always of one map: the verifier walks whatever follows once for each kind of pointer. */
static __always_inline const struct memory *remember_read_at(struct task_struct *task, u64 address,
							     u32 slot)
{
	return remember_at(remember_readable(task, address, slot));
}

static __always_inline const struct memory *remember_read(u32 slot)
{
	return remember_at(remember_readable_current(slot));
}

static __always_inline bool remember_is_known(const struct memory *memory)
{
	return kernel_forget(memory->owner);
}

static __always_inline void remember_count_forgotten(void)
{
	struct event_counters *counted = emit_counters();

	if (counted)
		__sync_fetch_and_add(&counted->forgotten, 1);
}

/*
 * Whether the place is the caller's from now on, until remember_end(): `claims` is one as long as it
 * belongs to a task, so of two that come at once one gets it or none. That needs no order among
 * several places of memory, which an addition whose result is not used does not give on arm64; one
 * whose result is used came in 5.12 only.
 */
static __always_inline bool remember_claim(struct memory *memory, u64 owner, u64 address)
{
	if (owner && owner != address &&
	    (!memory->ended_jiffies ||
	     bpf_jiffies64() - memory->ended_jiffies < PLACE_REST_JIFFIES))
		return false;
	__sync_fetch_and_add(&memory->claims, 1);
	/* It may have been another's meanwhile. */
	if (kernel_forget(memory->claims) == 1 && kernel_forget(memory->owner) == owner)
		return true;
	__sync_fetch_and_add(&memory->claims, -1);
	return false;
}

/* Its place, if it can be had. */
static __always_inline struct memory *remember_take_place(struct task_struct *task, u64 address,
							  bool is_typed)
{
	struct memory *memory = remember_at(remember_place(address));
	u64 owner;

	if (!memory || kernel_number(is_typed, task, flags) & PF_EXITING)
		return 0;
	owner = memory->owner;
	/* Of a task at this address whose end was missed it still is: nobody else takes it. */
	if ((owner != address || memory->ended_jiffies) && !remember_claim(memory, owner, address))
		return 0;
	memory->owner = address;
	memory->owner_start_boot_ns = kernel_number(is_typed, task, start_boottime);
	memory->ended_jiffies = 0;
	memory->group_info = 0;
	memory->idmap_file = 0;
	memory->exec_cred = 0;
	memory->sweep = 0;
	memory->child = 0;
	return memory;
}

/* Not at a place. */
static __always_inline struct memory *remember_make_kept(struct task_struct *task)
{
	u64 address = kernel_address((u64)task);
	struct memory *memory;

	if (has_task_storage) {
		memory = bpf_task_storage_get(&remembered, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	} else {
		bpf_map_update_elem(&remembered_by_task, &address, &memory_blank, BPF_ANY);
		memory = bpf_map_lookup_elem(&remembered_by_task, &address);
	}
	if (!memory)
		remember_count_forgotten();
	return memory;
}

/* A new memory for a thread that has none; look_remember() fills it. NULL: no room. */
kernel_shared struct memory *remember_make(struct task_struct *task, bool is_typed)
{
	struct memory *memory = remember_take_place(task, kernel_address((u64)task), is_typed);

	if (memory)
		return memory;
	/* Only what a typed pointer is had of can be given task storage. */
	if (!is_typed && has_task_storage)
		return 0;
	return remember_make_kept(task);
}

/* The current task ends. Task storage goes by itself. */
static __always_inline void remember_end(void)
{
	u64 address = bpf_get_current_task();
	struct memory *memory = remember_find_place(kernel_current(), address);

	if (memory) {
		memory->ended_jiffies = bpf_jiffies64();
		__sync_fetch_and_add(&memory->claims, -1);
	} else if (!has_task_storage) {
		bpf_map_delete_elem(&remembered_by_task, &address);
	}
}

#endif
