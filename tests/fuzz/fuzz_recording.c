/* SPDX-License-Identifier: GPL-2.0-only */
/* Any bytes as a recording: refused in a sentence, or replayed as a table of one line a process. */
#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../unit/event_make.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/replay.h"
#include "cmd/session.h"
#include "host/time_zone.h"
#include "model/model.h"
#include "rows.h"
#include "source/recording.h"

#define SENTENCES_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t sentences;

static void hear(void *context, const char *sentence)
{
	(void)context;
	if (!*sentence || ++sentences > SENTENCES_MAX)
		abort();
}

static void write_all(int fd, const void *data, size_t size)
{
	if (size && write(fd, data, size) != (ssize_t)size)
		abort();
}

/* A header that is sound but for what the input has in its place, so that records are reached. */
static void write_header(int fd, const uint8_t *data, size_t size)
{
	struct text zone = {0};
	struct recording_header *header;
	size_t whole;

	time_zone_own(&zone);
	whole = (sizeof(*header) + zone.length + 7) & ~(size_t)7;
	header = mem_new(whole);
	memcpy(header + 1, zone.data, zone.length);
	if (size >= 64) {
		memcpy(&header->time_boot_ns, data, 16);
		memcpy(header->hostname, data + 16, 32);
		header->cap_last = data[48] % 65;
		header->pid_digits = data[49] % 8;
	}
	memcpy(header->magic, RECORDING_MAGIC, sizeof(header->magic));
	header->byte_order = RECORDING_BYTE_ORDER;
	header->version = WIRE_VERSION;
	header->size = (uint32_t)whole;
	header->page_bytes = 4096;
	header->zone_length = (uint32_t)zone.length;
	header->checksum = recording_checksum(header);
	write_all(fd, header, whole);
	free(header);
	text_free(&zone);
}

/* The input as a list of choices. */
struct choices {
	const uint8_t *data;
	size_t size;
};

static uint8_t choose(struct choices *choices, uint8_t below)
{
	uint8_t chosen = 0;

	if (choices->size) {
		chosen = *choices->data++ % below;
		choices->size--;
	}
	return chosen;
}

static const void *choose_bytes(struct choices *choices, size_t size)
{
	static const char none[64];
	const void *bytes = none;

	if (size <= choices->size) {
		bytes = choices->data;
		choices->data += size;
		choices->size -= size;
	}
	return bytes;
}

static void make_event(struct event_make *make, struct choices *choices)
{
	struct event_cgroup cgroup = {.id = choose(choices, 4), .length = 12};
	struct task_identity *identity;

	event_make_start(make, (enum event_action)(1 + choose(choices, EVENT_ACTIONS - 1)),
			 1 + choose(choices, 6));
	make->record.time_boot_ns = choose(choices, 250) * 10000000ULL;
	make->record.ppid = choose(choices, 6);
	make->record.tid = choose(choices, 6);
	make->record.start_boot_ns = choose(choices, 3);
	make->record.parent_start_boot_ns = choose(choices, 3);
	if (make->record.action == EVENT_EXIT) {
		event_make_exit(make, choose(choices, 255));
		return;
	}
	identity = event_make_identity(make, "a", (uint16_t)(1 + choose(choices, 3)));
	identity->cgroup_id = choose(choices, 4);
	memcpy(identity->ns, choose_bytes(choices, 8), 8);
	memcpy(identity->caps, choose_bytes(choices, 16), 16);
	if (make->record.action == EVENT_EXEC)
		event_make_exec(make, "/bin/a", "a\0b", 3, 2);
	if (make->record.action >= EVENT_CGROUP_MAKE) {
		event_make_add(make, PART_CGROUP, &cgroup, sizeof(cgroup));
		event_make_add(make, PART_CGROUP, "/docker/abcd", 12);
	}
}

/* Each of the records that carry bytes behind a head; their sizes are put right afterwards. */
static void make_other(struct event_make *make, struct choices *choices)
{
	struct record_header *header = &make->record.header;
	uint8_t tail = choose(choices, 40);
	size_t size = sizeof(*header);

	header->type = (__u16)(1 + choose(choices, RECORD_USAGE));
	memcpy(header + 1, choose_bytes(choices, 56), 56);
	if (header->type == RECORD_USER) {
		((struct user_record *)header)->length = tail;
		size = sizeof(struct user_record) + tail;
	} else if (header->type == RECORD_CONTAINER) {
		struct container_record *container = (void *)header;

		container->first_pid = 1 + choose(choices, 6);
		container->start_boot_ns = choose(choices, 3);
		container->texts = 1U << CONTAINER_NAME;
		memset(container->lengths, 0, sizeof(container->lengths));
		container->lengths[CONTAINER_NAME] = tail;
		size = sizeof(*container) + tail;
	} else if (header->type == RECORD_TASK) {
		struct task_record *task = (void *)header;

		task->tgid = 1 + choose(choices, 6);
		task->start_boot_ns = choose(choices, 3);
		task->chain_count = (__u16)(1 + choose(choices, 4));
		task->groups_kept = task->groups_total = choose(choices, 4);
		task->cgroup_length = tail;
		task->cgroup_hierarchy = choose(choices, CGROUP_HIERARCHIES);
		task->state = (char)(' ' + choose(choices, 90));
		size = sizeof(*task) + task->chain_count * sizeof(struct pid_level) +
		       task->groups_kept * 4U + tail;
	} else if (header->type == RECORD_ARGS) {
		struct args_record *args = (void *)header;

		args->tgid = 1 + choose(choices, 6);
		args->kind = choose(choices, 3);
		args->length = tail;
		size = sizeof(*args) + tail;
	} else if (header->type == RECORD_MARK) {
		((struct mark_record *)header)->kind = 1 + choose(choices, 2);
		size = sizeof(struct mark_record);
	} else {
		size = sizeof(struct thread_record);
	}
	if (size >= sizeof(struct user_record) + tail)
		memcpy(make->bytes + size - tail, choose_bytes(choices, tail), tail);
	header->size = (uint32_t)((size + 7) & ~(size_t)7);
}

/* Records that fit each other, and now and then a byte of one that does not. */
static void write_records(int fd, const uint8_t *data, size_t size)
{
	struct choices choices = {data, size};

	while (choices.size) {
		struct event_make make = {0};
		uint8_t kind = choose(&choices, 8);

		if (kind < 5)
			make_event(&make, &choices);
		else
			make_other(&make, &choices);
		if (kind == 7)
			make.bytes[8 + choose(&choices, 248)] ^= (char)choose(&choices, 255);
		write_all(fd, make.bytes, make.record.header.size);
	}
}

static void replay(const char *path, const char *at)
{
	struct app app = {.facts = {.cap_last = 40, .page_bytes = 4096}};
	const struct select_options options = {.replay = path, .at = at};
	struct session session;
	int exit_code = session_open(&session, &app, &options, 4096);

	if (exit_code == EXIT_DONE)
		exit_code = session_snapshot(&session);
	if (exit_code == EXIT_DONE)
		exit_code = replay_finish(&session);
	if (exit_code != EXIT_DONE && !sentences)
		abort();
	if (exit_code == EXIT_DONE) {
		rows_check(&session.view, &output_table);
		rows_check(&session.view, &output_ndjson);
	}
	session_close(&session);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool is_records = size && data[0] & 2;
	char path[32];
	int fd = memfd_create("recording", MFD_CLOEXEC);

	setlocale(LC_CTYPE, "C.UTF-8");
	log_set_sink(hear, NULL);
	if (fd < 0)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (size && data[0] & 1) {
		write_header(fd, data, size);
		data += size >= 64 ? 64 : 0;
		size -= size >= 64 ? 64 : 0;
	}
	if (is_records)
		write_records(fd, data, size);
	else
		write_all(fd, data, size);
	sentences = 0;
	replay(path, NULL);
	sentences = 0;
	replay(path, "+1");
	close(fd);
	return 0;
}
