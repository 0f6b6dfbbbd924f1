/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/proc_task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uthash.h>

#include "base/mem.h"
#include "host/cgroup.h"
#include "host/facts.h"
#include "host/idmap.h"
#include "host/ns.h"
#include "host/pid_ns.h"
#include "host/procfs.h"
#include "host/procstat.h"

#define NS_PER_S 1000000000ULL
#define FILE_BYTES (1u << 20) /* status: 65,536 groups (NGROUPS_MAX) of up to 11 characters */
#define MAPS_MAX 4096         /* kept; beyond that they are read for each process */
#define ATTEMPTS_MAX 3        /* for a process that is just ending */

/* Both maps of one user namespace. */
struct proc_map {
	uint32_t inode;
	struct idmap uids;
	struct idmap gids;
	UT_hash_handle hh;
};

static void draft_mark(struct proc_draft *draft, int field)
{
	draft->record.unknown |= FIELD_BIT(field);
}

/* Refused is unknown; what is not there may be a process that has gone, see proc_task_read. */
static void draft_fail(struct proc_draft *draft, int field, int r)
{
	draft->has_failure = true;
	if (r != -ENOENT && r != -ESRCH)
		draft_mark(draft, field);
}

static int reader_file(struct proc_reader *reader, int pid_fd, const char *name)
{
	text_clear(&reader->file);
	return procfs_read(pid_fd, PROCFS_HERE, name, FILE_BYTES, &reader->file);
}

/*
 * The kernel adds to a worker's name what it works on ("kworker/0:1-events"), in every file of
 * /proc; its comm is what comes before. Only rescuers (kworker/R-...) have a - of their own.
 */
static size_t comm_length(const struct procstat *stat)
{
	static const char prefix[] = "kworker/";
	size_t length = stat->comm_length;

	if (stat->flags & PROCSTAT_WQ_WORKER && length > sizeof(prefix) &&
	    !memcmp(stat->comm, prefix, sizeof(prefix) - 1) &&
	    stat->comm[sizeof(prefix) - 1] != 'R') {
		for (length = 0; length < stat->comm_length; length++) {
			if (stat->comm[length] == '-' || stat->comm[length] == '+')
				break;
		}
	}
	return length < COMM_SIZE ? length : COMM_SIZE - 1;
}

static void take_stat(const struct proc_reader *reader, const struct procstat *stat,
		      struct task_record *record)
{
	uint64_t tick_ns = NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK);

	memcpy(record->comm, stat->comm, comm_length(stat));
	record->state = stat->state;
	record->ppid = (uint32_t)stat->ppid;
	record->start_boot_ns =
		stat->start_ticks * tick_ns - (uint64_t)reader->facts->time_ns_offset_ns;
	record->cpu_ns = (stat->user_ticks + stat->system_ticks) * tick_ns;
	record->vsz_pages = stat->vsize_bytes / reader->facts->page_bytes;
	/* new_encode_dev, include/linux/kdev_t.h */
	record->tty_major = (stat->tty_nr >> 8) & 0xfff;
	record->tty_minor = (stat->tty_nr & 0xff) | ((stat->tty_nr >> 12) & 0xfff00);
	record->priority = stat->priority;
	record->nice = stat->nice;
	record->threads = stat->threads;
	if (stat->flags & PROCSTAT_KTHREAD)
		record->flags |= TASK_KTHREAD;
	if (stat->state == 'Z' || stat->state == 'X')
		record->flags |= TASK_ZOMBIE;
	if ((uint32_t)stat->session == record->tgid)
		record->flags |= TASK_SESSION_LEADER;
	if (stat->tty_nr && stat->tpgid > 0 && stat->tpgid == stat->pgrp)
		record->flags |= TASK_FOREGROUND;
}

static int read_stat(struct proc_reader *reader, int pid_fd, struct proc_draft *draft)
{
	struct procstat stat;
	int r = reader_file(reader, pid_fd, "stat");

	if (r < 0)
		return r;
	r = procstat_parse_stat(reader->file.data, reader->file.length, &stat);
	if (r)
		return r;
	take_stat(reader, &stat, &draft->record);
	if (reader->args_max && draft->record.flags & TASK_KTHREAD) {
		text_add(&draft->args, stat.comm, stat.comm_length);
		draft->args_kind = ARGS_NAME;
	}
	return 0;
}

static void take_chain(const struct procstatus *status, struct proc_draft *draft)
{
	struct task_record *record = &draft->record;

	for (uint32_t i = 0; i < status->pids_count; i++)
		draft->chain[i].pid = status->pids[i];
	record->chain_count = (uint16_t)status->pids_count;
	if (record->chain_count)
		return;
	record->chain_count = 1;
	draft->chain[0].pid = record->tgid;
	draft_mark(draft, FIELD_CHAIN);
}

static int read_status(struct proc_reader *reader, int pid_fd, struct proc_draft *draft)
{
	struct task_record *record = &draft->record;
	struct procstatus status;
	int r = reader_file(reader, pid_fd, "status");

	if (r < 0)
		return r;
	r = procstat_parse_status(reader->file.data, reader->file.length, &status);
	if (r)
		return r;
	record->ids = status.ids;
	memcpy(record->caps, status.caps, sizeof(record->caps));
	record->rss_pages = status.rss_kib * 1024 / reader->facts->page_bytes;
	record->groups_total = status.groups_total;
	record->groups_kept =
		(uint16_t)(status.groups_total < GROUPS_KEPT ? status.groups_total : GROUPS_KEPT);
	memcpy(draft->groups, status.groups, sizeof(draft->groups));
	record->no_new_privs = status.no_new_privs;
	record->seccomp = status.seccomp;
	if (status.locked_kib)
		record->flags |= TASK_LOCKED;
	if (!status.has_no_new_privs)
		draft_mark(draft, FIELD_NNP);
	take_chain(&status, draft);
	return 0;
}

static void read_namespaces(struct proc_reader *reader, int pid_fd, struct proc_draft *draft)
{
	struct task_record *record = &draft->record;

	for (int kind = 0; kind < NS_KINDS; kind++) {
		int r = procfs_namespace(pid_fd, PROCFS_HERE, ns_names[kind], &record->ns[kind]);

		/* A zombie has left most of them; a kernel before 5.6 has no time namespaces. */
		if (r == -ENOENT && (record->flags & TASK_ZOMBIE || kind == NS_TIME))
			continue;
		if (r)
			draft_fail(draft, FIELD_NS + kind, r);
	}
	/* No kernel thread leaves the host's user namespace, whoever may read that: kernel/kthread.c */
	if (!record->ns[NS_USER] && record->flags & TASK_KTHREAD) {
		record->ns[NS_USER] = NS_HOST_USER;
		record->unknown &= ~FIELD_BIT(FIELD_NS + NS_USER);
	}
	/* Whose only number is this /proc's lives in this /proc's pid namespace. */
	if (!record->ns[NS_PID] && record->chain_count == 1 && reader->pid_ns &&
	    !(record->unknown & FIELD_BIT(FIELD_CHAIN))) {
		record->ns[NS_PID] = reader->pid_ns;
		record->unknown &= ~FIELD_BIT(FIELD_NS + NS_PID);
	}
}

/* From the innermost pid namespace outwards; the outermost is this /proc's own. */
static void read_chain(struct proc_reader *reader, int pid_fd, struct proc_draft *draft)
{
	int last = draft->record.chain_count - 1;
	bool is_whole = reader->pid_ns == NS_HOST_PID;

	draft->chain[last].ns = draft->record.ns[NS_PID];
	if (last > 0)
		draft->chain[0].ns = reader->pid_ns;
	for (int i = last - 1; i > 0 && draft->chain[i + 1].ns; i--) {
		const struct ns_facts *facts =
			ns_lookup(reader->namespaces, pid_fd, NS_PID, draft->chain[i + 1].ns);

		draft->chain[i].ns = facts ? facts->parent : 0;
	}
	for (int i = 0; i <= last; i++)
		is_whole = is_whole && draft->chain[i].ns;
	if (!is_whole)
		draft_mark(draft, FIELD_CHAIN);
}

static void read_user_ns(struct proc_reader *reader, int pid_fd, struct proc_draft *draft)
{
	struct task_record *record = &draft->record;
	const struct ns_facts *facts;

	if (record->ns[NS_USER] == NS_HOST_USER)
		return;
	facts = record->ns[NS_USER]
			? ns_lookup(reader->namespaces, pid_fd, NS_USER, record->ns[NS_USER])
			: NULL;
	if (!facts || !facts->has_level) {
		draft_mark(draft, FIELD_USERNS);
		return;
	}
	record->user_ns_level = facts->level;
	record->user_ns_owner = facts->owner;
}

static int read_map(struct proc_reader *reader, int pid_fd, const char *name, struct idmap *map)
{
	int r = reader_file(reader, pid_fd, name);

	return r < 0 ? r : idmap_parse(reader->file.data, reader->file.length, map);
}

static void translate(const struct id_block *ids, const struct proc_map *map,
		      struct id_block *in_ids)
{
	*in_ids = (struct id_block){
		.uid = idmap_inside(&map->uids, ids->uid),
		.gid = idmap_inside(&map->gids, ids->gid),
		.suid = idmap_inside(&map->uids, ids->suid),
		.sgid = idmap_inside(&map->gids, ids->sgid),
		.euid = idmap_inside(&map->uids, ids->euid),
		.egid = idmap_inside(&map->gids, ids->egid),
		.fsuid = idmap_inside(&map->uids, ids->fsuid),
		.fsgid = idmap_inside(&map->gids, ids->fsgid),
	};
}

/* Kept by namespace, but for one that has no map yet: it will have one soon. */
static struct proc_map *map_keep(struct proc_reader *reader, uint32_t inode, struct proc_map *map)
{
	if (!inode || reader->maps_count >= MAPS_MAX || !map->uids.count || !map->gids.count)
		return NULL;
	map->inode = inode;
	HASH_ADD(hh, reader->maps, inode, sizeof(map->inode), map);
	reader->maps_count++;
	return map;
}

static void read_in_ids(struct proc_reader *reader, int pid_fd, struct proc_draft *draft)
{
	struct task_record *record = &draft->record;
	uint32_t inode = record->ns[NS_USER];
	struct proc_map *known = NULL;
	autofree struct proc_map *fresh = NULL;
	int r;

	if (inode == NS_HOST_USER || (inode && inode == reader->facts->self_ns[NS_USER])) {
		record->in_ids = record->ids;
		return;
	}
	if (inode)
		HASH_FIND(hh, reader->maps, &inode, sizeof(inode), known);
	if (known) {
		translate(&record->ids, known, &record->in_ids);
		return;
	}
	fresh = mem_new(sizeof(*fresh));
	r = read_map(reader, pid_fd, "uid_map", &fresh->uids);
	if (!r)
		r = read_map(reader, pid_fd, "gid_map", &fresh->gids);
	/* From a user namespace of one's own, the map of a namespace that is not known may be
	 * one's own, which speaks of the ids outside of it: user_namespaces(7). */
	if (r || (!inode && reader->facts->self_ns[NS_USER] != NS_HOST_USER) ||
	    idmap_is_partly_hidden(&fresh->uids) || idmap_is_partly_hidden(&fresh->gids)) {
		draft_fail(draft, FIELD_IN_IDS, r ? r : -EACCES);
		return;
	}
	translate(&record->ids, fresh, &record->in_ids);
	if (idmap_is_identity(&fresh->uids) && idmap_is_identity(&fresh->gids))
		record->in_ids = record->ids;
	if (map_keep(reader, inode, fresh))
		fresh = NULL;
}

static void read_cgroup(struct proc_reader *reader, int pid_fd, struct proc_draft *draft)
{
	struct task_record *record = &draft->record;
	struct cgroup_choice choice;
	int r = reader_file(reader, pid_fd, "cgroup");

	/* A kernel without cgroups has no such file, and its tasks none. */
	if (r < 0) {
		draft_fail(draft, FIELD_CGROUP, r);
		return;
	}
	if (cgroup_choose(reader->file.data, reader->file.length, &choice))
		return;
	record->cgroup_id = cgroup_tree_id(reader->cgroups, &choice);
	record->cgroup_hierarchy = (uint16_t)choice.hierarchy;
	if (choice.length > CGROUP_PATH_MAX) {
		choice.path += choice.length - CGROUP_PATH_MAX;
		choice.length = CGROUP_PATH_MAX;
		record->flags |= TASK_CGROUP_CUT;
	}
	memcpy(draft->cgroup_path, choice.path, choice.length);
	record->cgroup_length = (uint16_t)choice.length;
}

/* loginuid and sessionid; a kernel without audit has neither. */
static uint32_t read_audit(struct proc_reader *reader, int pid_fd, const char *name,
			   struct proc_draft *draft, enum task_field field)
{
	int r = reader_file(reader, pid_fd, name);

	if (r < 0) {
		draft_fail(draft, field, r);
		return r == -ENOENT || r == -ESRCH ? ID_UNSET : 0;
	}
	return (uint32_t)strtoul(text_string(&reader->file), NULL, 10);
}

static void read_args(struct proc_reader *reader, int pid_fd, struct proc_draft *draft)
{
	int r;

	if (!reader->args_max || draft->record.flags & (TASK_KTHREAD | TASK_ZOMBIE))
		return;
	r = procfs_read(pid_fd, PROCFS_HERE, "cmdline",
			args_budget_room(&reader->args_left, reader->args_max), &draft->args);
	args_budget_take(&reader->args_left, draft->args.length);
	if (r < 0)
		draft_fail(draft, FIELD_ARGS, r);
	draft->args_kind = ARGS_VECTOR;
	draft->args_cut = r > 0;
}

static void draft_start(struct proc_draft *draft, uint32_t pid)
{
	struct text args = draft->args;

	memset(draft, 0, sizeof(*draft));
	text_clear(&args);
	draft->args = args;
	draft->record.tgid = pid;
	draft_mark(draft, FIELD_SECUREBITS);
}

/* hidepid=1: the process is listed, and nothing of it may be read. */
static void draft_close(struct proc_draft *draft, uint32_t pid)
{
	draft_start(draft, pid);
	draft->record.unknown = FIELD_BIT(TASK_FIELDS) - 1;
	draft->record.chain_count = 1;
	draft->chain[0].pid = pid;
}

/* It ended between two looks: a zombie by now, or half of the namespaces that it leaves at once. */
static bool is_torn(const struct task_record *record, const struct procstat *after)
{
	bool has_become_zombie = after->state == 'Z' || after->state == 'X';

	return (has_become_zombie && after->state != record->state) ||
	       !record->ns[NS_MNT] != !record->ns[NS_UTS];
}

/* -EAGAIN: it was ending meanwhile, so that one part tells of the living and one of the dead. */
static int read_once(struct proc_reader *reader, int pid_fd, uint32_t pid, struct proc_draft *draft)
{
	struct task_record *record = &draft->record;
	struct procstat after;
	int r;

	draft_start(draft, pid);
	r = read_stat(reader, pid_fd, draft);
	if (!r)
		r = read_status(reader, pid_fd, draft);
	if (r)
		return r;
	read_namespaces(reader, pid_fd, draft);
	read_chain(reader, pid_fd, draft);
	read_user_ns(reader, pid_fd, draft);
	read_in_ids(reader, pid_fd, draft);
	read_cgroup(reader, pid_fd, draft);
	record->loginuid = read_audit(reader, pid_fd, "loginuid", draft, FIELD_LOGINUID);
	record->sessionid = read_audit(reader, pid_fd, "sessionid", draft, FIELD_SESSIONID);
	read_args(reader, pid_fd, draft);
	if (!draft->has_failure)
		return 0;
	r = reader_file(reader, pid_fd, "stat");
	if (!r)
		r = procstat_parse_stat(reader->file.data, reader->file.length, &after);
	if (r)
		return r;
	return is_torn(record, &after) ? -EAGAIN : 0;
}

int proc_task_read(struct proc_reader *reader, uint32_t pid, struct proc_draft *draft)
{
	autoclose int pid_fd = procfs_open_pid(reader->proc_fd, pid);
	int r = pid_fd < 0 ? pid_fd : -EAGAIN;

	for (int i = 0; i < ATTEMPTS_MAX && r == -EAGAIN; i++)
		r = read_once(reader, pid_fd, pid, draft);
	if (r == -EACCES || r == -EPERM) {
		draft_close(draft, pid);
		r = 0;
	}
	if (r == -EAGAIN)
		r = 0;
	/* What is no stat or status file at all is no process that this code knows. */
	return r == -ENOENT || r == -EINVAL ? -ESRCH : r;
}

int proc_task_inner_pid(struct proc_reader *reader, uint32_t pid, uint32_t *inner)
{
	struct procstatus status;
	int r;

	text_clear(&reader->file);
	r = procfs_read(reader->proc_fd, pid, "status", FILE_BYTES, &reader->file);
	if (r < 0)
		return r;
	r = procstat_parse_status(reader->file.data, reader->file.length, &status);
	if (r)
		return r;
	if (!status.pids_count)
		return -ENODATA;
	*inner = status.pids[status.pids_count - 1];
	return (int)status.pids_count;
}

void proc_task_namespaces(struct proc_reader *reader, uint32_t pid, uint32_t ns[NS_KINDS])
{
	for (int kind = 0; kind < NS_KINDS; kind++) {
		ns[kind] = 0;
		procfs_namespace(reader->proc_fd, pid, ns_names[kind], &ns[kind]);
	}
}

void proc_reader_open(struct proc_reader *reader, const struct facts *facts, int proc_fd,
		      size_t args_max)
{
	*reader = (struct proc_reader){.facts = facts, .proc_fd = proc_fd, .args_max = args_max};
	args_budget_start(&reader->args_left);
	reader->namespaces = ns_cache_new();
	reader->cgroups = cgroup_tree_read();
	reader->pid_ns = pid_ns_of_proc(proc_fd, facts);
}

void proc_reader_close(struct proc_reader *reader)
{
	struct proc_map *map;
	struct proc_map *next;

	HASH_ITER (hh, reader->maps, map, next) {
		HASH_DEL(reader->maps, map);
		free(map);
	}
	ns_cache_free(reader->namespaces);
	cgroup_tree_free(reader->cgroups);
	text_free(&reader->file);
}
