/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where nsview listens, and how: one row per hook, its candidates best first. What a candidate
 * needs of the kernel is tried by attach.c; nothing here asks for a version.
 */
#ifndef NSVIEW_SOURCE_HOOKS_H
#define NSVIEW_SOURCE_HOOKS_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/event.h"

/* A program of bpf/, by its function's name; tests/lint/rules.py looks for each. */
#define HOOK(program) #program

enum attach_kind {
	ATTACH_BTF, /* tp_btf, fentry, fexit: to its one target, or else to what its section names */
	ATTACH_KPROBE,  /* kprobe at each target, the entry of a function */
	ATTACH_KRETURN, /* the same at its return */
	ATTACH_SYSCALL, /* tracepoint syscalls/sys_exit_TARGET */
};

struct hook_program {
	const char *name;
	enum attach_kind kind;
	/* NULL at the end; one that begins with ? may be missing. NULL: none to be named. */
	const char *const *targets;
	bool is_backed; /* another program of the candidate tells what the kernel skips of this one */
};

#define HOOK_PROGRAMS_MAX 16

/* A function of kernels whose tracepoints let themselves be preempted (7.2 and later guard them by
 * SRCU-fast): a program is then skipped that is running on the CPU already. */
#define HOOK_PREEMPTED_MARK "init_srcu_struct_fast"

/* Whether a candidate is one on such kernels. */
enum hook_preemption {
	ON_ALL,
	ON_OTHERS,
	ON_PREEMPTED,
};

struct hook_candidate {
	enum hook_tier tier;
	enum hook_preemption preemption;
	const char *missed;                              /* NULL: nothing */
	struct hook_program programs[HOOK_PROGRAMS_MAX]; /* the first without a name ends them */
};

#define HOOK_CANDIDATES_MAX 4 /* HOOK_TIERS_MAX */

struct hook_row {
	const char *name;    /* as in --hooks */
	const char *meaning; /* "credentials: what commit_creds replaces", without the name */
	const char *missed;  /* with nothing listening */
	struct hook_candidate candidates[HOOK_CANDIDATES_MAX]; /* the first without programs ends */
};

/* By enum hook_id. */
extern const struct hook_row hook_rows[HOOKS];

/* The order of attaching: the memory of a task is made when it is forked, or by the first sweep,
 * so what keeps it true listens before that. */
#define HOOKS_ATTACHED (HOOKS - 1)
extern const enum hook_id hook_order[HOOKS_ATTACHED];

/* NULL: the row has no more, or none of this tier. */
const struct hook_candidate *hook_candidate_at(enum hook_id hook, size_t index);
const struct hook_candidate *hook_candidate_of(enum hook_id hook, enum hook_tier tier);

/* The one target of an ATTACH_BTF program; NULL: its section names it. */
const char *hook_program_target(const char *program);

#endif
