/* SPDX-License-Identifier: GPL-2.0-only */
/* What a process of a container does between clone3(2) or fork(2) and execve(2). */
#ifndef NSVIEW_LAUNCH_INIT_H
#define NSVIEW_LAUNCH_INIT_H

#include "launch/rootfs.h"

struct rights;
struct spec;
struct terminal;

/* The byte that lets it go on. */
enum init_go {
	INIT_GO = 1,
	INIT_GO_GUARDED = 2, /* and its cgroup says which devices may be opened */
};

struct init {
	const struct spec *spec;
	const struct rights *rights;
	const char *hostname;
	const struct terminal *terminal; /* NULL: none */
	struct rootfs_plan rootfs;
	int join_fd; /* -1, or pidfd of the pid 1 whose namespaces it enters, instead of making any */
	int go_fd;   /* one byte, enum init_go; end of file: nsview is dead */
	/* Close-on-exec. Gets a struct init_report with exit_code 0 when all is made, and one with
	 * another when COMMAND could not be executed. */
	int report_fd;
};

struct init_report {
	int exit_code; /* enum launch_exit; 0: COMMAND is executed next */
	char sentence[1024];
};

/* In the new process. Does not return. */
_Noreturn void init_main(const struct init *init);

#endif
