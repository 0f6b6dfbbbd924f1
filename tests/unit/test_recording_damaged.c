/* SPDX-License-Identifier: GPL-2.0-only */
/* Of a file that is no recording any more, what still holds is read, and what does not is said. */
#include "recordings.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_recording_without_an_end_is_read_as_far_as_it_goes),
		cmocka_unit_test(test_cut_anywhere_it_gives_its_whole_records),
		cmocka_unit_test(test_a_changed_header_is_refused),
		cmocka_unit_test(test_each_refusal_says_what_it_is),
		cmocka_unit_test(test_a_damaged_record_is_left_out_and_counted),
		cmocka_unit_test(test_behind_a_size_that_is_none_nothing_is_read),
	};

	return recordings_run(tests);
}
