/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launch/user.h"
#include "listen.h"

/* A root of its own for each test: etc/passwd and etc/group in a temporary directory. */
static char root[64];
static int root_fd;

static void put(const char *path, const char *content)
{
	int fd = openat(root_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
	close(fd);
}

static int make_root(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "/tmp/nsview-user-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0 || mkdirat(root_fd, "etc", 0755))
		return -1;
	put("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"
			  "this line means nothing\n"
			  "web:x:33:34:web:/srv/web:/bin/sh\n"
			  "bare:x:40:41::\n"
			  "lp:x:7:7::/:/bin/sh\n"
			  "web2:x:33:99:the second of uid 33:/other:/bin/sh\n");
	put("etc/group", "root:x:0:\n"
			 "web:x:34:\n"
			 "audio:x:29:web,bare\n"
			 "video:x:44:nobody,web\n"
			 "own:x:34:web\n");
	return start_listening(state);
}

static int remove_root(void **state)
{
	static const char *const files[] = {"etc/passwd", "etc/group", "elsewhere"};

	(void)state;
	stop_listening(state);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlinkat(root_fd, files[i], 0);
	unlinkat(root_fd, "etc", AT_REMOVEDIR);
	close(root_fd);
	return rmdir(root);
}

static void assert_user(const char *words, uid_t uid, const char *home, size_t count,
			const gid_t *groups)
{
	struct user user = {0};

	assert_int_equal(user_resolve(root_fd, words, &user), 0);
	assert_int_equal(user.uid, uid);
	assert_int_equal(user.gid, groups[0]);
	assert_string_equal(user.home, home);
	assert_int_equal(user.groups_count, count);
	assert_memory_equal(user.groups, groups, count * sizeof(*groups));
	user_free(&user);
}

#define ASSERT_USER(words, uid, home, ...)                                            \
	assert_user(words, uid, home, sizeof((gid_t[]){__VA_ARGS__}) / sizeof(gid_t), \
		    (gid_t[]){__VA_ARGS__})

static void assert_refused(const char *words, int error, const char *sentence)
{
	struct user user = {0};

	said[0] = '\0';
	assert_int_equal(user_resolve(root_fd, words, &user), error);
	if (!strstr(said, sentence))
		fail_msg("'%s' says '%s', not '%s'", words, said, sentence);
	user_free(&user);
}

static void nothing_said_is_root(void **state)
{
	(void)state;
	ASSERT_USER(NULL, 0, "/root", 0);
	ASSERT_USER("root", 0, "/root", 0);
	ASSERT_USER("0", 0, "/root", 0);
}

static void a_known_user_brings_its_groups(void **state)
{
	(void)state;
	ASSERT_USER("web", 33, "/srv/web", 34, 29, 44);
	ASSERT_USER("33", 33, "/srv/web", 34, 29, 44);
}

static void a_number_without_entry_has_group_0(void **state)
{
	(void)state;
	ASSERT_USER("1000", 1000, "/", 0);
	ASSERT_USER("2147483647", 2147483647, "/", 0);
}

static void a_given_group_is_the_only_one(void **state)
{
	(void)state;
	ASSERT_USER("web:audio", 33, "/srv/web", 29);
	ASSERT_USER("33:44", 33, "/srv/web", 44);
	ASSERT_USER("1000:2000", 1000, "/", 2000);
	ASSERT_USER("1000:video", 1000, "/", 44);
}

static void an_entry_without_home_has_the_root(void **state)
{
	(void)state;
	ASSERT_USER("bare", 40, "/", 41, 29);
}

static void unknown_names_are_said_with_the_nearest(void **state)
{
	(void)state;
	assert_refused("weg", -ENOENT, "user weg");
	assert_refused("weg", -ENOENT, "did you mean web?");
	assert_refused("-1", -ENOENT, "a number needs no entry");
	assert_refused("web:audioo", -ENOENT, "did you mean audio?");
	assert_refused("1000:nosuchgroup", -ENOENT, "group nosuchgroup");
	assert_refused("12x", -ENOENT, "user 12x");
	assert_refused("-1", -ENOENT, "user -1");
}

static void malformed_words_are_refused(void **state)
{
	(void)state;
	assert_refused(":", -EINVAL, "UID[:GID]");
	assert_refused("web:", -EINVAL, "UID[:GID]");
	assert_refused(":audio", -EINVAL, "UID[:GID]");
	assert_refused("2147483648", -EINVAL, "2147483647");
	assert_refused("0:4294967296", -EINVAL, "group 4294967296");
	assert_refused("99999999999999999999999", -EINVAL, "2147483647");
}

static void without_the_files_numbers_still_work(void **state)
{
	(void)state;
	unlinkat(root_fd, "etc/passwd", 0);
	unlinkat(root_fd, "etc/group", 0);
	ASSERT_USER("7:8", 7, "/", 8);
	ASSERT_USER(NULL, 0, "/", 0);
	assert_refused("web", -ENOENT, "user web");
}

static void a_link_cannot_lead_out_of_the_root(void **state)
{
	(void)state;
	unlinkat(root_fd, "etc/passwd", 0);
	assert_int_equal(symlinkat("/elsewhere", root_fd, "etc/passwd"), 0);
	put("elsewhere", "inner:x:77:78::/in:/bin/sh\n");
	ASSERT_USER("inner", 77, "/in", 78);
	unlinkat(root_fd, "etc/passwd", 0);
	assert_int_equal(symlinkat("../../../../../../etc/passwd", root_fd, "etc/passwd"), 0);
	assert_refused("root", -ENOENT, "user root");
}

static void a_pipe_for_a_passwd_does_not_hang(void **state)
{
	(void)state;
	unlinkat(root_fd, "etc/passwd", 0);
	assert_int_equal(mkfifoat(root_fd, "etc/passwd", 0644), 0);
	assert_refused("web", -ENOENT, "user web");
}

#define CLAIM(function) cmocka_unit_test_setup_teardown(function, make_root, remove_root)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CLAIM(nothing_said_is_root),
		CLAIM(a_known_user_brings_its_groups),
		CLAIM(a_number_without_entry_has_group_0),
		CLAIM(a_given_group_is_the_only_one),
		CLAIM(an_entry_without_home_has_the_root),
		CLAIM(unknown_names_are_said_with_the_nearest),
		CLAIM(malformed_words_are_refused),
		CLAIM(without_the_files_numbers_still_work),
		CLAIM(a_link_cannot_lead_out_of_the_root),
		CLAIM(a_pipe_for_a_passwd_does_not_hang),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
