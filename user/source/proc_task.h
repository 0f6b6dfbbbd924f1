/* SPDX-License-Identifier: GPL-2.0-only */
/* One process out of /proc: what proc_source.c collects into records. */
#ifndef NSVIEW_SOURCE_PROC_TASK_H
#define NSVIEW_SOURCE_PROC_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "bpf/event.h"
#include "source/args.h"

struct cgroup_tree;
struct facts;
struct ns_cache;
struct proc_map;

/* What is the same for all processes of one snapshot. */
struct proc_reader {
	const struct facts *facts; /* borrowed */
	int proc_fd;               /* borrowed */
	size_t args_max;
	struct args_budget args_left;
	uint32_t pid_ns; /* whose pids this /proc shows; 0: not known */
	struct ns_cache *namespaces;
	struct cgroup_tree *cgroups;
	struct proc_map *maps; /* by user namespace */
	size_t maps_count;
	struct text file; /* the one being read */
};

void proc_reader_open(struct proc_reader *reader, const struct facts *facts, int proc_fd,
		      size_t args_max);
void proc_reader_close(struct proc_reader *reader);

/* A task_record with its tail, not yet in one piece; in_ppid is not filled in. Zero-initialise,
 * text_free args when done. */
struct proc_draft {
	struct task_record record;
	struct pid_level chain[PID_LEVELS_MAX];
	uint32_t groups[GROUPS_KEPT];
	char cgroup_path[CGROUP_PATH_MAX];
	struct text args;
	enum args_kind args_kind;
	bool args_cut;
	bool has_failure; /* something could not be read: refused, or has the process gone? */
};

/* -ESRCH: it has gone. Other errors are nsview's own trouble (descriptors, memory). What may not be read is marked in draft->record.unknown. */
int proc_task_read(struct proc_reader *reader, uint32_t pid, struct proc_draft *draft);

/* A process's thread group ids, its innermost one last, for its children's in_ppid: how many
 * there are, or -errno. */
int proc_task_inner_pid(struct proc_reader *reader, uint32_t pid, uint32_t *inner);

/* The inodes of a process's namespaces; 0 where they may not be read. */
void proc_task_namespaces(struct proc_reader *reader, uint32_t pid, uint32_t ns[NS_KINDS]);

#endif
