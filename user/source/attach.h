/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Listening: for each hook the best candidate of its row that this kernel and this user allow. One
 * hook that falls back, or cannot be had, moves no other.
 */
#ifndef NSVIEW_SOURCE_ATTACH_H
#define NSVIEW_SOURCE_ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "bpf/event.h"
#include "source/bpf_load.h"
#include "source/source.h"

struct hook_candidate;

struct attach_point {
	int fd;         /* a perf event */
	size_t program; /* of the candidate */
};

struct attach_hook {
	const struct hook_candidate *candidate; /* NULL: nothing listens */
	size_t tried;                  /* candidates so far; candidate is the last of them */
	bool is_unwanted;              /* off because nobody asked for it */
	struct text why;               /* why no better one: all reasons */
	char *reasons[HOOK_TIERS_MAX]; /* why not this candidate; NULL: it was not refused */
	struct attach_point *points;
	size_t point_count;
	size_t point_capacity;
};

/* A program that runs, or a point of one, for the count of what the kernel skipped. */
struct attach_program {
	int fd; /* the object's, or the point's */
	bool is_point;
	enum hook_id hook;
	uint64_t skipped; /* when last asked */
};

struct attach {
	struct attach_hook hooks[HOOKS];
	bool is_preempted; /* HOOK_PREEMPTED_MARK */
	struct bpf_loaded loaded;
	struct attach_program *programs;
	size_t program_count;
	size_t program_capacity;
	int *links; /* of BTF programs */
	size_t link_count;
	size_t link_capacity;
};

struct attach_options {
	const struct listen_options *listen;
	const char *btf_path;
	char *verifier_log; /* empty, or what the verifier said to what was fatal */
	size_t verifier_log_size;
};

/* Loads the object and attaches. attach: zeroes; attach_close it, also after a failure. -errno:
 * nothing could be loaded at all. */
int attach_open(struct attach *attach, const struct attach_options *options);

/* All that a hook has for such a kernel, best first. tiers: room for HOOK_TIERS_MAX; their reasons are
 * borrowed. How many. */
size_t attach_report(const struct attach *attach, enum hook_id hook, struct tier_report *tiers);

/* Closing a perf event takes the kernel 70 ms, a trampoline may take longer: the last to hold them
 * is a child that ends right after, so that nobody waits. */
void attach_close(struct attach *attach);

#endif
