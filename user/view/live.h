/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the live table shows at one moment: groups (containers, then the host) and the processes in
 * those that are open, with what a single look cannot know: %CPU since the frame before, what is
 * new, what has changed, what came and went in between. It looks at the model and keeps its own
 * memory of processes by (pid, start), so that it does not matter whether events change the model
 * or each frame has a new one.
 */
#ifndef NSVIEW_VIEW_LIVE_H
#define NSVIEW_VIEW_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "view/column.h"
#include "view/query.h"
#include "view/value.h"

struct container;
struct event;
struct live;
struct proc;
struct text;

/* How long a row is marked, and one that is gone still shown. */
#define LIVE_MARK_NS 3000000000ULL
#define LIVE_GONE_NS 1000000000ULL

enum live_mark {
	LIVE_PLAIN,
	LIVE_NEW,     /* `*`: younger than LIVE_MARK_NS, and was not there in the first frame */
	LIVE_CHANGED, /* `*`: its credentials or namespaces have changed */
	LIVE_GONE,    /* `x`: it has ended; only its identity is left */
};

/* How much what a row may do weighs: its colour, and the order of groups. */
enum live_weight {
	LIVE_NO_POWER,
	LIVE_IN_USERNS,  /* capabilities that do not count on the host */
	LIVE_SOME_POWER, /* on the host, none of those below */
	LIVE_POWERFUL, /* SYS_ADMIN, SYS_MODULE, SYS_PTRACE, SYS_RAWIO, DAC_READ_SEARCH, NET_ADMIN,
			  * BPF or MAC_ADMIN on the host */
	LIVE_FULL,     /* every capability on the host */
};

/* One per container and one for the host. Borrowed, good until the next live_update. */
struct live_group {
	const struct container *container; /* NULL: the host */
	uint64_t key;                      /* for live_fold: stays while the container lives */
	bool is_folded;
	size_t procs;       /* selected ones that are there now */
	size_t short_lived; /* came and went since the frame before */
	double cpu_percent; /* of one CPU; below 0: not known yet */
	uint64_t rss_bytes;
	bool has_usage; /* its cgroup's memory: */
	bool has_limit; /* memory_limit_bytes is one */
	bool is_limit_unknown;
	uint64_t memory_usage_bytes;
	uint64_t memory_limit_bytes;
	struct value caps; /* VALUE_CAPS: the union of the effective sets; VALUE_UNKNOWN */
	enum live_weight weight;
	const char *image;   /* NULL: not known */
	const char *verdict; /* in words: "host root; cpu 0.50/0.5 throttled"; "": nothing to say */
	bool is_drifting;    /* a process has more than the container declares */
	bool is_privileged;  /* was declared so; where nothing was, one has every capability */
};

struct live_row {
	const struct live_group *group;
	const struct proc *proc; /* NULL: the group's own row */
	enum live_mark mark;
	enum live_weight weight;
	double cpu_percent; /* since the frame before; below 0: not known yet */
	/* Capabilities beyond what its container declares; 0: none, or not known. */
	unsigned int drift;
};

/* What keys turn. All but the counts are borrowed and must live until the next live_set. */
struct live_settings {
	struct selection selection; /* the command line's, and the filter of `f` */
	const struct filter *filter;
	const struct column *sort; /* of the processes within their group; NULL: as ps does */
	bool is_reversed;
	bool is_tree;
	bool has_user; /* `u` */
	uint32_t uid;
};

/* view: borrowed; its model may be another one at each update. */
struct live *live_new(const struct view_context *view);
void live_free(struct live *live); /* takes NULL */
/* Shows at once: the rows are new after it. */
void live_set(struct live *live, const struct live_settings *settings);

/* Something happened to proc (as it is after it; at its exit as it was). Called for every line of
 * a watch between two updates, selected or not; cheap, nothing is formatted. is_exit: it has ended. */
enum live_event_kind {
	LIVE_STARTED,
	LIVE_EXECUTED,
	LIVE_IDENTITY, /* credentials or namespaces are others now */
	LIVE_EXITED,
};
void live_event(struct live *live, enum live_event_kind kind, const struct proc *proc,
		uint64_t time_boot_ns);

/* The next frame: the model's usage has just been read, and %CPU is that of the time since the last
 * live_update; in a replay (view->insides), whose usage nobody samples, there is none. Reads what
 * containers use (some tens of them a call), where view->limits is not NULL. */
void live_update(struct live *live, uint64_t now_boot_ns);

/*
 * The model has changed since, and nobody has read usage: rows and groups as they are now, %CPU as
 * it was. Rows point into the model: once events went into it (or it is another one), this or
 * live_update comes before everything below. A time before the last one (a replay that goes back)
 * begins anew.
 */
void live_refresh(struct live *live, uint64_t now_boot_ns);

/* In the order in which they are shown. Borrowed, good until the next call that is not const. */
const struct live_row *live_rows(const struct live *live, size_t *count);
const struct live_group *live_groups(const struct live *live, size_t *count);

/* %CPU of a process since the last live_update; below 0: not known. */
double live_cpu(const struct live *live, const struct proc *proc);

/* Sums over all that is selected, for the summary. */
struct live_sums {
	size_t containers;
	size_t host_root;  /* of them: with a process whose effective user is root on the host */
	size_t privileged; /* of them: is_privileged */
	size_t procs;
	size_t left_out; /* would turn on something unknown (--filter) */
	double cpu_percent;
};
void live_sum(const struct live *live, struct live_sums *sums);

/* Space; + and -. The host is folded at first, unless there is no container. Rows are new after it. */
void live_fold(struct live *live, uint64_t key, bool is_folded);
void live_fold_all(struct live *live, bool is_folded);

/* Search: the first row from `from` on (or backwards), and round the end, whose shown text has
 * `text` in it in any case; groups too. SIZE_MAX: none. Rows in folded groups are not searched. */
size_t live_find(const struct live *live, const char *text, size_t from, bool is_backward);

/* The row of a process, opening its group if it is folded. SIZE_MAX: it is not there. */
size_t live_go(struct live *live, uint32_t pid, uint64_t start_boot_ns);

/*
 * The table's columns: USER PID IN-USER IN-PID %CPU MEM/LIMIT CAPS COMMAND. Shown text, which a
 * canvas makes printable. COMMAND is the rest of the line.
 */
enum live_column {
	LIVE_USER,
	LIVE_PID,
	LIVE_IN_USER,
	LIVE_IN_PID,
	LIVE_CPU,
	LIVE_MEMORY,
	LIVE_CAPS,
	LIVE_COMMAND,
	LIVE_COLUMNS,
};
struct live_column_form {
	const char *heading;
	bool is_right;  /* aligned */
	bool is_inside; /* the container's view: cyan */
	int leaves;     /* the first column that leaves a narrow terminal has 1; 0: stays */
};
extern const struct live_column_form live_columns[LIVE_COLUMNS];

/* Appends one cell of a process's row. Cheap enough for what is on the screen, not for all rows. */
void live_cell(const struct live *live, const struct live_row *row, enum live_column column,
	       struct text *out);

/* The parts of a group's row; has_image: there is room for it. */
void live_group_title(const struct live *live, const struct live_group *group, bool has_image,
		      struct text *out);
void live_group_cell(const struct live *live, const struct live_group *group,
		     enum live_column column, struct text *out);

#endif
