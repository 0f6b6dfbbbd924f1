/* SPDX-License-Identifier: GPL-2.0-only */
/* Without a selection everything is written. With one, what it lets through, and from then on all of
 * those processes: nothing of any other one may be in the file (docs/recordings.md). */
#include "cmd/recorder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/recorder_names.h"
#include "cmd/session.h"
#include "host/passwd.h"
#include "host/pid_max.h"
#include "model/model.h"
#include "source/recording.h"
#include "source/source.h"
#include "wire/wire.h"

#define ALIGNMENT 8
#define CGROUPS_MAX 65536 /* whose paths are remembered as written */

/* A process that the selection has let through once. */
struct known_proc {
	struct proc_key key;
	UT_hash_handle hh;
};

struct known_cgroup {
	uint64_t id;
	UT_hash_handle hh;
};

struct recorder {
	struct session *session;
	struct recording_writer *writer;
	struct recorder_names *names;
	char *path;
	bool is_selective;
	bool is_failure_said;
	struct known_proc *procs;     /* is_selective only */
	struct known_cgroup *cgroups; /* the same: those whose path was written */
	struct text record;           /* where one is put together */
};

static bool is_selective(const struct selection *selection)
{
	return selection->containers_count || selection->pids_count || selection->in_pids_count ||
	       selection->uids_count || selection->in_users_count || selection->runtime ||
	       selection->image || selection->pod || selection->pod_namespace ||
	       selection->only_containers || selection->only_host || selection->filter;
}

int recorder_open(struct recorder **recorder, struct session *session, const char *path)
{
	struct recorder *made = mem_new(sizeof(*made));
	struct facts facts = session->app->facts;

	/* It starts now, not when nsview did. */
	source_facts(session->source, &facts);
	if (!facts.pid_digits)
		facts.pid_digits = pid_max_digits(session->view.proc_fd, true);
	made->session = session;
	if (recording_create(&made->writer, path, &facts, source_kind(session->source)->name)) {
		free(made);
		return EXIT_FAILED;
	}
	made->path = mem_copy(path);
	made->is_selective = is_selective(&session->selection);
	made->names = recorder_names_new(session, made->writer, made->is_selective);
	*recorder = made;
	return EXIT_DONE;
}

static struct proc_key key_of(uint32_t tgid, uint64_t start_boot_ns)
{
	return (struct proc_key){start_boot_ns, tgid};
}

static bool is_known(const struct recorder *recorder, const struct proc_key *key)
{
	struct known_proc *known;

	HASH_FIND(hh, recorder->procs, key, sizeof(*key), known);
	return known;
}

static void known_add(struct recorder *recorder, const struct proc_key *key)
{
	struct known_proc *known;

	if (!recorder->is_selective || is_known(recorder, key))
		return;
	known = mem_new(sizeof(*known));
	known->key = *key;
	HASH_ADD(hh, recorder->procs, key, sizeof(known->key), known);
}

static void known_remove(struct recorder *recorder, const struct proc_key *key)
{
	struct known_proc *known;

	HASH_FIND(hh, recorder->procs, key, sizeof(*key), known);
	if (!known)
		return;
	HASH_DEL(recorder->procs, known);
	free(known);
}

static void record_start(struct recorder *recorder, const void *data, size_t size)
{
	text_clear(&recorder->record);
	text_add(&recorder->record, data, size);
}

static void record_end(struct recorder *recorder)
{
	struct text *text = &recorder->record;
	struct record_header *header;

	while (text->length % ALIGNMENT)
		text_add_char(text, '\0');
	header = (void *)text->data;
	header->size = (__u32)text->length;
	recording_add(recorder->writer, header);
}

/* As a whole: also what threads, events and sweeps have added since it was read. */
static void write_task(struct recorder *recorder, const struct proc *proc)
{
	struct task_record task = *proc->task;

	task.cpu_ns = proc->cpu_ns;
	record_start(recorder, &task, sizeof(task));
	text_add(&recorder->record, (const char *)proc->chain,
		 task.chain_count * sizeof(*proc->chain));
	text_add(&recorder->record, (const char *)proc->groups,
		 task.groups_kept * sizeof(*proc->groups));
	text_add(&recorder->record, proc->cgroup_path, task.cgroup_length);
	record_end(recorder);
}

/* says_none: where it has none, too. */
static void write_args(struct recorder *recorder, const struct proc *proc, bool says_none)
{
	bool is_name = proc->long_name;
	const char *data = is_name ? proc->long_name : proc->args;
	const struct args_record args = {
		.header = {.type = RECORD_ARGS},
		.start_boot_ns = proc->task->start_boot_ns,
		.tgid = proc->task->tgid,
		.kind = is_name ? ARGS_NAME : ARGS_VECTOR,
		.length = is_name ? (__u32)strlen(data)
			  : data  ? proc->args_length
				  : 0,
		.is_cut = !is_name && proc->args_cut,
	};

	if (!data && (!says_none || proc->unknown & FIELD_BIT(FIELD_ARGS) ||
		      proc->task->flags & (TASK_ZOMBIE | TASK_KTHREAD)))
		return;
	record_start(recorder, &args, sizeof(args));
	if (args.length)
		text_add(&recorder->record, data, args.length);
	record_end(recorder);
}

static void write_exe(struct recorder *recorder, const struct proc *proc)
{
	const struct args_record exe = {
		.header = {.type = RECORD_ARGS},
		.start_boot_ns = proc->task->start_boot_ns,
		.tgid = proc->task->tgid,
		.kind = ARGS_EXE,
		.length = proc->exe_length,
	};

	if (!proc->exe)
		return;
	record_start(recorder, &exe, sizeof(exe));
	text_add(&recorder->record, proc->exe, proc->exe_length);
	record_end(recorder);
}

static void write_host(struct recorder *recorder)
{
	struct host_record host = {
		.header = {.size = sizeof(host), .type = RECORD_HOST},
	};

	memcpy(host.ns, model_host_ns(recorder->session->model), sizeof(host.ns));
	recording_add(recorder->writer, &host.header);
}

static int age_compare(const void *left, const void *right)
{
	const struct task_record *one = (*(const struct proc *const *)left)->task;
	const struct task_record *other = (*(const struct proc *const *)right)->task;

	if (one->start_boot_ns != other->start_boot_ns)
		return one->start_boot_ns < other->start_boot_ns ? -1 : 1;
	return (one->tgid > other->tgid) - (one->tgid < other->tgid);
}

static void write_proc(struct recorder *recorder, const struct proc *proc)
{
	const struct proc_key key = key_of(proc->task->tgid, proc->task->start_boot_ns);

	known_add(recorder, &key);
	if (proc->container)
		recorder_names_started(recorder->names, proc->container);
	recorder_names_proc(recorder->names, proc, recorder->session->app->facts.boot_now_ns);
	write_task(recorder, proc);
	write_args(recorder, proc, false);
	write_exe(recorder, proc);
}

/* Nothing but its start, of one that the selection does not let through. */
static void write_parent(struct recorder *recorder, const struct proc *proc)
{
	const struct proc *parent = model_find(recorder->session->model, proc->task->ppid);
	struct parent_record record = {
		.header = {.size = sizeof(record), .type = RECORD_PARENT},
		.tgid = proc->task->ppid,
	};
	struct proc_key key;

	if (!parent)
		return;
	record.start_boot_ns = parent->task->start_boot_ns;
	key = key_of(record.tgid, record.start_boot_ns);
	if (!is_known(recorder, &key))
		recording_add(recorder->writer, &record.header);
}

void recorder_snapshot(struct recorder *recorder)
{
	const struct query query = {.selection = recorder->session->selection};
	const struct facts *facts = &recorder->session->app->facts;
	struct query_result result;
	struct text complaint = {0};

	/* A container that is not there yet is the caller's to complain of. */
	query_run(&query, &recorder->session->view, &result, &complaint);
	text_free(&complaint);
	passwd_host_name(recorder->session->view.users, 0); /* --both tells who root is */
	write_host(recorder);
	if (result.count)
		qsort(result.procs, result.count, sizeof(*result.procs), age_compare);
	for (size_t i = 0; i < result.count; i++)
		write_proc(recorder, result.procs[i]);
	for (size_t i = 0; i < result.count && recorder->is_selective; i++)
		write_parent(recorder, result.procs[i]);
	free(result.procs);
	recorder_names_insides(recorder->names);
	recording_add_mark(recorder->writer, MARK_SNAPSHOT, facts);
}

/* The paths of other containers' cgroups are left out; so each is written when it is needed. */
static void cgroup_write(struct recorder *recorder, const struct proc *proc)
{
	const struct task_record *task = proc->task;
	const struct cgroup_record cgroup = {
		.header = {.type = RECORD_CGROUP},
		.id = task->cgroup_id,
		.hierarchy = task->cgroup_hierarchy,
		.length = task->cgroup_length,
		.is_cut = task->flags & TASK_CGROUP_CUT ? 1 : 0,
	};
	struct known_cgroup *known;

	HASH_FIND(hh, recorder->cgroups, &cgroup.id, sizeof(cgroup.id), known);
	if (known || !cgroup.length || HASH_COUNT(recorder->cgroups) >= CGROUPS_MAX)
		return;
	known = mem_new(sizeof(*known));
	known->id = cgroup.id;
	HASH_ADD(hh, recorder->cgroups, id, sizeof(known->id), known);
	record_start(recorder, &cgroup, sizeof(cgroup));
	text_add(&recorder->record, proc->cgroup_path, cgroup.length);
	record_end(recorder);
}

/* Whose record it is; false: no process's. */
static bool record_key(const struct record_header *record, struct proc_key *key)
{
	switch (record->type) {
	case RECORD_EVENT: {
		const struct event_record *event = (const struct event_record *)record;

		*key = key_of(event->tgid, event->start_boot_ns);
		return true;
	}
	case RECORD_TASK: {
		const struct task_record *task = (const struct task_record *)record;

		*key = key_of(task->tgid, task->start_boot_ns);
		return true;
	}
	case RECORD_ARGS: {
		const struct args_record *args = (const struct args_record *)record;

		*key = key_of(args->tgid, args->start_boot_ns);
		return true;
	}
	case RECORD_THREAD: {
		const struct thread_record *thread = (const struct thread_record *)record;

		*key = key_of(thread->tgid, thread->start_boot_ns);
		return true;
	}
	default:
		return false;
	}
}

static bool is_event(const struct record_header *record, enum event_action action)
{
	return record->type == RECORD_EVENT &&
	       ((const struct event_record *)record)->action == action;
}

static uint64_t record_time(const struct record_header *record)
{
	return record->type == RECORD_EVENT ? ((const struct event_record *)record)->time_boot_ns
					    : 0;
}

/* Whether the model makes a process of the event alone. */
static bool is_enough(const struct record_header *record)
{
	const struct event_record *event = (const struct event_record *)record;

	return record->type == RECORD_TASK ||
	       (record->type == RECORD_EVENT && event->action != EVENT_EXIT &&
		event->parts & PART_IDENTITY && event->tid == event->tgid);
}

/* It was there before, and neither itself nor its parent is in the recording. */
static void proc_introduce(struct recorder *recorder, const struct record_header *record,
			   const struct proc *proc)
{
	recorder_names_proc(recorder->names, proc, record_time(record));
	if (!is_enough(record))
		write_task(recorder, proc);
	if (is_event(record, EVENT_EXEC))
		return;
	write_args(recorder, proc, true);
	write_exe(recorder, proc);
}

/* Once a process was let through, the rest of its life is. */
static bool selection_follow(struct recorder *recorder, const struct record_header *record,
			     const struct proc *proc, bool is_selected)
{
	struct proc_key key;
	bool is_new;

	if (!record_key(record, &key))
		return record->type != RECORD_CGROUP;
	is_new = !is_known(recorder, &key);
	if (!is_selected && is_new)
		return false;
	if (proc)
		cgroup_write(recorder, proc);
	if (proc && is_new)
		proc_introduce(recorder, record, proc);
	known_add(recorder, &key);
	if (is_event(record, EVENT_EXIT))
		known_remove(recorder, &key);
	return true;
}

void recorder_add(struct recorder *recorder, const struct record_header *record,
		  const struct proc *proc, bool is_selected)
{
	bool is_written =
		!recorder->is_selective || selection_follow(recorder, record, proc, is_selected);

	if (is_written && proc && is_event(record, EVENT_EXEC))
		recorder_names_exec(recorder->names, proc);
	if (is_written && proc)
		recorder_names_proc(recorder->names, proc, record_time(record));
	if (is_written)
		recording_add(recorder->writer, record);
	recorder_names_started(recorder->names, NULL);
}

/* Of those that the selection lets through by the name that it has now. */
static void members_introduce(struct recorder *recorder, const struct container *container,
			      uint64_t time_boot_ns)
{
	autofree const struct proc **members = NULL;
	struct query_live *query =
		query_live_new(&recorder->session->selection, &recorder->session->view);
	size_t count, members_count = 0;
	const struct proc *procs = model_procs(recorder->session->model, &count);

	members = mem_resize(NULL, count, sizeof(struct proc *));
	for (size_t i = 0; i < count; i++) {
		const struct proc_key key =
			key_of(procs[i].task->tgid, procs[i].task->start_boot_ns);

		if (procs[i].container == container && query_live_match(query, &procs[i]) &&
		    !is_known(recorder, &key))
			members[members_count++] = &procs[i];
	}
	if (members_count)
		qsort(members, members_count, sizeof(struct proc *), age_compare);
	for (size_t i = 0; i < members_count; i++) {
		const struct task_record *task = members[i]->task;
		const struct proc_key key = key_of(task->tgid, task->start_boot_ns);

		recorder_names_unnamed(recorder->names, members[i], time_boot_ns);
		known_add(recorder, &key);
		write_task(recorder, members[i]);
		write_args(recorder, members[i], false);
		write_exe(recorder, members[i]);
	}
	query_live_free(query);
}

void recorder_started(struct recorder *recorder, const struct container *container)
{
	recorder_names_started(recorder->names, container);
}

void recorder_container(struct recorder *recorder, const struct container *container,
			uint64_t time_boot_ns)
{
	if (recorder->is_selective)
		members_introduce(recorder, container, time_boot_ns);
	recorder_names_container(recorder->names, container, time_boot_ns);
}

static void failure_say(struct recorder *recorder, int error)
{
	if (!error || recorder->is_failure_said)
		return;
	recorder->is_failure_said = true;
	log_fail(error, "write the recording %s, which goes on with what is lost counted",
		 recorder->path);
}

void recorder_flush(struct recorder *recorder)
{
	failure_say(recorder, recording_flush(recorder->writer));
}

static void known_free(struct recorder *recorder)
{
	struct known_proc *proc, *next_proc;
	struct known_cgroup *cgroup, *next_cgroup;

	HASH_ITER (hh, recorder->procs, proc, next_proc) {
		HASH_DEL(recorder->procs, proc);
		free(proc);
	}
	HASH_ITER (hh, recorder->cgroups, cgroup, next_cgroup) {
		HASH_DEL(recorder->cgroups, cgroup);
		free(cgroup);
	}
}

int recorder_close(struct recorder *recorder)
{
	struct recording_counts counts;
	struct facts facts;

	if (!recorder)
		return EXIT_DONE;
	recorder_names_free(recorder->names);
	facts = recorder->session->app->facts;
	source_facts(recorder->session->source, &facts);
	recording_close(recorder->writer, &facts, &counts);
	if (counts.lost)
		log_fail(counts.error ? counts.error : -EMSGSIZE,
			 "write %llu of the %llu records of %s", (unsigned long long)counts.lost,
			 (unsigned long long)counts.records, recorder->path);
	known_free(recorder);
	text_free(&recorder->record);
	free(recorder->path);
	free(recorder);
	return counts.lost ? EXIT_FAILED : EXIT_DONE;
}
