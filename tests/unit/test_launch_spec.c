/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/capability.h>

#include "base/mem.h"
#include "launch/spec.h"
#include "listen.h"

#define BIT(capability) (1ULL << (capability))
#define LAST CAP_CHECKPOINT_RESTORE /* as on Linux 5.9 and later */

/* Each list ends with NULL. */
static int capabilities_of(const char *const *add, const char *const *drop, uint64_t *set)
{
	struct spec spec = {0};

	spec.cap_add = add;
	while (add && add[spec.cap_add_count])
		spec.cap_add_count++;
	spec.cap_drop = drop;
	while (drop && drop[spec.cap_drop_count])
		spec.cap_drop_count++;
	return spec_capabilities(&spec, LAST, set);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

/* The masks are what docker 20.10.24 gave to the same options (CapBnd of the container). */
static void the_sets_are_those_that_docker_gives(void **state)
{
	static const struct {
		const char *add[3];
		const char *drop[3];
		uint64_t set;
	} rows[] = {
		{{NULL}, {NULL}, 0xa80425fb},
		{{"MAC_ADMIN"}, {NULL}, 0x2a80425fb},
		{{"NET_ADMIN"}, {NULL}, 0xa80435fb},
		{{NULL}, {"KILL"}, 0xa80425db},
		{{NULL}, {"ALL"}, 0},
		{{"NET_BIND_SERVICE"}, {"ALL"}, 0x400},
		{{"NET_ADMIN", "SYS_TIME"}, {NULL}, 0xaa0435fb},
		{{"ALL"}, {"SYS_RESOURCE"}, 0x1fffeffffff},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t set = 1;

		assert_int_equal(capabilities_of(rows[i].add, rows[i].drop, &set), 0);
		assert_int_equal(set, rows[i].set);
	}
}

static void a_capability_both_dropped_and_added_is_there(void **state)
{
	uint64_t set = 0;

	(void)state;
	assert_int_equal(capabilities_of(LIST("KILL"), LIST("KILL"), &set), 0);
	assert_int_equal(set, 0xa80425fb);
	assert_int_equal(capabilities_of(LIST("ALL"), LIST("ALL"), &set), 0);
	assert_int_equal(set, BIT(LAST + 1) - 1);
}

static void names_may_have_cap_and_any_case(void **state)
{
	uint64_t set = 0;

	(void)state;
	assert_int_equal(capabilities_of(LIST("cap_Net_Admin"), LIST("cap_all"), &set), 0);
	assert_int_equal(set, BIT(CAP_NET_ADMIN));
	assert_int_equal(capabilities_of(LIST("all"), LIST("Sys_Admin", "CAP_CHOWN"), &set), 0);
	assert_int_equal(set, (BIT(LAST + 1) - 1) & ~(BIT(CAP_SYS_ADMIN) | BIT(CAP_CHOWN)));
}

static void an_unknown_name_is_said_with_the_nearest(void **state)
{
	uint64_t set = 42;

	(void)state;
	assert_int_equal(capabilities_of(LIST("NET_ADMN"), NULL, &set), -EINVAL);
	assert_non_null(strstr(said, "NET_ADMN"));
	assert_non_null(strstr(said, "--cap-add"));
	assert_non_null(strstr(said, "NET_ADMIN"));
	assert_int_equal(capabilities_of(NULL, LIST("zzzzzzzzzzzz"), &set), -EINVAL);
	assert_non_null(strstr(said, "zzzzzzzzzzzz"));
	assert_non_null(strstr(said, "--cap-drop"));
	assert_int_equal(set, 42);
}

static void a_capability_beyond_the_kernel_is_refused(void **state)
{
	struct spec spec = {0};
	uint64_t set = 42;

	(void)state;
	spec.cap_add = LIST("CHECKPOINT_RESTORE");
	spec.cap_add_count = 1;
	assert_int_equal(spec_capabilities(&spec, CAP_AUDIT_READ, &set), -EINVAL);
	assert_non_null(strstr(said, "AUDIT_READ"));
	assert_int_equal(set, 42);
}

static void what_nsview_lacks_is_named(void **state)
{
	(void)state;
	assert_int_equal(spec_check_grantable(0xa80425fb, 0x1ffffffffff), 0);
	assert_string_equal(said, "");
	assert_int_equal(spec_check_grantable(0xa80425fb, 0xa80425fb & ~BIT(CAP_KILL)), -EPERM);
	assert_non_null(strstr(said, "container KILL:"));
	assert_int_equal(spec_check_grantable(BIT(CAP_BPF) | BIT(CAP_SYS_ADMIN), 0), -EPERM);
	assert_non_null(strstr(said, "container SYS_ADMIN, BPF:"));
}

static void names_are_dockers(void **state)
{
	static const char *const good[] = {"a", "web", "Web_1.x-y", "0", "a..b"};
	static const char *const bad[] = {"",        ".",        "..",  "-a",   "_a",
					  "a/b",     "/a",       "a b", "a\n",  "\x1b[",
					  "a\x1b[m", "\xc3\xa9", "a:b", "../a", "a\\b"};
	char long_name[SPEC_NAME_MAX + 2];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(spec_check_name(good[i]), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		said[0] = '\0';
		assert_int_equal(spec_check_name(bad[i]), -EINVAL);
		assert_string_not_equal(said, "");
	}
	memset(long_name, 'a', sizeof(long_name));
	long_name[SPEC_NAME_MAX + 1] = '\0';
	assert_int_equal(spec_check_name(long_name), -EINVAL);
	long_name[SPEC_NAME_MAX] = '\0';
	assert_int_equal(spec_check_name(long_name), 0);
}

#define CLAIM(function) cmocka_unit_test_setup_teardown(function, start_listening, stop_listening)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CLAIM(the_sets_are_those_that_docker_gives),
		CLAIM(a_capability_both_dropped_and_added_is_there),
		CLAIM(names_may_have_cap_and_any_case),
		CLAIM(an_unknown_name_is_said_with_the_nearest),
		CLAIM(a_capability_beyond_the_kernel_is_refused),
		CLAIM(what_nsview_lacks_is_named),
		CLAIM(names_are_dockers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
