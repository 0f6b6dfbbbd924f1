/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/devices.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "launch/inside.h"
#include "launch/mount.h"

#define DEVICES_DEPTH 8 /* of directories in /dev; udev needs four */

static const char *const devices_names[] = {
	"dev/null", "dev/zero", "dev/full", "dev/random", "dev/urandom", "dev/tty",
};

static const struct devices_link {
	const char *path;
	const char *target;
} devices_links[] = {
	{"dev/fd", "/proc/self/fd"},       {"dev/stdin", "/proc/self/fd/0"},
	{"dev/stdout", "/proc/self/fd/1"}, {"dev/stderr", "/proc/self/fd/2"},
	{"dev/ptmx", "pts/ptmx"},
};

/* Where the kernel has that (CONFIG_PROC_KCORE): masked, unless the container is privileged. */
static const struct devices_link devices_core = {"dev/core", "/proc/kcore"};

/* What docker leaves out of a privileged container's /dev: they have mounts of their own there,
 * or belong to the host's own terminal. */
static const char *const devices_skipped[] = {
	"pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev", "console", "ptmx",
};

static int devices_bind(int host_fd, int root_fd, const char *path)
{
	autoclose int tree = mount_copy(host_fd, path);
	int r;

	if (tree < 0)
		return log_fail(tree, "copy the mount of the host's /%s for the container", path);
	r = inside_make_file(root_fd, path);
	if (!r)
		r = mount_place(tree, root_fd, path);
	return r ? log_fail(r, "show the host's /%s in the container", path) : 0;
}

static bool devices_is_skipped(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices_skipped); i++) {
		if (!strcmp(name, devices_skipped[i]))
			return true;
	}
	return !strcmp(name, ".") || !strcmp(name, "..");
}

static int devices_add_tree(int host_fd, int root_fd, const char *path, int depth);

/* A node that vanishes meanwhile is none to show. */
static int devices_add_entry(int host_fd, int root_fd, const char *path, int depth)
{
	struct stat status;

	if (fstatat(host_fd, path, &status, AT_SYMLINK_NOFOLLOW))
		return 0;
	if (S_ISDIR(status.st_mode))
		return devices_add_tree(host_fd, root_fd, path, depth - 1);
	if (!S_ISCHR(status.st_mode) && !S_ISBLK(status.st_mode))
		return 0;
	if (mknodat(root_fd, path, status.st_mode, status.st_rdev)) {
		if (errno == EEXIST)
			return 0;
		if (errno == EPERM) /* a user namespace makes no nodes */
			return devices_bind(host_fd, root_fd, path);
		return log_fail(-errno, "make the container's /%s", path);
	}
	if (fchownat(root_fd, path, status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW))
		return log_fail(-errno, "give the container's /%s to its owner", path);
	return 0;
}

static int devices_add_tree(int host_fd, int root_fd, const char *path, int depth)
{
	int fd = openat(host_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int r = 0;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (!r && depth > 0 && (entry = readdir(dir))) {
		autofree char *name = NULL;

		if (devices_is_skipped(entry->d_name))
			continue;
		if (mkdirat(root_fd, path, 0755) && errno != EEXIST) {
			r = log_fail(-errno, "make the container's /%s", path);
			break;
		}
		name = mem_printf("%s/%s", path, entry->d_name);
		r = devices_add_entry(host_fd, root_fd, name, depth);
	}
	closedir(dir);
	return r;
}

static int devices_add_few(int host_fd, int root_fd, enum devices_kind kind)
{
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(devices_names); i++)
		r = kind == DEVICES_MADE ? devices_add_entry(host_fd, root_fd, devices_names[i], 1)
					 : devices_bind(host_fd, root_fd, devices_names[i]);
	return r;
}

static int devices_add_link(int root_fd, const struct devices_link *link)
{
	if (symlinkat(link->target, root_fd, link->path) && errno != EEXIST)
		return log_fail(-errno, "make the link /%s in the container", link->path);
	return 0;
}

int devices_add(int host_fd, int root_fd, enum devices_kind kind)
{
	int r = kind == DEVICES_ALL ? devices_add_tree(host_fd, root_fd, "dev", DEVICES_DEPTH)
				    : devices_add_few(host_fd, root_fd, kind);

	for (size_t i = 0; !r && i < ARRAY_SIZE(devices_links); i++)
		r = devices_add_link(root_fd, &devices_links[i]);
	if (!r && !faccessat(host_fd, devices_core.target + 1, F_OK, AT_SYMLINK_NOFOLLOW))
		r = devices_add_link(root_fd, &devices_core);
	return r;
}
