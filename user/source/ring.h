/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reader of a BPF ring buffer. libbpf's goes on for as long as there is more, which in a storm
 * is for ever, and maps the data twice, which counts twice as memory; this one hands out what was
 * there when it was called.
 */
#ifndef NSVIEW_SOURCE_RING_H
#define NSVIEW_SOURCE_RING_H

#include <stddef.h>
#include <stdint.h>

#include "wire/wire.h"

struct ring;

/* map: of BPF_MAP_TYPE_RINGBUF with that many bytes; borrowed. With wake_bytes in it the kernel side
 * wakes its reader, if *waits is not 0, and makes it 0. NULL and errno. */
struct ring *ring_open(int map, size_t bytes, size_t wake_bytes, uint32_t *waits);
void ring_close(struct ring *ring);

enum ring_answer {
	RING_SILENT, /* not known whether there is more */
	RING_MORE,   /* there may be */
	RING_HEEDED, /* the descriptor of ring_heed can be read */
};

/* Until there is much to read, the kernel wakes its reader, a signal comes, or the time is over.
 * enum ring_answer, or -errno (-EINTR). */
int ring_wait(struct ring *ring, int timeout_ms);

/* ring_wait also ends when fd, which is borrowed, can be read. 0 or -errno. */
int ring_heed(struct ring *ring, int fd);

/*
 * Hands out copies, free to be changed, of the records that are complete. How many, or what the
 * sink returned, the record counting as handed out.
 */
int ring_read(struct ring *ring, int (*sink)(void *context, struct record_header *record),
	      void *context);

#endif
