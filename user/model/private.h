/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of model/ share: model.c takes snapshots, model_live.c events, model_sweep.c
 * compares the two. */
#ifndef NSVIEW_MODEL_PRIVATE_H
#define NSVIEW_MODEL_PRIVATE_H

#include "base/mem.h"
#include "base/pid_index.h"
#include "model/cgroup_paths.h"
#include "model/container.h"
#include "model/model.h"

/* A kernel has at most 4194304 pids (PID_MAX_LIMIT): more records than that are not processes. */
#define PROCS_MAX (4 * 1024 * 1024)

/* CPU time and arguments may come before the process they belong to. */
struct pending_thread {
	uint64_t cpu_ns;
	uint32_t tgid;
};

/* Those that ended lately, by pid: a power of two, so that pids in a row do not meet. */
#define ENDED_PIDS 16384

struct ended_pid {
	uint64_t start_boot_ns;
	uint32_t tgid;
};

#define CHANGES_MAX 4 /* of containers, by one record */

struct model_sweep {
	struct arena arena; /* copies of the records that differ from the model */
	struct record_header **records;
	size_t count;
	size_t capacity;
	uint64_t start_ns;
	uint32_t number; /* of this one, from 1 */
	bool is_open;
	bool has_missed;
};

struct model {
	struct arena arena; /* copies of the snapshot's records */
	struct proc *procs; /* by host pid, once settled */
	size_t procs_count;
	size_t procs_capacity;
	struct pending_thread *threads;
	size_t threads_count;
	size_t threads_capacity;
	const struct args_record **args;
	size_t args_count;
	size_t args_capacity;
	struct container_table containers;
	struct cgroup_paths cgroups;
	uint32_t host_ns[NS_KINDS];
	size_t turned_away;
	bool is_settled;

	/* From the first event on: */
	bool is_live;
	bool is_sorted;
	struct pid_index index;  /* the place of a pid in procs */
	struct ended_pid *ended; /* ENDED_PIDS */
	uint32_t last_pid;       /* of the process that the last record was about; 0: none */
	bool is_leaving;         /* it goes with the next record */
	bool has_guest;
	struct proc guest; /* the same where procs does not have it */
	uint64_t guest_room[EVENT_TASK_MAX / 8];
	uint64_t now_ns; /* when the last event happened */
	/* Arguments and path of a process that is not there yet: a recording of a few processes
	 * holds no parent that it could have them from. */
	struct args_record *early_args[2];
	struct {
		struct container *container;
		enum container_change change;
	} changes[CHANGES_MAX];
	size_t changes_count;
	size_t changes_given;
	struct model_sweep sweep;
};

/* Fills *proc with a task that somebody else holds. */
void proc_read(struct proc *proc, const struct task_record *task);

/* Whether its exit lies behind it: a leader whose threads still run is a zombie too. */
bool task_is_dead(const struct task_record *task);

/* What no event carries, and sweeps tell. */
#define USAGE_FIELDS                                                               \
	(FIELD_BIT(FIELD_STATE) | FIELD_BIT(FIELD_CPU) | FIELD_BIT(FIELD_MEMORY) | \
	 FIELD_BIT(FIELD_SCHED))
void usage_copy(struct task_record *task, const struct task_record *from);

/* What the last record left behind goes; before the first event, a snapshot's model becomes one
 * that events change. */
void model_live_begin(struct model *model);
void model_live_free(struct model *model);
int model_live_apply(struct model *model, const struct record_header *record);
void model_live_sort(struct model *model);

/* Whether this process ended lately. */
bool model_live_has_ended(const struct model *model, uint32_t tgid, uint64_t start_boot_ns);

void model_sweep_free(struct model *model);

#endif
