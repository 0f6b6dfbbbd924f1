/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A recording: what its machine was, then records of bpf/event.h, as docs/recordings.md has it.
 * Written here, read by replay_source.c.
 */
#ifndef NSVIEW_SOURCE_RECORDING_H
#define NSVIEW_SOURCE_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"

struct facts;
struct recording_writer;
struct runtime_container;

/* No text file begins so, and a transfer that changes line ends or takes bit 7 off changes it. */
#define RECORDING_MAGIC "\x89nsview\n"
#define RECORDING_BYTE_ORDER 0x01020304U
#define RECORDING_ZONE_MAX (256U << 10) /* bytes of time zone; the largest there are have 4 KiB */
#define RECORD_BYTES_MAX (1U << 20)     /* of one record: an argument vector is cut before that */

/* In the writer's byte order. The tail: the time zone as tzfile(5) has it, filled up to 8. */
struct recording_header {
	char magic[8];
	uint32_t byte_order;
	uint32_t version;  /* WIRE_VERSION: of this header too */
	uint32_t size;     /* of the header, its tail included */
	uint32_t checksum; /* CRC-32 of the header and its tail, this field taken as 0 */
	uint64_t time_boot_ns;
	uint64_t boot_offset_ns; /* at time_boot_ns */
	uint64_t page_bytes;
	uint64_t memory_bytes;
	uint32_t self_ns[NS_KINDS];
	uint32_t cpus;
	uint32_t cap_last;
	uint32_t pid_digits; /* of the host's kernel.pid_max */
	uint32_t zone_length;
	char hostname[72]; /* NUL-terminated, as the next ones */
	char release[72];
	char machine[72];
	char boot_id[40];
	char source[16]; /* which one it was: bpf */
};
_Static_assert(sizeof(struct recording_header) == 376, "recording_header: WIRE_VERSION?");

uint32_t recording_checksum(const struct recording_header *header);

struct recording_counts {
	uint64_t records;
	uint64_t bytes;
	uint64_t lost; /* records that could not be written */
	int error;     /* why: the first -errno */
};

/*
 * Makes the file, mode 0600, and writes the header. An empty file and an older recording are
 * replaced, a device or a pipe is written to; any other file is refused. Negative: said.
 * facts: of this machine. source: which one is recorded.
 */
int recording_create(struct recording_writer **writer, const char *path, const struct facts *facts,
		     const char *source);

/* A whole record or, when the disk is full, nothing of it, which is counted. */
void recording_add(struct recording_writer *writer, const struct record_header *record);
void recording_add_user(struct recording_writer *writer, uint32_t mnt_ns, uint32_t pid,
			uint32_t uid, const char *name);
/* container: its key, time and flags; the rest is taken from declared, which may be NULL. */
void recording_add_container(struct recording_writer *writer,
			     const struct container_record *container,
			     const struct runtime_container *declared);
/* inside: all but its size; zone and map have the lengths that it says. */
void recording_add_inside(struct recording_writer *writer, const struct inside_record *inside,
			  const char *zone, const char *map);
void recording_add_mark(struct recording_writer *writer, enum mark_kind kind,
			const struct facts *facts);

/* Writes out what has gathered. 0, or the -errno of what could not be written, not said yet. */
int recording_flush(struct recording_writer *writer);

/* Frees it, after a MARK_END where facts (of now) are given; counts may be NULL. 0, or the first
 * -errno of what could not be written. Takes NULL. */
int recording_close(struct recording_writer *writer, const struct facts *facts,
		    struct recording_counts *counts);

#endif
