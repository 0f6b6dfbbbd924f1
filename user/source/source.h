/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where records come from: the kernel (bpf), /proc, a recording. All of them speak bpf/event.h,
 * so nothing above this line knows which one it was.
 */
#ifndef NSVIEW_SOURCE_SOURCE_H
#define NSVIEW_SOURCE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"

struct facts;
struct source;
struct text;

enum source_args {
	SOURCE_ARGS_NONE,
	SOURCE_ARGS_WANTED,
};

struct source_options {
	const struct facts *facts; /* borrowed, must outlive the source */
	const char *btf_path;      /* --btf; NULL: the kernel's own */
	size_t args_max;           /* bytes of argument vector per process; 0: none wanted */
};

/* Called for each record; it and its tail are borrowed and checked (sizes, counts, lengths).
 * Anything but 0 ends the snapshot and is returned from it. */
typedef int (*source_sink)(void *context, const struct record_header *record);

/* One way to get records. open stores its state in *state; close takes NULL. */
struct source_ops {
	const char *name; /* as in --source */
	/* On failure the reason, one sentence without a full stop, is appended to why. */
	int (*open)(const struct source_options *options, void **state, struct text *why);
	/* One record per process and a bit more, in any order; processes that end meanwhile are
	 * left out or complete, never half. */
	int (*snapshot)(void *state, source_sink sink, void *context);
	void (*close)(void *state);
	uint64_t unknown; /* FIELD_BIT()s that this source can never tell, for any process */
};

extern const struct source_ops bpf_source;
extern const struct source_ops proc_source;

/*
 * Opens one source, or tries the kernel and then /proc (ops NULL). When it had to fall back,
 * why says what was refused; the caller tells the user. Close with source_close.
 */
int source_open(const struct source_ops *ops, const struct source_options *options,
		struct source **source, struct text *why);
int source_snapshot(struct source *source, source_sink sink, void *context);
const struct source_ops *source_kind(const struct source *source);
void source_close(struct source *source);

/* By the word of --source; NULL: no such source. */
const struct source_ops *source_by_name(const char *name);

/* Whether a record's sizes, counts and lengths hold together (record.size <= available too). */
bool record_is_sound(const struct record_header *record, size_t available);

/* The tail of a sound task_record. chain has chain_count entries, groups groups_kept. */
const struct pid_level *record_chain(const struct task_record *task);
const uint32_t *record_groups(const struct task_record *task);
const char *record_cgroup_path(const struct task_record *task);
const char *record_args(const struct args_record *args);

#endif
