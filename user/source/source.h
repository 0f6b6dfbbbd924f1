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
#include "wire/wire.h"

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
	const char *replay_path;   /* replay_source: the recording, borrowed as the next one is */
	const char *replay_at;     /* its last moment, as --at has it; NULL: all of it */
	bool will_listen;          /* source_listen comes next, and loads what is needed */
};

/* What --hooks, --ring, --complete, --args-max and --env ask for. */
struct listen_options {
	size_t ring_bytes;    /* a power of two, at least a page */
	size_t args_max;      /* bytes of the argument vector in an exec */
	size_t env_max;       /* the same of the environment; 0: none wanted */
	bool is_complete;     /* compare at the end of every system call */
	bool wants_usage;     /* source_usage will be called */
	uint8_t tiers[HOOKS]; /* enum hook_tier; TIERS: the best there is */
};

/* What has become of one way to listen. */
enum tier_verdict {
	TIER_TAKEN,
	TIER_REFUSED, /* by this kernel, or to this user */
	TIER_SPARE,   /* never tried: a better one was taken, or another was asked for */
};

struct tier_report {
	enum hook_tier tier;
	enum tier_verdict verdict;
	const char *why;    /* it was refused; else NULL. Borrowed from the source */
	const char *missed; /* what would go unseen with it; NULL: nothing. Static */
};

#define HOOK_TIERS_MAX 4

/* What has become of one hook. */
struct hook_report {
	const char *name;    /* as in --hooks: "credentials"; static */
	const char *meaning; /* what it tells of; static */
	enum hook_tier tier; /* TIER_OFF: nothing listens */
	const char *why;    /* why no better tier; NULL: it is the best. Borrowed from the source */
	const char *missed; /* what goes unseen because of it; NULL: nothing. Static */
	uint64_t seen;      /* events handed out */
	uint64_t lost;      /* events for which the ring had no room */
	uint64_t skipped;   /* runs that the kernel left out */
	/* All that this hook has for such a kernel, best first; a replay has none. */
	struct tier_report tiers[HOOK_TIERS_MAX];
	size_t tier_count;
};

/* Of a recording, on the boot clock of its machine. */
struct source_span {
	uint64_t start_ns; /* of its snapshot */
	uint64_t end_ns;
	uint64_t at_ns; /* --at; 0: not given */
};

/* One way to get records. open stores its state in *state; close takes NULL. */
struct source_ops {
	const char *name; /* as in --source */
	/* On failure the reason, one sentence without a full stop, is appended to why. */
	int (*open)(const struct source_options *options, void **state, struct text *why);
	/* One record per process and a bit more, in any order; processes that end meanwhile are
	 * left out or complete, never half. */
	int (*snapshot)(void *state, record_sink sink, void *context);
	void (*close)(void *state);
	/*
	 * Events; NULL where the source has none. listen comes before the first snapshot, so that
	 * nothing between the two is missed. One hook that the kernel refuses does not fail it;
	 * -errno: none can be had, and why.
	 */
	int (*listen)(void *state, const struct listen_options *options, struct text *why);
	/* Hands out what there is, with sequence and cause filled in and each gap told in its
	 * place; waits up to timeout_ms for something to come. How many records, or -errno;
	 * -ENODATA: a recording's end. A signal ends the waiting early. */
	int (*poll)(void *state, int timeout_ms, record_sink sink, void *context);
	/* A RECORD_USAGE for each process, at a tenth of a snapshot's cost. NULL: there is none. */
	int (*usage)(void *state, record_sink sink, void *context);
	/* From now on poll also ends its waiting when fd can be read. NULL: it never waits. */
	int (*heed)(void *state, int fd);
	/* A recording in time: poll hands out nothing that is later than this, and --at is lifted.
	 * facts says this moment from then on. NULL: it cannot be played. */
	int (*play)(void *state, uint64_t until_boot_ns, struct source_span *span);
	/* hooks: room for HOOKS. */
	void (*report)(void *state, struct hook_report *hooks);
	/* Makes facts those of the recorded machine, and its clock that of the last record handed
	 * out. NULL: it is this machine. The time zone is borrowed from the source. */
	void (*facts)(void *state, struct facts *facts);
	uint64_t unknown; /* FIELD_BIT()s that this source can never tell, for any process */
};

extern const struct source_ops bpf_source;
extern const struct source_ops proc_source;
extern const struct source_ops replay_source; /* never tried unless asked for */

/*
 * Opens one source, or tries the kernel and then /proc (ops NULL). When it had to fall back,
 * why says what was refused; the caller tells the user. Close with source_close.
 */
int source_open(const struct source_ops *ops, const struct source_options *options,
		struct source **source, struct text *why);
int source_snapshot(struct source *source, record_sink sink, void *context);
/* As in source_ops; -EOPNOTSUPP: this source has no events. */
int source_listen(struct source *source, const struct listen_options *options, struct text *why);
int source_poll(struct source *source, int timeout_ms, record_sink sink, void *context);
/* -EOPNOTSUPP: only snapshots tell of it. */
int source_usage(struct source *source, record_sink sink, void *context);
int source_heed(struct source *source, int fd);
int source_play(struct source *source, uint64_t until_boot_ns, struct source_span *span);
void source_report(struct source *source, struct hook_report *hooks);
/* Samples the clock again, or does what source_ops.facts does. */
void source_facts(struct source *source, struct facts *facts);
const struct source_ops *source_kind(const struct source *source);
void source_close(struct source *source);

/* By the word of --source; NULL: no such source. */
const struct source_ops *source_by_name(const char *name);

/* The name of a hook as in --hooks, and of a tier; NULL: there is none. */
const char *hook_name(enum hook_id hook);
const char *tier_name(enum hook_tier tier);

/* --hooks HOOK=TIER,...: -EINVAL: said in complaint, with the nearest right word. */
int listen_options_parse(struct listen_options *options, const char *words, struct text *complaint);

#endif
