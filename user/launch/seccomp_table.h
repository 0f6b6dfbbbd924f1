/* SPDX-License-Identifier: GPL-2.0-only */
/* Which system calls a container may make. Private to seccomp.c. */
#ifndef NSVIEW_LAUNCH_SECCOMP_TABLE_H
#define NSVIEW_LAUNCH_SECCOMP_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct seccomp_row {
	uint64_t capabilities; /* with any of these; 0: always */
	const char *names;     /* with spaces between */
};

extern const struct seccomp_row seccomp_table[];
extern const size_t seccomp_table_count;

#endif
