/* SPDX-License-Identifier: GPL-2.0-only */
/* Records gather in one block, so that a storm costs few writes; a write that stops half way is
 * taken back to the last whole record. */
#include "source/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "host/facts.h"
#include "host/runtime/runtime.h"
#include "host/time_zone.h"

#define BLOCK_BYTES (1U << 20)
#define ALIGNMENT 8
#define TEXT_BYTES_MAX 4096 /* of a container's name, image, ...: no runtime makes longer ones */

/* What could not be written since the last time that something could. */
struct recording_hole {
	uint64_t first; /* sequence numbers of events; 0: none were among them */
	uint64_t last;
	uint64_t time_boot_ns;
};

struct recording_writer {
	int fd;
	bool is_regular;  /* so that it can be cut */
	uint64_t written; /* bytes in the file, whole records only */
	char *block;
	size_t used;
	struct recording_counts counts;
	struct recording_hole hole;
};

static size_t padded(size_t size)
{
	return (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

uint32_t recording_checksum(const struct recording_header *header)
{
	static const unsigned char zeros[sizeof(header->checksum)];
	const unsigned char *bytes = (const unsigned char *)header;
	size_t at = offsetof(struct recording_header, checksum);
	uLong sum = crc32(0, bytes, (uInt)at);

	sum = crc32(sum, zeros, sizeof(zeros));
	at += sizeof(header->checksum);
	return (uint32_t)crc32(sum, bytes + at, (uInt)(header->size - at));
}

static struct recording_header *header_make(const struct facts *facts, const char *source)
{
	struct recording_header *header;
	struct text zone = {0};
	size_t size;

	if (facts->zone)
		text_add(&zone, facts->zone_data, facts->zone_length);
	else
		time_zone_own(&zone);
	size = padded(sizeof(*header) + zone.length);
	header = mem_new(size);
	*header = (struct recording_header){
		.magic = RECORDING_MAGIC,
		.byte_order = RECORDING_BYTE_ORDER,
		.version = WIRE_VERSION,
		.size = (uint32_t)size,
		.time_boot_ns = facts->boot_now_ns,
		.boot_offset_ns = facts->boot_offset_ns,
		.page_bytes = facts->page_bytes,
		.memory_bytes = facts->memory_bytes,
		.cpus = (uint32_t)facts->cpus,
		.cap_last = (uint32_t)facts->cap_last,
		.pid_digits = (uint32_t)facts->pid_digits,
		.zone_length = (uint32_t)zone.length,
	};
	memcpy(header->self_ns, facts->self_ns, sizeof(header->self_ns));
	snprintf(header->hostname, sizeof(header->hostname), "%s", facts->hostname);
	snprintf(header->release, sizeof(header->release), "%s", facts->release);
	snprintf(header->machine, sizeof(header->machine), "%s", facts->machine);
	snprintf(header->boot_id, sizeof(header->boot_id), "%s", facts->boot_id);
	snprintf(header->source, sizeof(header->source), "%s", source);
	memcpy(header + 1, zone.data, zone.length);
	header->checksum = recording_checksum(header);
	text_free(&zone);
	return header;
}

/* Only what nobody would miss is replaced. */
static int file_check(int fd, const char *path, bool *is_regular)
{
	char magic[sizeof(((struct recording_header *)0)->magic)];
	struct stat status;

	if (fstat(fd, &status))
		return log_fail(-errno, "look at %s", path);
	*is_regular = S_ISREG(status.st_mode);
	if (!*is_regular || !status.st_size)
		return 0;
	if (pread(fd, magic, sizeof(magic), 0) == (ssize_t)sizeof(magic) &&
	    !memcmp(magic, RECORDING_MAGIC, sizeof(magic)))
		return 0;
	return log_error(-EEXIST,
			 "cannot record into %s: it is there already and no recording; remove it "
			 "or give another name",
			 path);
}

/* A pipe's writing end cannot be opened for reading, too. */
static int file_open(const char *path)
{
	int flags = O_CREAT | O_CLOEXEC | O_NOCTTY;
	struct stat status;

	if (!stat(path, &status) && !S_ISREG(status.st_mode))
		return open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	return open(path, O_RDWR | flags, 0600);
}

static int file_make(const char *path, bool *is_regular)
{
	autoclose int fd = file_open(path);
	int r;

	if (fd < 0)
		return log_fail(-errno, "make the recording %s", path);
	r = file_check(fd, path, is_regular);
	if (r)
		return r;
	/* As long as the file is open. */
	if (*is_regular && flock(fd, LOCK_EX | LOCK_NB))
		return log_error(-EBUSY, "cannot record into %s: another nsview does", path);
	/* An older recording may have been opened to others since. */
	if (*is_regular && (fchmod(fd, 0600) || ftruncate(fd, 0)))
		return log_fail(-errno, "empty the recording %s", path);
	return steal_fd(&fd);
}

/* How much of the block's first `length` bytes is whole records. */
static size_t whole_records(const struct recording_writer *writer, size_t length)
{
	size_t at = 0;

	while (at < writer->used) {
		const struct record_header *record = (const void *)(writer->block + at);

		if (at + record->size > length)
			break;
		at += record->size;
	}
	return at;
}

static void hole_widen(struct recording_hole *hole, uint64_t first, uint64_t last,
		       uint64_t time_boot_ns)
{
	if (!hole->first || first < hole->first)
		hole->first = first;
	if (last > hole->last)
		hole->last = last;
	hole->time_boot_ns = time_boot_ns;
}

static void hole_add(struct recording_writer *writer, const struct record_header *record)
{
	const struct event_record *event = (const struct event_record *)record;
	const struct gap_record *gap = (const struct gap_record *)record;
	struct recording_hole *hole = &writer->hole;

	writer->counts.lost++;
	if (record->type == RECORD_EVENT)
		hole_widen(hole, event->sequence, event->sequence, event->time_boot_ns);
	else if (record->type == RECORD_GAP)
		hole_widen(hole, gap->first, gap->last, gap->time_boot_ns);
}

/* What comes after the first `kept` bytes of the block is lost. */
static void block_lose(struct recording_writer *writer, size_t kept)
{
	while (kept < writer->used) {
		const struct record_header *record = (const void *)(writer->block + kept);

		hole_add(writer, record);
		kept += record->size;
	}
}

/* How many bytes; fewer than asked for: *error says why. */
static size_t write_all(int fd, const char *data, size_t length, int *error)
{
	size_t done = 0;

	while (done < length) {
		ssize_t r = write(fd, data + done, length - done);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0) {
			*error = r ? -errno : -EIO;
			break;
		}
		done += (size_t)r;
	}
	return done;
}

int recording_flush(struct recording_writer *writer)
{
	int error = 0;
	size_t done = write_all(writer->fd, writer->block, writer->used, &error);
	size_t kept = done < writer->used ? whole_records(writer, done) : done;

	if (kept < done && writer->is_regular &&
	    (ftruncate(writer->fd, (off_t)(writer->written + kept)) ||
	     lseek(writer->fd, 0, SEEK_END) < 0))
		error = -errno;
	writer->written += kept;
	block_lose(writer, kept);
	writer->used = 0;
	if (error && !writer->counts.error)
		writer->counts.error = error;
	return error;
}

static void block_add(struct recording_writer *writer, const void *data, size_t size)
{
	if (writer->used + size > BLOCK_BYTES)
		recording_flush(writer);
	memcpy(writer->block + writer->used, data, size);
	writer->used += size;
}

/* Once something can be written again, first what is missing before it. */
static void hole_tell(struct recording_writer *writer)
{
	const struct gap_record gap = {
		.header = {.size = sizeof(gap), .type = RECORD_GAP},
		.time_boot_ns = writer->hole.time_boot_ns,
		.first = writer->hole.first,
		.last = writer->hole.last,
		.reason = GAP_OUTPUT,
		.hook = HOOKS,
	};

	writer->hole = (struct recording_hole){0};
	block_add(writer, &gap, sizeof(gap));
}

void recording_add(struct recording_writer *writer, const struct record_header *record)
{
	writer->counts.records++;
	if (record->size > RECORD_BYTES_MAX || record->size % ALIGNMENT) {
		hole_add(writer, record);
		return;
	}
	if (writer->used + record->size > BLOCK_BYTES)
		recording_flush(writer);
	if (writer->hole.first)
		hole_tell(writer);
	block_add(writer, record, record->size);
}

void recording_add_user(struct recording_writer *writer, uint32_t mnt_ns, uint32_t pid,
			uint32_t uid, const char *name)
{
	size_t length = strnlen(name, TEXT_BYTES_MAX);
	size_t size = padded(sizeof(struct user_record) + length);
	autofree struct user_record *user = mem_new(size);

	*user = (struct user_record){
		.header = {.size = (uint32_t)size, .type = RECORD_USER},
		.uid = uid,
		.mnt_ns = mnt_ns,
		.pid = pid,
		.length = (uint32_t)length,
	};
	memcpy(user + 1, name, length);
	recording_add(writer, &user->header);
}

static uint32_t container_flags(const struct runtime_container *declared)
{
	return (declared->is_privileged ? CONTAINER_PRIVILEGED : 0) |
	       (declared->has_no_new_privs ? CONTAINER_NO_NEW_PRIVS : 0) |
	       (declared->has_no_seccomp ? CONTAINER_NO_SECCOMP : 0) |
	       (declared->has_readonly_root ? CONTAINER_READONLY_ROOT : 0);
}

static void container_fill(struct container_record *made, const struct runtime_container *declared)
{
	made->caps = declared->caps;
	made->cpu_limit_nano = declared->cpu_limit_nano;
	made->memory_limit_bytes = declared->memory_limit_bytes;
	made->pids_limit = declared->pids_limit;
	made->runtime_first_pid = declared->first_pid;
	made->shares_host = declared->shares_host;
	made->flags |= container_flags(declared);
}

static char *container_add_texts(struct container_record *made, char *tail,
				 const struct runtime_container *declared)
{
	const char *const texts[CONTAINER_TEXTS] = {
		[CONTAINER_RUNTIME] = declared->runtime,
		[CONTAINER_ID] = declared->id,
		[CONTAINER_NAME] = declared->name,
		[CONTAINER_IMAGE] = declared->image,
		[CONTAINER_POD] = declared->pod,
		[CONTAINER_POD_NAMESPACE] = declared->pod_namespace,
		[CONTAINER_USER] = declared->user,
	};

	for (int text = 0; text < CONTAINER_TEXTS; text++) {
		size_t length = texts[text] ? strnlen(texts[text], TEXT_BYTES_MAX) : 0;

		if (!texts[text])
			continue;
		made->texts |= 1U << text;
		made->lengths[text] = (__u16)length;
		memcpy(tail, texts[text], length);
		tail += length;
	}
	return tail;
}

void recording_add_container(struct recording_writer *writer,
			     const struct container_record *container,
			     const struct runtime_container *declared)
{
	autofree struct container_record *made =
		mem_new(padded(sizeof(*made) + CONTAINER_TEXTS * TEXT_BYTES_MAX));
	char *tail = (char *)(made + 1);

	*made = (struct container_record){
		.header = {.type = RECORD_CONTAINER},
		.time_boot_ns = container->time_boot_ns,
		.start_boot_ns = container->start_boot_ns,
		.first_pid = container->first_pid,
		.flags = container->flags,
	};
	if (declared) {
		container_fill(made, declared);
		tail = container_add_texts(made, tail, declared);
	}
	made->header.size = (__u32)padded((size_t)(tail - (char *)made));
	recording_add(writer, &made->header);
}

void recording_add_inside(struct recording_writer *writer, const struct inside_record *inside,
			  const char *zone, const char *map)
{
	size_t size = padded(sizeof(*inside) + inside->zone_length + inside->map_length);
	autofree struct inside_record *made = mem_new(size);
	char *tail = (char *)(made + 1);

	*made = *inside;
	made->header = (struct record_header){.size = (__u32)size, .type = RECORD_INSIDE};
	if (inside->zone_length)
		memcpy(tail, zone, inside->zone_length);
	if (inside->map_length)
		memcpy(tail + inside->zone_length, map, inside->map_length);
	recording_add(writer, &made->header);
}

void recording_add_mark(struct recording_writer *writer, enum mark_kind kind,
			const struct facts *facts)
{
	const struct mark_record mark = {
		.header = {.size = sizeof(mark), .type = RECORD_MARK},
		.time_boot_ns = facts->boot_now_ns,
		.boot_offset_ns = facts->boot_offset_ns,
		.records = writer->counts.records,
		.lost = writer->counts.lost,
		.kind = kind,
	};

	recording_add(writer, &mark.header);
}

static int header_write(struct recording_writer *writer, const char *path,
			const struct facts *facts, const char *source)
{
	autofree struct recording_header *header = header_make(facts, source);
	int error = 0;

	if (write_all(writer->fd, (const char *)header, header->size, &error) < header->size) {
		if (writer->is_regular && ftruncate(writer->fd, 0))
			error = -errno;
		return log_fail(error, "write the recording %s", path);
	}
	writer->written = header->size;
	return 0;
}

int recording_create(struct recording_writer **writer, const char *path, const struct facts *facts,
		     const char *source)
{
	struct recording_writer *made = mem_new(sizeof(*made));
	int r;

	made->fd = file_make(path, &made->is_regular);
	r = made->fd < 0 ? made->fd : header_write(made, path, facts, source);
	if (r) {
		recording_close(made, NULL, NULL);
		return r;
	}
	made->block = mem_new(BLOCK_BYTES);
	*writer = made;
	return 0;
}

int recording_close(struct recording_writer *writer, const struct facts *facts,
		    struct recording_counts *counts)
{
	int r = 0;

	if (!writer)
		return 0;
	if (facts) {
		/* So that the end tells of all that was lost before it. */
		recording_flush(writer);
		recording_add_mark(writer, MARK_END, facts);
		recording_flush(writer);
	}
	writer->counts.bytes = writer->written;
	r = writer->counts.error;
	if (counts)
		*counts = writer->counts;
	if (writer->fd >= 0)
		close(writer->fd);
	free(writer->block);
	free(writer);
	return r;
}
