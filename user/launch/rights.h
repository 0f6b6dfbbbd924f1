/* SPDX-License-Identifier: GPL-2.0-only */
/* What a container may do and use: docker's words worked out before anything is made. */
#ifndef NSVIEW_LAUNCH_RIGHTS_H
#define NSVIEW_LAUNCH_RIGHTS_H

#include <stdbool.h>
#include <stdint.h>

#include "launch/limits.h"
#include "launch/seccomp.h"
#include "launch/userns.h"

struct spec;

/* Zero-initialise; rights_free releases what is in it. */
struct rights {
	uint64_t capabilities;
	uint64_t namespaces; /* CLONE_NEW*: its own ones; of the other kinds it has the host's */
	bool has_no_new_privileges;
	bool is_filtered; /* by seccomp */
	struct seccomp seccomp;
	struct limits limits;
	struct userns userns; /* when namespaces has CLONE_NEWUSER */
};

/*
 * Checks the words against each other and against what this process can give. -errno has been
 * said, in docker's cases: a malformed word, a capability that nsview does not have itself, what
 * cannot go together with a user namespace.
 */
int rights_read(const struct spec *spec, struct rights *rights);
void rights_free(struct rights *rights);

/* Whether the container has a namespace of this kind (CLONE_NEWPID, ...) of its own. */
static inline bool rights_has_own(const struct rights *rights, uint64_t kind)
{
	return rights->namespaces & kind;
}

#endif
