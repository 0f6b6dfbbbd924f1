/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"

#define SLOT_ALIGNMENT 8
#define RELEASE_BYTES \
	16384           /* read on before the kernel gets the room back: its CPUs read that place */
#define COPY_BYTES 4096 /* grows with the largest record */

struct ring {
	uint64_t *consumer; /* its page, and the one place that is ours to write */
	const uint64_t *producer;
	const char *data;
	size_t bytes;
	size_t wake_bytes;
	uint32_t *waits; /* for the kernel side to see */
	size_t page_bytes;
	uint64_t at; /* read so far; *consumer may lag behind */
	int epoll;
	char *copy;
	size_t copy_bytes;
};

void ring_close(struct ring *ring)
{
	if (!ring)
		return;
	if (ring->consumer)
		munmap(ring->consumer, ring->page_bytes);
	if (ring->producer)
		munmap((void *)ring->producer, ring->page_bytes + ring->bytes);
	if (ring->epoll >= 0)
		close(ring->epoll);
	free(ring->copy);
	free(ring);
}

static int ring_map(struct ring *ring, int map)
{
	void *page = mmap(NULL, ring->page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	void *rest;

	if (page == MAP_FAILED)
		return -errno;
	ring->consumer = page;
	rest = mmap(NULL, ring->page_bytes + ring->bytes, PROT_READ, MAP_SHARED, map,
		    (off_t)ring->page_bytes);
	if (rest == MAP_FAILED)
		return -errno;
	ring->producer = rest;
	ring->data = (const char *)rest + ring->page_bytes;
	return 0;
}

/* Edge-triggered: what came after the last reading and was not worth a wake-up does not wake. */
static int ring_watch(struct ring *ring, int map)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u32 = RING_MORE};

	ring->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (ring->epoll < 0 || epoll_ctl(ring->epoll, EPOLL_CTL_ADD, map, &event))
		return -errno;
	return 0;
}

struct ring *ring_open(int map, size_t bytes, size_t wake_bytes, uint32_t *waits)
{
	struct ring *ring = mem_new(sizeof(*ring));
	int r;

	ring->epoll = -1;
	ring->bytes = bytes;
	ring->wake_bytes = wake_bytes;
	ring->waits = waits;
	ring->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	r = ring_map(ring, map);
	if (!r)
		r = ring_watch(ring, map);
	if (r) {
		ring_close(ring);
		errno = -r;
		return NULL;
	}
	ring->copy_bytes = COPY_BYTES;
	ring->copy = mem_new(ring->copy_bytes);
	return ring;
}

int ring_heed(struct ring *ring, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = RING_HEEDED};

	return epoll_ctl(ring->epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

int ring_wait(struct ring *ring, int timeout_ms)
{
	struct epoll_event events[2];
	uint32_t answer = RING_SILENT;
	int r;

	/* In this order: nobody wakes for what came before that was seen. */
	__atomic_store_n(ring->waits, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(ring->producer, __ATOMIC_SEQ_CST) - ring->at >= ring->wake_bytes)
		timeout_ms = 0;
	r = epoll_wait(ring->epoll, events, 2, timeout_ms);
	if (r < 0)
		r = -errno;
	__atomic_store_n(ring->waits, 0, __ATOMIC_RELAXED);
	for (int i = 0; i < r; i++) {
		if (events[i].data.u32 > answer)
			answer = events[i].data.u32;
	}
	return r < 0 ? r : (int)answer;
}

/* A slot's bytes, in one piece though they may go round the end. */
static void ring_copy(struct ring *ring, uint64_t from, size_t size)
{
	size_t start = (size_t)(from & (ring->bytes - 1));
	size_t first = ring->bytes - start < size ? ring->bytes - start : size;

	if (size > ring->copy_bytes) {
		ring->copy = mem_resize(ring->copy, size, 1);
		ring->copy_bytes = size;
	}
	memcpy(ring->copy, ring->data + start, first);
	memcpy(ring->copy + first, ring->data, size - first);
}

/* The head of the slot at `at`: its length, with BPF_RINGBUF_BUSY_BIT and _DISCARD_BIT. */
static uint32_t slot_head(const struct ring *ring)
{
	const uint32_t *head = (const void *)(ring->data + (ring->at & (ring->bytes - 1)));

	return __atomic_load_n(head, __ATOMIC_ACQUIRE);
}

/* A reserved slot is larger than its record, whose own size is copied and no more. */
static struct record_header *slot_record(struct ring *ring, uint32_t length)
{
	uint64_t from = ring->at + BPF_RINGBUF_HDR_SZ;
	struct record_header header;

	if (length < sizeof(header))
		return NULL;
	/* 8 bytes aligned to 8 never go round the end. */
	memcpy(&header, ring->data + (from & (ring->bytes - 1)), sizeof(header));
	if (header.size > length || header.size < sizeof(header))
		return NULL;
	ring_copy(ring, from, header.size);
	return (struct record_header *)(void *)ring->copy;
}

int ring_read(struct ring *ring, int (*sink)(void *context, struct record_header *record),
	      void *context)
{
	uint64_t end = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
	uint64_t released = ring->at;
	int count = 0;
	int r = 0;

	while (!r && ring->at < end) {
		uint32_t head = slot_head(ring);
		uint32_t length = head & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
		struct record_header *record = NULL;

		if (head & BPF_RINGBUF_BUSY_BIT)
			break;
		if (!(head & BPF_RINGBUF_DISCARD_BIT))
			record = slot_record(ring, length);
		ring->at += (length + BPF_RINGBUF_HDR_SZ + SLOT_ALIGNMENT - 1) &
			    ~(uint64_t)(SLOT_ALIGNMENT - 1);
		if (ring->at - released >= RELEASE_BYTES) {
			__atomic_store_n(ring->consumer, ring->at, __ATOMIC_RELEASE);
			released = ring->at;
		}
		if (!record)
			continue;
		count++;
		r = sink(context, record);
	}
	if (ring->at != released)
		__atomic_store_n(ring->consumer, ring->at, __ATOMIC_RELEASE);
	return r ? r : count;
}
