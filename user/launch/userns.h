/* SPDX-License-Identifier: GPL-2.0-only */
/* A user namespace for the container: which of the host's ids its users are. */
#ifndef NSVIEW_LAUNCH_USERNS_H
#define NSVIEW_LAUNCH_USERNS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* outside: the host's; inside they start at 0, or at 1 where 0 is nsview's own user. */
struct userns_range {
	uint32_t outside;
	uint32_t count; /* 0: there are none */
};

struct userns {
	struct userns_range uids;
	struct userns_range gids;
	bool is_by_root; /* who may map whatever it likes; else 0 is nsview's own user and group */
};

/*
 * by_root: 65,536 ids, root's in /etc/subuid and /etc/subgid, or, where those have none for root,
 * a stretch that they give to nobody. Else nsview's own user and what they give to that.
 */
int userns_plan(struct userns *userns, bool by_root);

/*
 * In the parent: maps the ids of the new user namespace of pid. Without root this runs newuidmap
 * and newgidmap, which are allowed to; where they are not there or will not, the only user and
 * group in the container are nsview's own. What failed has been said.
 */
int userns_map(const struct userns *userns, pid_t pid);

/* In the process itself, once mapped: becomes its user 0. *has_groups: whether supplementary
 * groups can be set. What failed has been said. */
int userns_enter(bool *has_groups);

/* "NAME:START:COUNT" of a file like /etc/subuid: the first for the user, by name or number; or
 * -ENOENT. name may be NULL. */
struct userns_owner {
	const char *name;
	uint32_t uid;
};
int userns_find_range(const char *file, const struct userns_owner *owner,
		      struct userns_range *range);

#endif
