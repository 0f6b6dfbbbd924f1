/* SPDX-License-Identifier: GPL-2.0-only */
/* What is recorded comes back, in order and whole, from whatever could be written. */
#include "recordings.h"

#include <signal.h>
#include <sys/resource.h>

#include "host/runtime/runtime.h"
#include "host/time_zone.h"
#include "source/replay_time.h"

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
		cmocka_unit_test(test_a_full_disk_costs_whole_records_and_is_told_in_the_recording),
		cmocka_unit_test(test_a_full_device_loses_no_more_than_is_counted),
		cmocka_unit_test(test_a_containers_texts_come_back),
		cmocka_unit_test(test_a_time_of_day_is_the_recordings_own),
	};

	return recordings_run(tests);
}
