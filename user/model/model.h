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

#include "bpf/event.h"

struct container;
struct model;
struct runtime_container;

/* One process. Everything is borrowed from the model and lives as long as it does. */
struct proc {
	const struct task_record *task; /* the fields, as the source gave them */
	const struct pid_level *chain;  /* task->chain_count entries, first pid namespace first */
	const uint32_t *groups;         /* task->groups_kept entries */
	const char *cgroup_path;        /* task->cgroup_length bytes, no NUL */
	const char *args;               /* NUL-separated; NULL: none, or not known (see unknown) */
	const char *long_name;          /* NUL-terminated full name of a kernel thread, or NULL */
	uint32_t args_length;
	bool args_cut;               /* the vector is longer than args_length */
	uint64_t unknown;            /* task->unknown and what the reader could not add */
	uint64_t cpu_ns;             /* of all threads, those that have ended included */
	struct container *container; /* NULL: a host process */
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

/* Takes a copy of one sound record. What cannot be used, and a second record of one process, is
 * counted (model_turned_away) and skipped. */
int model_apply(struct model *model, const struct record_header *record);

/* After a snapshot: merges threads and arguments, finds the containers, names and orders them.
 * names: borrowed for the call. */
void model_settle(struct model *model, const struct container_name *names, size_t count);

/* Once settled, in the order of host pids; model_find the same. */
struct proc *model_procs(struct model *model, size_t *count);
struct proc *model_find(struct model *model, uint32_t host_pid);

/* In the order of their start. */
struct container *const *model_containers(struct model *model, size_t *count);

/* Once settled: what its runtime's files say. It goes by their name and id from then on;
 * declared has to outlive the model. */
void model_declare(struct container *container, const struct runtime_container *declared);

/* The host's namespaces: from the source, else the kernel's fixed inode numbers, else 0. */
const uint32_t *model_host_ns(const struct model *model);

size_t model_turned_away(const struct model *model);

/* The pid in the innermost pid namespace; tgid for a host process. */
uint32_t proc_in_pid(const struct proc *proc);
/* Whether its capabilities count on the host: its user namespace is the host's. */
bool proc_is_host_effective(const struct proc *proc, const struct model *model);

#endif
