/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading a recording, which may hold anything: record after record, in bounded memory. */
#ifndef NSVIEW_SOURCE_RECORDING_READ_H
#define NSVIEW_SOURCE_RECORDING_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/recording.h"

struct text;
struct time_zone;

/* Zero-initialise with fd -1. */
struct recording_reader {
	int fd;
	char *path;
	struct recording_header *header;
	struct time_zone *zone;
	char *block;
	size_t used; /* bytes in the block */
	size_t at;   /* of the next record in it */
	uint64_t block_offset;
	uint64_t damaged; /* records that are none, left out */
	uint64_t lost;    /* records that could not be written when it was made */
	bool has_end;     /* the mark that ends it was read */
	bool is_broken; /* where a record should begin there is none: nothing can be read from there */
};

/* Checks the header. On failure -errno, and why: one sentence, without a full stop. */
int recording_open(struct recording_reader *reader, const char *path, struct text *why);
void recording_done(struct recording_reader *reader); /* takes one that failed to open */

/* The next sound record, valid until the next call: 1; 0: there are no more; or -errno. */
int recording_next(struct recording_reader *reader, const struct record_header **record);

/* Back to the first record. */
int recording_rewind(struct recording_reader *reader);

/* Says once, in a sentence each, what was wrong with what has been read so far. */
void recording_tell(const struct recording_reader *reader);

/* When it happened, for records that say so; false: this one does not. */
bool recording_time(const struct record_header *record, uint64_t *time_boot_ns);

#endif
