/* SPDX-License-Identifier: GPL-2.0-only */
/* Brings the object into the kernel, by the shortest way that works. */
#ifndef NSVIEW_SOURCE_BPF_LOAD_H
#define NSVIEW_SOURCE_BPF_LOAD_H

#include <stddef.h>

struct bpf_program;
struct nsview_bpf;

struct bpf_load_options {
	const char *btf_path; /* NULL: the kernel's own */
	char *verifier_log;   /* what the verifier said when it refuses */
	size_t verifier_log_size;
};

struct bpf_loaded {
	struct nsview_bpf *object; /* nsview_bpf__destroy releases it */
	struct bpf_program *tasks; /* the task iterator, of object */
};

/* -errno of what failed. */
int bpf_load_tasks(const struct bpf_load_options *options, struct bpf_loaded *loaded);

#endif
