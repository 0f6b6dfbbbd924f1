/* SPDX-License-Identifier: GPL-2.0-only */
/* What a recording says beside the records of a source: names of users and containers, and what a
 * ps inside one reads there. Private to recorder.c. */
#ifndef NSVIEW_CMD_RECORDER_NAMES_H
#define NSVIEW_CMD_RECORDER_NAMES_H

#include <stdbool.h>
#include <stdint.h>

struct container;
struct proc;
struct recorder_names;
struct recording_writer;
struct session;

/* A process for as long as the machine runs. */
struct proc_key {
	uint64_t start_boot_ns;
	uint64_t tgid;
};

/* Both borrowed. is_selective: not all processes of a container may be recorded. */
struct recorder_names *recorder_names_new(struct session *session, struct recording_writer *writer,
					  bool is_selective);
void recorder_names_free(struct recorder_names *names);

/* What a process needs to be shown as here. */
void recorder_names_proc(struct recorder_names *names, const struct proc *proc,
			 uint64_t time_boot_ns);
/* The same, but for the name of its container, which comes later. */
void recorder_names_unnamed(struct recorder_names *names, const struct proc *proc,
			    uint64_t time_boot_ns);
/* It runs another program: in a container's first process, what is inside is in place now. */
void recorder_names_exec(struct recorder_names *names, const struct proc *proc);
void recorder_names_container(struct recorder_names *names, const struct container *container,
			      uint64_t time_boot_ns);
/* The next process of it is its first one, and no other was there before. */
void recorder_names_started(struct recorder_names *names, const struct container *container);
/* What is inside every container of the model. */
void recorder_names_insides(struct recorder_names *names);

#endif
