/* SPDX-License-Identifier: GPL-2.0-only */
/* What group.c counts and group_columns.c shows. Private to view/. */
#ifndef NSVIEW_VIEW_GROUP_PRIVATE_H
#define NSVIEW_VIEW_GROUP_PRIVATE_H

#include <uthash.h>

#include "view/group.h"
#include "view/power.h"

/* Something used, and how much of it may be. */
struct group_amount {
	double used;
	double limit;
	bool is_used_unknown;
	bool is_limit_unknown;
	bool has_no_limit; /* one of the group's has none */
};

struct group {
	char *key;                 /* as the hash has it: a letter for the kind, then the text */
	enum value_kind name_kind; /* NONE, UNKNOWN or TEXT */
	const char *name;
	size_t name_length;
	const struct container *last; /* the container counted last */
	size_t processes;
	size_t containers;
	uint32_t *uids; /* effective, on the host; sorted and unique once groups_make has ended */
	size_t uids_count;
	size_t uids_capacity;
	struct power power;
	uint64_t cpu_ns;            /* of processes that no cgroup of a container's counts */
	uint64_t start_boot_ns;     /* of the oldest of these */
	struct group_amount cpu;    /* CPUs */
	struct group_amount memory; /* bytes */
	bool is_user_unknown;
	UT_hash_handle hh;
};

#endif
