/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Putting an event together, part by part, in the order of enum event_part, and into the ring.
 *
 * It is put together in memory of the program's own (enum look_slot) and copied from there: what is
 * reserved in the ring must be a constant, of which the verifier walks all that follows once for
 * each, and what is not used of it is room and cache lines lost. `room` is a constant on each path
 * that the verifier walks, which is how it knows that a place is inside.
 */
#ifndef NSVIEW_EMIT_BPF_H
#define NSVIEW_EMIT_BPF_H

#include "kernel.bpf.h"
#include "maps.bpf.h"

struct emission {
	struct event_record *record; /* header.size: bytes used; header.pad: a part had no room */
	u64 room;
};

static __always_inline struct event_counters *emit_counters(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&counters, &zero);
}

/* A program stays on its CPU, but another may run there before it goes on. */
static __always_inline void emit_count_lost(u32 hook)
{
	struct event_counters *counted = emit_counters();
	u64 place = hook;

	if (!counted)
		return;
	__sync_fetch_and_add(&counted->lost, 1);
	barrier_var(place); /* what is checked has to be what is used */
	if (place < HOOKS)
		__sync_fetch_and_add(&counted->lost_by_hook[place], 1);
}

static __always_inline void emit_begin(struct emission *out, void *draft, u64 room)
{
	struct event_record *record = draft;

	out->record = record;
	out->room = room;
	record->header.size = 0;
	record->header.type = RECORD_EVENT;
	record->header.pad = 0;
	record->parts = 0;
}

/* In the ring itself, for what is rare and larger than a draft: false: it is full. */
static __always_inline bool emit_reserve(struct emission *out, u64 room, u32 hook)
{
	struct event_record *record = bpf_ringbuf_reserve(&events, room, 0);

	if (!record) {
		emit_count_lost(hook);
		return false;
	}
	emit_begin(out, record, room);
	return true;
}

/* The next `size` bytes, a constant multiple of 8, of a part; NULL: no room. What is used is read
 * back from memory, so that the verifier need not walk what follows for each value of it. */
static __always_inline void *emit_place(struct emission *out, u32 part, u64 size)
{
	struct event_record *record = out->record;
	u64 used = kernel_forget(record->header.size);

	if (out->room < size || used > out->room - size) {
		record->header.pad = 1;
		return 0;
	}
	record->header.size = used + size;
	record->parts |= part;
	return (void *)record + used;
}

/* Appends `size` bytes, at most EMIT_CHUNK of a multiple of 4, and zeros up to a multiple of 8. */
#define EMIT_CHUNK 32
static __always_inline void emit_chunk(struct emission *out, u32 part, const void *from, u64 size)
{
	u64 *place = emit_place(out, part, EMIT_CHUNK);

	if (!place)
		return;
	place[0] = place[1] = place[2] = place[3] = 0;
	if (size > EMIT_CHUNK)
		size = EMIT_CHUNK;
	bpf_probe_read_kernel(place, size, from);
	out->record->header.size -= EMIT_CHUNK - ((size + 7) & ~7ULL);
}

/* A wake-up costs this task 2 us and more, an interrupt of its own processor: one for each time that
 * the reader has gone to sleep. */
static __always_inline u64 emit_wake_flag(bool is_urgent)
{
	if (is_urgent)
		return BPF_RB_FORCE_WAKEUP;
	if (!kernel_forget(reader_waits) ||
	    bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) < wake_bytes)
		return BPF_RB_NO_WAKEUP;
	reader_waits = 0;
	return BPF_RB_FORCE_WAKEUP;
}

/* A draft, of `room` bytes at most. */
static __always_inline void emit_send(struct emission *out, u64 room, u32 hook, bool is_urgent)
{
	u64 size = kernel_forget(out->record->header.size);

	if (kernel_forget(out->record->header.pad) || size > room ||
	    bpf_ringbuf_output(&events, out->record, size, emit_wake_flag(is_urgent)))
		emit_count_lost(hook);
}

/* What was reserved. */
static __always_inline void emit_end(struct emission *out, u32 hook, bool is_urgent)
{
	if (kernel_forget(out->record->header.pad)) {
		bpf_ringbuf_discard(out->record, BPF_RB_NO_WAKEUP);
		emit_count_lost(hook);
		return;
	}
	bpf_ringbuf_submit(out->record, emit_wake_flag(is_urgent));
}

#endif
