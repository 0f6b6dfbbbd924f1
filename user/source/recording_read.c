/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/recording_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "host/time_zone.h"
#include "wire/wire.h"

#define BLOCK_BYTES (2 * RECORD_BYTES_MAX)
#define ALIGNMENT 8
#define CAP_LAST_MAX 63
#define PID_DIGITS_MAX 7
#define CPUS_MAX 65536
#define PAGE_BYTES_MAX (1U << 20)

/* Fewer than asked for: the file ends there. */
static ssize_t read_all(int fd, char *data, size_t length)
{
	size_t done = 0;

	while (done < length) {
		ssize_t r = read(fd, data + done, length - done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (!r)
			break;
		done += (size_t)r;
	}
	return (ssize_t)done;
}

static bool is_string(const char *text, size_t room)
{
	return memchr(text, '\0', room);
}

static bool header_is_sound(const struct recording_header *header)
{
	uint64_t page = header->page_bytes;

	return header->checksum == recording_checksum(header) && header->cap_last <= CAP_LAST_MAX &&
	       header->cpus <= CPUS_MAX && header->pid_digits <= PID_DIGITS_MAX && page &&
	       page <= PAGE_BYTES_MAX && !(page & (page - 1)) &&
	       header->zone_length <= header->size - sizeof(*header) &&
	       is_string(header->hostname, sizeof(header->hostname)) &&
	       is_string(header->release, sizeof(header->release)) &&
	       is_string(header->machine, sizeof(header->machine)) &&
	       is_string(header->boot_id, sizeof(header->boot_id)) &&
	       is_string(header->source, sizeof(header->source));
}

static int header_refuse(struct text *why, const char *path, const char *what)
{
	text_printf(why, "%s %s", path, what);
	return -EINVAL;
}

/* What can be told before the size is believed. */
static int header_check_kind(const struct recording_header *header, ssize_t length,
			     const char *path, struct text *why)
{
	static const char magic[] = RECORDING_MAGIC;

	if (length < (ssize_t)sizeof(header->magic) ||
	    memcmp(header->magic, magic, sizeof(header->magic)) != 0)
		return header_refuse(why, path, "is not a recording of nsview's");
	if (length < (ssize_t)sizeof(*header))
		return header_refuse(why, path, "ends within its header: nothing was recorded");
	if (header->byte_order == __builtin_bswap32(RECORDING_BYTE_ORDER))
		return header_refuse(why, path,
				     "was made on a machine of the other byte order, and can be "
				     "replayed on such a one only");
	if (header->byte_order != RECORDING_BYTE_ORDER)
		return header_refuse(why, path, "has a damaged header");
	if (header->version != WIRE_VERSION) {
		text_printf(why,
			    "%s has format %u, and this nsview reads format %u: use the nsview "
			    "that made it",
			    path, header->version, WIRE_VERSION);
		return -EPROTO;
	}
	return 0;
}

static int header_read(struct recording_reader *reader, struct text *why)
{
	struct recording_header start;
	ssize_t length = read_all(reader->fd, (char *)&start, sizeof(start));
	size_t tail;
	int r;

	if (length < 0) {
		text_printf(why, "%s could not be read: %s", reader->path, strerror((int)-length));
		return (int)length;
	}
	r = header_check_kind(&start, length, reader->path, why);
	if (r)
		return r;
	if (start.size < sizeof(start) || start.size % ALIGNMENT ||
	    start.size > sizeof(start) + RECORDING_ZONE_MAX)
		return header_refuse(why, reader->path, "has a damaged header");
	tail = start.size - sizeof(start);
	reader->header = mem_new(start.size);
	*reader->header = start;
	length = read_all(reader->fd, (char *)(reader->header + 1), tail);
	if (length < 0 || (size_t)length < tail)
		return header_refuse(why, reader->path,
				     "ends within its header: nothing was recorded");
	if (!header_is_sound(reader->header) ||
	    time_zone_parse((const char *)(reader->header + 1), start.zone_length, &reader->zone))
		return header_refuse(why, reader->path, "has a damaged header");
	return 0;
}

int recording_open(struct recording_reader *reader, const char *path, struct text *why)
{
	struct stat status;
	int r;

	*reader = (struct recording_reader){.path = mem_copy(path)};
	/* Not to wait for the other end of a pipe. */
	reader->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (reader->fd < 0 || fstat(reader->fd, &status)) {
		r = -errno;
		text_printf(why, "%s could not be opened: %s", path, strerror(-r));
		return r;
	}
	if (!S_ISREG(status.st_mode)) {
		text_printf(why, "%s is no regular file: a recording is looked at twice", path);
		return -EINVAL;
	}
	r = header_read(reader, why);
	if (r)
		return r;
	reader->block = mem_new(BLOCK_BYTES);
	reader->block_offset = reader->header->size;
	return 0;
}

void recording_done(struct recording_reader *reader)
{
	if (reader->fd >= 0)
		close(reader->fd);
	time_zone_free(reader->zone);
	free(reader->header);
	free(reader->block);
	free(reader->path);
}

/* What is left of the block goes to its front, what follows in the file behind it. */
static int block_fill(struct recording_reader *reader)
{
	size_t left = reader->used - reader->at;
	ssize_t length;

	memmove(reader->block, reader->block + reader->at, left);
	reader->block_offset += reader->at;
	reader->at = 0;
	reader->used = left;
	length = read_all(reader->fd, reader->block + left, BLOCK_BYTES - left);
	if (length < 0)
		return log_fail((int)length, "read %s", reader->path);
	reader->used += (size_t)length;
	return 0;
}

/* Makes at least `wanted` bytes be there, or all there are. */
static int block_need(struct recording_reader *reader, size_t wanted)
{
	return reader->used - reader->at < wanted ? block_fill(reader) : 0;
}

/* 1: *record is whole, if perhaps not sound; 0: there is none. */
static int record_take(struct recording_reader *reader, const struct record_header **record)
{
	const struct record_header *next;
	int r = block_need(reader, sizeof(*next));

	if (r || reader->used - reader->at < sizeof(*next))
		return r;
	next = (const void *)(reader->block + reader->at);
	if (next->size < sizeof(*next) || next->size % ALIGNMENT || next->size > RECORD_BYTES_MAX) {
		reader->is_broken = true;
		return 0;
	}
	r = block_need(reader, next->size);
	next = (const void *)(reader->block + reader->at);
	if (r || reader->used - reader->at < next->size)
		return r;
	reader->at += next->size;
	*record = next;
	return 1;
}

static void mark_take(struct recording_reader *reader, const struct mark_record *mark)
{
	if (mark->kind == MARK_END) {
		reader->has_end = true;
		reader->lost = mark->lost;
	}
}

int recording_next(struct recording_reader *reader, const struct record_header **record)
{
	while (!reader->is_broken && !reader->has_end) {
		int r = record_take(reader, record);

		if (r <= 0)
			return r;
		if (!record_is_sound(*record, (*record)->size)) {
			reader->damaged++;
			continue;
		}
		if ((*record)->type == RECORD_MARK)
			mark_take(reader, (const struct mark_record *)*record);
		return 1;
	}
	return 0;
}

int recording_rewind(struct recording_reader *reader)
{
	if (lseek(reader->fd, (off_t)reader->header->size, SEEK_SET) < 0)
		return log_fail(-errno, "read %s", reader->path);
	reader->block_offset = reader->header->size;
	reader->used = reader->at = 0;
	reader->damaged = reader->lost = 0;
	reader->has_end = reader->is_broken = false;
	return 0;
}

void recording_tell(const struct recording_reader *reader)
{
	uint64_t at = reader->block_offset + reader->at;

	if (reader->damaged)
		log_note("%llu records of %s are damaged, and are left out",
			 (unsigned long long)reader->damaged, reader->path);
	if (reader->is_broken)
		log_note("%s is damaged at byte %llu: nothing behind it can be read", reader->path,
			 (unsigned long long)at);
	else if (!reader->has_end)
		log_note("%s has no end, as when nsview is killed or still records: it is read up "
			 "to its last whole record",
			 reader->path);
	if (reader->lost)
		log_note("%llu records could not be written when %s was made",
			 (unsigned long long)reader->lost, reader->path);
}

bool recording_time(const struct record_header *record, uint64_t *time_boot_ns)
{
	switch (record->type) {
	case RECORD_EVENT:
		*time_boot_ns = ((const struct event_record *)record)->time_boot_ns;
		return true;
	case RECORD_GAP:
		*time_boot_ns = ((const struct gap_record *)record)->time_boot_ns;
		return true;
	case RECORD_CLOCK:
		*time_boot_ns = ((const struct clock_record *)record)->time_boot_ns;
		return true;
	case RECORD_CONTAINER:
		*time_boot_ns = ((const struct container_record *)record)->time_boot_ns;
		return true;
	case RECORD_MARK:
		*time_boot_ns = ((const struct mark_record *)record)->time_boot_ns;
		return true;
	default:
		return false;
	}
}
