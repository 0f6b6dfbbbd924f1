/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/recorder_names.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/mem.h"
#include "base/text.h"
#include "cmd/session.h"
#include "host/idmap.h"
#include "host/passwd.h"
#include "model/model.h"
#include "source/recording.h"
#include "view/column.h"
#include "view/inside.h"

#define INSIDES_MAX 4        /* times that a container's inside is read */
#define CONTAINERS_MAX 65536 /* known at a time */

/*
 * A container some of whose processes are in the recording. A replay takes the first of those for
 * its first process, which tells it from others there.
 */
struct known_container {
	struct proc_key first; /* here */
	struct proc_key shown; /* in a replay */
	bool is_written;       /* what its runtime says of it */
	bool is_running_written;
	bool was_running; /* before the first of its processes that is recorded */
	int insides;      /* how often what is inside it was written */
	UT_hash_handle hh;
};

#define LOOKED_UP 16 /* a power of two */

/* Whose names were looked up: processes of the same few users follow each other. */
struct looked_up {
	struct id_block ids;
	uint32_t in_euid;
	uint32_t mnt_ns;
	uint32_t user_ns_owner;
	uint32_t loginuid;
	const struct container *container;
	uint64_t round; /* in which it was; later ones look again */
};

struct recorder_names {
	struct session *session;
	struct recording_writer *writer;
	bool is_selective;
	struct known_container *containers;
	const struct container *started; /* with the record that comes next */
	struct looked_up looked_up[LOOKED_UP];
	uint64_t round; /* from 1 */
	const struct column *in_user;
};

static void user_tell(void *context, uint32_t mnt_ns, uint32_t pid, uint32_t uid, const char *name)
{
	const struct recorder_names *names = context;
	const struct known_container *container = names->containers;

	/* A replay asks for the root of the process that is the first one there. */
	for (; names->is_selective && container; container = container->hh.next) {
		if (pid && pid == container->first.tgid) {
			pid = (uint32_t)container->shown.tgid;
			break;
		}
	}
	recording_add_user(names->writer, mnt_ns, pid, uid, name);
}

static struct proc_key key_of_first(const struct container *container)
{
	return (struct proc_key){container->start_boot_ns, container->first_pid};
}

/* Where it is, if it is anywhere. */
static struct looked_up *looked_up_find(struct recorder_names *names, const struct looked_up *who)
{
	uint32_t mixed = who->ids.uid + 3 * who->ids.euid + 5 * who->ids.suid + 7 * who->ids.fsuid +
			 11 * who->in_euid + 13 * who->mnt_ns;

	return &names->looked_up[(mixed * 0x9e3779b1U >> 16) & (LOOKED_UP - 1)];
}

/* Every name that any column shows of a process. The listener writes those that are new. */
static void names_look_up(struct recorder_names *names, const struct proc *proc)
{
	const struct view_context *view = &names->session->view;
	const struct task_record *task = proc->task;
	const struct looked_up who = {
		.ids = task->ids,
		.in_euid = task->in_ids.euid,
		.mnt_ns = task->ns[NS_MNT],
		.user_ns_owner = task->user_ns_owner,
		.loginuid = task->loginuid,
		.container = proc->container,
		.round = names->round,
	};
	struct looked_up *known = looked_up_find(names, &who);
	const uint32_t uids[] = {task->ids.uid,   task->ids.euid,      task->ids.suid,
				 task->ids.fsuid, task->user_ns_owner, task->loginuid};
	struct value value;

	if (!memcmp(known, &who, sizeof(who)))
		return;
	*known = who;
	for (size_t i = 0; i < ARRAY_SIZE(uids); i++) {
		if (uids[i] != ID_UNSET)
			passwd_host_name(view->users, uids[i]);
	}
	column_get(names->in_user, view, proc, &value);
	/* --inside has everybody's from the first process's root. */
	if (proc->container)
		passwd_container_name(view->users, view->proc_fd, proc->container->first_pid,
				      proc->container->ns[NS_MNT], task->in_ids.euid);
}

/* The one that came first: by then it has ended, or only its name is written once more. */
static void container_forget_one(struct recorder_names *names)
{
	struct known_container *oldest = names->containers;

	if (HASH_COUNT(names->containers) < CONTAINERS_MAX)
		return;
	HASH_DEL(names->containers, oldest);
	free(oldest);
}

static struct known_container *container_know(struct recorder_names *names, const struct proc *proc)
{
	const struct container *container = proc->container;
	struct known_container *known;
	struct proc_key first;

	if (!container)
		return NULL;
	first = key_of_first(container);
	HASH_FIND(hh, names->containers, &first, sizeof(first), known);
	if (known)
		return known;
	known = mem_new(sizeof(*known));
	known->first = first;
	known->shown = first;
	if (names->is_selective)
		known->shown = (struct proc_key){proc->task->start_boot_ns, proc->task->tgid};
	known->was_running = names->is_selective && names->started != container;
	container_forget_one(names);
	HASH_ADD(hh, names->containers, first, sizeof(known->first), known);
	return known;
}

static void container_write(struct recorder_names *names, struct known_container *known,
			    const struct runtime_container *declared, uint64_t time_boot_ns,
			    bool is_told)
{
	const struct container_record record = {
		.time_boot_ns = time_boot_ns,
		.start_boot_ns = known->shown.start_boot_ns,
		.first_pid = (__u32)known->shown.tgid,
		.flags = (known->was_running ? CONTAINER_RUNNING : 0) |
			 (is_told ? CONTAINER_TOLD : 0),
	};

	if (!declared && (!known->was_running || known->is_running_written))
		return;
	known->is_running_written = true;
	known->is_written = declared;
	recording_add_container(names->writer, &record, declared);
}

/* --both names the host's user that root inside is. */
static void root_look_up(struct recorder_names *names, const struct text *map)
{
	struct idmap *uids = mem_new(sizeof(*uids));

	if (map->length && !idmap_parse(map->data, map->length, uids)) {
		for (uint32_t i = 0; i < uids->count; i++) {
			if (!uids->extents[i].inside)
				passwd_host_name(names->session->view.users,
						 uids->extents[i].outside);
		}
	}
	free(uids);
}

/* For --inside. It takes processes of its own to read, so only of those that a runtime made. */
static void inside_write(struct recorder_names *names, struct known_container *known,
			 const struct container *container)
{
	const struct view_context *view = &names->session->view;
	const struct proc *first = model_find(names->session->model, (uint32_t)known->first.tgid);
	struct inside_record record = {
		.start_boot_ns = known->shown.start_boot_ns,
		.first_pid = (__u32)known->shown.tgid,
	};
	struct inside_facts facts;

	if (!first || first->container != container || (view->proc_fd < 0 && !view->insides) ||
	    known->insides++ >= INSIDES_MAX)
		return;
	inside_read(view, first, first->task->ns[NS_PID], &facts);
	record.boot_shift_ns = facts.boot_shift_ns;
	record.zone_error = facts.zone_error;
	record.pid_digits = (__u32)facts.pid_digits;
	record.zone_length = (__u32)facts.zone.length;
	record.map_length = (__u32)facts.uid_map.length;
	recording_add_inside(names->writer, &record, facts.zone.data, facts.uid_map.data);
	root_look_up(names, &facts.uid_map);
	inside_free(&facts);
}

static struct known_container *container_known(const struct recorder_names *names,
					       const struct container *container)
{
	const struct proc_key first = key_of_first(container);
	struct known_container *known;

	HASH_FIND(hh, names->containers, &first, sizeof(first), known);
	return known;
}

void recorder_names_insides(struct recorder_names *names)
{
	size_t count;
	struct container *const *containers = model_containers(names->session->model, &count);

	for (size_t i = 0; i < count; i++) {
		struct known_container *known = container_known(names, containers[i]);

		if (known)
			inside_write(names, known, containers[i]);
	}
}

void recorder_names_container(struct recorder_names *names, const struct container *container,
			      uint64_t time_boot_ns)
{
	struct known_container *known = container_known(names, container);

	if (!known)
		return;
	container_write(names, known, container->declared, time_boot_ns, true);
	inside_write(names, known, container);
}

/* Those that were told before it was known by which pid a replay asks. */
static void users_repeat(struct recorder_names *names, const struct known_container *container,
			 const struct proc *proc)
{
	const struct view_context *view = &names->session->view;
	const struct id_block *ids = &proc->task->in_ids;
	const uint32_t uids[] = {ids->uid, ids->euid, ids->suid, ids->fsuid};
	uint32_t mnt_ns = proc->task->ns[NS_MNT];

	for (size_t i = 0; i < ARRAY_SIZE(uids); i++) {
		const char *name =
			passwd_container_name(view->users, view->proc_fd,
					      (uint32_t)container->first.tgid, mnt_ns, uids[i]);

		if (name)
			recording_add_user(names->writer, mnt_ns, (uint32_t)container->shown.tgid,
					   uids[i], name);
	}
}

static void proc_know(struct recorder_names *names, const struct proc *proc, uint64_t time_boot_ns,
		      const struct runtime_container *declared)
{
	struct known_container *container = container_know(names, proc);

	if (container && !container->is_written)
		container_write(names, container, declared, time_boot_ns, false);
	names_look_up(names, proc);
	if (container && container->shown.tgid == proc->task->tgid &&
	    container->first.tgid != proc->task->tgid)
		users_repeat(names, container, proc);
}

void recorder_names_proc(struct recorder_names *names, const struct proc *proc,
			 uint64_t time_boot_ns)
{
	proc_know(names, proc, time_boot_ns, proc->container ? proc->container->declared : NULL);
}

void recorder_names_unnamed(struct recorder_names *names, const struct proc *proc,
			    uint64_t time_boot_ns)
{
	proc_know(names, proc, time_boot_ns, NULL);
}

void recorder_names_started(struct recorder_names *names, const struct container *container)
{
	names->started = container;
	/* It may lie where another one did. */
	names->round += container != NULL;
}

void recorder_names_exec(struct recorder_names *names, const struct proc *proc)
{
	const struct container *container = proc->container;
	struct known_container *known;

	/* Its root may be another by now, where another has its names. */
	names->round++;
	if (!container || container->first_pid != proc->task->tgid || !container->declared)
		return;
	known = container_known(names, container);
	if (known)
		inside_write(names, known, container);
}

struct recorder_names *recorder_names_new(struct session *session, struct recording_writer *writer,
					  bool is_selective)
{
	struct recorder_names *names = mem_new(sizeof(*names));
	const char *nearest;

	names->session = session;
	names->writer = writer;
	names->round = 1;
	names->is_selective = is_selective;
	names->in_user = column_find("in-user", &nearest);
	passwd_listen(session->view.users, user_tell, names);
	return names;
}

void recorder_names_free(struct recorder_names *names)
{
	struct known_container *container, *next;

	passwd_listen(names->session->view.users, NULL, NULL);
	HASH_ITER (hh, names->containers, container, next) {
		HASH_DEL(names->containers, container);
		free(container);
	}
	free(names);
}
