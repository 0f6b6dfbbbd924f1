/* SPDX-License-Identifier: GPL-2.0-only */
/* Who COMMAND is and what it may do: the last thing that is changed before it is executed. */
#ifndef NSVIEW_LAUNCH_PRIVILEGE_H
#define NSVIEW_LAUNCH_PRIVILEGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct privilege {
	uid_t uid;
	gid_t gid;
	const gid_t *groups; /* borrowed */
	size_t groups_count;
	bool keeps_groups; /* the process's own, where none can be set */
	uint64_t capabilities;
};

/* The kernel's highest capability, by asking it: needs no /proc. */
int privilege_cap_last(void);

/* What this process could pass on: its bounding set and its permitted set, both. */
uint64_t privilege_grantable(int cap_last);

/*
 * Makes this process what `privilege` says, as docker does: bounding set = capabilities;
 * permitted and effective the same for uid 0 and empty for anybody else; inheritable and ambient
 * empty (since docker 20.10.14: CVE-2022-24769). What failed has been said.
 */
int privilege_apply(const struct privilege *privilege);

#endif
