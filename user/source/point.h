/* SPDX-License-Identifier: GPL-2.0-only */
/* The places of a kernel that programs attach to: whether they are there, and open. */
#ifndef NSVIEW_SOURCE_POINT_H
#define NSVIEW_SOURCE_POINT_H

#include <stdbool.h>
#include <stdint.h>

struct text;

/* A perf event at the entry or the return of a kernel function: a descriptor, or -errno and why. */
int point_open_kprobe(const char *function, bool is_return, struct text *why);

/* The directory that lists tracepoints; where it is mounted nowhere, a mount that only this
 * descriptor knows of. -errno: there is none to be had. */
int point_tracefs(void);

/* The same at the end of a system call, by its name; tracefs: as point_tracefs has it. */
int point_open_syscall(int tracefs, const char *name, struct text *why);

/* Whether a trampoline can be made for the function of that BTF id; is_attached: and attached. */
int point_try_function(uint32_t btf_id, bool is_attached, struct text *why);

/* A loaded program on a perf event. *point: from now on a link that holds both, where the kernel has
 * such links. */
int point_attach(int *point, int program);

/* How often the kernel could not run the program of a kprobe, nested in another or with too many
 * calls of the function waiting for their return: bpf_link_info since 6.7. 0: it does not say. */
uint64_t point_missed(int point);

#endif
