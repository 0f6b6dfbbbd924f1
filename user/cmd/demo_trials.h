/* SPDX-License-Identifier: GPL-2.0-only */
/* Commands in containers of `nsview demo` that try something, and what is seen of them. */
#ifndef NSVIEW_CMD_DEMO_TRIALS_H
#define NSVIEW_CMD_DEMO_TRIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"
#include "cmd/demo_stage.h"
#include "launch/spec.h"

struct proc;
struct text;

#define TRIAL_COUNT_MAX 3
#define TRIAL_PRINTED_MAX 512
/* Percent of a CPU that pass for a half: which periods fall into the second is chance. */
#define TRIAL_CPU_LEAST 45
#define TRIAL_CPU_MOST 55

struct trial {
	const struct spec spec;
	const char *program; /* what it is called when this machine lacks it */
	const char *shown;   /* the command as shown; %d: the peer's pid */
	char *const *command;
	const char *peer; /* a container of the demo's, whose pid is in $PEER; NULL: none */
	bool has_folder;  /* a directory of the host is its /data */
	bool is_busy;     /* it has no end: for a second it is watched */
	/* It waits for a line on standard input until this agrees. said: why it may not go on. */
	bool (*may_go_on)(const struct stage *stage, const struct proc *proc, struct text *said);
};

struct trial_seen {
	char printed[TRIAL_PRINTED_MAX]; /* without its last line end */
	int status;                      /* of a busy one: -1 */
	/* Of its first process, read when it had ended, or meanwhile. */
	bool is_known;
	uint32_t pid;
	uint32_t euid;
	uint64_t caps[CAP_SETS];
	uint64_t memory_limit_bytes; /* 0: none */
	uint64_t oom_kills;
	/* What a busy one may have, in billionths of a CPU, and has had in which time; periods of
	 * its limit, and those it was stopped in. */
	uint64_t cpu_limit_nano;
	uint64_t cpu_ns;
	uint64_t wall_ns;
	uint64_t periods;
	uint64_t throttled;
	uint32_t owner; /* host uid of the file that it has made in its folder */
	bool has_owner;
};

struct trial_scene {
	const char *title;
	const struct trial trials[TRIAL_COUNT_MAX]; /* up to the first without a command */
	const char *claim;                          /* for the case that it was not so */
	/* Whether all that was seen bears the claim out. said: about it, from what was seen. */
	bool (*judge)(const struct stage *stage, const struct trial_seen *seen, struct text *said);
};

/* What has been added to out is what was typed and seen; said gets a paragraph about it. */
enum stage_end trial_play(const struct trial_scene *scene, struct stage *stage, struct text *out,
			  struct text *said);

/* Of a second, in hundredths. */
unsigned int trial_cpu_percent(const struct trial_seen *seen);

#endif
