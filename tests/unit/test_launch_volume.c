/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/mount.h>

#include "base/mem.h"
#include "launch/volume.h"
#include "listen.h"

static void test_source_target_and_mode_are_told_apart(void **state)
{
	static const struct {
		const char *words;
		const char *source;
		const char *target;
		unsigned long propagation;
		bool is_read_only;
	} rows[] = {
		{"/a:/b", "/a", "/b", MS_PRIVATE | MS_REC, false},
		{"/a:/b:", "/a", "/b", MS_PRIVATE | MS_REC, false},
		{"/a:/b:ro", "/a", "/b", MS_PRIVATE | MS_REC, true},
		{"/a:/b:rw", "/a", "/b", MS_PRIVATE | MS_REC, false},
		{"/a:/b:ro,rslave", "/a", "/b", MS_SLAVE | MS_REC, true},
		{"/a:/b:shared,ro", "/a", "/b", MS_SHARED, true},
		{"/a/../b:/b/", "/a/../b", "/b", MS_PRIVATE | MS_REC, false},
		{"/a:/x/../b/./c//d", "/a", "/b/c/d", MS_PRIVATE | MS_REC, false},
		{"/a:/../../b", "/a", "/b", MS_PRIVATE | MS_REC, false},
		{"/a:/procfs", "/a", "/procfs", MS_PRIVATE | MS_REC, false},
		{"/a:/b/..c", "/a", "/b/..c", MS_PRIVATE | MS_REC, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct volumes volumes = {0};

		assert_int_equal(volumes_add(&volumes, rows[i].words), 0);
		assert_int_equal(volumes.count, 1);
		assert_string_equal(volumes.items[0].source, rows[i].source);
		assert_string_equal(volumes.items[0].target, rows[i].target);
		assert_int_equal(volumes.items[0].propagation, rows[i].propagation);
		assert_int_equal(volumes.items[0].is_read_only, rows[i].is_read_only);
		volumes_free(&volumes);
	}
}

static void test_what_docker_refuses_is_refused_in_a_sentence(void **state)
{
	static const char *const rows[] = {
		"",
		":",
		"/a",
		"/a:",
		":/b",
		"a:/b",
		"/a:b",
		"/a:/",
		"/a:/b/..",
		"/a:/proc",
		"/a:/proc/sys",
		"/a:/x/../proc",
		"/a:/b:ro:z",
		"/a:/b:nocopy",
		"/a:/b:ro,rw",
		"/a:/b:ro,ro",
		"/a:/b:rslave,slave",
		"/a:/b:RO",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct volumes volumes = {0};

		said[0] = '\0';
		assert_int_equal(volumes_add(&volumes, rows[i]), -EINVAL);
		assert_true(strstr(said, "cannot mount "));
		volumes_free(&volumes);
	}
}

static void test_two_cannot_have_one_place(void **state)
{
	struct volumes volumes = {0};

	(void)state;
	assert_int_equal(volumes_add(&volumes, "/a:/b"), 0);
	assert_int_equal(volumes_add(&volumes, "/a:/b/c"), 0);
	assert_int_equal(volumes_add(&volumes, "/c:/x/../b"), -EINVAL);
	volumes_free(&volumes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_source_target_and_mode_are_told_apart),
		cmocka_unit_test(test_what_docker_refuses_is_refused_in_a_sentence),
		cmocka_unit_test(test_two_cannot_have_one_place),
	};

	return cmocka_run_group_tests_name("volume", tests, start_listening, stop_listening);
}
