/* SPDX-License-Identifier: GPL-2.0-only */
/* The text of /proc/PID/stat and /proc/PID/status as numbers: fs/proc/array.c. */
#ifndef NSVIEW_HOST_PROCSTAT_H
#define NSVIEW_HOST_PROCSTAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"

#define PROCSTAT_KTHREAD 0x00200000u   /* PF_KTHREAD, include/linux/sched.h */
#define PROCSTAT_WQ_WORKER 0x00000020u /* PF_WQ_WORKER */

/* Pids are as the reader's /proc numbers them; 0: outside of it. */
struct procstat {
	const char *comm; /* borrowed, not NUL-terminated; up to 63 bytes for a kernel thread */
	size_t comm_length;
	uint64_t user_ticks; /* of all threads, those that have ended included */
	uint64_t system_ticks;
	uint64_t start_ticks;
	uint64_t vsize_bytes;
	int32_t ppid;
	int32_t pgrp;
	int32_t session;
	uint32_t tty_nr; /* new_encode_dev */
	int32_t tpgid;
	uint32_t flags; /* task->flags */
	int32_t priority;
	int32_t nice;
	uint32_t threads;
	char state;
};

/* The numbers from 4 to last by proc(5)'s count, into fields[0..last]. -EINVAL: not the text of a stat
 * file. */
int procstat_parse_numbers(const char *data, size_t length, uint64_t *fields, int last);

/* -EINVAL: not the text of a stat file. */
int procstat_parse_stat(const char *data, size_t length, struct procstat *stat);

struct procstatus {
	struct id_block ids; /* in the reader's user namespace */
	uint64_t caps[CAP_SETS];
	uint64_t rss_kib;
	uint64_t locked_kib;
	uint32_t groups[GROUPS_KEPT]; /* the first of them */
	uint32_t groups_total;
	uint32_t pids[PID_LEVELS_MAX]; /* NStgid: the reader's pid namespace first */
	uint32_t pids_count;           /* 0: a kernel before 4.1, or without pid namespaces */
	bool has_no_new_privs;         /* the kernel tells it: since 4.10 */
	uint8_t no_new_privs;
	uint8_t seccomp;
};

/* -EINVAL: not the text of a status file. */
int procstat_parse_status(const char *data, size_t length, struct procstatus *status);

#endif
