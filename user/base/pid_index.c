/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/pid_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define CAPACITY_MIN 1024

/* Pids come in runs. Eight that follow each other are one line of the CPU's cache, so that those
 * forked one after the other do not miss it each time; Fibonacci hashing spreads the lines. */
#define RUN_BITS 3

static size_t slot_of(const struct pid_index *index, uint32_t pid)
{
	uint64_t run = (pid >> RUN_BITS) * 0x9E3779B97F4A7C15ULL >> 32;

	return (size_t)(run << RUN_BITS | (pid & ((1 << RUN_BITS) - 1))) & (index->capacity - 1);
}

static struct pid_index_slot *slot_find(const struct pid_index *index, uint32_t pid)
{
	size_t at = slot_of(index, pid);

	while (index->slots[at].pid && index->slots[at].pid != pid)
		at = (at + 1) & (index->capacity - 1);
	return &index->slots[at];
}

uint32_t pid_index_find(const struct pid_index *index, uint32_t pid)
{
	const struct pid_index_slot *slot;

	if (!index->capacity || !pid)
		return PID_INDEX_NONE;
	slot = slot_find(index, pid);
	return slot->pid ? slot->place : PID_INDEX_NONE;
}

static void pid_index_grow(struct pid_index *index)
{
	struct pid_index_slot *old = index->slots;
	size_t old_capacity = index->capacity;

	index->capacity = old_capacity ? 2 * old_capacity : CAPACITY_MIN;
	index->slots = mem_new(index->capacity * sizeof(*index->slots));
	for (size_t i = 0; i < old_capacity; i++) {
		if (old[i].pid)
			*slot_find(index, old[i].pid) = old[i];
	}
	free(old);
}

void pid_index_set(struct pid_index *index, uint32_t pid, uint32_t place)
{
	struct pid_index_slot *slot;

	if (2 * (index->count + 1) > index->capacity)
		pid_index_grow(index);
	slot = slot_find(index, pid);
	index->count += !slot->pid;
	*slot = (struct pid_index_slot){pid, place};
}

/* What follows moves up, so that no search ends at the hole: there are no tombstones to pile up. */
void pid_index_remove(struct pid_index *index, uint32_t pid)
{
	size_t mask = index->capacity - 1;
	size_t hole;

	if (pid_index_find(index, pid) == PID_INDEX_NONE)
		return;
	hole = (size_t)(slot_find(index, pid) - index->slots);
	for (size_t at = (hole + 1) & mask; index->slots[at].pid; at = (at + 1) & mask) {
		size_t home = slot_of(index, index->slots[at].pid);

		if (((at - home) & mask) < ((at - hole) & mask))
			continue;
		index->slots[hole] = index->slots[at];
		hole = at;
	}
	index->slots[hole].pid = 0;
	index->count--;
}

void pid_index_clear(struct pid_index *index)
{
	if (index->count)
		memset(index->slots, 0, index->capacity * sizeof(*index->slots));
	index->count = 0;
}

void pid_index_free(struct pid_index *index)
{
	free(index->slots);
	memset(index, 0, sizeof(*index));
}
