/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/vantage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"
#include "bpf/event.h"
#include "host/facts.h"
#include "host/idmap.h"
#include "host/passwd.h"
#include "host/pid_max.h"
#include "host/procfs.h"
#include "host/procstat.h"
#include "host/time_zone.h"
#include "model/model.h"
#include "view/column.h"
#include "view/inside.h"

#define FILE_BYTES_MAX (64u << 10)
#define NS_PER_SECOND 1000000000LL
#define NAME_BYTES 64

/* Where in the process's chain the pid namespace is; -1: it is not visible there. */
static int chain_level(const struct proc *proc, uint32_t pid_ns)
{
	for (int level = 0; level < proc->task->chain_count; level++) {
		if (proc->chain[level].ns == pid_ns)
			return level;
	}
	return -1;
}

/*
 * /proc does not tell a zombie's pid namespace, only its pids: it is one of those that its
 * container's others are in, as many levels down.
 */
static bool is_zombie_of(const struct proc *proc, const struct proc *root, int level)
{
	return proc->task->flags & TASK_ZOMBIE && proc->container &&
	       proc->container == root->container && level < proc->task->chain_count &&
	       !proc->chain[level].ns;
}

static int row_level(const struct vantage *vantage, const struct proc *proc, int root_level)
{
	int level = chain_level(proc, vantage->pid_ns);

	if (level < 0 && is_zombie_of(proc, vantage->root, root_level))
		return root_level;
	return level;
}

static int row_compare(const void *left, const void *right)
{
	const struct vantage_row *one = left;
	const struct vantage_row *other = right;

	return (one->pid > other->pid) - (one->pid < other->pid);
}

static int vantage_fill(struct vantage *vantage)
{
	int root_level = chain_level(vantage->root, vantage->pid_ns);
	size_t count;
	const struct proc *procs = model_procs(vantage->view->model, &count);

	if (root_level < 0)
		return -ENODATA;
	vantage->rows = mem_resize(NULL, count, sizeof(*vantage->rows));
	for (size_t i = 0; i < count; i++) {
		int level = row_level(vantage, &procs[i], root_level);
		const struct proc *parent;

		if (level < 0)
			continue;
		parent = model_find(vantage->view->model, procs[i].task->ppid);
		if (parent && chain_level(parent, vantage->pid_ns) < 0)
			parent = NULL;
		vantage->rows[vantage->count++] = (struct vantage_row){
			.proc = &procs[i],
			.pid = procs[i].chain[level].pid,
			.ppid = parent ? parent->chain[chain_level(parent, vantage->pid_ns)].pid
				       : 0,
		};
	}
	qsort(vantage->rows, vantage->count, sizeof(*vantage->rows), row_compare);
	return 0;
}

/* Of root's user namespace; NULL where ids are the host's, or not to be had. */
static struct idmap *uids_parse(const struct text *content)
{
	struct idmap *uids = mem_new(sizeof(*uids));

	if (content->length && !idmap_parse(content->data, content->length, uids) &&
	    !idmap_is_partly_hidden(uids))
		return uids;
	free(uids);
	return NULL;
}

int vantage_open_inside(struct vantage *inside, const struct view_context *view,
			const struct proc *root, uint32_t pid_ns)
{
	struct inside_facts facts = {0};
	int r;

	*inside = (struct vantage){.view = view, .root = root, .pid_ns = pid_ns};
	if (!pid_ns || (view->proc_fd < 0 && !view->insides))
		return -ENODATA;
	r = vantage_fill(inside);
	if (r)
		return r;
	inside_read(view, root, pid_ns, &facts);
	inside->pid_digits = facts.pid_digits;
	inside->zone_error = facts.zone_error;
	inside->boot_shift_ns = facts.boot_shift_ns;
	inside->uids = uids_parse(&facts.uid_map);
	time_zone_parse(facts.zone.data, facts.zone.length, &inside->zone);
	inside_free(&facts);
	inside->terminals = vantage_terminals_new(inside);
	return 0;
}

void vantage_open_host(struct vantage *host, const struct vantage *inside)
{
	*host = (struct vantage){.view = inside->view, .count = inside->count};
	host->pid_digits = host->view->facts->pid_digits;
	if (!host->pid_digits)
		host->pid_digits = pid_max_digits(host->view->proc_fd, true);
	host->terminals = vantage_terminals_new(host);
	host->rows = mem_resize(NULL, host->count, sizeof(*host->rows));
	for (size_t i = 0; i < host->count; i++) {
		const struct proc *proc = inside->rows[i].proc;

		host->rows[i] = (struct vantage_row){proc, proc->task->tgid, proc->task->ppid};
	}
}

void vantage_close(struct vantage *vantage)
{
	vantage_terminals_free(vantage->terminals);
	time_zone_free(vantage->zone);
	free(vantage->uids);
	free(vantage->rows);
}

bool vantage_uid(const struct vantage *vantage, const struct proc *proc, uint32_t *uid)
{
	const struct task_record *task = proc->task;
	const struct proc *root = vantage->root;

	if (root && task->ns[NS_USER] && task->ns[NS_USER] == root->task->ns[NS_USER] &&
	    !(proc->unknown & FIELD_BIT(FIELD_IN_IDS))) {
		*uid = task->in_ids.euid;
		return true;
	}
	if (proc->unknown & FIELD_BIT(FIELD_IDS) || (root && !vantage->uids))
		return false;
	*uid = root ? idmap_inside(vantage->uids, task->ids.euid) : task->ids.euid;
	return true;
}

void vantage_user(const struct vantage *vantage, const struct proc *proc, char name[NAME_BYTES])
{
	const struct view_context *view = vantage->view;
	const struct proc *root = vantage->root;
	const char *found;
	uint32_t uid;

	if (!vantage_uid(vantage, proc, &uid)) {
		strcpy(name, "?");
		return;
	}
	found = root ? passwd_container_name(view->users, view->proc_fd, root->task->tgid,
					     root->task->ns[NS_MNT], uid)
		     : passwd_host_name(view->users, uid);
	if (found && strlen(found) < NAME_BYTES)
		strcpy(name, found);
	else
		snprintf(name, NAME_BYTES, "%u", uid);
}

static int64_t floor_seconds(int64_t ns)
{
	return ns / NS_PER_SECOND - (ns % NS_PER_SECOND < 0);
}

/*
 * ps adds two numbers of whole seconds: btime of /proc/stat and the start time, each as the time
 * namespace has it (fs/proc/stat.c show_stat, fs/proc/array.c do_task_stat).
 */
int64_t vantage_start(const struct vantage *vantage, const struct proc *proc)
{
	int64_t boot = (int64_t)vantage->view->facts->boot_offset_ns - vantage->boot_shift_ns;

	return floor_seconds(boot) +
	       floor_seconds((int64_t)proc->task->start_boot_ns + vantage->boot_shift_ns);
}

int64_t vantage_now(const struct vantage *vantage)
{
	const struct facts *facts = vantage->view->facts;

	return floor_seconds((int64_t)(facts->boot_now_ns + facts->boot_offset_ns));
}

bool vantage_local(const struct vantage *vantage, int64_t epoch, struct tm *local)
{
	if (vantage->root)
		return !time_zone_local(vantage->zone, epoch, local);
	return facts_local(vantage->view->facts, epoch, local);
}

/* A process group that has its leader still, and in another pid namespace. */
static bool is_group_outside(const struct vantage *vantage, int32_t group)
{
	const struct proc *leader = model_find(vantage->view->model, (uint32_t)group);

	return leader && chain_level(leader, vantage->pid_ns) < 0;
}

bool vantage_is_foreground(const struct vantage *vantage, const struct proc *proc)
{
	const struct task_record *task = proc->task;
	struct text content = {0};
	struct procstat stat;
	bool is_outside = false;

	if (task->flags & TASK_FOREGROUND)
		return true;
	if (!vantage->root || (!task->tty_major && !task->tty_minor))
		return false;
	if (procfs_read(vantage->view->proc_fd, task->tgid, "stat", FILE_BYTES_MAX, &content) ==
		    0 &&
	    !procstat_parse_stat(content.data, content.length, &stat))
		is_outside = is_group_outside(vantage, stat.pgrp) &&
			     is_group_outside(vantage, stat.tpgid);
	text_free(&content);
	return is_outside;
}
