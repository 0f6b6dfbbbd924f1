/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the live table share. live.c is its life and its rows, live_memory.c remembers
 * processes, live_groups.c puts them together, live_usage.c reads what containers use,
 * live_verdict.c has the words of a group, live_cells.c those of a row. Private to view/.
 */
#ifndef NSVIEW_VIEW_LIVE_PRIVATE_H
#define NSVIEW_VIEW_LIVE_PRIVATE_H

#include <uthash.h>

#include "base/text.h"
#include "host/cgroup_limits.h"
#include "model/model.h"
#include "view/live.h"
#include "view/power.h"

struct cgroup_tree;
struct query_live;
struct tree;

#define LIVE_NONE UINT32_MAX
#define LIVE_HOST_KEY 0

/* A process as the frame before saw it, at the same place as in the model. */
struct live_memory {
	uint64_t start_boot_ns;
	uint64_t base_cpu_ns; /* at the last live_update */
	uint64_t changed_ns;  /* its credentials or namespaces; 0: not since it is known */
	double cpu_percent;
	uint32_t tgid;
};

/* One that has ended: what is left of it. */
#define LIVE_GONE_MAX 256
#define LIVE_GONE_PER_GROUP 5 /* in one frame: the rest is only counted */
#define LIVE_GONE_ARGS 512

struct live_gone {
	struct proc proc; /* borrows from the buffer; container: only during a frame */
	uint64_t *buffer;
	size_t buffer_bytes;
	uint64_t key;      /* of its group */
	uint64_t shown_ns; /* 0: not yet */
	uint32_t section;  /* in this frame; LIVE_NONE: none */
	bool is_used;
};

enum live_folding {
	FOLDING_USUAL, /* the host only, and only if there are containers */
	FOLDING_FOLDED,
	FOLDING_OPEN,
};

/* What is remembered of a group from frame to frame. */
struct live_state {
	uint64_t key;
	uint64_t seen_ns; /* the last frame that had it */
	enum live_folding folding;
	unsigned int cpu_step; /* its place in the order */
	size_t came_and_went;  /* since the last live_update */
	size_t gone;           /* kept as rows since then */
	size_t short_lived;    /* the same of the time before it: what is shown */
	/* From its cgroups. */
	struct cgroup_limits limits;
	uint64_t read_ns; /* by the monotonic clock; 0: never */
	int failed;
	double cpu_percent; /* between the last two readings; below 0: not known */
	UT_hash_handle hh;
};
#define LIVE_STATES_MAX 70000 /* the model has at most 65,536 containers */
#define LIVE_STATE_KEPT_NS (10 * 1000000000ULL)

/* A group of this frame. */
struct live_section {
	struct live_group group; /* first, so that one pointer is both */
	struct live_state *state;
	struct power power;
	size_t verdict_at; /* its place in live->words */
	size_t place;      /* before they were sorted */
	size_t order_at;   /* where its processes begin in live->order */
	size_t ordered;    /* how many they are there; 0: folded */
	size_t gone;
	size_t roots;      /* of the host's, kernel threads left out */
	size_t full_roots; /* of them: with every capability */
	bool has_host_root;
	bool has_cpu;
};

struct live {
	const struct view_context *outer; /* as it was given */
	struct view_context context;      /* the same, with this table in it */
	const struct view_context *view;  /* always the context */
	struct live_settings settings;
	struct query_live *query; /* NULL: everything is selected */
	enum live_folding folding_all;

	uint64_t now_ns;          /* of the last frame; 0: there was none */
	uint64_t first_ns;        /* of the first */
	uint64_t base_ns;         /* of the last live_update; 0: there was none */
	const struct proc *procs; /* of this frame */
	size_t procs_count;
	struct live_memory *memory; /* procs_count */
	size_t memory_capacity;
	struct live_memory *memory_before;
	size_t memory_before_capacity;
	struct live_gone *gone; /* LIVE_GONE_MAX */
	size_t gone_next;
	uint32_t leaving_tgid; /* ended last: the model keeps it until the next record */
	uint64_t leaving_start_ns;

	struct live_state *states;
	struct live_section *sections; /* one a container, in the model's order, then the host */
	size_t sections_count;
	size_t sections_capacity;
	uint32_t *section_of; /* by process; LIVE_NONE: not selected */
	size_t section_of_capacity;
	struct live_slot *slots;   /* from a container to its section */
	size_t slots_count;        /* a power of two */
	struct live_group *groups; /* in the order in which they are shown */
	size_t groups_count;
	size_t groups_capacity;
	struct text words;
	size_t left_out;
	struct cgroup_tree *tree_of_cgroups;
	uint64_t tree_read_ns;
	size_t usage_next; /* whose turn it is to be read */

	struct live_row *rows;
	size_t rows_count;
	size_t rows_capacity;
	const struct proc **order; /* what the rows are made from */
	size_t order_capacity;
	struct tree *tree; /* NULL: none */
	const struct column *columns[LIVE_COLUMNS];
};

/* live_memory.c */
/* Each process of the frame finds what was remembered of it. */
void live_memory_update(struct live *live, uint64_t now_boot_ns, bool has_usage);
void live_memory_forget(struct live *live);
void live_memory_free(struct live *live);
/* NULL: it was not there in the last frame. */
struct live_memory *live_memory_find(const struct live *live, uint32_t tgid,
				     uint64_t start_boot_ns);
void live_gone_add(struct live *live, const struct proc *proc, uint64_t key);
/* Those that have been shown long enough go. */
void live_gone_expire(struct live *live);
bool live_is_gone(const struct live *live, const struct proc *proc);
/* It has ended, though the model still has it. */
bool live_is_leaving(const struct live *live, const struct proc *proc);
enum live_mark live_mark_of(const struct live *live, const struct proc *proc);

/* live_groups.c */
uint64_t live_key(const struct container *container); /* NULL: the host */
/* Made where there is none. NULL: there are too many. */
struct live_state *live_state_find(struct live *live, uint64_t key);
enum filter_verdict live_selects(struct live *live, const struct proc *proc);
void live_groups_update(struct live *live, bool has_usage);
void live_groups_forget(struct live *live);
void live_groups_free(struct live *live);
enum live_weight live_weight_of(const struct view_context *view, uint64_t caps,
				enum caps_reach reach);

/* live_usage.c */
void live_usage_read(struct live *live);
void live_usage_free(struct live *live);

/* live_verdict.c: appended to live->words. */
void live_verdict_add(struct live *live, const struct live_section *section);

#endif
