/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The numbers of events. The kernel counts what it lost for each CPU and sends the count along;
 * here losses become gaps in one sequence, so that seen + lost + skipped = the last number.
 */
#ifndef NSVIEW_SOURCE_SEQUENCE_H
#define NSVIEW_SOURCE_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"

/* Zero-initialise; sequence_free. */
struct sequence {
	uint64_t last; /* number given, to an event or to the end of a gap */
	uint64_t lost;
	uint64_t skipped;
	uint64_t *cpu_lost; /* by CPU, as last heard */
	size_t cpus;
};

/* What is missing before an event of that CPU, or when its count is read: true: *gap says what,
 * but for its time. */
bool sequence_lost(struct sequence *sequence, uint32_t cpu, uint64_t lost, struct gap_record *gap);

/* The same for `count` runs of a hook's program that the kernel left out. */
bool sequence_skipped(struct sequence *sequence, enum hook_id hook, uint64_t count,
		      struct gap_record *gap);

void sequence_number(struct sequence *sequence, struct event_record *event);
void sequence_free(struct sequence *sequence);

#endif
