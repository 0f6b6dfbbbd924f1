/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "host/mountinfo.h"

static void each_field_comes_out_and_octal_is_undone(void **state)
{
	autofree char *text =
		mem_copy("36 35 98:0 /a\\040b /mnt\\0112\\134 rw,noatime master:1 shared:2 - ext3 "
			 "/dev/root rw,errors=continue\n"
			 "37 36 0:5 / /proc rw - proc  rw\n");
	char *rest = text;
	struct mount mount;
	(void)state;

	assert_true(mountinfo_next(&rest, &mount));
	assert_int_equal(mount.major, 98);
	assert_int_equal(mount.minor, 0);
	assert_string_equal(mount.root, "/a b");
	assert_string_equal(mount.point, "/mnt\t2\\");
	assert_string_equal(mount.options, "rw,noatime");
	assert_string_equal(mount.type, "ext3");
	assert_string_equal(mount.super_options, "rw,errors=continue");
	assert_true(mountinfo_next(&rest, &mount)); /* its source is the empty string */
	assert_string_equal(mount.point, "/proc");
	assert_string_equal(mount.super_options, "rw");
	assert_false(mountinfo_next(&rest, &mount));
	assert_false(mountinfo_next(&rest, &mount));
}

static void lines_that_make_no_sense_are_skipped(void **state)
{
	autofree char *text = mem_copy("\n"
				       "36 35 98:0 / /mnt rw\n"
				       "36 35 98:0 / /mnt rw -\n"
				       " - \n"
				       "36 35 98 / /mnt rw - ext3 x rw\n"
				       "36 35 98:0 - ext3 x rw\n"
				       "36 35 98:0 / /mnt rw - ext3\n"
				       "36 35 98:0 / /mnt rw - ext3 x\n"
				       "1 2 3:4 / /here rw - tmpfs none rw");
	char *rest = text;
	struct mount mount;
	(void)state;

	assert_true(mountinfo_next(&rest, &mount));
	assert_string_equal(mount.point, "/here");
	assert_false(mountinfo_next(&rest, &mount));
}

static void below_ends_at_a_slash(void **state)
{
	(void)state;
	assert_true(mountinfo_is_below("/a/b", "/a"));
	assert_true(mountinfo_is_below("/a", "/a"));
	assert_true(mountinfo_is_below("/a", "/"));
	assert_false(mountinfo_is_below("/ab", "/a"));
	assert_false(mountinfo_is_below("/", "/a"));
}

static char *locate(const char *mounts, unsigned int minor, const char *path)
{
	autofree char *text = mem_copy(mounts);

	return mountinfo_locate(text, 254, minor, path);
}

static void a_file_is_found_wherever_its_file_system_is_mounted(void **state)
{
	static const char mounts[] = "1 0 254:0 / / rw - ext4 /dev/vda rw\n"
				     "2 1 254:1 / /var/lib/docker rw - ext4 /dev/vdb rw\n"
				     "3 1 254:2 /sub /mnt rw - ext4 /dev/vdc rw\n";
	char *found;
	(void)state;

	found = locate(mounts, 0, "/srv/containers");
	assert_string_equal(found, "/srv/containers");
	free(found);
	found = locate(mounts, 1, "/containers");
	assert_string_equal(found, "/var/lib/docker/containers");
	free(found);
	found = locate(mounts, 2, "/sub/containers");
	assert_string_equal(found, "/mnt/containers");
	free(found);
	assert_null(locate(mounts, 2, "/other/containers"));
	assert_null(locate(mounts, 2, "/subcontainers"));
	assert_null(locate(mounts, 3, "/containers"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_field_comes_out_and_octal_is_undone),
		cmocka_unit_test(lines_that_make_no_sense_are_skipped),
		cmocka_unit_test(below_ends_at_a_slash),
		cmocka_unit_test(a_file_is_found_wherever_its_file_system_is_mounted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
