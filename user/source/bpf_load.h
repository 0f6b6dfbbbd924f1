/* SPDX-License-Identifier: GPL-2.0-only */
/* Brings the object into the kernel, by the shortest way that works. */
#ifndef NSVIEW_SOURCE_BPF_LOAD_H
#define NSVIEW_SOURCE_BPF_LOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "source/btf_cache.h"

struct bpf_program;
struct listen_options;
struct nsview_bpf;
struct snapshot_bpf;

struct bpf_load_options {
	const char *btf_path; /* NULL: the kernel's own */
	char *verifier_log;   /* what the verifier said when it refuses */
	size_t verifier_log_size;
	/* For events: programs beside the task iterator, NULL at the end. NULL: no events, and
	 * nothing that only they need is made. */
	const char *const *programs;
	const struct listen_options *listen;
	bool has_task_storage; /* bpf_load_try_storage */
	bool has_task_helpers;
	bool is_without_sweep; /* no iterator in it: it was refused */
	bool is_without_usage; /* the same of the other one, or nobody asked for it */
};

/* Zero-initialise; bpf_loaded_close. */
struct bpf_loaded {
	struct nsview_bpf *object;     /* all programs */
	struct snapshot_bpf *snapshot; /* or the task iterator alone */
	struct bpf_program *tasks;     /* the task iterator, of one of the two */
	struct bpf_program *usage;     /* the small one; NULL: not there */
};

/* The task iterator alone. -errno of what failed. */
int bpf_load_tasks(const struct bpf_load_options *options, struct bpf_loaded *loaded);

void bpf_loaded_close(struct bpf_loaded *loaded);

/* What bpf_load_programs needs of the kernel's BTF: kept from an earlier run, or made and kept. -EPERM: this
 * user may not load anything. close(entry->fd) releases it. */
int bpf_load_prepare(const char *btf_path, struct btf_cache_entry *entry);

#define BPF_LOAD_SWEEP "tasks_snapshot" /* the iterator, which compares where there are events */
#define BPF_LOAD_USAGE "usage_sample"   /* the small one of listen_options.wants_usage */

/* The iterator and options->programs. On failure *failed is the program that the kernel did not
 * take: of options->programs, BPF_LOAD_SWEEP, BPF_LOAD_USAGE, or NULL: it was not a program. */
int bpf_load_programs(const struct bpf_load_options *options, const struct btf_cache_entry *entry,
		      struct bpf_loaded *loaded, const char **failed);

/* Whether the kernel has what came with BPF_MAP_TYPE_TASK_STORAGE, and whether anything can be stored
 * there: on 7.x that takes a processor that exchanges 16 bytes at once (kmalloc_nolock). */
void bpf_load_try_storage(bool *has_helpers, bool *has_storage);

#endif
