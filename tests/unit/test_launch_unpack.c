/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "launch/bundle.h"
#include "launch/libarchive.h"
#include "launch/unpack.h"
#include "listen.h"

#define TAR_BYTES 65536

struct file {
	const char *name;
	unsigned int type;
	const char *target; /* of a symbolic link */
	const char *hard;   /* of a hard link */
};

static size_t make_tar(char *tar, const struct file *files, size_t count)
{
	struct archive *archive = archive_write_new();
	size_t used = 0;

	archive_write_set_format_pax_restricted(archive);
	assert_int_equal(archive_write_open_memory(archive, tar, TAR_BYTES, &used), ARCHIVE_OK);
	for (size_t i = 0; i < count; i++) {
		struct archive_entry *entry = archive_entry_new();

		archive_entry_set_pathname(entry, files[i].name);
		archive_entry_set_filetype(entry, files[i].type ? files[i].type : AE_IFREG);
		archive_entry_set_perm(entry, 0755);
		if (files[i].target)
			archive_entry_set_symlink(entry, files[i].target);
		if (files[i].hard)
			archive_entry_set_hardlink(entry, files[i].hard);
		assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
		archive_entry_free(entry);
	}
	archive_write_close(archive);
	archive_write_free(archive);
	return used;
}

/* Into root_fd; the layer's whiteouts first, as for any layer but the lowest. */
static int unpack_to(int root_fd, const struct file *files, size_t count)
{
	static char tar[TAR_BYTES];
	size_t size = make_tar(tar, files, count);
	int (*const passes[])(const struct unpack *) = {unpack_whiteouts, unpack_files};
	int r = 0;

	assert_null(libarchive_load());
	for (size_t i = 0; !r && i < ARRAY_SIZE(passes); i++) {
		struct unpack unpack = {
			.root_fd = root_fd, .archive = archive_read_new(), .name = "a layer"};

		archive_read_support_format_tar(unpack.archive);
		assert_int_equal(archive_read_open_memory(unpack.archive, tar, size), ARCHIVE_OK);
		r = passes[i](&unpack);
		archive_read_free(unpack.archive);
	}
	return r;
}

/* rmdir at the end is the proof that nothing is in it. */
static void test_what_leads_out_is_refused_and_makes_nothing(void **state)
{
	static const struct file rows[] = {
		{.name = "/absolute"},
		{.name = "../up"},
		{.name = "a/../../up"},
		{.name = ".."},
		{.name = "/", .type = AE_IFDIR},
		{.name = "node", .type = AE_IFBLK},
		{.name = "node", .type = AE_IFCHR},
		{.name = "hard", .hard = "/etc/passwd"},
		{.name = "hard", .hard = "../../etc/passwd"},
		{.name = "hard", .hard = "missing"},
		{.name = ".wh."},
		{.name = ".wh.."},
		{.name = ".wh..."},
		{.name = ".", .type = AE_IFREG},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char path[] = "/tmp/nsview-unpack-XXXXXX";
		autoclose int fd = -1;

		assert_non_null(mkdtemp(path));
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		said[0] = '\0';
		assert_int_equal(unpack_to(fd, &rows[i], 1), -EINVAL);
		assert_true(strstr(said, "cannot unpack a layer: its entry "));
		assert_int_equal(rmdir(path), 0);
	}
}

static void test_a_link_leads_to_the_same_name_inside(void **state)
{
	static const struct file files[] = {
		{.name = "tmp", .type = AE_IFDIR},
		{.name = "link", .type = AE_IFLNK, .target = "/tmp"},
		{.name = "up", .type = AE_IFLNK, .target = "../../../../../tmp"},
		{.name = "link/one"},
		{.name = "up/two"},
	};
	static const char *const names[] = {"tmp/one", "tmp/two", "link", "up"};
	char path[] = "/tmp/nsview-unpack-XXXXXX";
	autoclose int fd = -1;

	(void)state;
	assert_non_null(mkdtemp(path));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(unpack_to(fd, files, ARRAY_SIZE(files)), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(unlinkat(fd, names[i], 0), 0);
	assert_int_equal(unlinkat(fd, "tmp", AT_REMOVEDIR), 0);
	assert_int_equal(rmdir(path), 0);
}

static void test_whiteouts_remove_and_leave_no_trace(void **state)
{
	static const struct file first[] = {
		{.name = "d", .type = AE_IFDIR},
		{.name = "d/x"},
		{.name = "d/y", .type = AE_IFDIR},
		{.name = "d/y/z"},
		{.name = "e/deep"},
		{.name = "f"},
	};
	static const struct file second[] = {
		{.name = "d/new"}, {.name = "d/.wh..wh..opq"}, {.name = ".wh.e"}, {.name = ".wh.f"},
		{.name = "f"},     {.name = ".wh..wh.plnk"},
	};
	char path[] = "/tmp/nsview-unpack-XXXXXX";
	autoclose int fd = -1;

	(void)state;
	assert_non_null(mkdtemp(path));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(unpack_to(fd, first, ARRAY_SIZE(first)), 0);
	assert_int_equal(unpack_to(fd, second, ARRAY_SIZE(second)), 0);
	assert_int_equal(unlinkat(fd, "d/new", 0), 0);
	assert_int_equal(unlinkat(fd, "f", 0), 0);
	assert_int_equal(unlinkat(fd, "d", AT_REMOVEDIR), 0);
	assert_int_equal(rmdir(path), 0);
}

static void test_names_of_members_are_cleaned(void **state)
{
	static const struct {
		const char *name;
		const char *clean; /* NULL: refused */
	} rows[] = {
		{"a/b", "a/b"},      {"./a//b/", "a/b"}, {"a/../b", "b"}, {"a/b/../../c", "c"},
		{"a/b/..", "a"},     {".", ""},          {"", ""},        {"..", NULL},
		{"a/../../b", NULL}, {"/a", NULL},       {"...", "..."},  {"a/..b", "a/..b"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		autofree char *name = mem_copy(rows[i].name);
		int r = bundle_clean_name(name);

		assert_int_equal(r, rows[i].clean ? 0 : -EINVAL);
		if (!r)
			assert_string_equal(name, rows[i].clean);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_leads_out_is_refused_and_makes_nothing),
		cmocka_unit_test(test_a_link_leads_to_the_same_name_inside),
		cmocka_unit_test(test_whiteouts_remove_and_leave_no_trace),
		cmocka_unit_test(test_names_of_members_are_cleaned),
	};

	return cmocka_run_group_tests_name("unpack", tests, start_listening, stop_listening);
}
