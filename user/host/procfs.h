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

/* In a pid's place: nsview itself, and the process whose directory (procfs_open_pid) is given
 * instead of proc_fd. */
enum procfs_pid {
	PROCFS_SELF = 0,
	PROCFS_HERE = UINT32_MAX,
};

/* A descriptor of path (facts.proc_path), to be closed by the caller; -ENODEV: not a procfs. */
int procfs_open(const char *path);

/* A descriptor of /proc/PID, for PROCFS_HERE: it stays this process's and fails once it has
 * gone, whoever gets the pid then. To be closed by the caller. */
int procfs_open_pid(int proc_fd, uint32_t pid);

/* All pids (of processes, not threads), ascending. Free *pids. */
int procfs_pids(int proc_fd, uint32_t **pids, size_t *count);

/* The whole of /proc/PID/<file>, appended to out, at most `limit` bytes (then 1 is returned,
 * else 0). Bounded, never waits for the process's own files. */
int procfs_read(int proc_fd, uint32_t pid, const char *file, size_t limit, struct text *out);

/* Where /proc/PID/<file> (exe, cwd, root) points, appended to out. */
int procfs_link(int proc_fd, uint32_t pid, const char *file, struct text *out);

/* The inode in "mnt:[4026531832]" of /proc/PID/ns/<name>, without opening the namespace. A
 * zombie's and an unknown kind's is -ENOENT; for a process that has gone it may be -EACCES. */
int procfs_namespace(int proc_fd, uint32_t pid, const char *name, uint32_t *inode);

#endif
