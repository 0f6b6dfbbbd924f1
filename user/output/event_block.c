/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Most of a line is who the process is, and the processes of one container or one session differ
 * in little but their pid: what they have in common is made once and then copied.
 */
#include "output/event_private.h"

#include <stdlib.h>

#include "base/mem.h"
#include "host/runtime/runtime.h"
#include "model/model.h"
#include "view/column.h"

#define BLOCK_BITS 8
#define BLOCKS (1U << BLOCK_BITS) /* each has one of two places */

/* Everything that a block is made of. No padding but what is zeroed. */
struct block_key {
	struct task_identity identity; /* without what the block does not say */
	struct id_block in_ids;
	const struct container *container;
	const struct runtime_container *declared;
	const char *runtime;
	uint64_t unknown;
	uint32_t container_mnt;
	uint32_t first_pid;
	uint32_t first_level; /* of the container's first process: drift is judged by it */
	uint32_t level;
	uint32_t has_proc; /* without one there is no judging drift */
	uint32_t pad;
	/* So far all of it; of these as much as there is: */
	uint32_t groups[GROUPS_KEPT];
	/* A container's memory may be another's one day, and one's name may change. */
	char name[256];
	char id[128];
};

struct block_entry {
	struct block_key key;
	struct event_block block;
	uint64_t used_at; /* 0: never */
};

struct event_blocks {
	struct block_entry entries[BLOCKS];
	struct block_entry *last; /* processes that follow each other are mostly alike */
	uint64_t uses;
	struct block_key wanted; /* here, so that its strings need not be zeroed each time */
};

static void block_clear(struct event_block *block)
{
	text_clear(&block->users);
	text_clear(&block->thread);
	text_clear(&block->container);
	text_clear(&block->nsview);
}

struct event_blocks *event_blocks_new(void)
{
	return mem_new(sizeof(struct event_blocks));
}

void event_blocks_free(struct event_blocks *blocks)
{
	if (!blocks)
		return;
	for (size_t i = 0; i < BLOCKS; i++) {
		text_free(&blocks->entries[i].block.users);
		text_free(&blocks->entries[i].block.thread);
		text_free(&blocks->entries[i].block.container);
		text_free(&blocks->entries[i].block.nsview);
	}
	free(blocks);
}

void event_blocks_clear(struct event_blocks *blocks)
{
	for (size_t i = 0; i < BLOCKS; i++)
		blocks->entries[i].used_at = 0;
}

/* Drift asks whether the process is in a user namespace below its container's. */
static uint32_t first_level(const struct event_writer *writer, const struct event_subject *subject)
{
	const struct proc *first;

	if (!subject->identity->user_ns_level || !subject->container->declared)
		return 0;
	first = model_find(writer->view->model, subject->container->first_pid);
	return first ? first->task->user_ns_level + 1 : 0;
}

static void key_set_container(const struct event_writer *writer,
			      const struct event_subject *subject, struct block_key *key)
{
	const struct container *container = subject->container;

	key->container = container;
	if (!container) {
		key->declared = NULL;
		key->runtime = NULL;
		key->container_mnt = key->first_pid = key->first_level = 0;
		key->name[0] = key->id[0] = '\0';
		return;
	}
	key->declared = container->declared;
	key->runtime = container->runtime;
	key->container_mnt = container->ns[NS_MNT];
	key->first_pid = container->first_pid;
	key->first_level = first_level(writer, subject);
	strcpy(key->name, container->name);
	strcpy(key->id, container->id);
}

static void key_set(const struct event_writer *writer, const struct event_subject *subject,
		    struct block_key *key)
{
	size_t groups = subject->groups ? subject->identity->groups_kept : 0;

	key->identity = *subject->identity;
	key->identity.cgroup_id = 0;
	key->identity.in_ppid = 0;
	key->identity.flags &= TASK_ZOMBIE;
	key->identity.chain_count = 0;
	key->identity.cgroup_length = 0;
	key->identity.cgroup_hierarchy = 0;
	memset(key->identity.identity_pad, 0, sizeof(key->identity.identity_pad));
	memset(key->identity.comm, 0, sizeof(key->identity.comm));
	key->in_ids = *subject->in_ids;
	if (groups)
		memcpy(key->groups, subject->groups, groups * sizeof(*key->groups));
	key->unknown = subject->unknown;
	key->level = writer->level;
	key->has_proc = subject->proc != NULL;
	key_set_container(writer, subject, key);
}

/* The identity is what differs most; the rest is looked at in the comparison. */
static uint32_t key_hash(const struct block_key *key)
{
	uint64_t words[sizeof(struct task_identity) / 8];
	uint64_t one = (uint64_t)(uintptr_t)key->container;
	uint64_t other = key->in_ids.euid;

	_Static_assert(sizeof(words) == sizeof(key->identity), "whole words");
	memcpy(words, &key->identity, sizeof(words));
	for (size_t i = 0; i + 1 < ARRAY_SIZE(words); i += 2) {
		one = (one ^ words[i]) * 0x9e3779b97f4a7c15ULL;
		other = (other ^ words[i + 1]) * 0xbf58476d1ce4e5b9ULL;
	}
	one = (one ^ other >> 29 ^ other) * 0x94d049bb133111ebULL;
	return (uint32_t)(one >> (64 - BLOCK_BITS));
}

static bool key_is_same(const struct block_key *one, const struct block_key *other)
{
	size_t groups = one->identity.groups_kept * sizeof(*one->groups);

	if (memcmp(one, other, offsetof(struct block_key, groups)) != 0)
		return false;
	if (groups && memcmp(one->groups, other->groups, groups) != 0)
		return false;
	return !one->container || (!strcmp(one->name, other->name) && !strcmp(one->id, other->id));
}

/* Renders one part of the block into a text of its own. */
static void block_fill(struct event_writer *writer, const struct event_subject *subject,
		       struct event_block *block)
{
	struct text *line = writer->out;
	uint64_t unknown = writer->unknown;
	uint64_t lossy = writer->lossy;
	uint32_t cut = writer->cut;

	writer->unknown = writer->lossy = writer->cut = 0;
	block_clear(block);
	writer->out = &block->users;
	event_render_users(writer, subject);
	writer->out = &block->thread;
	event_render_thread(writer, subject);
	writer->out = &block->container;
	event_render_container(writer, subject);
	writer->out = &block->nsview;
	block->has_caps = event_render_nsview(writer, subject);
	block->unknown = writer->unknown;
	block->lossy = writer->lossy;
	block->cut = writer->cut;
	writer->out = line;
	writer->unknown = unknown;
	writer->lossy = lossy;
	writer->cut = cut;
}

/* The entry that has the key; else the older of its two places, which is then to be filled. */
static struct block_entry *entry_search(struct event_blocks *blocks, const struct block_key *key,
					bool *is_found)
{
	uint32_t place = key_hash(key);
	struct block_entry *one = &blocks->entries[place];
	struct block_entry *other = &blocks->entries[place ^ 1];

	*is_found = true;
	if (one->used_at && key_is_same(&one->key, key))
		return one;
	if (other->used_at && key_is_same(&other->key, key))
		return other;
	*is_found = false;
	return one->used_at <= other->used_at ? one : other;
}

static struct block_entry *entry_find(struct event_blocks *blocks, const struct block_key *key,
				      bool *is_found)
{
	struct block_entry *last = blocks->last;

	*is_found = last && last->used_at && key_is_same(&last->key, key);
	if (!*is_found)
		last = entry_search(blocks, key, is_found);
	blocks->last = last;
	return last;
}

const struct event_block *event_block_get(struct event_writer *writer,
					  const struct event_subject *subject)
{
	struct event_blocks *blocks = writer->blocks;
	struct block_key *key = &blocks->wanted;
	struct block_entry *entry;
	bool is_found;

	if (writer->block)
		return writer->block;
	key_set(writer, subject, key);
	entry = entry_find(blocks, key, &is_found);
	entry->used_at = ++blocks->uses;
	if (!is_found) {
		entry->key = *key;
		block_fill(writer, subject, &entry->block);
	}
	writer->unknown |= entry->block.unknown;
	writer->lossy |= entry->block.lossy;
	writer->cut |= entry->block.cut;
	writer->block = &entry->block;
	return writer->block;
}
