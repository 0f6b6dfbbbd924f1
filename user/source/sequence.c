/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/sequence.h"

#include <stdlib.h>

#include "base/mem.h"

#define CPUS_MAX 65536 /* more than any kernel has: a number above is no CPU */

static struct gap_record sequence_gap(struct sequence *sequence, uint64_t count,
				      enum gap_reason reason, uint32_t hook)
{
	struct gap_record gap = {
		.header = {.size = sizeof(gap), .type = RECORD_GAP},
		.first = sequence->last + 1,
		.last = sequence->last + count,
		.reason = reason,
		.hook = hook,
	};

	sequence->last = gap.last;
	return gap;
}

static uint64_t *sequence_cpu(struct sequence *sequence, uint32_t cpu)
{
	size_t cpus = (size_t)cpu + 1;

	if (cpu >= CPUS_MAX)
		return NULL;
	if (cpus > sequence->cpus) {
		sequence->cpu_lost =
			mem_resize(sequence->cpu_lost, cpus, sizeof(*sequence->cpu_lost));
		while (sequence->cpus < cpus)
			sequence->cpu_lost[sequence->cpus++] = 0;
	}
	return &sequence->cpu_lost[cpu];
}

bool sequence_lost(struct sequence *sequence, uint32_t cpu, uint64_t lost, struct gap_record *gap)
{
	uint64_t *known = sequence_cpu(sequence, cpu);
	uint64_t count;

	if (!known || lost <= *known)
		return false;
	count = lost - *known;
	*known = lost;
	sequence->lost += count;
	*gap = sequence_gap(sequence, count, GAP_RING_FULL, HOOKS);
	return true;
}

bool sequence_skipped(struct sequence *sequence, enum hook_id hook, uint64_t count,
		      struct gap_record *gap)
{
	if (!count)
		return false;
	sequence->skipped += count;
	*gap = sequence_gap(sequence, count, GAP_SKIPPED, hook);
	return true;
}

void sequence_number(struct sequence *sequence, struct event_record *event)
{
	event->sequence = ++sequence->last;
}

void sequence_free(struct sequence *sequence)
{
	free(sequence->cpu_lost);
	*sequence = (struct sequence){0};
}
