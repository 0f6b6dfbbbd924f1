/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Paths inside a root that is not trusted: every symbolic link, also an absolute one, is resolved
 * as if root_fd were `/` (openat2(2) with RESOLVE_IN_ROOT, Linux 5.6). All return a descriptor or
 * 0, or -errno without a word.
 */
#ifndef NSVIEW_LAUNCH_INSIDE_H
#define NSVIEW_LAUNCH_INSIDE_H

#include <stdint.h>
#include <sys/types.h>

/* flags: as open(2); close-on-exec is added. */
int inside_open(int root_fd, const char *path, uint64_t flags);

/* 0: no component of path is a symbolic link, as far as it exists. -ELOOP: one is. */
int inside_check_plain(int root_fd, const char *path);

/* A directory or an empty file, with its parents (0755); it may be there already. */
int inside_make_dir(int root_fd, const char *path, mode_t mode);
int inside_make_file(int root_fd, const char *path);

#endif
