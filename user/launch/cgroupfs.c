/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/cgroupfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "launch/inside.h"
#include "launch/mount.h"

#define CGROUPFS_PATH "sys/fs/cgroup"
#define CGROUPFS_ATTRIBUTES (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

static unsigned int cgroupfs_attributes(const struct cgroupfs *cgroupfs)
{
	return CGROUPFS_ATTRIBUTES | (cgroupfs->is_writable ? 0 : MOUNT_ATTR_RDONLY);
}

static int cgroupfs_fail(int r, const char *path)
{
	return log_fail(r, "mount the container's /%s", path);
}

static int cgroupfs_mount_at(const struct cgroupfs *cgroupfs, const char *type, const char *options,
			     unsigned int attributes, const char *path)
{
	autoclose int fd = mount_create(type, options, attributes);

	if (fd < 0)
		return fd;
	return mount_place(fd, cgroupfs->root_fd, path);
}

/* "cpu,cpuacct" is also found as cpu and as cpuacct. */
static int cgroupfs_link(int dir_fd, const char *controllers)
{
	autofree char *words = mem_copy(controllers);
	char *rest = NULL;

	if (!strchr(controllers, ','))
		return 0;
	for (char *word = strtok_r(words, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		if (symlinkat(controllers, dir_fd, word) && errno != EEXIST)
			return -errno;
	}
	return 0;
}

/* controllers: as in /proc/PID/cgroup: "cpu,cpuacct" or "name=systemd". */
static int cgroupfs_add(const struct cgroupfs *cgroupfs, int dir_fd, const char *controllers)
{
	const char *equals = strchr(controllers, '=');
	const char *name = equals ? equals + 1 : controllers;
	autofree char *path = mem_printf(CGROUPFS_PATH "/%s", name);
	int r = mkdirat(dir_fd, name, 0755) ? -errno : 0;

	if (!r)
		r = cgroupfs_mount_at(cgroupfs, "cgroup", controllers,
				      cgroupfs_attributes(cgroupfs), path);
	if (!r)
		r = cgroupfs_link(dir_fd, name);
	return r ? cgroupfs_fail(r, path) : 0;
}

/* "4:memory:/docker/..." a line; the unified hierarchy of a hybrid system is not shown by docker
 * either. */
static int cgroupfs_add_all(const struct cgroupfs *cgroupfs, FILE *file)
{
	autoclose int dir_fd =
		inside_open(cgroupfs->root_fd, CGROUPFS_PATH, O_RDONLY | O_DIRECTORY);
	autofree char *line = NULL;
	size_t capacity = 0;
	int r = 0;

	if (dir_fd < 0)
		return cgroupfs_fail(dir_fd, CGROUPFS_PATH);
	while (!r && getline(&line, &capacity, file) > 0) {
		char *rest = NULL;
		const char *controllers;

		strtok_r(line, ":", &rest);
		if (!rest || *rest == ':')
			continue;
		controllers = strtok_r(NULL, ":", &rest);
		if (controllers && *controllers && !strchr(controllers, '/'))
			r = cgroupfs_add(cgroupfs, dir_fd, controllers);
	}
	return r;
}

static int cgroupfs_mount_v1(const struct cgroupfs *cgroupfs)
{
	autoclose int fd = openat(cgroupfs->proc_fd, "self/cgroup", O_RDONLY | O_CLOEXEC);
	autofclose FILE *file = NULL;
	int r;

	if (fd < 0)
		return log_fail(-errno, "read the container's /proc/self/cgroup");
	file = fdopen(fd, "r");
	if (!file)
		return log_fail(-errno, "read the container's /proc/self/cgroup");
	steal_fd(&fd);
	r = cgroupfs_mount_at(cgroupfs, "tmpfs", "mode=755", CGROUPFS_ATTRIBUTES, CGROUPFS_PATH);
	return r ? cgroupfs_fail(r, CGROUPFS_PATH) : cgroupfs_add_all(cgroupfs, file);
}

int cgroupfs_mount(const struct cgroupfs *cgroupfs)
{
	autoclose int fd = inside_open(cgroupfs->host_fd, CGROUPFS_PATH, O_PATH | O_DIRECTORY);
	struct statfs status;
	int r;

	/* What the host does not have mounted, docker does not show either. */
	if (fd < 0 || fstatfs(fd, &status))
		return 0;
	if (status.f_type == CGROUP2_SUPER_MAGIC) {
		r = cgroupfs_mount_at(cgroupfs, "cgroup2", "", cgroupfs_attributes(cgroupfs),
				      CGROUPFS_PATH);
		return r ? cgroupfs_fail(r, CGROUPFS_PATH) : 0;
	}
	return status.f_type == TMPFS_MAGIC ? cgroupfs_mount_v1(cgroupfs) : 0;
}
