/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/usage.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* A process with more than one thread. Kept from sample to sample, so that memory is taken once. */
struct usage_sum {
	struct usage_record record; /* header.size 0: not told yet in this sample */
	uint64_t threads_ns;
	uint32_t tgid; /* 0: empty */
};

struct usage {
	struct usage_sum *slots; /* open addressing, at most half full */
	size_t count;
	size_t capacity; /* a power of two, or 0 */
	record_sink sink;
	void *context;
};

#define SLOTS_MIN 256
#define MULTIPLIER 2654435761U /* 2^32 by the golden ratio: spreads pids in a row */

struct usage *usage_new(void)
{
	return mem_new(sizeof(struct usage));
}

void usage_free(struct usage *usage)
{
	if (!usage)
		return;
	free(usage->slots);
	free(usage);
}

void usage_start(struct usage *usage, record_sink sink, void *context)
{
	if (usage->count)
		memset(usage->slots, 0, usage->capacity * sizeof(*usage->slots));
	usage->count = 0;
	usage->sink = sink;
	usage->context = context;
}

static struct usage_sum *slot_find(const struct usage *usage, uint32_t tgid)
{
	size_t mask = usage->capacity - 1;
	size_t at = (tgid * MULTIPLIER) & mask;

	while (usage->slots[at].tgid && usage->slots[at].tgid != tgid)
		at = (at + 1) & mask;
	return &usage->slots[at];
}

static void slots_grow(struct usage *usage)
{
	struct usage_sum *old = usage->slots;
	size_t count = usage->capacity;

	usage->capacity = count ? 2 * count : SLOTS_MIN;
	usage->slots = mem_new(usage->capacity * sizeof(*usage->slots));
	for (size_t i = 0; i < count; i++) {
		if (old[i].tgid)
			*slot_find(usage, old[i].tgid) = old[i];
	}
	free(old);
}

static struct usage_sum *sum_of(struct usage *usage, uint32_t tgid)
{
	struct usage_sum *sum;

	if (2 * usage->count >= usage->capacity)
		slots_grow(usage);
	sum = slot_find(usage, tgid);
	usage->count += !sum->tgid;
	sum->tgid = tgid;
	return sum;
}

int usage_take(void *context, const struct record_header *record)
{
	const struct usage_record *process = (const struct usage_record *)record;
	const struct thread_record *thread = (const struct thread_record *)record;
	struct usage *usage = context;

	if (record->type == RECORD_USAGE && process->threads <= 1)
		return usage->sink(usage->context, record);
	if (record->type == RECORD_USAGE && process->tgid)
		sum_of(usage, process->tgid)->record = *process;
	else if (record->type == RECORD_THREAD && thread->tgid)
		sum_of(usage, thread->tgid)->threads_ns += thread->cpu_ns;
	return 0;
}

int usage_end(struct usage *usage)
{
	int r = 0;

	for (size_t i = 0; i < usage->capacity && !r; i++) {
		struct usage_sum *sum = &usage->slots[i];

		if (!sum->record.header.size)
			continue;
		sum->record.cpu_ns += sum->threads_ns;
		r = usage->sink(usage->context, &sum->record.header);
	}
	return r;
}
