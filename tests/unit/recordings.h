/* SPDX-License-Identifier: GPL-2.0-only */
/* Recordings to test with: made of events, read back, and what was said meanwhile. */
#ifndef NSVIEW_TESTS_RECORDINGS_H
#define NSVIEW_TESTS_RECORDINGS_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/log.h"
#include "base/text.h"
#include "event_make.h"
#include "host/facts.h"
#include "scratch.h"
#include "source/recording_read.h"
#include "source/source.h"

#define SECOND 1000000000ULL
#define START_BOOT (1000 * SECOND)
#define OFFSET (1795241671ULL * SECOND - START_BOOT) /* the start is 2026-11-21T06:14:31Z */
#define FILE_BYTES_MAX (4 << 20)

static struct text said;

static inline void hear(void *context, const char *sentence)
{
	(void)context;
	text_printf(&said, "%s\n", sentence);
}

static inline struct facts facts_make(void)
{
	struct facts facts = {
		.cpus = 3,
		.cap_last = 37,
		.page_bytes = 16384,
		.memory_bytes = 123456789,
		.boot_now_ns = START_BOOT,
		.boot_offset_ns = OFFSET,
		.pid_digits = 6,
	};

	strcpy(facts.hostname, "elsewhere");
	strcpy(facts.release, "5.10.0-test");
	strcpy(facts.machine, "m68k");
	strcpy(facts.boot_id, "0f6cf5e2-0d0c-4b0e-9d6c-3e1b5a4d2c11");
	facts.self_ns[NS_PID] = NS_HOST_PID;
	return facts;
}

/* "exec" of pid: its sequence number is the pid's, and so many seconds after the start. */
static inline void add_exec(struct recording_writer *writer, uint32_t pid)
{
	struct event_make make = {0};

	event_make_start(&make, EVENT_EXEC, pid);
	event_make_identity(&make, "true", 2);
	event_make_exec(&make, "/bin/true", "true\0--now", 11, 2);
	make.record.sequence = pid;
	make.record.time_boot_ns = START_BOOT + pid * SECOND;
	assert_true(record_is_sound(&make.record.header, make.record.header.size));
	recording_add(writer, &make.record.header);
}

static inline void add_host(struct recording_writer *writer)
{
	const struct host_record host = {{sizeof(host), RECORD_HOST, 0}, {1, 2, 3, 4, 5, 6, 7, 8}};

	recording_add(writer, &host.header);
}

static inline char *path_of(const struct scratch *scratch, const char *name)
{
	return mem_printf("%s/%s", scratch->path, name);
}

/* A snapshot with one record, then `count` events. The path is to be freed. */
static inline char *record(const struct scratch *scratch, const char *name, uint32_t count,
			   bool ends)
{
	char *path = path_of(scratch, name);
	struct facts facts = facts_make();
	struct recording_writer *writer;

	assert_int_equal(recording_create(&writer, path, &facts, "bpf"), 0);
	add_host(writer);
	recording_add_mark(writer, MARK_SNAPSHOT, &facts);
	for (uint32_t pid = 1; pid <= count; pid++)
		add_exec(writer, pid);
	facts.boot_now_ns += (count + 1) * SECOND;
	if (!ends)
		assert_int_equal(recording_flush(writer), 0);
	assert_int_equal(recording_close(writer, ends ? &facts : NULL, NULL), 0);
	return path;
}

static inline size_t content(const char *path, char **data)
{
	FILE *file = fopen(path, "r");
	size_t length;

	assert_non_null(file);
	*data = mem_new(FILE_BYTES_MAX);
	length = fread(*data, 1, FILE_BYTES_MAX, file);
	fclose(file);
	return length;
}

static inline void put(const char *path, const char *data, size_t length)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, length, file), length);
	fclose(file);
}

/* What a source over the file hands out. */
struct seen {
	size_t hosts;
	size_t events;
	uint64_t last_sequence;
	bool is_in_order;
	size_t gaps;
	struct gap_record gap;
	uint64_t missing;
};

static inline int see(void *context, const struct record_header *record)
{
	struct seen *seen = context;

	assert_true(record_is_sound(record, record->size));
	if (record->type == RECORD_HOST)
		seen->hosts++;
	if (record->type == RECORD_EVENT) {
		const struct event_record *event = (const void *)record;

		seen->is_in_order &= event->sequence > seen->last_sequence;
		seen->last_sequence = event->sequence;
		seen->events++;
	}
	if (record->type == RECORD_GAP) {
		seen->gaps++;
		seen->gap = *(const struct gap_record *)record;
		seen->missing += seen->gap.last - seen->gap.first + 1;
	}
	return 0;
}

static inline int replay_at(const char *path, const char *at, struct seen *seen,
			    struct facts *facts, struct text *why)
{
	const struct source_options options = {.replay_path = path, .replay_at = at};
	struct source *source;
	int r = source_open(&replay_source, &options, &source, why);

	*seen = (struct seen){.is_in_order = true};
	if (r)
		return r;
	assert_int_equal(source_snapshot(source, see, seen), 0);
	while ((r = source_poll(source, 0, see, seen)) >= 0)
		;
	assert_int_equal(r, -ENODATA);
	assert_int_equal(source_poll(source, 0, see, seen), -ENODATA);
	if (facts)
		source_facts(source, facts);
	source_close(source);
	return 0;
}

static inline void replay(const char *path, struct seen *seen)
{
	struct text why = {0};

	text_clear(&said);
	if (replay_at(path, NULL, seen, NULL, &why))
		fail_msg("%s", text_string(&why));
	text_free(&why);
}

#define recordings_run(tests)                                                           \
	({                                                                              \
		int recordings_result;                                                  \
                                                                                        \
		log_set_sink(hear, NULL);                                               \
		recordings_result =                                                     \
			cmocka_run_group_tests(tests, scratch_setup, scratch_teardown); \
		text_free(&said);                                                       \
		recordings_result;                                                      \
	})

#endif
