/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file system that answers whoever looks for a file and opens it, and never answers whoever
 * reads: what a hostile process may put where others look. Speaks FUSE's own protocol on
 * /dev/fuse from a child process, so that nothing has to be installed.
 */
#ifndef NSVIEW_TESTS_SILENT_FUSE_H
#define NSVIEW_TESTS_SILENT_FUSE_H

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SILENT_FILE_BYTES (1 << 20)

static inline void silent_fuse_answer(int fd, uint64_t unique, int error, const void *body,
				      size_t size)
{
	char buffer[512] = {0};
	struct fuse_out_header header = {
		.len = (uint32_t)(sizeof(header) + size), .error = error, .unique = unique};

	memcpy(buffer, &header, sizeof(header));
	if (size)
		memcpy(buffer + sizeof(header), body, size);
	(void)!write(fd, buffer, header.len);
}

static inline struct fuse_attr silent_fuse_attr(uint64_t node)
{
	struct fuse_attr attr = {.ino = node, .nlink = 1, .blksize = 4096};

	attr.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0644;
	attr.size = node == FUSE_ROOT_ID ? 0 : SILENT_FILE_BYTES;
	return attr;
}

/* Every name is the one file, which can be opened; no READ is answered. keeps_quiet: only INIT. */
static inline void silent_fuse_serve(int fd, int keeps_quiet)
{
	static char request[FUSE_MIN_READ_BUFFER + 65536];
	struct fuse_in_header *header = (struct fuse_in_header *)request;

	while (read(fd, request, sizeof(request)) > 0) {
		if (header->opcode == FUSE_INIT) {
			struct fuse_init_out init = {
				.major = 7, .minor = 31, .max_write = 4096, .max_readahead = 4096};
			silent_fuse_answer(fd, header->unique, 0, &init, sizeof(init));
		} else if (keeps_quiet) {
			continue;
		} else if (header->opcode == FUSE_LOOKUP) {
			struct fuse_entry_out entry = {.nodeid = 2,
						       .attr = silent_fuse_attr(2),
						       .entry_valid = 1000,
						       .attr_valid = 1000};
			silent_fuse_answer(fd, header->unique, 0, &entry, sizeof(entry));
		} else if (header->opcode == FUSE_GETATTR) {
			struct fuse_attr_out attr = {.attr = silent_fuse_attr(header->nodeid),
						     .attr_valid = 1000};
			silent_fuse_answer(fd, header->unique, 0, &attr, sizeof(attr));
		} else if (header->opcode == FUSE_OPEN) {
			struct fuse_open_out opened = {.fh = 1};
			silent_fuse_answer(fd, header->unique, 0, &opened, sizeof(opened));
		} else if (header->opcode != FUSE_READ && header->opcode != FUSE_FORGET &&
			   header->opcode != FUSE_INTERRUPT) {
			silent_fuse_answer(fd, header->unique, -ENOSYS, NULL, 0);
		}
	}
}

/* Mounts one on directory, served by a child that dies with us; -1 and errno. */
static inline int silent_fuse_mount(const char *directory, int answers_lookups)
{
	char options[96];
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	pid_t server;

	if (fd < 0)
		return -1;
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other",
		 fd);
	if (mount("silent", directory, "fuse", MS_NOSUID | MS_NODEV, options))
		return -1;
	server = fork();
	if (server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		silent_fuse_serve(fd, !answers_lookups);
		_exit(0);
	}
	close(fd);
	return server;
}

/* Lays such a file over the whole pages between start and end of our own memory. */
static inline int silent_fuse_cover(const char *directory, char *start, char *end)
{
	uintptr_t first = ((uintptr_t)start + 4095) & ~(uintptr_t)4095;
	uintptr_t last = (uintptr_t)end & ~(uintptr_t)4095;
	char path[4096];
	void *mapped;
	int file;

	if (last <= first || last - first > SILENT_FILE_BYTES) {
		errno = ERANGE;
		return -1;
	}
	if (silent_fuse_mount(directory, 1) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/file", directory);
	file = open(path, O_RDONLY);
	if (file < 0)
		return -1;
	mapped = mmap((void *)first, last - first, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, 0);
	close(file);
	return mapped == MAP_FAILED ? -1 : 0;
}

#endif
