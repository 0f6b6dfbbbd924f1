/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading the wire (bpf/event.h): whether bytes are a record, and where its parts are. A recording
 * may hold anything, so nothing of a record may be looked at before record_is_sound.
 */
#ifndef NSVIEW_WIRE_WIRE_H
#define NSVIEW_WIRE_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/event.h"

/* Called for each record; it and its tail are borrowed and sound. Anything but 0 ends the reading
 * and is returned from it. */
typedef int (*record_sink)(void *context, const struct record_header *record);

/* Whether a record's sizes, counts and lengths hold together (record.size <= available too). */
bool record_is_sound(const struct record_header *record, size_t available);

/* The tail of a sound task_record. chain has chain_count entries, groups groups_kept. */
const struct pid_level *record_chain(const struct task_record *task);
const __u32 *record_groups(const struct task_record *task);
const char *record_cgroup_path(const struct task_record *task);
const char *record_args(const struct args_record *args);

/* An event_record taken apart: pointers into it, NULL for a part that it has not. */
struct event {
	const struct event_record *record;
	const struct task_identity *identity;
	const struct pid_level *chain; /* record->chain_count entries */
	const __u32 *groups;           /* identity->groups_kept */
	const struct id_block *in_ids; /* identity->ids where the record has none of its own */
	const struct event_before *before;
	const __u32 *before_groups; /* before->groups_kept */
	const struct event_children *children;
	const struct event_exec *exec;
	const char *filename;    /* exec->filename_length bytes, no NUL */
	const char *interpreter; /* exec->interpreter_length */
	const char *args;        /* exec->args_length */
	const char *env;         /* exec->env_length */
	const struct event_exit *exit;
	const struct event_cgroup *cgroup;
	const char *cgroup_path; /* cgroup->length */
};

/* record: sound. *event is borrowed from it. */
void event_read(const struct event_record *record, struct event *event);

/* The same of a record of which only the header is known to be right (size and type); false: it
 * is not sound, and *event holds nothing to look at. */
bool event_check(const struct event_record *record, struct event *event);

/* The process as the event found it, in the form of a snapshot: *size bytes at `room`, which has
 * EVENT_TASK_MAX. Usage and state are unknown. event: with an identity and a chain. cgroup_path: what a cgroup_record said of identity->cgroup_id. */
#define EVENT_TASK_MAX 2048
struct task_record *event_task(const struct event *event, const char *cgroup_path,
			       size_t cgroup_length, void *room);

/* The tail of a sound record. */
const char *record_cgroup_name(const struct cgroup_record *cgroup);
const char *record_info(const struct info_record *info);
const char *record_user_name(const struct user_record *user);
/* container->lengths[text] bytes; NULL: it has none. */
const char *record_container_text(const struct container_record *container,
				  enum container_text text);
const char *record_inside_zone(const struct inside_record *inside); /* zone_length bytes */
const char *record_inside_map(const struct inside_record *inside);  /* map_length */

#endif
