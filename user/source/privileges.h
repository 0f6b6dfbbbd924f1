/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef NSVIEW_SOURCE_PRIVILEGES_H
#define NSVIEW_SOURCE_PRIVILEGES_H

#include <stdint.h>

struct facts;

/* Capabilities that this kernel asks for, as masks: these and no others. CAP_SYS_ADMIN stands for
 * CAP_BPF and CAP_PERFMON, so it is never beside them. */
struct needs {
	uint64_t processes; /* to read processes and to listen at all */
	uint64_t exact;     /* to listen by kprobes too */
	uint64_t names; /* what is beside the kernel: exe, cwd, files of containers and runtimes */
};

/* btf_path: --btf, or NULL. What is missing now is needs less facts->cap_effective
 * (needs_missing). */
void needs_read(struct needs *needs, const struct facts *facts, const char *btf_path);
uint64_t needs_missing(uint64_t need, const struct facts *facts);

/*
 * Once everything is attached: gives up, for good, every capability but BPF (to iterate and to
 * read counts on kernels before 6.1), SYS_PTRACE (exe, cwd and files of others) and
 * DAC_READ_SEARCH (their directories). 0 or -errno; without any to give up it does nothing.
 */
int source_drop_privileges(void);

#endif
