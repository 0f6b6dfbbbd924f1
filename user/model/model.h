/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is true now: the processes and the containers they make up. Fed with records, whatever
 * source they came from; never prints, never looks at the machine.
 */
#ifndef NSVIEW_MODEL_MODEL_H
#define NSVIEW_MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/wire.h"

struct container;
struct model;
struct runtime_container;

/* What only model/ looks at: how a process goes on once events change it. */
struct proc_private {
	void *block;             /* holds the task; NULL: the model's arena does */
	struct proc_args *args;  /* holds the arguments, for all forked with them; NULL: the same */
	struct proc_args *exe;   /* the same for the path */
	uint64_t changed_ns;     /* when the last event said so; 0: none since it was read */
	uint64_t cpu_sum_ns;     /* as the sweep that goes on has it so far */
	uint32_t sweep;          /* the last one that saw it */
	uint32_t doubted;        /* the last one that saw other credentials or namespaces */
	uint32_t container_next; /* the next younger process in the same container; 0: none */
	uint32_t container_before; /* the next older one */
	bool is_dead;              /* a zombie: its exit was told, or was long ago */
};

/* One process. All is borrowed from the model, and good until model_apply or model_procs is called
 * on a model that events change. */
struct proc {
	const struct task_record *task; /* the fields, as the source gave them */
	const struct pid_level *chain;  /* task->chain_count entries, first pid namespace first */
	const uint32_t *groups;         /* task->groups_kept entries */
	const char *cgroup_path;        /* task->cgroup_length bytes, no NUL */
	const char *args;               /* NUL-separated; NULL: none, or not known (see unknown) */
	const char *long_name;          /* NUL-terminated full name of a kernel thread, or NULL */
	const char *exe;                /* the path of its program, no NUL; NULL: not known */
	uint32_t args_length;
	uint32_t exe_length;
	bool args_cut;               /* the vector is longer than args_length */
	uint64_t unknown;            /* task->unknown and what the reader could not add */
	uint64_t cpu_ns;             /* of all threads, those that have ended included */
	struct container *container; /* NULL: a host process */
	struct proc_private own;
};

/* A group of processes that a runtime, or anybody with namespaces of their own, set apart. */
struct container {
	char name[256];         /* what CONTAINER shows; from a process or a file: hostile */
	char id[128];           /* the runtime's id; "" when nothing tells one */
	const char *runtime;    /* docker, podman, nsview, ...; NULL: unknown */
	uint32_t ns[NS_KINDS];  /* of its first process */
	uint64_t start_boot_ns; /* of its first process */
	uint32_t first_pid;     /* host pid of its first process */
	size_t procs;
	const struct runtime_container *declared; /* borrowed; NULL: no state file tells */
};

/* Names that the caller read from runtimes' state files: offered to model_settle. */
struct container_name {
	char name[256];
	char id[128];
	const char *runtime;    /* static */
	uint32_t pid_ns;        /* the container's pid namespace, or 0: matched by id only */
	uint32_t first_pid;     /* host pid of its first process, which then decides alone; or 0 */
	uint64_t start_boot_ns; /* when that started, in clock ticks' precision */
	const struct runtime_container *declared; /* has to outlive the model, or NULL */
};

struct model *model_new(void);
void model_free(struct model *model);

/*
 * Takes one sound record; what it keeps is copied. Before model_settle: a snapshot's; what cannot
 * be used, and a second record of one process, is counted (model_turned_away) and skipped. After
 * it: RECORD_EVENT changes the process that it is about, RECORD_TASK and RECORD_ARGS replace
 * what is known of one, RECORD_USAGE tells what one uses now, RECORD_CGROUP the path of those to
 * come.
 */
int model_apply(struct model *model, const struct record_header *record);
/* The same for an event of a settled model that has been taken apart already. */
int model_apply_event(struct model *model, const struct event *event);

/* The process that the last record was about, as it is after it; at its exit as it was, and it goes
 * with the next record. One that the model does not hold, since it has ended or is another
 * thread's, as the event has it. NULL: about none, or of one that nothing is known of. */
struct proc *model_last_proc(struct model *model);

enum container_change {
	CONTAINER_STARTED, /* its first process is there; or a first one again */
	CONTAINER_RENAMED, /* its processes came into a runtime's cgroup, which names it */
	CONTAINER_ENDED,   /* its last process has ended */
};

/* What the last record did to containers, one after the other; NULL: no more. */
struct container *model_container_change(struct model *model, enum container_change *change);

/*
 * A sweep: every process is looked at again, and what differs from what the events told is repaired.
 * model_sweep_take gets the records of a snapshot, with no model_apply between them.
 * model_sweep_end comes once all events that were made meanwhile have been applied; it hands out
 * the records that make the model true, which the caller applies. Among them are events with
 * EVENT_REPAIR for what a hook should have told.
 *
 * has_missed: events were missed since the last sweep. If none were, other credentials or
 * namespaces are told only when two successive sweeps have seen them: with the second one the
 * kernel side tells them itself, and better (bpf/sweep.bpf.h).
 */
void model_sweep_begin(struct model *model, uint64_t now_boot_ns, bool has_missed);
int model_sweep_take(struct model *model, const struct record_header *record);
int model_sweep_end(struct model *model, uint64_t now_boot_ns, record_sink sink, void *context);

/* Hands out the exit that was missed of the process whose pid the event's process has now. */
int model_sweep_reused(struct model *model, const struct event_record *event, record_sink sink,
		       void *context);

/* After a snapshot: merges threads and arguments, finds the containers, names and orders them.
 * names: borrowed for the call. */
void model_settle(struct model *model, const struct container_name *names, size_t count);

/* Once settled, in the order of host pids, which takes a while after events; model_find never. */
struct proc *model_procs(struct model *model, size_t *count);
struct proc *model_find(struct model *model, uint32_t host_pid);

/* In the order of their start. */
struct container *const *model_containers(struct model *model, size_t *count);

/* What its runtime's files say, once settled. It goes by their name and id from then on; declared
 * has to live as long as the container, which CONTAINER_ENDED does not yet end. */
void model_declare(struct container *container, const struct runtime_container *declared);

/* The host's namespaces: from the source, else the kernel's fixed inode numbers, else 0. */
const uint32_t *model_host_ns(const struct model *model);

size_t model_turned_away(const struct model *model);

/* The pid in the innermost pid namespace; tgid for a host process. */
uint32_t proc_in_pid(const struct proc *proc);
/* Whether its capabilities count on the host: its user namespace is the host's. */
bool proc_is_host_effective(const struct proc *proc, const struct model *model);

#endif
