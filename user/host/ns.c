/* SPDX-License-Identifier: GPL-2.0-only */
#include "host/ns.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uthash.h>

#include "base/mem.h"
#include "host/facts.h"

#define ENTRIES_MAX 65536  /* of live namespaces; what does not fit stays unknown */
#define USER_LEVELS_MAX 33 /* create_user_ns refuses level 33, kernel/user_namespace.c */

struct ns_entry {
	uint32_t inode; /* unique over all kinds: one allocator numbers them, fs/nsfs.c */
	struct ns_facts facts;
	UT_hash_handle hh;
};

struct ns_cache {
	struct ns_entry *entries;
	size_t count;
};

struct ns_cache *ns_cache_new(void)
{
	return mem_new(sizeof(struct ns_cache));
}

void ns_cache_free(struct ns_cache *cache)
{
	struct ns_entry *entry;
	struct ns_entry *next;

	if (!cache)
		return;
	HASH_ITER (hh, cache->entries, entry, next) {
		HASH_DEL(cache->entries, entry);
		free(entry);
	}
	free(cache);
}

static uint32_t inode_of(int fd)
{
	struct stat status;

	return fstat(fd, &status) ? 0 : (uint32_t)status.st_ino;
}

static const struct ns_facts *cache_find(struct ns_cache *cache, uint32_t inode)
{
	struct ns_entry *entry;

	HASH_FIND(hh, cache->entries, &inode, sizeof(inode), entry);
	return entry ? &entry->facts : NULL;
}

static void cache_add(struct ns_cache *cache, uint32_t inode, const struct ns_facts *facts)
{
	struct ns_entry *entry;

	if (cache->count >= ENTRIES_MAX || cache_find(cache, inode))
		return;
	entry = mem_new(sizeof(*entry));
	entry->inode = inode;
	entry->facts = *facts;
	HASH_ADD(hh, cache->entries, inode, sizeof(entry->inode), entry);
	cache->count++;
}

/* A descriptor of the parent, -1 at the reader's own namespace (EPERM). */
static int parent_open(int fd)
{
	return ioctl(fd, NS_GET_PARENT);
}

/* Walks up to the host's own; only from there can levels be counted. */
static void user_facts(int fd, uint32_t inode, struct ns_facts *facts)
{
	autoclose int parent = parent_open(fd);
	uint32_t at = inode;
	uid_t owner = 0;

	if (parent >= 0)
		facts->parent = inode_of(parent);
	while (parent >= 0 && facts->level < USER_LEVELS_MAX) {
		int next = parent_open(parent);

		at = inode_of(parent);
		facts->level++;
		close(parent);
		parent = next;
	}
	facts->has_level = at == NS_HOST_USER && !ioctl(fd, NS_GET_OWNER_UID, &owner);
	facts->owner = owner;
}

/* Whole chains at once: a namespace in between may have no process of its own to ask. */
static void pid_learn(struct ns_cache *cache, int fd)
{
	int at = dup(fd);

	for (int level = 0; at >= 0 && level < PID_LEVELS_MAX; level++) {
		int parent = parent_open(at);
		struct ns_facts facts = {.parent = parent < 0 ? 0 : inode_of(parent)};

		cache_add(cache, inode_of(at), &facts);
		close(at);
		at = parent;
	}
	if (at >= 0)
		close(at);
}

const struct ns_facts *ns_lookup(struct ns_cache *cache, int pid_fd, enum ns_kind kind,
				 uint32_t inode)
{
	const struct ns_facts *known = cache_find(cache, inode);
	struct ns_facts facts = {0};
	autoclose int fd = -1;
	char path[16];

	if (known)
		return known;
	snprintf(path, sizeof(path), "ns/%s", ns_names[kind]);
	fd = openat(pid_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || inode_of(fd) != inode)
		return NULL;
	if (kind == NS_PID) {
		pid_learn(cache, fd);
	} else {
		user_facts(fd, inode, &facts);
		cache_add(cache, inode, &facts);
	}
	return cache_find(cache, inode);
}
