/* SPDX-License-Identifier: GPL-2.0-only */
/* A model of a host with two processes, and events of it. */
#ifndef NSVIEW_TESTS_MODEL_MAKE_H
#define NSVIEW_TESTS_MODEL_MAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "event_make.h"
#include "model/model.h"

/* include/linux/proc_ns.h, PROC_*_INIT_INO, as event_make.h has them */
#define HOST_PID_NS 4026531836U
#define HOST_USER_NS 4026531837U
#define HOST_MNT_NS 4026531841U
#define CGROUP_ID 77

#define SECOND 1000000000ULL

static inline uint64_t start_of(uint32_t tgid)
{
	return SECOND * tgid;
}

/* A process of the host, as a snapshot or a sweep has it. */
static inline struct task_record *task_make(uint64_t room[EVENT_TASK_MAX / 8], uint32_t tgid,
					    const char *comm)
{
	struct task_record *task = (struct task_record *)room;
	struct pid_level *chain = (struct pid_level *)(task + 1);

	*task = (struct task_record){
		.header = {sizeof(*task) + sizeof(*chain) + 8, RECORD_TASK, 0},
		.start_boot_ns = start_of(tgid),
		.tgid = tgid,
		.ppid = 1,
		.threads = 1,
		.chain_count = 1,
		.cgroup_length = 1,
		.loginuid = ID_UNSET,
		.sessionid = ID_UNSET,
		.ns = {[NS_PID] = HOST_PID_NS, [NS_USER] = HOST_USER_NS, [NS_MNT] = HOST_MNT_NS},
		.cpu_ns = 5000,
		.state = 'S',
	};
	strncpy(task->comm, comm, COMM_SIZE - 1);
	*chain = (struct pid_level){HOST_PID_NS, tgid};
	memcpy(chain + 1, "/\0\0\0\0\0\0", 8);
	assert_true(record_is_sound(&task->header, task->header.size));
	return task;
}

static inline void apply(struct model *model, const struct record_header *record)
{
	assert_true(record_is_sound(record, record->size));
	assert_int_equal(model_apply(model, record), 0);
}

static inline void apply_task(struct model *model, uint32_t tgid, const char *comm)
{
	uint64_t room[EVENT_TASK_MAX / 8];

	apply(model, &task_make(room, tgid, comm)->header);
}

static inline void apply_args(struct model *model, uint32_t tgid, const char *args, size_t length)
{
	struct {
		struct args_record args;
		char data[256];
	} record = {.args = {.start_boot_ns = start_of(tgid),
			     .tgid = tgid,
			     .length = (uint32_t)length}};

	record.args.header = (struct record_header){
		(uint32_t)(sizeof(record.args) + ((length + 7) & ~7UL)), RECORD_ARGS, 0};
	memcpy(record.data, args, length);
	apply(model, &record.args.header);
}

static inline struct model *model_of_two(void)
{
	struct model *model = model_new();
	struct host_record host = {.header = {sizeof(host), RECORD_HOST, 0}};

	host.ns[NS_PID] = HOST_PID_NS;
	host.ns[NS_USER] = HOST_USER_NS;
	host.ns[NS_MNT] = HOST_MNT_NS;
	apply(model, &host.header);
	apply_task(model, 1, "init");
	apply_task(model, 100, "sh");
	apply_args(model, 100, "sh\0-c\0true", 11);
	model_settle(model, NULL, 0);
	return model;
}

/* A process of the host like task_make's. */
static inline struct task_identity *host_identity(struct event_make *make, const char *comm)
{
	struct task_identity *identity = event_make_identity(make, comm, 1);

	identity->ns[NS_MNT] = HOST_MNT_NS;
	return identity;
}

static inline void event_start(struct event_make *make, enum event_action action, uint32_t tgid,
			       uint32_t parent)
{
	event_make_start(make, action, tgid);
	make->record.time_boot_ns = start_of(tgid) + SECOND / 2;
	make->record.ppid = parent;
	make->record.parent_start_boot_ns = start_of(parent);
}

static inline void apply_fork(struct model *model, uint32_t tgid, uint32_t parent, const char *comm)
{
	struct event_make make = {0};

	event_start(&make, EVENT_FORK, tgid, parent);
	host_identity(&make, comm);
	apply(model, &make.record.header);
}

static inline void apply_exec(struct model *model, uint32_t tgid, const char *comm,
			      const char *args, size_t length)
{
	struct event_make make = {0};

	event_start(&make, EVENT_EXEC, tgid, 100);
	host_identity(&make, comm);
	event_make_exec(&make, "/bin/true", args, length, 1);
	apply(model, &make.record.header);
}

static inline void apply_exit(struct model *model, uint32_t tgid)
{
	struct event_make make = {0};

	event_start(&make, EVENT_EXIT, tgid, 100);
	event_make_exit(&make, 0);
	apply(model, &make.record.header);
}

#endif
