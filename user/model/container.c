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

/* A process that comes late may still be of it; more than a host ends in that time are a storm. */
#define ENDED_KEPT_NS (60 * 1000000000ULL)
#define ENDED_MAX 256
/* Beyond, all are one: they are containers still, and none of them is taken for the host. */
#define CONTAINERS_MAX 65536

struct container_entry {
	struct container container; /* first, so that one pointer is both */
	UT_hash_handle hh;
	struct container_entry *ended_next;
	uint64_t ended_ns;
	size_t living;     /* its processes that have not ended; once events change the model */
	uint32_t last_pid; /* the youngest of them, as container.first_pid is the oldest */
	bool is_ended;     /* on the list of those without processes */
	bool is_by_cgroup; /* its key is a path */
	char *key;
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

	memset(container, 0, sizeof(*container));
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

static struct container_entry *entry_of(const struct container *container)
{
	return (struct container_entry *)container;
}

static void entry_key_set(struct container_table *table, struct container_entry *entry,
			  const struct container_key *key)
{
	entry->key = mem_resize(NULL, 1, key->length);
	memcpy(entry->key, key->data, key->length);
	entry->is_by_cgroup = key->id_length;
	HASH_ADD_KEYPTR(hh, table->by_key, entry->key, key->length, entry);
}

static void entry_key_drop(struct container_table *table, struct container_entry *entry)
{
	HASH_DEL(table->by_key, entry);
	free(entry->key);
}

static void entry_free(struct container_table *table, struct container_entry *entry)
{
	entry_key_drop(table, entry);
	free(entry);
}

static void table_list(struct container_table *table, struct container_entry *entry)
{
	mem_reserve_one(table->in_order, table->count, table->capacity);
	table->in_order[table->count++] = &entry->container;
	table->is_sorted = false;
}

static void table_unlist(struct container_table *table, const struct container_entry *entry)
{
	for (size_t i = 0; i < table->count; i++) {
		if (table->in_order[i] != &entry->container)
			continue;
		table->count--;
		memmove(table->in_order + i, table->in_order + i + 1,
			(table->count - i) * sizeof(*table->in_order));
		return;
	}
}

static void ended_remove_first(struct container_table *table)
{
	struct container_entry *entry = table->ended_first;

	table->ended_first = entry->ended_next;
	if (!table->ended_first)
		table->ended_last = NULL;
	table->ended_count--;
	/* One that lives again stays on the list until its turn comes. */
	if (entry->is_ended && entry->container.procs) {
		entry->is_ended = false;
		return;
	}
	entry_free(table, entry);
}

static void ended_add(struct container_table *table, struct container_entry *entry, uint64_t now_ns)
{
	entry->ended_ns = now_ns;
	if (!entry->is_ended) {
		entry->is_ended = true;
		entry->ended_next = NULL;
		if (table->ended_last)
			table->ended_last->ended_next = entry;
		else
			table->ended_first = entry;
		table->ended_last = entry;
		table->ended_count++;
	}
	while (table->ended_first && (table->ended_count > ENDED_MAX ||
				      table->ended_first->ended_ns + ENDED_KEPT_NS < now_ns))
		ended_remove_first(table);
}

static struct container_entry *entry_find(const struct container_table *table,
					  const struct container_key *key)
{
	struct container_entry *entry;

	HASH_FIND(hh, table->by_key, key->data, key->length, entry);
	return entry;
}

static struct container_entry *entry_make(struct container_table *table,
					  const struct container_key *key)
{
	struct container_entry *entry = mem_new(sizeof(*entry));

	container_make(&entry->container, key);
	entry_key_set(table, entry, key);
	table_list(table, entry);
	return entry;
}

struct container *container_find(struct container_table *table, const struct proc *proc,
				 const uint32_t host_ns[NS_KINDS])
{
	struct container_key key = {0};
	struct container_entry *entry;

	if (!container_key_find(proc, host_ns, &key))
		return NULL;
	entry = entry_find(table, &key);
	if (!entry && HASH_COUNT(table->by_key) >= CONTAINERS_MAX) {
		key = (struct container_key){.data = "?", .length = 1, .text = "?"};
		entry = entry_find(table, &key);
	}
	if (!entry)
		return &entry_make(table, &key)->container;
	if (!entry->container.procs && entry->is_ended) {
		/* A namespace's inode may be another one's by now, which has no right to the name. */
		if (!key.id_length)
			container_make(&entry->container, &key);
		table_list(table, entry);
	}
	return &entry->container;
}

struct container *container_peek(const struct container_table *table, const struct proc *proc,
				 const uint32_t host_ns[NS_KINDS])
{
	struct container_key key = {0};
	struct container_entry *entry = NULL;

	if (container_key_find(proc, host_ns, &key))
		entry = entry_find(table, &key);
	return entry ? &entry->container : NULL;
}

bool container_rename(struct container_table *table, const struct proc *proc,
		      const uint32_t host_ns[NS_KINDS])
{
	struct container_entry *entry = entry_of(proc->container);
	struct container old;
	struct container_key key = {0};

	if (!entry || entry->container.procs != 1 || entry->is_by_cgroup ||
	    !container_key_find(proc, host_ns, &key) || !key.id_length || entry_find(table, &key))
		return false;
	entry_key_drop(table, entry);
	entry_key_set(table, entry, &key);
	old = entry->container;
	container_make(&entry->container, &key);
	entry->container.procs = old.procs;
	entry->container.start_boot_ns = old.start_boot_ns;
	entry->container.first_pid = old.first_pid;
	memcpy(entry->container.ns, old.ns, sizeof(old.ns));
	if (old.declared)
		model_declare(&entry->container, old.declared);
	return true;
}

static void container_begin_with(struct container *container, const struct task_record *task)
{
	container->start_boot_ns = task->start_boot_ns;
	container->first_pid = task->tgid;
	memcpy(container->ns, task->ns, sizeof(container->ns));
}

void container_count(const struct proc *proc)
{
	struct container *container = proc->container;

	container->procs++;
	if (container->procs == 1 || proc->task->start_boot_ns < container->start_boot_ns)
		container_begin_with(container, proc->task);
}

void container_refresh(const struct proc *proc)
{
	if (proc->container && proc->container->first_pid == proc->task->tgid)
		container_begin_with(proc->container, proc->task);
}

void container_list(struct container_table *table, struct model *model, struct proc *proc)
{
	struct container_entry *entry = entry_of(proc->container);
	struct proc *older = model_find(model, entry->last_pid);
	struct proc *younger = NULL;

	while (older && older->task->start_boot_ns > proc->task->start_boot_ns) {
		younger = older;
		older = model_find(model, older->own.container_before);
	}
	proc->own.container_before = older ? older->task->tgid : 0;
	proc->own.container_next = younger ? younger->task->tgid : 0;
	if (younger)
		younger->own.container_before = proc->task->tgid;
	else
		entry->last_pid = proc->task->tgid;
	if (older) {
		older->own.container_next = proc->task->tgid;
	} else {
		container_begin_with(proc->container, proc->task);
		table->is_sorted = false;
	}
	entry->living += !proc->own.is_dead;
}

static void container_unlist(struct container_table *table, struct model *model, struct proc *proc)
{
	struct container_entry *entry = entry_of(proc->container);
	struct proc *older = model_find(model, proc->own.container_before);
	struct proc *younger = model_find(model, proc->own.container_next);

	if (younger)
		younger->own.container_before = proc->own.container_before;
	else
		entry->last_pid = proc->own.container_before;
	if (older) {
		older->own.container_next = proc->own.container_next;
	} else if (younger) {
		container_begin_with(proc->container, younger->task);
		table->is_sorted = false;
	}
	proc->own.container_before = 0;
	proc->own.container_next = 0;
}

bool container_join(struct container_table *table, struct model *model, struct proc *proc)
{
	const struct container_entry *entry = entry_of(proc->container);

	proc->container->procs++;
	container_list(table, model, proc);
	return !proc->own.is_dead && entry->living == 1;
}

bool container_end(struct proc *proc)
{
	struct container_entry *entry;
	bool was_dead = proc->own.is_dead;

	proc->own.is_dead = true;
	if (was_dead || !proc->container)
		return false;
	entry = entry_of(proc->container);
	return !--entry->living;
}

bool container_leave(struct container_table *table, struct model *model, struct proc *proc,
		     uint64_t now_ns)
{
	struct container_entry *entry = entry_of(proc->container);
	bool was_dead = proc->own.is_dead;

	container_unlist(table, model, proc);
	entry->container.procs--;
	entry->living -= !was_dead;
	proc->container = NULL;
	if (!entry->container.procs) {
		table_unlist(table, entry);
		ended_add(table, entry, now_ns);
	}
	return !was_dead && !entry->living;
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
	if (table->count && !table->is_sorted)
		qsort(table->in_order, table->count, sizeof(struct container *), container_compare);
	table->is_sorted = true;
}

void container_table_free(struct container_table *table)
{
	struct container_entry *entry, *next;

	HASH_ITER (hh, table->by_key, entry, next)
		entry_free(table, entry);
	free(table->in_order);
	memset(table, 0, sizeof(*table));
}
