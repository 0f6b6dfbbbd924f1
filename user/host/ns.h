/* SPDX-License-Identifier: GPL-2.0-only */
/* How namespaces nest: parents and owners by the ioctls of ioctl_ns(2), each asked for once. */
#ifndef NSVIEW_HOST_NS_H
#define NSVIEW_HOST_NS_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/event.h"

/* Bounded; free with ns_cache_free, which takes NULL. Inodes of namespaces are reused at once, so
 * one cache serves one pass over the processes. */
struct ns_cache;

/* Of a pid or user namespace. The kernel shows no parents above the reader's own. */
struct ns_facts {
	uint32_t parent; /* inode; 0: above the reader's own, or not known */
	uint32_t level;  /* user: 0 is the host's */
	uint32_t owner;  /* user: uid, as the reader's user namespace numbers it */
	bool has_level;  /* user: level and owner are known */
};

struct ns_cache *ns_cache_new(void);
void ns_cache_free(struct ns_cache *cache);

/*
 * What is known about the namespace `inode` (NS_PID or NS_USER), which the process of pid_fd
 * (procfs_open_pid) is in. Borrowed until the next call; NULL: it may not be opened, or the
 * process has left it.
 */
const struct ns_facts *ns_lookup(struct ns_cache *cache, int pid_fd, enum ns_kind kind,
				 uint32_t inode);

#endif
