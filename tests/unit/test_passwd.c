/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "host/passwd.h"
#include "host/procfs.h"

#define MIB (1u << 20)

/* A process whose root is a directory with an etc of the test's making. */
struct container {
	char root[64];
	pid_t pid;
	uint32_t mnt_ns;
	int proc_fd;
	struct passwd_cache *cache;
};

static void container_path(const struct container *container, const char *file, char *path)
{
	snprintf(path, 128, "%s/%s", container->root, file);
}

static int container_setup(void **state)
{
	struct container *container = mem_new(sizeof(*container));
	char path[128];

	strcpy(container->root, "/tmp/nsview-passwd-XXXXXX");
	if (!mkdtemp(container->root) || chmod(container->root, 0755))
		return -1;
	container_path(container, "etc", path);
	if (mkdir(path, 0755))
		return -1;
	container->proc_fd = procfs_open("/proc");
	container->cache = passwd_new(NULL);
	*state = container;
	return container->proc_fd < 0;
}

static int container_teardown(void **state)
{
	struct container *container = *state;
	/* By name, and nothing else: this runs as root. */
	static const char *const files[] = {"etc/passwd", "etc/other"};
	char path[128];

	passwd_free(container->cache);
	close(container->proc_fd);
	if (container->pid) {
		kill(container->pid, SIGKILL);
		waitpid(container->pid, NULL, 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		container_path(container, files[i], path);
		if (unlink(path))
			rmdir(path);
	}
	container_path(container, "etc", path);
	if (rmdir(path) || rmdir(container->root))
		return -1;
	free(container);
	return 0;
}

static void container_write(const struct container *container, const char *data, size_t length)
{
	char path[128];
	int fd;

	container_path(container, "etc/passwd", path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, length), length);
	close(fd);
}

/* setup runs in the container's mount namespace before its root is changed. */
static void container_start(struct container *container,
			    void (*setup)(const struct container *container))
{
	int ready[2];
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	container->pid = fork();
	if (container->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNS | (geteuid() ? CLONE_NEWUSER : 0)) ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
			_exit(1);
		if (setup)
			setup(container);
		if (chroot(container->root) || chdir("/"))
			_exit(1);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	assert_int_equal(procfs_namespace(container->proc_fd, (uint32_t)container->pid, "mnt",
					  &container->mnt_ns),
			 0);
}

static const char *container_name(struct container *container, uint32_t uid)
{
	return passwd_container_name(container->cache, container->proc_fd, (uint32_t)container->pid,
				     container->mnt_ns, uid);
}

#define container_write_text(container, text) container_write(container, text, sizeof(text) - 1)

static void names_come_from_the_containers_own_file(void **state)
{
	struct container *container = *state;

	container_write_text(container, "toor:x:0:0::/:/bin/sh\nwww-data:x:33:33::/:\n");
	container_start(container, NULL);
	assert_string_equal(container_name(container, 0), "toor");
	assert_string_equal(container_name(container, 33), "www-data");
	assert_null(container_name(container, 34));
}

static void hostile_lines_name_nobody(void **state)
{
	static const char lines[] = "nul\0name:x:1:1::/:\n"
				    ":x:2:2::/:\n"
				    "no-uid:x::3::/:\n"
				    "letters:x:4a:4::/:\n"
				    "big:x:4294967296:0::/:\n"
				    "negative:x:-5:0::/:\n"
				    "+nis:x:6:6::/:\n"
				    "123456789012345678901234567890123:x:7:7::/:\n"
				    "short:x:8\n"
				    "\n\n:::\n"
				    "first:x:9:9::/:\nsecond:x:9:9::/:\n"
				    "\x1b[2Jbad\xff:x:10:10::/:\n"
				    "12345678901234567890123456789012:x:4294967294:7::/:\n"
				    "last:x:11:";
	struct container *container = *state;

	container_write(container, lines, sizeof(lines) - 1);
	container_start(container, NULL);
	for (uint32_t uid = 0; uid <= 8; uid++)
		assert_null(container_name(container, uid));
	assert_string_equal(container_name(container, 9), "first");
	assert_string_equal(container_name(container, 10), "\x1b[2Jbad\xff");
	assert_string_equal(container_name(container, 4294967294),
			    "12345678901234567890123456789012");
	assert_string_equal(container_name(container, 11), "last");
}

static void no_file_names_nobody(void **state)
{
	struct container *container = *state;

	container_start(container, NULL);
	assert_null(container_name(container, 0));
}

static void an_empty_file_names_nobody(void **state)
{
	struct container *container = *state;

	container_write(container, "", 0);
	container_start(container, NULL);
	assert_null(container_name(container, 0));
}

/* A writer waits in open until somebody opens the other end. */
static void a_fifo_is_not_opened(void **state)
{
	struct container *container = *state;
	char path[128];
	pid_t writer;

	container_path(container, "etc/passwd", path);
	assert_int_equal(mkfifo(path, 0644), 0);
	writer = fork();
	if (writer == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(open(path, O_WRONLY | O_CLOEXEC) < 0);
	}
	container_start(container, NULL);
	assert_null(container_name(container, 0));
	usleep(50000);
	assert_int_equal(waitpid(writer, NULL, WNOHANG), 0);
	kill(writer, SIGKILL);
	waitpid(writer, NULL, 0);
}

static void a_directory_names_nobody(void **state)
{
	struct container *container = *state;
	char path[128];

	container_path(container, "etc/passwd", path);
	assert_int_equal(mkdir(path, 0755), 0);
	container_start(container, NULL);
	assert_null(container_name(container, 0));
}

static void symbolic_links_stay_inside(void **state)
{
	struct container *container = *state;
	char path[128];

	container_path(container, "etc/passwd", path);
	assert_int_equal(symlink("/../../../../../../etc/passwd-", path), 0);
	container_start(container, NULL);
	assert_null(container_name(container, 0));
}

static void absolute_links_start_at_the_containers_root(void **state)
{
	struct container *container = *state;
	char link[128];
	char file[128];

	container_write_text(container, "inner:x:0:0::/:\n");
	container_path(container, "etc/passwd", link);
	container_path(container, "etc/other", file);
	assert_int_equal(rename(link, file), 0);
	assert_int_equal(symlink("/etc/other", link), 0);
	container_start(container, NULL);
	assert_string_equal(container_name(container, 0), "inner");
}

static void a_file_of_a_mebibyte_is_read_a_longer_one_is_not(void **state)
{
	static const char line[] = "inner:x:7:7::/:\n";
	struct container *container = *state;
	autofree char *data = mem_new(MIB + 1);

	memset(data, '\n', MIB + 1);
	memcpy(data + MIB - sizeof(line) + 1, line, sizeof(line) - 1);
	container_write(container, data, MIB);
	container_start(container, NULL);
	assert_string_equal(container_name(container, 7), "inner");
	container_write(container, data, MIB + 1);
	passwd_free(container->cache);
	container->cache = passwd_new(NULL);
	assert_null(container_name(container, 7));
}

static void a_file_is_read_once(void **state)
{
	struct container *container = *state;

	container_write_text(container, "before:x:0:0::/:\n");
	container_start(container, NULL);
	assert_string_equal(container_name(container, 0), "before");
	container_write_text(container, "later:x:0:0::/:\n");
	assert_string_equal(container_name(container, 0), "before");
	passwd_forget(container->cache, container->mnt_ns + 1);
	assert_string_equal(container_name(container, 0), "before");
}

static void a_file_that_is_forgotten_is_read_again(void **state)
{
	struct container *container = *state;

	container_write_text(container, "before:x:0:0::/:\n");
	container_start(container, NULL);
	assert_string_equal(container_name(container, 0), "before");
	container_write_text(container, "later:x:0:0::/:\n");
	passwd_forget(container->cache, container->mnt_ns);
	assert_string_equal(container_name(container, 0), "later");
}

static void a_pid_of_another_mount_namespace_names_nobody(void **state)
{
	struct container *container = *state;

	container_write_text(container, "inner:x:0:0::/:\n");
	container_start(container, NULL);
	assert_null(passwd_container_name(container->cache, container->proc_fd,
					  (uint32_t)container->pid, container->mnt_ns + 1, 0));
	assert_string_equal(container_name(container, 0), "inner");
}

static void many_users_are_all_found(void **state)
{
	struct container *container = *state;
	autofree char *data = mem_new(MIB);
	size_t length = 0;
	char name[16];

	for (uint32_t uid = 20000; uid > 0; uid--)
		length +=
			(size_t)snprintf(data + length, MIB - length, "u%u:x:%u:1::/:\n", uid, uid);
	container_write(container, data, length);
	container_start(container, NULL);
	for (uint32_t uid = 1; uid <= 20000; uid += 37) {
		snprintf(name, sizeof(name), "u%u", uid);
		assert_string_equal(container_name(container, uid), name);
	}
	assert_null(container_name(container, 20001));
}

/* ---- a file system that never answers ---- */

static int fuse_fd;

static void fuse_mount(const struct container *container)
{
	char path[128];
	char options[64];

	container_path(container, "etc", path);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fuse_fd);
	if (mount("nsview-test", path, "fuse", MS_NOSUID | MS_NODEV, options))
		_exit(1);
}

/* Says hello, then takes every request and answers none: from then on not even SIGKILL helps. */
static void fuse_serve(void)
{
	static char request[256 * 1024];
	struct {
		struct fuse_out_header header;
		struct fuse_init_out init;
	} hello = {.header = {.len = sizeof(hello)},
		   .init = {.major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 4096}};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(fuse_fd, request, sizeof(request)) > 0) {
		const struct fuse_in_header *header = (const void *)request;

		if (header->opcode != FUSE_INIT)
			continue;
		hello.header.unique = header->unique;
		if (write(fuse_fd, &hello, sizeof(hello)) < 0)
			_exit(1);
	}
	_exit(0);
}

static void a_file_system_that_never_answers_costs_a_second(void **state)
{
	struct container *container = *state;
	struct timespec before, after;
	pid_t server;

	if (geteuid() || access("/dev/fuse", F_OK))
		skip();
	fuse_fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	assert_true(fuse_fd >= 0);
	container_start(container, fuse_mount);
	server = fork();
	if (server == 0)
		fuse_serve();
	close(fuse_fd);
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_null(container_name(container, 0));
	assert_null(container_name(container, 0));
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_in_range(after.tv_sec - before.tv_sec, 0, 10);
	passwd_free(container->cache);
	container->cache = passwd_new(NULL);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
}

static void host_names_are_the_c_librarys(void **state)
{
	struct passwd_cache *cache = passwd_new(NULL);
	uint32_t uid = 1;

	(void)state;
	assert_string_equal(passwd_host_name(cache, 0), "root");
	assert_string_equal(passwd_host_name(cache, 0), "root");
	assert_null(passwd_host_name(cache, 4123456789));
	assert_int_equal(passwd_host_uid(cache, "root", &uid), 0);
	assert_int_equal(uid, 0);
	assert_int_equal(passwd_host_uid(cache, "4123456789", &uid), 0);
	assert_int_equal(uid, 4123456789);
	assert_int_equal(passwd_host_uid(cache, "no-such-user", &uid), -2);
	assert_int_equal(passwd_host_uid(cache, "4294967296", &uid), -2);
	assert_int_equal(passwd_host_uid(cache, "", &uid), -2);
	passwd_free(cache);
}

static void another_hosts_names_come_from_its_own_file(void **state)
{
	struct container *container = *state;
	struct passwd_cache *cache;
	uint32_t uid = 1;

	container_write_text(container, "chief:x:0:0::/:\nworker:x:1000:1000::/:\n");
	cache = passwd_new(container->root);
	assert_string_equal(passwd_host_name(cache, 0), "chief");
	assert_null(passwd_host_name(cache, 1));
	assert_int_equal(passwd_host_uid(cache, "worker", &uid), 0);
	assert_int_equal(uid, 1000);
	assert_int_equal(passwd_host_uid(cache, "77", &uid), 0);
	assert_int_equal(uid, 77);
	assert_int_equal(passwd_host_uid(cache, "root", &uid), -2);
	passwd_free(cache);
}

#define container_test(function) \
	cmocka_unit_test_setup_teardown(function, container_setup, container_teardown)

/* In a mount namespace that ends with it, where the container's file is the host's. */
static bool follows_the_hosts_file(struct container *container)
{
	const uint32_t uid = 4000077;
	const char *name;
	char path[128];

	container_path(container, "etc/passwd", path);
	if (unshare(CLONE_NEWNS | (geteuid() ? CLONE_NEWUSER : 0)) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(path, "/etc/passwd", NULL, MS_BIND, NULL))
		return false;
	passwd_refresh(container->cache);
	name = passwd_host_name(container->cache, uid);
	if (!name || strcmp(name, "first") || passwd_changes(container->cache))
		return false;
	container_write_text(container, "renamed:x:4000077:0::/:\n");
	name = passwd_host_name(container->cache, uid);
	if (!name || strcmp(name, "first"))
		return false;
	passwd_refresh(container->cache);
	name = passwd_host_name(container->cache, uid);
	return name && !strcmp(name, "renamed") && passwd_changes(container->cache) == 1;
}

static void a_user_of_the_host_that_is_renamed_has_its_new_name(void **state)
{
	struct container *container = *state;
	int status = -1;
	pid_t pid;

	container_write_text(container, "first:x:4000077:0::/:\n");
	pid = fork();
	if (!pid)
		_exit(!follows_the_hosts_file(container));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void what_was_learned_anew_is_a_change(void **state)
{
	struct passwd_cache *cache = passwd_new_learning();

	(void)state;
	passwd_learn(cache, 0, 0, 7, "one", 3);
	assert_int_equal(passwd_changes(cache), 0);
	assert_string_equal(passwd_host_name(cache, 7), "one");
	passwd_learn(cache, 0, 0, 7, "other", 5);
	assert_int_equal(passwd_changes(cache), 1);
	assert_string_equal(passwd_host_name(cache, 7), "other");
	assert_null(passwd_host_name(cache, 8));
	passwd_learn(cache, 0, 0, 8, "eight", 5);
	assert_string_equal(passwd_host_name(cache, 8), "eight");
	passwd_free(cache);
}

static void count_telling(void *context, uint32_t mnt_ns, uint32_t pid, uint32_t uid,
			  const char *name)
{
	(void)mnt_ns, (void)pid;
	if (!uid && !strcmp(name, "root"))
		++*(int *)context;
}

static void a_listener_is_told_once_of_names_that_were_given_out_before(void **state)
{
	struct passwd_cache *cache = passwd_new(NULL);
	int told = 0;

	(void)state;
	assert_string_equal(passwd_host_name(cache, 0), "root");
	passwd_listen(cache, count_telling, &told);
	assert_string_equal(passwd_host_name(cache, 0), "root");
	assert_string_equal(passwd_host_name(cache, 0), "root");
	assert_int_equal(told, 1);
	passwd_free(cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		container_test(names_come_from_the_containers_own_file),
		container_test(hostile_lines_name_nobody),
		container_test(no_file_names_nobody),
		container_test(an_empty_file_names_nobody),
		container_test(a_fifo_is_not_opened),
		container_test(a_directory_names_nobody),
		container_test(symbolic_links_stay_inside),
		container_test(absolute_links_start_at_the_containers_root),
		container_test(a_file_of_a_mebibyte_is_read_a_longer_one_is_not),
		container_test(a_file_is_read_once),
		container_test(a_file_that_is_forgotten_is_read_again),
		container_test(a_pid_of_another_mount_namespace_names_nobody),
		container_test(many_users_are_all_found),
		container_test(a_file_system_that_never_answers_costs_a_second),
		container_test(another_hosts_names_come_from_its_own_file),
		container_test(a_user_of_the_host_that_is_renamed_has_its_new_name),
		cmocka_unit_test(what_was_learned_anew_is_a_change),
		cmocka_unit_test(a_listener_is_told_once_of_names_that_were_given_out_before),
		cmocka_unit_test(host_names_are_the_c_librarys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
