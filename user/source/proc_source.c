/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The processes as /proc shows them: for everybody, on every kernel, and with less to see. Ids
 * and pids are those of nsview's own user and of /proc's own pid namespace, as ps has them.
 */
#include "source/proc_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/facts.h"
#include "host/procfs.h"
#include "source/proc_task.h"

#define INIT_PID 1
#define KTHREADD_PID 2

struct proc_state {
	const struct facts *facts; /* borrowed */
	int proc_fd;
	size_t args_max;
};

/* A process that was read: enough to find its children's pid of their parent. */
struct proc_entry {
	size_t offset; /* of its task_record in the snapshot's records */
	uint32_t pid;
	uint32_t inner_pid;
	uint32_t levels;
};

struct proc_snapshot {
	struct proc_reader reader;
	struct text records;
	struct proc_entry *entries; /* by pid */
	size_t count;
	size_t capacity;
};

static int proc_source_open(const struct source_options *options, void **state, struct text *why)
{
	int fd = procfs_open(options->facts->proc_path);
	struct proc_state *opened;

	if (fd < 0) {
		text_printf(why, "cannot read %s: %s", options->facts->proc_path,
			    fd == -ENODEV ? "it is not a /proc file system" : strerror(-fd));
		return fd;
	}
	opened = mem_new(sizeof(*opened));
	opened->facts = options->facts;
	opened->proc_fd = fd;
	opened->args_max = options->args_max;
	*state = opened;
	return 0;
}

static void proc_source_close(void *state)
{
	struct proc_state *opened = state;

	if (!opened)
		return;
	close(opened->proc_fd);
	free(opened);
}

static void records_pad(struct text *records)
{
	static const char zeros[8];

	text_add(records, zeros, -records->length & 7);
}

static void snapshot_add_args(struct proc_snapshot *snapshot, const struct proc_draft *draft)
{
	struct args_record record = {
		.header.type = RECORD_ARGS,
		.start_boot_ns = draft->record.start_boot_ns,
		.tgid = draft->record.tgid,
		.kind = draft->args_kind,
		.length = (uint32_t)draft->args.length,
		.is_cut = draft->args_cut,
	};

	if (!draft->args.length)
		return;
	record.header.size = (uint32_t)(sizeof(record) + ((draft->args.length + 7) & ~(size_t)7));
	text_add(&snapshot->records, (const char *)&record, sizeof(record));
	text_add(&snapshot->records, draft->args.data, draft->args.length);
	records_pad(&snapshot->records);
}

static void snapshot_add(struct proc_snapshot *snapshot, struct proc_draft *draft)
{
	struct task_record *record = &draft->record;
	size_t offset = snapshot->records.length;
	size_t size = sizeof(*record) + record->chain_count * sizeof(draft->chain[0]) +
		      record->groups_kept * sizeof(draft->groups[0]) + record->cgroup_length;

	record->header.type = RECORD_TASK;
	record->header.size = (uint32_t)((size + 7) & ~(size_t)7);
	text_add(&snapshot->records, (const char *)record, sizeof(*record));
	text_add(&snapshot->records, (const char *)draft->chain,
		 record->chain_count * sizeof(draft->chain[0]));
	text_add(&snapshot->records, (const char *)draft->groups,
		 record->groups_kept * sizeof(draft->groups[0]));
	text_add(&snapshot->records, draft->cgroup_path, record->cgroup_length);
	records_pad(&snapshot->records);
	snapshot_add_args(snapshot, draft);
	mem_reserve_one(snapshot->entries, snapshot->count, snapshot->capacity);
	snapshot->entries[snapshot->count++] = (struct proc_entry){
		.offset = offset,
		.pid = record->tgid,
		.inner_pid = draft->chain[record->chain_count - 1].pid,
		.levels = record->unknown & FIELD_BIT(FIELD_IDS) ? 0 : record->chain_count,
	};
}

static int snapshot_read(struct proc_snapshot *snapshot, const uint32_t *pids, size_t count)
{
	struct proc_draft draft = {0};
	int r = 0;

	for (size_t i = 0; i < count && !r; i++) {
		r = proc_task_read(&snapshot->reader, pids[i], &draft);
		if (!r)
			snapshot_add(snapshot, &draft);
		else if (r == -ESRCH)
			r = 0;
	}
	text_free(&draft.args);
	return r;
}

static const struct proc_entry *snapshot_find(const struct proc_snapshot *snapshot, uint32_t pid)
{
	size_t low = 0;
	size_t high = snapshot->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (snapshot->entries[middle].pid == pid)
			return &snapshot->entries[middle];
		if (snapshot->entries[middle].pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/*
 * A parent lives in its child's pid namespace or in one further out. As many levels are the same
 * namespace, fewer are outside, where the child has no number for it.
 */
static void snapshot_set_parent(struct proc_snapshot *snapshot, const struct proc_entry *entry,
				struct task_record *task)
{
	const struct proc_entry *parent;
	uint32_t inner = 0;
	int levels;

	if (!entry->levels || !task->ppid)
		return;
	if (entry->levels == 1) {
		task->in_ppid = task->ppid;
		return;
	}
	parent = snapshot_find(snapshot, task->ppid);
	levels = parent ? (int)parent->levels : 0;
	if (levels)
		inner = parent->inner_pid;
	else
		levels = proc_task_inner_pid(&snapshot->reader, task->ppid, &inner);
	if (levels <= 0)
		task->unknown |= FIELD_BIT(FIELD_IN_PARENT);
	else if ((uint32_t)levels == entry->levels)
		task->in_ppid = inner;
}

/* kthreadd never leaves the host's namespaces, and is not refused where a foreign init is. */
static int snapshot_emit_host(struct proc_snapshot *snapshot, record_sink sink, void *context)
{
	struct host_record host = {.header = {.size = sizeof(host), .type = RECORD_HOST}};

	if (snapshot->reader.pid_ns == NS_HOST_PID) {
		proc_task_namespaces(&snapshot->reader, KTHREADD_PID, host.ns);
		if (!host.ns[NS_MNT])
			proc_task_namespaces(&snapshot->reader, INIT_PID, host.ns);
	}
	return sink(context, &host.header);
}

static int snapshot_emit(struct proc_snapshot *snapshot, record_sink sink, void *context)
{
	size_t next = 0;
	int r = 0;

	for (size_t at = 0; !r && at < snapshot->records.length;) {
		struct record_header *record = (void *)(snapshot->records.data + at);

		if (record->type == RECORD_TASK)
			snapshot_set_parent(snapshot, &snapshot->entries[next++],
					    (struct task_record *)record);
		r = sink(context, record);
		at += record->size;
	}
	return r;
}

static void snapshot_close(struct proc_snapshot *snapshot)
{
	proc_reader_close(&snapshot->reader);
	text_free(&snapshot->records);
	free(snapshot->entries);
}

static int proc_source_snapshot(void *state, record_sink sink, void *context)
{
	struct proc_state *opened = state;
	struct proc_snapshot snapshot = {0};
	autofree uint32_t *pids = NULL;
	size_t count = 0;
	int r = procfs_pids(opened->proc_fd, &pids, &count);

	if (r)
		return r;
	proc_reader_open(&snapshot.reader, opened->facts, opened->proc_fd, opened->args_max);
	r = snapshot_read(&snapshot, pids, count);
	if (!r)
		r = snapshot_emit_host(&snapshot, sink, context);
	if (!r)
		r = snapshot_emit(&snapshot, sink, context);
	snapshot_close(&snapshot);
	return r;
}

int proc_source_read_one(const struct facts *facts, size_t args_max, uint32_t pid, record_sink sink,
			 void *context)
{
	autoclose int proc_fd = procfs_open(facts->proc_path);
	struct proc_snapshot snapshot = {0};
	int r = 0;

	if (proc_fd < 0)
		return 0;
	proc_reader_open(&snapshot.reader, facts, proc_fd, args_max);
	if (snapshot.reader.pid_ns == NS_HOST_PID) /* elsewhere the pid is another process's */
		r = snapshot_read(&snapshot, &pid, 1);
	if (!r)
		r = snapshot_emit(&snapshot, sink, context);
	snapshot_close(&snapshot);
	return r;
}

const struct source_ops proc_source = {
	.name = "proc",
	.open = proc_source_open,
	.snapshot = proc_source_snapshot,
	.close = proc_source_close,
	.unknown = FIELD_BIT(FIELD_SECUREBITS),
};
