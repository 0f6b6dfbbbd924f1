/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/usage.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/pid_index.h"

/* A process with more than one thread. */
struct usage_sum {
	struct usage_record record; /* header.size 0: not told yet in this sample */
	uint64_t threads_ns;
};

/* Kept from sample to sample, so that memory is taken once. */
struct usage {
	struct usage_sum *sums;
	size_t count;
	size_t capacity;
	struct pid_index places; /* in sums, of a tgid */
	record_sink sink;
	void *context;
};

struct usage *usage_new(void)
{
	return mem_new(sizeof(struct usage));
}

void usage_free(struct usage *usage)
{
	if (!usage)
		return;
	pid_index_free(&usage->places);
	free(usage->sums);
	free(usage);
}

void usage_start(struct usage *usage, record_sink sink, void *context)
{
	pid_index_clear(&usage->places);
	usage->count = 0;
	usage->sink = sink;
	usage->context = context;
}

static struct usage_sum *sum_of(struct usage *usage, uint32_t tgid)
{
	uint32_t place = pid_index_find(&usage->places, tgid);

	if (place != PID_INDEX_NONE)
		return &usage->sums[place];
	mem_reserve_one(usage->sums, usage->count, usage->capacity);
	pid_index_set(&usage->places, tgid, (uint32_t)usage->count);
	usage->sums[usage->count] = (struct usage_sum){0};
	return &usage->sums[usage->count++];
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

	for (size_t i = 0; i < usage->count && !r; i++) {
		struct usage_sum *sum = &usage->sums[i];

		if (!sum->record.header.size)
			continue;
		sum->record.cpu_ns += sum->threads_ns;
		r = usage->sink(usage->context, &sum->record.header);
	}
	return r;
}
