/* SPDX-License-Identifier: GPL-2.0-only */
/* A system call filter like docker's default: what is not listed fails with EPERM. */
#ifndef NSVIEW_LAUNCH_SECCOMP_H
#define NSVIEW_LAUNCH_SECCOMP_H

#include <stddef.h>
#include <stdint.h>

struct sock_filter;

/* Zero-initialise; seccomp_free releases it. */
struct seccomp {
	struct sock_filter *code;
	size_t count;
};

/*
 * The filter for a container with these capabilities: each opens the calls that the kernel guards
 * with it anyway. Calls that are newer than this list fail with ENOSYS, so that programs fall back
 * to what they used before. What failed has been said.
 */
int seccomp_make(uint64_t capabilities, struct seccomp *seccomp);
void seccomp_free(struct seccomp *seccomp);

/* For this process from now on, without no_new_privs: needs CAP_SYS_ADMIN in its user namespace.
 * What failed has been said. */
int seccomp_apply(const struct seccomp *seccomp);

#endif
