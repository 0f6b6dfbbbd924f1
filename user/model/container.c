/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/container.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/mem.h"
#include "host/cgroup.h"

#define SHORT_ID_LENGTH 12 /* as `docker ps` shows it */
#define FULL_ID_LENGTH 64

struct container_entry {
	struct container container; /* first, so that one pointer is both */
	UT_hash_handle hh;
};

/*
 * What tells one container from another: the path of its cgroup, or "pid:<inode>", "user:", "mnt:",
 * "?", which are then its name. Not the id, which everybody may write who may make a cgroup.
 */
struct container_key {
	const char *data;
	size_t length;
	char text[32]; /* where data points to when it is no path */
	const char *runtime;
	const char *id;
	size_t id_length;
};

/* A zombie has left its namespaces, but for the pid namespace that still numbers it. */
static uint32_t proc_namespace(const struct proc *proc, enum ns_kind kind)
{
	uint32_t inode = proc->task->ns[kind];

	return inode || kind != NS_PID ? inode : proc->chain[proc->task->chain_count - 1].ns;
}

static bool has_own_ns(const struct proc *proc, const uint32_t *host_ns, enum ns_kind kind)
{
	uint32_t inode = proc_namespace(proc, kind);

	return inode && host_ns[kind] && inode != host_ns[kind];
}

/* systemd gives its services mount namespaces of their own (PrivateTmp=, ProtectSystem=): that
 * alone does not make them containers. */
static bool is_in_service(const struct proc *proc)
{
	static const char suffix[] = ".service";
	size_t length = proc->task->cgroup_length;
	size_t tail = sizeof(suffix) - 1;

	return length >= tail && !memcmp(proc->cgroup_path + length - tail, suffix, tail);
}

/*
 * The path up to the component that has the id: what lies below belongs to the container (crun and
 * nspawn put it there). Of a path whose beginning is missing, the component alone: how much is
 * missing depends on what lies below.
 */
static void container_key_from_path(const struct proc *proc, const struct cgroup_container *found,
				    struct container_key *key)
{
	const char *path = proc->cgroup_path;
	const char *start = path;
	size_t left = (size_t)(path + proc->task->cgroup_length - found->id);
	const char *end = memchr(found->id, '/', left);

	if (proc->task->flags & TASK_CGROUP_CUT) {
		start = memrchr(path, '/', (size_t)(found->id - path));
		start = start ? start + 1 : path;
	}
	key->data = start;
	key->length = (size_t)((end ? end : found->id + left) - start);
	key->runtime = found->runtime;
	key->id = found->id;
	key->id_length = found->id_length;
}

static bool container_key_find(const struct proc *proc, const uint32_t *host_ns,
			       struct container_key *key)
{
	const struct task_record *task = proc->task;
	struct cgroup_container found;

	if (task->flags & TASK_KTHREAD)
		return false;
	if (task->cgroup_length &&
	    cgroup_find_container(proc->cgroup_path, task->cgroup_length, &found)) {
		container_key_from_path(proc, &found, key);
		return true;
	}
	key->data = key->text;
	if (has_own_ns(proc, host_ns, NS_PID))
		snprintf(key->text, sizeof(key->text), "pid:%u", proc_namespace(proc, NS_PID));
	else if (has_own_ns(proc, host_ns, NS_USER))
		snprintf(key->text, sizeof(key->text), "user:%u", task->ns[NS_USER]);
	else if (has_own_ns(proc, host_ns, NS_MNT) && !is_in_service(proc))
		snprintf(key->text, sizeof(key->text), "mnt:%u", task->ns[NS_MNT]);
	else if (!proc_namespace(proc, NS_PID) && task->chain_count > 1)
		snprintf(key->text, sizeof(key->text), "?");
	else
		return false;
	key->length = strlen(key->text);
	return true;
}

static void container_make(struct container *container, const struct container_key *key)
{
	size_t length = key->id_length;

	container->runtime = key->runtime;
	if (!length) {
		snprintf(container->name, sizeof(container->name), "%s", key->text);
		return;
	}
	if (length >= sizeof(container->id))
		length = sizeof(container->id) - 1;
	memcpy(container->id, key->id, length);
	if (length == FULL_ID_LENGTH)
		length = SHORT_ID_LENGTH;
	memcpy(container->name, key->id, length);
}

struct container *container_of_proc(struct container_table *table, struct arena *arena,
				    const struct proc *proc, const uint32_t host_ns[NS_KINDS])
{
	const struct task_record *task = proc->task;
	struct container_key key = {0};
	struct container_entry *entry;
	struct container *container;

	if (!container_key_find(proc, host_ns, &key))
		return NULL;
	HASH_FIND(hh, table->by_key, key.data, key.length, entry);
	if (!entry) {
		entry = arena_take(arena, sizeof(*entry));
		memset(entry, 0, sizeof(*entry));
		container_make(&entry->container, &key);
		HASH_ADD_KEYPTR(hh, table->by_key, arena_copy(arena, key.data, key.length),
				key.length, entry);
		mem_reserve_one(table->in_order, table->count, table->capacity);
		table->in_order[table->count++] = &entry->container;
	}
	container = &entry->container;
	container->procs++;
	if (container->procs == 1 || task->start_boot_ns < container->start_boot_ns) {
		container->start_boot_ns = task->start_boot_ns;
		container->first_pid = task->tgid;
		memcpy(container->ns, task->ns, sizeof(container->ns));
	}
	return container;
}

void container_name_set(struct container *container, const struct container_name *name)
{
	memcpy(container->name, name->name, sizeof(container->name));
	memcpy(container->id, name->id, sizeof(container->id));
	container->runtime = name->runtime;
	container->declared = name->declared;
}

static bool container_is_named_by(const struct container *container,
				  const struct container_name *name)
{
	if (name->first_pid)
		return false;
	if (name->pid_ns)
		return container->ns[NS_PID] == name->pid_ns;
	return name->id[0] && !strcmp(container->id, name->id);
}

void container_table_name(struct container_table *table, const struct container_name *names,
			  size_t count)
{
	for (size_t i = 0; i < table->count; i++) {
		struct container *container = table->in_order[i];

		for (size_t j = 0; j < count; j++) {
			if (!container_is_named_by(container, &names[j]))
				continue;
			container_name_set(container, &names[j]);
			break;
		}
	}
}

static int container_compare(const void *left, const void *right)
{
	const struct container *one = *(struct container *const *)left;
	const struct container *other = *(struct container *const *)right;

	if (one->start_boot_ns != other->start_boot_ns)
		return one->start_boot_ns < other->start_boot_ns ? -1 : 1;
	return (one->first_pid > other->first_pid) - (one->first_pid < other->first_pid);
}

void container_table_sort(struct container_table *table)
{
	if (table->count)
		qsort(table->in_order, table->count, sizeof(struct container *), container_compare);
}

void container_table_free(struct container_table *table)
{
	HASH_CLEAR(hh, table->by_key);
	free(table->in_order);
	memset(table, 0, sizeof(*table));
}
