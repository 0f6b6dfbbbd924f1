/* SPDX-License-Identifier: GPL-2.0-only */
/* --user, resolved in the container's own /etc/passwd and /etc/group as docker does. */
#ifndef NSVIEW_LAUNCH_USER_H
#define NSVIEW_LAUNCH_USER_H

#include <stddef.h>
#include <sys/types.h>

/* Zero-initialise; user_free releases what is in it. */
struct user {
	uid_t uid;
	gid_t gid;
	char *home;
	gid_t *groups; /* the primary group first (docker, since CVE-2022-36109) */
	size_t groups_count;
};

/*
 * words: USER[:GROUP], each a name or a number, or NULL for root. A number is always an id. A
 * user without an entry has group 0 and home /; the groups that list a known user are added
 * unless GROUP is given. root_fd: the container's root. -EINVAL, -ENOENT have been said.
 */
int user_resolve(int root_fd, const char *words, struct user *user);
void user_free(struct user *user);

#endif
