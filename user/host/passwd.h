/* SPDX-License-Identifier: GPL-2.0-only */
/* User names: the host's through the C library, a container's from its own /etc/passwd. */
#ifndef NSVIEW_HOST_PASSWD_H
#define NSVIEW_HOST_PASSWD_H

#include <stddef.h>
#include <stdint.h>

struct passwd_cache; /* remembers every answer, bounded; free with passwd_free */

/* host_root: --host-root, whose /etc/passwd is then the host's; NULL: the C library is asked. */
struct passwd_cache *passwd_new(const char *host_root);
/* One that knows what passwd_learn tells it and looks nowhere: of another machine. */
struct passwd_cache *passwd_new_learning(void);
void passwd_free(struct passwd_cache *cache);

/* The host's name for uid, borrowed from the cache; NULL: it has none. */
const char *passwd_host_name(struct passwd_cache *cache, uint32_t uid);
/* The host's uid for a name or a number. -ENOENT: no such user. */
int passwd_host_uid(struct passwd_cache *cache, const char *name, uint32_t *uid);

/*
 * The name that the container itself would show: /etc/passwd below /proc/PID/root, opened with
 * openat2(RESOLVE_IN_ROOT), at most 1 MiB, regular files only. Its content is hostile: names are
 * returned as they are, at most 32 bytes, and still have to be made printable. One file is
 * read once per (mount namespace, root); that is cheapest, and what `ps` inside shows, with the
 * pid and mount namespace of the container's first process. proc_fd -1: no /proc. NULL: no such
 * file, no such name, or not ours to read.
 */
const char *passwd_container_name(struct passwd_cache *cache, int proc_fd, uint32_t pid,
				  uint32_t mnt_ns, uint32_t uid);

/* Names inside that mount namespace are read again: a container's first program has started, whose
 * root may be another than that of the runtime's steps before it. */
void passwd_forget(struct passwd_cache *cache, uint32_t mnt_ns);

/* Has a look at whether /etc/passwd is another one, and if so asks for the host's names again. Worth
 * a system call each second to who runs for long; other name services are not seen to change. */
void passwd_refresh(struct passwd_cache *cache);

/* How often names that were given out may have become others: what was made of them is then old. */
uint64_t passwd_changes(const struct passwd_cache *cache);

/* mnt_ns and pid as passwd_container_name has them; both 0: a user of the host. A later name takes
 * the place of an earlier one, and "" means none; what does not fit is left out. */
void passwd_learn(struct passwd_cache *cache, uint32_t mnt_ns, uint32_t pid, uint32_t uid,
		  const char *name, size_t length);

/* From now on each name is told to the listener before it is given out first, and again when it
 * has become another one, or none (""). */
typedef void (*passwd_listener)(void *context, uint32_t mnt_ns, uint32_t pid, uint32_t uid,
				const char *name);
void passwd_listen(struct passwd_cache *cache, passwd_listener listener, void *context);

#endif
