/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/mem.h"
#include "host/facts.h"
#include "host/pid_max.h"
#include "host/procfs.h"
#include "host/time_zone.h"
#include "model/model.h"
#include "view/column.h"
#include "wire/wire.h"

#define FILE_BYTES_MAX (64u << 10)
#define NS_PER_SECOND 1000000000LL
#define INSIDES_MAX 65536
#define PID_DIGITS_DEFAULT 7

struct inside_key {
	uint64_t start_boot_ns;
	uint64_t first_pid;
};

struct inside_entry {
	struct inside_key key;
	struct inside_record *record;
	UT_hash_handle hh;
};

struct insides {
	struct inside_entry *by_key;
};

/* "boottime SECONDS NANOSECONDS": time_namespaces(7). */
static void boot_shift_read(const struct view_context *view, const struct task_record *root,
			    struct inside_facts *facts)
{
	struct text content = {0};
	const char *line;
	long long seconds;
	long long ns;

	if (!root->ns[NS_TIME] || root->ns[NS_TIME] == NS_HOST_TIME ||
	    procfs_read(view->proc_fd, root->tgid, "timens_offsets", FILE_BYTES_MAX, &content))
		goto out;
	line = strstr(text_string(&content), "boottime");
	if (line && sscanf(line, "boottime %lld %lld", &seconds, &ns) == 2)
		facts->boot_shift_ns = seconds * NS_PER_SECOND + ns;
out:
	text_free(&content);
}

static void read_machine(const struct view_context *view, const struct task_record *root,
			 uint32_t pid_ns, struct inside_facts *facts)
{
	facts->pid_digits = pid_max_digits(view->proc_fd, pid_ns == view->facts->self_ns[NS_PID]);
	facts->zone_error =
		time_zone_read_data(view->proc_fd, root->tgid, root->ns[NS_MNT], &facts->zone);
	if (procfs_read(view->proc_fd, root->tgid, "uid_map", FILE_BYTES_MAX, &facts->uid_map))
		text_clear(&facts->uid_map);
	boot_shift_read(view, root, facts);
}

static const struct inside_record *find_recorded(const struct insides *insides,
						 const struct container *container)
{
	const struct inside_key key = {container->start_boot_ns, container->first_pid};
	struct inside_entry *entry;

	HASH_FIND(hh, insides->by_key, &key, sizeof(key), entry);
	return entry ? entry->record : NULL;
}

/* Of its container's first process, where that is in the same namespaces. */
static void read_recorded(const struct view_context *view, const struct proc *root,
			  struct inside_facts *facts)
{
	const struct container *container = root->container;
	const struct inside_record *record =
		container ? find_recorded(view->insides, container) : NULL;
	int own_digits = view->facts->pid_digits ? view->facts->pid_digits : PID_DIGITS_DEFAULT;

	facts->pid_digits = own_digits;
	facts->zone_error = -ENODATA;
	if (!container) {
		/* The host's root: its zone is the host's, its ids are themselves. */
		facts->zone_error = 0;
		text_add_string(&facts->uid_map, "0 0 4294967295\n");
		text_add(&facts->zone, view->facts->zone_data, view->facts->zone_length);
		return;
	}
	if (!record)
		return;
	if (record->pid_digits)
		facts->pid_digits = (int)record->pid_digits;
	facts->boot_shift_ns = record->boot_shift_ns;
	if (root->task->ns[NS_USER] == container->ns[NS_USER])
		text_add(&facts->uid_map, record_inside_map(record), record->map_length);
	if (root->task->ns[NS_MNT] != container->ns[NS_MNT])
		return;
	facts->zone_error = record->zone_error;
	text_add(&facts->zone, record_inside_zone(record), record->zone_length);
}

void inside_read(const struct view_context *view, const struct proc *root, uint32_t pid_ns,
		 struct inside_facts *facts)
{
	*facts = (struct inside_facts){0};
	if (view->insides)
		read_recorded(view, root, facts);
	else
		read_machine(view, root->task, pid_ns, facts);
}

void inside_free(struct inside_facts *facts)
{
	text_free(&facts->zone);
	text_free(&facts->uid_map);
}

struct insides *insides_new(void)
{
	return mem_new(sizeof(struct insides));
}

void insides_free(struct insides *insides)
{
	struct inside_entry *entry, *next;

	if (!insides)
		return;
	HASH_ITER (hh, insides->by_key, entry, next) {
		HASH_DEL(insides->by_key, entry);
		free(entry->record);
		free(entry);
	}
	free(insides);
}

void insides_add(struct insides *insides, const struct inside_record *record)
{
	const struct inside_key key = {record->start_boot_ns, record->first_pid};
	struct inside_record *copy;
	struct inside_entry *entry;

	HASH_FIND(hh, insides->by_key, &key, sizeof(key), entry);
	if (!entry) {
		if (HASH_COUNT(insides->by_key) >= INSIDES_MAX)
			return;
		entry = mem_new(sizeof(*entry));
		entry->key = key;
		HASH_ADD(hh, insides->by_key, key, sizeof(entry->key), entry);
	}
	copy = mem_new(record->header.size);
	memcpy(copy, record, record->header.size);
	free(entry->record);
	entry->record = copy;
}
