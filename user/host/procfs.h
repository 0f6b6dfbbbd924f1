/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads /proc/PID/..., keeps nothing. Every function takes a descriptor of the directory of
 * all processes (proc_fd, from procfs_open) and a pid as that directory numbers it.
 * -ENOENT and -ESRCH mean the process has gone, -EACCES and -EPERM that it is not ours to see.
 */
#ifndef NSVIEW_HOST_PROCFS_H
#define NSVIEW_HOST_PROCFS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct text;

/* A descriptor of path (facts.proc_path), to be closed by the caller; -ENODEV: not a procfs. */
int procfs_open(const char *path);

/* The whole of /proc/PID/<file>, appended to out, at most `limit` bytes (then 1 is returned,
 * else 0). Bounded, never waits for the process's own files. */
int procfs_read(int proc_fd, uint32_t pid, const char *file, size_t limit, struct text *out);

/* Where /proc/PID/<file> (exe, cwd, root) points, appended to out. */
int procfs_link(int proc_fd, uint32_t pid, const char *file, struct text *out);

/* The inode in "mnt:[4026531832]" of /proc/PID/ns/<name>, without opening the namespace. */
int procfs_namespace(int proc_fd, uint32_t pid, const char *name, uint32_t *inode);

#endif
