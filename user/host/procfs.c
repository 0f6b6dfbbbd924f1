/* SPDX-License-Identifier: GPL-2.0-only */
#include "host/procfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

#define NAME_BYTES 40    /* "ns/" and what follows, or any other of our own file names */
#define PATH_BYTES 64    /* "4294967295/" before that */
#define LINK_BYTES 4096  /* proc_readlink gives at most a page, fs/proc/base.c */
#define CHUNK_BYTES 4096 /* most files of a process fit */

static const char *procfs_path(char path[PATH_BYTES], uint32_t pid, const char *file)
{
	if (pid == PROCFS_HERE)
		return file;
	if (pid == PROCFS_SELF)
		snprintf(path, PATH_BYTES, "self/%s", file);
	else
		snprintf(path, PATH_BYTES, "%u/%s", pid, file);
	return path;
}

int procfs_open(const char *path)
{
	autoclose int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0 || fstatfs(fd, &fs))
		return -errno;
	if (fs.f_type != PROC_SUPER_MAGIC)
		return -ENODEV;
	return steal_fd(&fd);
}

int procfs_open_pid(int proc_fd, uint32_t pid)
{
	char path[PATH_BYTES];
	int fd = openat(proc_fd, procfs_path(path, pid, "."), O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int pid_compare(const void *left, const void *right)
{
	uint32_t one = *(const uint32_t *)left;
	uint32_t other = *(const uint32_t *)right;

	return (one > other) - (one < other);
}

int procfs_pids(int proc_fd, uint32_t **pids, size_t *count)
{
	int fd = openat(proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	uint32_t *found = NULL;
	size_t found_count = 0;
	size_t capacity = 0;
	struct dirent *entry;
	int r;

	if (!directory) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		return r;
	}
	for (errno = 0; (entry = readdir(directory)); errno = 0) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		mem_reserve_one(found, found_count, capacity);
		found[found_count++] = (uint32_t)strtoul(entry->d_name, NULL, 10);
	}
	r = -errno;
	closedir(directory);
	if (r) {
		free(found);
		return r;
	}
	if (found_count)
		qsort(found, found_count, sizeof(*found), pid_compare);
	*pids = found;
	*count = found_count;
	return 0;
}

int procfs_read(int proc_fd, uint32_t pid, const char *file, size_t limit, struct text *out)
{
	char path[PATH_BYTES];
	autoclose int fd = openat(proc_fd, procfs_path(path, pid, file),
				  O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	size_t start = out->length;
	char chunk[CHUNK_BYTES];

	if (fd < 0)
		return -errno;
	for (;;) {
		size_t room = limit - (out->length - start);
		ssize_t length = read(fd, chunk, sizeof(chunk));
		int r = -errno;

		if (length == 0)
			return 0;
		if (length < 0 && r == -EINTR)
			continue;
		if (length < 0) {
			out->length = start;
			return r;
		}
		if ((size_t)length > room) {
			text_add(out, chunk, room);
			return 1;
		}
		text_add(out, chunk, (size_t)length);
	}
}

int procfs_link(int proc_fd, uint32_t pid, const char *file, struct text *out)
{
	char path[PATH_BYTES];
	char target[LINK_BYTES];
	ssize_t length = readlinkat(proc_fd, procfs_path(path, pid, file), target, sizeof(target));

	if (length < 0)
		return -errno;
	text_add(out, target, (size_t)length);
	return 0;
}

int procfs_namespace(int proc_fd, uint32_t pid, const char *name, uint32_t *inode)
{
	char path[PATH_BYTES];
	char file[NAME_BYTES];
	char target[PATH_BYTES];
	const char *number;
	ssize_t length;

	snprintf(file, sizeof(file), "ns/%s", name);
	length = readlinkat(proc_fd, procfs_path(path, pid, file), target, sizeof(target) - 1);
	if (length < 0)
		return -errno;
	target[length] = '\0';
	number = strstr(target, ":[");
	if (!number)
		return -EINVAL;
	*inode = (uint32_t)strtoul(number + 2, NULL, 10);
	return 0;
}
