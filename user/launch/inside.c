/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/mem.h"

int inside_open(int root_fd, const char *path, uint64_t flags)
{
	struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	int fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

int inside_check_plain(int root_fd, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS,
	};
	autoclose int fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
	struct stat status;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	/* With O_PATH and O_NOFOLLOW a last component that is a link is opened itself. */
	if (fstat(fd, &status))
		return -errno;
	return S_ISLNK(status.st_mode) ? -ELOOP : 0;
}

/* Opens the directory at path, making what is missing; each step is resolved from the root
 * again, because a component may be a symbolic link to an absolute path. */
static int inside_make_dirs(int root_fd, const char *path, mode_t mode)
{
	autofree char *prefix = mem_copy(path);
	autoclose int fd = inside_open(root_fd, ".", O_PATH | O_DIRECTORY);
	char *name = prefix;

	while (fd >= 0 && *name) {
		char *slash = strchrnul(name, '/');
		bool is_last = !*slash;
		int next;

		*slash = '\0';
		if (*name && mkdirat(fd, name, is_last ? mode : 0755) && errno != EEXIST)
			return -errno;
		next = inside_open(root_fd, *prefix ? prefix : ".", O_PATH | O_DIRECTORY);
		if (next < 0)
			return next;
		close(fd);
		fd = next;
		if (is_last)
			break;
		*slash = '/';
		name = slash + 1;
	}
	return steal_fd(&fd);
}

int inside_make_dir(int root_fd, const char *path, mode_t mode)
{
	autoclose int fd = inside_make_dirs(root_fd, path, mode);

	return fd < 0 ? fd : 0;
}

int inside_make_file(int root_fd, const char *path)
{
	autofree char *copy = mem_copy(path);
	char *slash = strrchr(copy, '/');
	const char *name = slash ? slash + 1 : copy;
	autoclose int parent = -1, fd = -1;

	if (slash)
		*slash = '\0';
	parent = inside_make_dirs(root_fd, slash ? copy : "", 0755);
	if (parent < 0)
		return parent;
	fd = openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0644);
	return fd < 0 && errno != EEXIST ? -errno : 0;
}
