/* SPDX-License-Identifier: GPL-2.0-only */
/* What is recorded comes back, in order and whole; and of a file that is no recording any more,
 * what still holds. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <cmocka.h>

#include "base/log.h"
#include "base/text.h"
#include "event_make.h"
#include "host/facts.h"
#include "host/runtime/runtime.h"
#include "host/time_zone.h"
#include "scratch.h"
#include "source/recording_read.h"
#include "source/replay_time.h"
#include "source/source.h"

#define SECOND 1000000000ULL
#define START_BOOT (1000 * SECOND)
#define OFFSET (1795241671ULL * SECOND - START_BOOT) /* the start is 2026-11-21T06:14:31Z */
#define FILE_BYTES_MAX (4 << 20)

static struct text said;

static void hear(void *context, const char *sentence)
{
	(void)context;
	text_printf(&said, "%s\n", sentence);
}

static struct facts facts_make(void)
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
static void add_exec(struct recording_writer *writer, uint32_t pid)
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

static void add_host(struct recording_writer *writer)
{
	const struct host_record host = {{sizeof(host), RECORD_HOST, 0}, {1, 2, 3, 4, 5, 6, 7, 8}};

	recording_add(writer, &host.header);
}

static char *path_of(const struct scratch *scratch, const char *name)
{
	return mem_printf("%s/%s", scratch->path, name);
}

/* A snapshot with one record, then `count` events. The path is to be freed. */
static char *record(const struct scratch *scratch, const char *name, uint32_t count, bool ends)
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

static size_t content(const char *path, char **data)
{
	FILE *file = fopen(path, "r");
	size_t length;

	assert_non_null(file);
	*data = mem_new(FILE_BYTES_MAX);
	length = fread(*data, 1, FILE_BYTES_MAX, file);
	fclose(file);
	return length;
}

static void put(const char *path, const char *data, size_t length)
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

static int see(void *context, const struct record_header *record)
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

static int replay_at(const char *path, const char *at, struct seen *seen, struct facts *facts,
		     struct text *why)
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

static void replay(const char *path, struct seen *seen)
{
	struct text why = {0};

	text_clear(&said);
	if (replay_at(path, NULL, seen, NULL, &why))
		fail_msg("%s", text_string(&why));
	text_free(&why);
}

static void test_what_is_recorded_comes_back_in_order(void **state)
{
	autofree char *path = record(*state, "whole", 5000, true);
	struct seen seen;

	replay(path, &seen);
	assert_int_equal(seen.hosts, 1);
	assert_int_equal(seen.events, 5000);
	assert_true(seen.is_in_order);
	assert_int_equal(said.length, 0);
}

static void test_the_machine_is_the_recorded_one(void **state)
{
	autofree char *path = record(*state, "machine", 3, true);
	const struct facts made = facts_make();
	struct facts facts = {0};
	struct seen seen;
	struct text why = {0};

	assert_int_equal(replay_at(path, NULL, &seen, &facts, &why), 0);
	assert_string_equal(facts.hostname, made.hostname);
	assert_string_equal(facts.release, made.release);
	assert_string_equal(facts.machine, made.machine);
	assert_string_equal(facts.boot_id, made.boot_id);
	assert_int_equal(facts.cpus, made.cpus);
	assert_int_equal(facts.cap_last, made.cap_last);
	assert_int_equal(facts.page_bytes, made.page_bytes);
	assert_int_equal(facts.memory_bytes, made.memory_bytes);
	assert_int_equal(facts.pid_digits, made.pid_digits);
	assert_int_equal(facts.self_ns[NS_PID], NS_HOST_PID);
	assert_int_equal(facts.boot_offset_ns, OFFSET);
	assert_int_equal(facts.boot_now_ns, START_BOOT + 4 * SECOND);
	assert_non_null(facts.zone);
}

static void test_only_its_owner_may_read_it(void **state)
{
	autofree char *path = record(*state, "mode", 1, true);
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	/* And an older one that was opened to others is closed again. */
	assert_int_equal(chmod(path, 0644), 0);
	free(record(*state, "mode", 1, true));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
}

static void test_a_file_of_another_kind_is_not_replaced(void **state)
{
	const struct facts facts = facts_make();
	autofree char *path = path_of(*state, "letter");
	autofree char *data = NULL;
	struct recording_writer *writer;

	scratch_text(*state, "letter", "Dear Sir or Madam, \x89nsview\n");
	text_clear(&said);
	assert_int_equal(recording_create(&writer, path, &facts, "bpf"), -EEXIST);
	assert_non_null(strstr(text_string(&said), "no recording"));
	assert_int_equal(content(path, &data), 27);
}

static void test_two_do_not_record_into_one_file(void **state)
{
	const struct facts facts = facts_make();
	autofree char *path = path_of(*state, "both");
	struct recording_writer *one, *other;
	struct seen seen;

	assert_int_equal(recording_create(&one, path, &facts, "bpf"), 0);
	add_exec(one, 1);
	text_clear(&said);
	assert_int_equal(recording_create(&other, path, &facts, "bpf"), -EBUSY);
	assert_non_null(strstr(text_string(&said), "another nsview"));
	assert_int_equal(recording_close(one, &facts, NULL), 0);
	replay(path, &seen);
	assert_int_equal(seen.events, 1);
}

static void test_it_goes_into_a_pipe(void **state)
{
	const struct facts facts = facts_make();
	struct recording_writer *writer;
	char magic[8];
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	{
		autofree char *path = mem_printf("/proc/self/fd/%d", ends[1]);

		assert_int_equal(recording_create(&writer, path, &facts, "bpf"), 0);
	}
	add_exec(writer, 1);
	assert_int_equal(recording_close(writer, &facts, NULL), 0);
	assert_int_equal(read(ends[0], magic, sizeof(magic)), sizeof(magic));
	assert_memory_equal(magic, RECORDING_MAGIC, sizeof(magic));
	close(ends[0]);
	close(ends[1]);
}

static void test_up_to_a_moment(void **state)
{
	autofree char *path = record(*state, "moments", 100, true);
	static const struct {
		const char *at;
		size_t events;
	} moments[] = {
		{"+0", 0},
		{"+7", 7},
		{"+7.5", 7},
		{"2026-11-21T06:14:31Z", 0},
		{"2026-11-21T06:15:31Z", 60},
		{"2026-11-21t07:15:31+01:00", 60},
		{"2026-11-21T06:15:30.999999999Z", 59},
		{"+100", 100},
	};
	struct text why = {0};
	struct seen seen;

	for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
		struct facts facts = {0};

		assert_int_equal(replay_at(path, moments[i].at, &seen, &facts, &why), 0);
		if (seen.events != moments[i].events)
			fail_msg("--at %s: %zu events", moments[i].at, seen.events);
		assert_int_equal(seen.hosts, 1);
		/* The table is as old as the moment, whatever happened last before it. */
		if (!strcmp(moments[i].at, "+7.5"))
			assert_int_equal(facts.boot_now_ns, START_BOOT + 7500000000ULL);
	}
	text_free(&why);
}

static void test_a_moment_outside_is_refused(void **state)
{
	autofree char *path = record(*state, "outside", 10, true);
	static const char *const words[] = {"+12",
					    "2026-11-21T06:14:30Z",
					    "2025-01-01T00:00:00Z",
					    "later",
					    "+",
					    "",
					    "25:00",
					    "2026-11-21T06:14",
					    "+1e3"};
	struct seen seen;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct text why = {0};

		if (replay_at(path, words[i], &seen, NULL, &why) != -ERANGE)
			fail_msg("--at %s was taken", words[i]);
		assert_non_null(strstr(text_string(&why), "--at"));
		if (i < 3)
			assert_non_null(strstr(text_string(&why),
					       "from 2026-11-21T06:14:31.000Z to "
					       "2026-11-21T06:14:42.000Z"));
		text_free(&why);
	}
}

static void test_a_recording_without_an_end_is_read_as_far_as_it_goes(void **state)
{
	autofree char *path = record(*state, "killed", 10, false);
	struct facts facts = {0};
	struct text why = {0};
	struct seen seen;

	replay(path, &seen);
	assert_int_equal(seen.events, 10);
	assert_non_null(strstr(text_string(&said), "has no end"));
	/* And its last moment is known all the same. */
	assert_int_equal(replay_at(path, "+10", &seen, &facts, &why), 0);
	assert_int_equal(facts.boot_now_ns, START_BOOT + 10 * SECOND);
	assert_int_equal(replay_at(path, "+11", &seen, NULL, &why), -ERANGE);
	text_free(&why);
}

static void test_cut_anywhere_it_gives_its_whole_records(void **state)
{
	autofree char *path = record(*state, "cut", 20, true);
	autofree char *data = NULL;
	size_t length = content(path, &data);
	size_t before = 0;

	for (size_t cut = 0; cut < length; cut++) {
		struct text why = {0};
		struct seen seen;
		int r;

		put(path, data, cut);
		text_clear(&said);
		r = replay_at(path, NULL, &seen, NULL, &why);
		if (!r) {
			assert_true(seen.events == before || seen.events == before + 1);
			before = seen.events;
			assert_non_null(strstr(text_string(&said), "no end"));
		} else {
			assert_true(why.length);
		}
		text_free(&why);
	}
	assert_int_equal(before, 20);
}

static void test_a_changed_header_is_refused(void **state)
{
	autofree char *path = record(*state, "header", 1, true);
	autofree char *data = NULL;
	size_t length = content(path, &data);
	const struct recording_header *header = (const void *)data;
	size_t size = header->size;

	for (size_t at = 0; at < size; at++) {
		struct text why = {0};
		struct seen seen;

		data[at] ^= 0x10;
		put(path, data, length);
		data[at] ^= 0x10;
		if (replay_at(path, NULL, &seen, NULL, &why) >= 0)
			fail_msg("byte %zu is not looked at", at);
		assert_true(why.length);
		text_free(&why);
	}
}

/* So that what is behind the checksum is reached. */
static void header_sign(struct recording_header *header)
{
	header->checksum = recording_checksum(header);
}

static void refuse(const char *path, const char *data, size_t length, const char *words)
{
	struct text why = {0};
	struct seen seen;

	put(path, data, length);
	assert_true(replay_at(path, NULL, &seen, NULL, &why) < 0);
	if (!strstr(text_string(&why), words))
		fail_msg("%s: not %s", text_string(&why), words);
	text_free(&why);
}

static void test_each_refusal_says_what_it_is(void **state)
{
	autofree char *path = record(*state, "refused", 1, true);
	autofree char *data = NULL;
	size_t length = content(path, &data);
	struct recording_header *header = (void *)data;
	struct recording_header whole = *header;
	struct text why = {0};
	struct seen seen;

	refuse(path, "", 0, "not a recording");
	refuse(path, "root:x:0:0:root:/root:/bin/sh\n", 30, "not a recording");
	refuse(path, data, 100, "nothing was recorded");
	header->version = WIRE_VERSION + 1;
	header_sign(header);
	refuse(path, data, length, "use the nsview that made it");
	*header = whole;
	header->byte_order = __builtin_bswap32(header->byte_order);
	refuse(path, data, length, "other byte order");
	*header = whole;
	header->cap_last = 64;
	header_sign(header);
	refuse(path, data, length, "damaged header");
	*header = whole;
	header->page_bytes = 0;
	header_sign(header);
	refuse(path, data, length, "damaged header");
	*header = whole;
	header->zone_length = UINT32_MAX;
	header_sign(header);
	refuse(path, data, length, "damaged header");
	*header = whole;
	memset(header->hostname, 'x', sizeof(header->hostname));
	header_sign(header);
	refuse(path, data, length, "damaged header");
	assert_int_equal(replay_at("/nonexistent/file", NULL, &seen, NULL, &why), -ENOENT);
	assert_int_equal(replay_at("/dev/zero", NULL, &seen, NULL, &why), -EINVAL);
	text_free(&why);
}

/* Where in the file the event of that pid begins. */
static size_t event_offset(const char *data, size_t length, uint32_t pid)
{
	size_t at = ((const struct recording_header *)(const void *)data)->size;

	while (at < length) {
		const struct event_record *event = (const void *)(data + at);

		if (event->header.type == RECORD_EVENT && event->tgid == pid)
			return at;
		at += event->header.size;
	}
	fail();
	return 0;
}

static void test_a_damaged_record_is_left_out_and_counted(void **state)
{
	autofree char *path = record(*state, "damaged", 20, true);
	autofree char *data = NULL;
	size_t length = content(path, &data);
	struct event_record *event = (void *)(data + event_offset(data, length, 7));
	struct seen seen;

	event->chain_count = 1000;
	put(path, data, length);
	replay(path, &seen);
	assert_int_equal(seen.events, 19);
	assert_int_equal(seen.last_sequence, 20);
	assert_non_null(strstr(text_string(&said), "1 records of"));
	event->chain_count = 2;
	event->header.type = 999;
	put(path, data, length);
	replay(path, &seen);
	assert_int_equal(seen.events, 19);
}

static void test_behind_a_size_that_is_none_nothing_is_read(void **state)
{
	static const uint32_t sizes[] = {0, 7, 12, RECORD_BYTES_MAX + 8, UINT32_MAX & ~7U};
	autofree char *path = record(*state, "sizes", 20, true);
	autofree char *data = NULL;
	size_t length = content(path, &data);
	struct event_record *event = (void *)(data + event_offset(data, length, 7));
	struct seen seen;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		event->header.size = sizes[i];
		put(path, data, length);
		replay(path, &seen);
		assert_int_equal(seen.events, 6);
		assert_non_null(strstr(text_string(&said), "is damaged at byte"));
	}
}

static void test_a_full_disk_costs_whole_records_and_is_told_in_the_recording(void **state)
{
	const struct facts facts = facts_make();
	autofree char *path = path_of(*state, "full");
	struct rlimit limit, tight;
	struct recording_counts counts;
	struct recording_writer *writer;
	struct stat status;
	struct seen seen;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	tight = limit;
	assert_int_equal(recording_create(&writer, path, &facts, "bpf"), 0);
	assert_int_equal(stat(path, &status), 0);
	tight.rlim_cur = (rlim_t)status.st_size + 10003; /* in the middle of a record */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	for (uint32_t pid = 1; pid <= 100; pid++)
		add_exec(writer, pid);
	assert_int_equal(recording_flush(writer), -EFBIG);
	/* Nothing is lost any more once there is room. */
	for (uint32_t pid = 101; pid <= 200; pid++)
		add_exec(writer, pid);
	assert_int_equal(recording_flush(writer), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (uint32_t pid = 201; pid <= 300; pid++)
		add_exec(writer, pid);
	assert_int_equal(recording_close(writer, &facts, &counts), -EFBIG);
	assert_true(counts.lost > 150);
	replay(path, &seen);
	assert_true(seen.is_in_order);
	assert_true(seen.gaps >= 1);
	assert_int_equal(seen.gap.reason, GAP_OUTPUT);
	assert_int_equal(seen.gap.last, 200);
	assert_int_equal(seen.events + seen.missing, 300);
	assert_non_null(strstr(text_string(&said), "could not be written when"));
	assert_null(strstr(text_string(&said), "no end"));
}

static void test_a_full_device_loses_no_more_than_is_counted(void **state)
{
	const struct facts facts = facts_make();
	struct recording_writer *writer;

	(void)state;
	text_clear(&said);
	assert_int_equal(recording_create(&writer, "/dev/full", &facts, "bpf"), -ENOSPC);
	assert_non_null(strstr(text_string(&said), "/dev/full"));
}

static int keep_container(void *context, const struct record_header *record)
{
	struct text *kept = context;
	const struct container_record *container = (const void *)record;

	if (record->type != RECORD_CONTAINER)
		return 0;
	for (int text = 0; text < CONTAINER_TEXTS; text++) {
		const char *data = record_container_text(container, text);

		text_printf(kept, "%.*s;", data ? (int)container->lengths[text] : 1,
			    data ? data : "-");
	}
	text_printf(kept, "%u %llu %u", container->first_pid,
		    (unsigned long long)container->start_boot_ns, container->flags);
	return 0;
}

static void test_a_containers_texts_come_back(void **state)
{
	const struct facts facts = facts_make();
	autofree char *path = path_of(*state, "container");
	autofree char *long_name = mem_new(100001);
	const struct container_record key = {.first_pid = 17, .start_boot_ns = 99};
	struct runtime_container declared = {
		.runtime = "docker",
		.id = "4e1f",
		.name = "web",
		.image = "",
		.user = "1000",
		.has_no_new_privs = true,
	};
	const struct source_options options = {.replay_path = path};
	struct recording_writer *writer;
	struct source *source;
	struct text kept = {0};
	struct text why = {0};

	assert_int_equal(recording_create(&writer, path, &facts, "bpf"), 0);
	recording_add_container(writer, &key, &declared);
	memset(long_name, 'n', 100000);
	declared.name = long_name;
	recording_add_container(writer, &key, &declared);
	recording_close(writer, &facts, NULL);
	assert_int_equal(source_open(&replay_source, &options, &source, &why), 0);
	assert_int_equal(source_snapshot(source, keep_container, &kept), 0);
	source_close(source);
	assert_memory_equal(text_string(&kept), "docker;4e1f;web;;-;-;1000;17 99 2", 33);
	assert_true(kept.length < 5000);
	text_free(&kept);
}

static int64_t at_of(const char *word, const char *zone_name, int64_t start)
{
	struct time_zone *zone = NULL;
	struct text tzif = {0};
	int64_t at = -1;

	setenv("TZ", zone_name, 1);
	time_zone_own(&tzif);
	assert_int_equal(time_zone_parse(tzif.data, tzif.length, &zone), 0);
	assert_int_equal(replay_time_parse(word, start * (int64_t)SECOND, zone, &at), 0);
	time_zone_free(zone);
	text_free(&tzif);
	unsetenv("TZ");
	return at / (int64_t)SECOND;
}

static void test_a_time_of_day_is_the_recordings_own(void **state)
{
	const int64_t start = 1795241671; /* 2026-11-21T06:14:31Z */

	(void)state;
	assert_int_equal(at_of("06:15:00", "UTC0", start), start + 29);
	assert_int_equal(at_of("06:15", "UTC0", start), start + 29);
	assert_int_equal(at_of("07:15:00", "CET-1", start), start + 29);
	assert_int_equal(at_of("01:15:00", "EST5EDT,M3.2.0,M11.1.0", start), start + 29);
	assert_int_equal(at_of("2026-11-21T07:15:00", "CET-1", start), start + 29);
	assert_int_equal(at_of("2026-11-21T07:15:00Z", "CET-1", start), start + 3629);
	/* Over midnight it is the next day's. */
	assert_int_equal(at_of("00:00:30", "UTC0", start), start - 22471 + 86400 + 30);
	assert_int_equal(at_of("06:14:31", "UTC0", start), start);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_recorded_comes_back_in_order),
		cmocka_unit_test(test_the_machine_is_the_recorded_one),
		cmocka_unit_test(test_only_its_owner_may_read_it),
		cmocka_unit_test(test_a_file_of_another_kind_is_not_replaced),
		cmocka_unit_test(test_two_do_not_record_into_one_file),
		cmocka_unit_test(test_it_goes_into_a_pipe),
		cmocka_unit_test(test_up_to_a_moment),
		cmocka_unit_test(test_a_moment_outside_is_refused),
		cmocka_unit_test(test_a_recording_without_an_end_is_read_as_far_as_it_goes),
		cmocka_unit_test(test_cut_anywhere_it_gives_its_whole_records),
		cmocka_unit_test(test_a_changed_header_is_refused),
		cmocka_unit_test(test_each_refusal_says_what_it_is),
		cmocka_unit_test(test_a_damaged_record_is_left_out_and_counted),
		cmocka_unit_test(test_behind_a_size_that_is_none_nothing_is_read),
		cmocka_unit_test(test_a_full_disk_costs_whole_records_and_is_told_in_the_recording),
		cmocka_unit_test(test_a_full_device_loses_no_more_than_is_counted),
		cmocka_unit_test(test_a_containers_texts_come_back),
		cmocka_unit_test(test_a_time_of_day_is_the_recordings_own),
	};
	int r;

	log_set_sink(hear, NULL);
	r = cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
	text_free(&said);
	return r;
}
