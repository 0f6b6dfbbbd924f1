/* SPDX-License-Identifier: GPL-2.0-only */
/* A folder of a test's own, with files in it; the group's setup and teardown. */
#ifndef NSVIEW_TESTS_UNIT_SCRATCH_H
#define NSVIEW_TESTS_UNIT_SCRATCH_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

struct scratch {
	char path[64];
	int fd;
};

static inline int scratch_setup(void **state)
{
	struct scratch *scratch = mem_new(sizeof(*scratch));

	strcpy(scratch->path, "/tmp/nsview-unit-XXXXXX");
	if (!mkdtemp(scratch->path))
		return -1;
	scratch->fd = open(scratch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = scratch;
	return scratch->fd < 0;
}

static inline int scratch_remove_one(const char *path, const struct stat *status, int kind,
				     struct FTW *where)
{
	(void)status;
	(void)kind;
	(void)where;
	return remove(path);
}

static inline int scratch_teardown(void **state)
{
	struct scratch *scratch = *state;

	close(scratch->fd);
	nftw(scratch->path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(scratch);
	return 0;
}

/* Makes the folders on the way to path, which may be a symbolic link's or a FIFO's. */
static inline void scratch_folders(const struct scratch *scratch, const char *path)
{
	autofree char *copy = mem_copy(path);

	for (char *slash = strchr(copy, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdirat(scratch->fd, copy, 0755);
		*slash = '/';
	}
}

/* Makes or replaces a file. */
static inline void scratch_write(const struct scratch *scratch, const char *path, const char *data,
				 size_t length)
{
	int fd;

	scratch_folders(scratch, path);
	unlinkat(scratch->fd, path, 0);
	fd = openat(scratch->fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, data, length) != (ssize_t)length)
		abort();
	close(fd);
}

static inline void scratch_text(const struct scratch *scratch, const char *path, const char *text)
{
	scratch_write(scratch, path, text, strlen(text));
}

static inline void scratch_link(const struct scratch *scratch, const char *path, const char *target)
{
	scratch_folders(scratch, path);
	unlinkat(scratch->fd, path, 0);
	if (symlinkat(target, scratch->fd, path))
		abort();
}

#endif
