/* SPDX-License-Identifier: GPL-2.0-only */
/* Both versions' files, made by hand as cgroups(7) and the kernel's cgroup-v2.rst have them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/cgroup.h"
#include "host/cgroup_limits.h"
#include "scratch.h"

#define ID "4a0c1d2e3f405162738495a6b7c8d9eaf0b1c2d3e4f5061728394a5b6c7d8e9f"
#define SCOPE "v2/system.slice/docker-" ID ".scope"
#define PID 50

static struct cgroup_tree *make_tree(const struct scratch *scratch)
{
	struct text text = {0};
	struct cgroup_tree *tree;

	text_printf(&text, "1 0 0:1 / %s/v2 rw - cgroup2 cgroup2 rw\n", scratch->path);
	for (int i = CGROUP_PIDS; i <= CGROUP_CPUACCT; i++)
		text_printf(&text, "2 0 0:%d / %s/%s rw - cgroup cgroup rw,%s\n", i + 2,
			    scratch->path, cgroup_hierarchy_names[i], cgroup_hierarchy_names[i]);
	tree = cgroup_tree_parse((char *)text_string(&text));
	text_free(&text);
	return tree;
}

static int read_limits(const struct scratch *scratch, const char *cgroups,
		       struct cgroup_limits *limits)
{
	struct cgroup_tree *tree = make_tree(scratch);
	int r;

	scratch_text(scratch, "50/cgroup", cgroups);
	r = cgroup_limits_read(tree, scratch->fd, PID, ID, limits);
	cgroup_tree_free(tree);
	return r;
}

static void version_2_is_read_from_one_folder(void **state)
{
	const struct scratch *scratch = *state;
	struct cgroup_limits limits;

	scratch_text(scratch, SCOPE "/cpu.max", "50000 100000\n");
	scratch_text(scratch, SCOPE "/cpu.stat", "usage_usec 1500\nuser_usec 1000\n");
	scratch_text(scratch, SCOPE "/memory.max", "524288000\n");
	scratch_text(scratch, SCOPE "/memory.current", "1000000\n");
	scratch_text(scratch, SCOPE "/memory.stat",
		     "anon 5\nworkingset_inactive_file 7\ninactive_file 400000\n");
	scratch_text(scratch, SCOPE "/pids.max", "100\n");
	scratch_text(scratch, SCOPE "/pids.current", "3\n");
	assert_int_equal(read_limits(scratch, "0::/system.slice/docker-" ID ".scope\n", &limits),
			 0);
	assert_int_equal(limits.unknown, 0);
	assert_int_equal(limits.facts[CGROUP_CPU_LIMIT], 500000000);
	assert_int_equal(limits.facts[CGROUP_CPU_USAGE], 1500000);
	assert_int_equal(limits.facts[CGROUP_MEMORY_LIMIT], 524288000);
	assert_int_equal(limits.facts[CGROUP_MEMORY_USAGE], 600000);
	assert_int_equal(limits.facts[CGROUP_PIDS_LIMIT], 100);
	assert_int_equal(limits.facts[CGROUP_PIDS_USAGE], 3);
}

static void a_process_in_a_cgroup_below_has_its_containers_limits(void **state)
{
	const struct scratch *scratch = *state;
	struct cgroup_limits limits;

	scratch_text(scratch, SCOPE "/pids.current", "30\n");
	scratch_text(scratch, SCOPE "/pids.max", "100\n");
	scratch_text(scratch, SCOPE "/init/pids.current", "1\n");
	scratch_text(scratch, SCOPE "/init/pids.max", "7\n");
	assert_int_equal(
		read_limits(scratch, "0::/system.slice/docker-" ID ".scope/init\n", &limits), 0);
	assert_int_equal(limits.facts[CGROUP_PIDS_USAGE], 30);
	assert_int_equal(limits.facts[CGROUP_PIDS_LIMIT], 100);
}

static void the_tightest_limit_up_to_the_root_counts(void **state)
{
	const struct scratch *scratch = *state;
	struct cgroup_limits limits;

	scratch_text(scratch, SCOPE "/memory.max", "max\n");
	scratch_text(scratch, SCOPE "/cpu.max", "200000 100000\n");
	scratch_text(scratch, "v2/system.slice/memory.max", "4096\n");
	scratch_text(scratch, "v2/system.slice/cpu.max", "max 100000\n");
	scratch_text(scratch, "v2/pids.max", "10\n");
	scratch_text(scratch, "pids.max", "2\n"); /* above the mount point */
	assert_int_equal(read_limits(scratch, "0::/system.slice/docker-" ID ".scope\n", &limits),
			 0);
	assert_int_equal(limits.facts[CGROUP_MEMORY_LIMIT], 4096);
	assert_int_equal(limits.facts[CGROUP_CPU_LIMIT], 2000000000);
	assert_int_equal(limits.facts[CGROUP_PIDS_LIMIT], 10);
}

static void a_controller_that_is_off_limits_nothing_and_tells_nothing(void **state)
{
	const struct scratch *scratch = *state;
	struct cgroup_limits limits;

	scratch_text(scratch, SCOPE "/cpu.stat", "usage_usec 0\n");
	assert_int_equal(read_limits(scratch, "0::/system.slice/docker-" ID ".scope\n", &limits),
			 0);
	assert_int_equal(limits.unknown, 1 << CGROUP_MEMORY_USAGE | 1 << CGROUP_PIDS_USAGE);
	assert_int_equal(limits.facts[CGROUP_CPU_LIMIT], CGROUP_NO_LIMIT);
	assert_int_equal(limits.facts[CGROUP_MEMORY_LIMIT], CGROUP_NO_LIMIT);
	assert_int_equal(limits.facts[CGROUP_PIDS_LIMIT], CGROUP_NO_LIMIT);
}

static void version_1_has_a_folder_per_controller(void **state)
{
	const struct scratch *scratch = *state;
	struct cgroup_limits limits;

	scratch_text(scratch, "cpu/docker/" ID "/cpu.cfs_quota_us", "150000\n");
	scratch_text(scratch, "cpu/docker/" ID "/cpu.cfs_period_us", "100000\n");
	scratch_text(scratch, "cpu/docker/cpu.cfs_quota_us", "-1\n");
	scratch_text(scratch, "cpuacct/docker/" ID "/cpuacct.usage", "123456789\n");
	scratch_text(scratch, "memory/docker/" ID "/memory.limit_in_bytes",
		     "9223372036854771712\n");
	scratch_text(scratch, "memory/docker/" ID "/memory.usage_in_bytes", "1000\n");
	scratch_text(scratch, "memory/docker/" ID "/memory.stat",
		     "inactive_file 1\ntotal_inactive_file 400\n");
	scratch_text(scratch, "pids/docker/" ID "/pids.max", "max\n");
	scratch_text(scratch, "pids/docker/" ID "/pids.current", "2\n");
	assert_int_equal(read_limits(scratch,
				     "4:pids:/docker/" ID "\n3:memory:/docker/" ID "\n"
				     "2:cpu,cpuacct:/docker/" ID "\n0::/\n",
				     &limits),
			 0);
	assert_int_equal(limits.unknown, 0);
	assert_int_equal(limits.facts[CGROUP_CPU_LIMIT], 1500000000);
	assert_int_equal(limits.facts[CGROUP_CPU_USAGE], 123456789);
	assert_int_equal(limits.facts[CGROUP_MEMORY_LIMIT], CGROUP_NO_LIMIT);
	assert_int_equal(limits.facts[CGROUP_MEMORY_USAGE], 600);
	assert_int_equal(limits.facts[CGROUP_PIDS_LIMIT], CGROUP_NO_LIMIT);
	assert_int_equal(limits.facts[CGROUP_PIDS_USAGE], 2);
}

static void without_a_cgroup_of_its_own_there_is_nothing_to_tell(void **state)
{
	struct cgroup_limits limits;

	assert_int_equal(read_limits(*state, "4:pids:/\n0::/user.slice\n", &limits), -ENOENT);
	assert_int_equal(read_limits(*state, "", &limits), -ENOENT);
}

static void files_that_make_no_sense_are_unknown(void **state)
{
	const struct scratch *scratch = *state;
	struct cgroup_limits limits;

	scratch_text(scratch, SCOPE "/cpu.max", "50000\n");
	scratch_text(scratch, SCOPE "/cpu.stat", "usage_user 4\n");
	scratch_text(scratch, SCOPE "/memory.max", "many\n");
	scratch_text(scratch, SCOPE "/memory.current", "99999999999999999999999\n");
	scratch_text(scratch, SCOPE "/pids.max", "");
	scratch_text(scratch, SCOPE "/pids.current", "\n");
	assert_int_equal(read_limits(scratch, "0::/system.slice/docker-" ID ".scope\n", &limits),
			 0);
	assert_int_equal(limits.unknown, (1 << CGROUP_FACTS) - 1);
}

#define TEST_IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_IN_FOLDER(version_2_is_read_from_one_folder),
		TEST_IN_FOLDER(a_process_in_a_cgroup_below_has_its_containers_limits),
		TEST_IN_FOLDER(the_tightest_limit_up_to_the_root_counts),
		TEST_IN_FOLDER(a_controller_that_is_off_limits_nothing_and_tells_nothing),
		TEST_IN_FOLDER(version_1_has_a_folder_per_controller),
		TEST_IN_FOLDER(without_a_cgroup_of_its_own_there_is_nothing_to_tell),
		TEST_IN_FOLDER(files_that_make_no_sense_are_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
