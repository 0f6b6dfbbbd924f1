/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads files out of containers, whose file systems are theirs to make: a FUSE server that never
 * answers holds whoever opens a file there, and not even SIGKILL gets him out. So a child does
 * it, one for all files, which is left behind when it does not answer.
 */
#ifndef NSVIEW_HOST_ROOTFILE_H
#define NSVIEW_HOST_ROOTFILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct rootfile; /* the child, started when it is first needed */
struct text;

struct rootfile *rootfile_new(void);
void rootfile_free(struct rootfile *reader); /* takes NULL; never waits for a child that hangs */

/*
 * Appends the regular file `path` below root_fd (O_PATH will do) to out; symbolic links lead
 * where they lead for a process that has that root. -EFBIG: longer than limit. -EINVAL: not a
 * regular file. -ETIMEDOUT: no answer in a second. -EBUSY: too many files did not answer, no more
 * are tried.
 */
int rootfile_read(struct rootfile *reader, int root_fd, const char *path, size_t limit,
		  struct text *out);

/* The number of the device `path` below root_fd, opened by nobody; 0: it is no device. Errors as
 * above. */
int rootfile_device(struct rootfile *reader, int root_fd, const char *path, dev_t *device);

/* /proc/PID/root (PROCFS_SELF: our own), for the two above, to be closed by the caller. mnt_ns: the mount namespace that
 * the process was seen in (0: any). -ESRCH: the pid is another process's by now. */
int rootfile_open_root(int proc_fd, uint32_t pid, uint32_t mnt_ns);

/* rootfile_read below that directory. */
int rootfile_read_of(struct rootfile *reader, int proc_fd, uint32_t pid, uint32_t mnt_ns,
		     const char *path, size_t limit, struct text *out);

#endif
