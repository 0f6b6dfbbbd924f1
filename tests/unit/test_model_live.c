/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <malloc.h>

#include "base/mem.h"
#include "event_make.h"
#include "model/model.h"

/* include/linux/proc_ns.h, PROC_*_INIT_INO, as event_make.h has them */
#define HOST_PID_NS 4026531836U
#define HOST_USER_NS 4026531837U
#define HOST_MNT_NS 4026531841U
#define CGROUP_ID 77

#define SECOND 1000000000ULL

static uint64_t start_of(uint32_t tgid)
{
	return SECOND * tgid;
}

/* A process of the host, as a snapshot or a sweep has it. */
static struct task_record *task_make(uint64_t room[EVENT_TASK_MAX / 8], uint32_t tgid,
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

static void apply(struct model *model, const struct record_header *record)
{
	assert_true(record_is_sound(record, record->size));
	assert_int_equal(model_apply(model, record), 0);
}

static void apply_task(struct model *model, uint32_t tgid, const char *comm)
{
	uint64_t room[EVENT_TASK_MAX / 8];

	apply(model, &task_make(room, tgid, comm)->header);
}

static void apply_args(struct model *model, uint32_t tgid, const char *args, size_t length)
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

static struct model *model_of_two(void)
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
static struct task_identity *host_identity(struct event_make *make, const char *comm)
{
	struct task_identity *identity = event_make_identity(make, comm, 1);

	identity->ns[NS_MNT] = HOST_MNT_NS;
	return identity;
}

static void event_start(struct event_make *make, enum event_action action, uint32_t tgid,
			uint32_t parent)
{
	event_make_start(make, action, tgid);
	make->record.time_boot_ns = start_of(tgid) + SECOND / 2;
	make->record.ppid = parent;
	make->record.parent_start_boot_ns = start_of(parent);
}

static void apply_fork(struct model *model, uint32_t tgid, uint32_t parent, const char *comm)
{
	struct event_make make = {0};

	event_start(&make, EVENT_FORK, tgid, parent);
	host_identity(&make, comm);
	apply(model, &make.record.header);
}

static void apply_exec(struct model *model, uint32_t tgid, const char *comm, const char *args,
		       size_t length)
{
	struct event_make make = {0};

	event_start(&make, EVENT_EXEC, tgid, 100);
	host_identity(&make, comm);
	event_make_exec(&make, "/bin/true", args, length, 1);
	apply(model, &make.record.header);
}

static void apply_exit(struct model *model, uint32_t tgid)
{
	struct event_make make = {0};

	event_start(&make, EVENT_EXIT, tgid, 100);
	event_make_exit(&make, 0);
	apply(model, &make.record.header);
}

static void a_fork_adds_a_process_with_its_parents_arguments_until_exec(void **state)
{
	struct model *model = model_of_two();
	const struct proc *proc;
	(void)state;

	apply_fork(model, 200, 100, "sh");
	proc = model_find(model, 200);
	assert_non_null(proc);
	assert_ptr_equal(proc, model_last_proc(model));
	assert_int_equal(proc->args_length, 11);
	assert_memory_equal(proc->args, "sh\0-c\0true", 11);
	assert_false(proc->unknown & FIELD_BIT(FIELD_ARGS));
	apply_exec(model, 200, "true", "/bin/true", 10);
	proc = model_find(model, 200);
	assert_string_equal(proc->task->comm, "true");
	assert_string_equal(proc->args, "/bin/true");
	assert_int_equal(proc->args_length, 10);
	/* A child of it has its new arguments, also when it is gone. */
	apply_fork(model, 201, 200, "true");
	apply_exit(model, 200);
	apply_fork(model, 202, 201, "true");
	assert_null(model_find(model, 200));
	assert_string_equal(model_find(model, 202)->args, "/bin/true");
	model_free(model);
}

static void a_process_with_another_name_than_its_parent_has_unknown_arguments(void **state)
{
	struct model *model = model_of_two();
	(void)state;

	apply_fork(model, 200, 100, "runc:[1:CHILD]");
	assert_null(model_find(model, 200)->args);
	assert_true(model_find(model, 200)->unknown & FIELD_BIT(FIELD_ARGS));
	model_free(model);
}

static void a_process_that_ended_stays_until_the_next_record(void **state)
{
	struct model *model = model_of_two();
	(void)state;

	apply_exit(model, 100);
	assert_non_null(model_find(model, 100));
	assert_string_equal(model_last_proc(model)->task->comm, "sh");
	apply_fork(model, 300, 1, "init");
	assert_null(model_find(model, 100));
	model_free(model);
}

static void processes_are_in_order_whenever_that_is_asked(void **state)
{
	static const uint32_t forked[] = {900, 300, 700, 500, 200};
	struct model *model = model_of_two();
	const struct proc *procs;
	size_t count;
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(forked); i++)
		apply_fork(model, forked[i], 1, "init");
	apply_exit(model, 300);
	apply_exit(model, 100);
	apply_fork(model, 50, 1, "init");
	procs = model_procs(model, &count);
	assert_int_equal(count, 6);
	for (size_t i = 0; i < count; i++) {
		assert_ptr_equal(model_find(model, procs[i].task->tgid), &procs[i]);
		assert_true(!i || procs[i].task->tgid > procs[i - 1].task->tgid);
	}
	model_free(model);
}

static void credentials_of_the_leader_are_the_processes(void **state)
{
	struct model *model = model_of_two();
	struct event_make make = {0};
	struct task_identity *identity;
	(void)state;

	event_start(&make, EVENT_CREDENTIALS, 100, 1);
	identity = host_identity(&make, "sh");
	identity->ids.euid = 1000;
	make.record.tid = 101; /* a thread of it */
	apply(model, &make.record.header);
	assert_int_equal(model_find(model, 100)->task->ids.euid, 0);
	assert_ptr_equal(model_last_proc(model), model_find(model, 100));
	make.record.tid = 100;
	apply(model, &make.record.header);
	assert_int_equal(model_find(model, 100)->task->ids.euid, 1000);
	/* What the event does not tell stays. */
	assert_int_equal(model_find(model, 100)->task->state, 'S');
	assert_int_equal(model_find(model, 100)->cpu_ns, 5000);
	assert_int_equal(model_find(model, 100)->args_length, 11);
	model_free(model);
}

static void a_pid_is_another_process_when_its_start_is_another(void **state)
{
	struct model *model = model_of_two();
	struct event_make make = {0};
	(void)state;

	event_start(&make, EVENT_FORK, 100, 1);
	make.record.start_boot_ns = start_of(100) + 1;
	host_identity(&make, "younger");
	apply(model, &make.record.header);
	assert_string_equal(model_find(model, 100)->task->comm, "younger");
	/* The exit of the one before does not end it, nor does anything else change it. */
	apply_exit(model, 100);
	apply_fork(model, 200, 1, "init");
	assert_string_equal(model_find(model, 100)->task->comm, "younger");
	apply_exec(model, 100, "older", "older", 6);
	assert_string_equal(model_last_proc(model)->task->comm, "older");
	assert_string_equal(model_find(model, 100)->task->comm, "younger");
	model_free(model);
}

static void what_is_heard_late_of_a_process_does_not_bring_it_back(void **state)
{
	struct model *model = model_of_two();
	(void)state;

	apply_exit(model, 100);
	apply_exec(model, 100, "late", "late", 5);
	assert_null(model_find(model, 100));
	assert_string_equal(model_last_proc(model)->task->comm, "late");
	model_free(model);
}

static void a_fork_that_the_snapshot_has_seen_changes_nothing(void **state)
{
	struct model *model = model_of_two();
	size_t count;
	(void)state;

	apply_fork(model, 100, 1, "init");
	assert_string_equal(model_find(model, 100)->task->comm, "sh");
	assert_int_equal(model_find(model, 100)->args_length, 11);
	model_procs(model, &count);
	assert_int_equal(count, 2);
	model_free(model);
}

/* A process in namespaces of its own, in the cgroup that apply_cgroup tells of. */
static void apply_inside(struct model *model, uint32_t tgid, uint32_t parent, uint32_t pid_ns)
{
	struct event_make make = {0};
	struct task_identity *identity;

	event_start(&make, EVENT_FORK, tgid, parent);
	identity = event_make_identity(&make, "sleep", 2);
	identity->ns[NS_PID] = pid_ns;
	identity->ns[NS_MNT] = HOST_MNT_NS;
	((struct pid_level *)(identity + 1))[1].ns = pid_ns;
	identity->cgroup_id = CGROUP_ID;
	apply(model, &make.record.header);
}

static void apply_cgroup(struct model *model, const char *path)
{
	struct {
		struct cgroup_record cgroup;
		char path[256];
	} record = {.cgroup = {.id = CGROUP_ID, .length = (uint16_t)strlen(path)}};

	record.cgroup.header = (struct record_header){
		(uint32_t)(sizeof(record.cgroup) + ((strlen(path) + 7) & ~7UL)), RECORD_CGROUP, 0};
	memcpy(record.path, path, strlen(path));
	apply(model, &record.cgroup.header);
}

static void assert_change(struct model *model, enum container_change wanted, const char *name)
{
	enum container_change change;
	struct container *container = model_container_change(model, &change);

	assert_non_null(container);
	assert_int_equal(change, wanted);
	assert_string_equal(container->name, name);
}

static void assert_no_change(struct model *model)
{
	enum container_change change;

	assert_null(model_container_change(model, &change));
}

static void a_container_starts_with_its_first_process_and_ends_with_its_last(void **state)
{
	static const char id[] = "de4939f2c0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b";
	struct model *model = model_of_two();
	char path[128];
	size_t count;
	(void)state;

	snprintf(path, sizeof(path), "/system.slice/docker-%s.scope", id);
	apply_cgroup(model, path);
	apply_inside(model, 200, 100, 4026532567U);
	assert_change(model, CONTAINER_STARTED, "de4939f2c0a1");
	assert_no_change(model);
	apply_inside(model, 201, 200, 4026532567U);
	assert_no_change(model);
	model_containers(model, &count);
	assert_int_equal(count, 1);
	assert_int_equal(model_find(model, 201)->container->procs, 2);
	assert_int_equal(model_find(model, 201)->container->first_pid, 200);

	/* The next one is its first process then. */
	apply_exit(model, 200);
	assert_no_change(model);
	apply_fork(model, 300, 1, "init");
	assert_int_equal(model_find(model, 201)->container->first_pid, 201);
	assert_int_equal(model_find(model, 201)->container->start_boot_ns, start_of(201));
	apply_exit(model, 201);
	assert_change(model, CONTAINER_ENDED, "de4939f2c0a1");
	apply_fork(model, 301, 1, "init");
	assert_no_change(model);
	model_containers(model, &count);
	assert_int_equal(count, 0);

	/* docker restart */
	apply_inside(model, 400, 100, 4026532568U);
	assert_change(model, CONTAINER_STARTED, "de4939f2c0a1");
	model_containers(model, &count);
	assert_int_equal(count, 1);
	model_free(model);
}

static void a_process_that_changes_namespaces_changes_containers(void **state)
{
	struct model *model = model_of_two();
	struct event_make make = {0};
	struct task_identity *identity;
	(void)state;

	event_start(&make, EVENT_NAMESPACES, 100, 1);
	identity = host_identity(&make, "sh");
	identity->ns[NS_MNT] = 4026532999U;
	apply(model, &make.record.header);
	assert_change(model, CONTAINER_STARTED, "mnt:4026532999");
	identity->ns[NS_MNT] = HOST_MNT_NS;
	apply(model, &make.record.header);
	assert_change(model, CONTAINER_ENDED, "mnt:4026532999");
	assert_no_change(model);
	assert_null(model_find(model, 100)->container);
	model_free(model);
}

static void a_container_goes_with_its_only_process_into_its_cgroup(void **state)
{
	struct model *model = model_of_two();
	struct container *container;
	struct event_make make = {0};
	struct task_identity *identity;
	(void)state;

	apply_inside(model, 200, 100, 4026532567U);
	assert_change(model, CONTAINER_STARTED, "pid:4026532567");
	container = model_find(model, 200)->container;
	apply_cgroup(model, "/nsview/0123456789ab");
	event_start(&make, EVENT_CREDENTIALS, 200, 100);
	identity = event_make_identity(&make, "sleep", 2);
	identity->ns[NS_MNT] = HOST_MNT_NS;
	identity->cgroup_id = CGROUP_ID;
	apply(model, &make.record.header);
	assert_change(model, CONTAINER_RENAMED, "0123456789ab");
	assert_no_change(model);
	assert_ptr_equal(model_find(model, 200)->container, container);
	assert_string_equal(container->runtime, "nsview");
	apply_exit(model, 200);
	assert_change(model, CONTAINER_ENDED, "0123456789ab");
	model_free(model);
}

static void a_namespace_s_name_is_not_inherited_by_the_next_one_with_its_number(void **state)
{
	static const struct runtime_container *declared;
	struct model *model = model_of_two();
	struct container *container;
	(void)state;

	apply_inside(model, 200, 100, 4026532567U);
	container = model_find(model, 200)->container;
	snprintf(container->name, sizeof(container->name), "web");
	container->declared = (const struct runtime_container *)&declared;
	apply_exit(model, 200);
	apply_inside(model, 300, 100, 4026532567U);
	assert_change(model, CONTAINER_STARTED, "pid:4026532567");
	assert_null(model_find(model, 300)->container->declared);
	model_free(model);
}

struct repairs {
	struct model *model;
	enum event_action actions[16];
	uint32_t tgids[16];
	uint16_t flags[16];
	size_t count;
	size_t silent;
};

static int take_repair(void *context, const struct record_header *record)
{
	const struct event_record *event = (const struct event_record *)record;
	struct repairs *repairs = context;

	if (record->type == RECORD_EVENT) {
		assert_true(repairs->count < ARRAY_SIZE(repairs->actions));
		assert_true(event->flags & EVENT_REPAIR);
		assert_int_equal(event->sequence, 0);
		repairs->actions[repairs->count] = event->action;
		repairs->tgids[repairs->count] = event->tgid;
		repairs->flags[repairs->count++] = event->flags;
	} else {
		repairs->silent++;
	}
	apply(repairs->model, record);
	return 0;
}

/* A sweep that sees init and the given ones, as they are in a snapshot. */
static struct repairs sweep(struct model *model, uint64_t begin_ns, const uint32_t *seen,
			    size_t count)
{
	struct repairs repairs = {.model = model};
	uint64_t room[EVENT_TASK_MAX / 8];

	model_sweep_begin(model, begin_ns);
	model_sweep_take(model, &task_make(room, 1, "init")->header);
	for (size_t i = 0; i < count; i++)
		model_sweep_take(model, &task_make(room, seen[i], "sh")->header);
	assert_int_equal(model_sweep_end(model, begin_ns + 1, take_repair, &repairs), 0);
	return repairs;
}

static void a_sweep_that_agrees_tells_nothing(void **state)
{
	struct model *model = model_of_two();
	struct repairs repairs = sweep(model, SECOND * 1000, (uint32_t[]){100}, 1);
	(void)state;

	assert_int_equal(repairs.count, 0);
	assert_int_equal(repairs.silent, 0);
	model_free(model);
}

static void a_sweep_tells_of_forks_and_exits_that_were_missed(void **state)
{
	struct model *model = model_of_two();
	struct repairs repairs = sweep(model, SECOND * 1000, (uint32_t[]){500}, 1);
	(void)state;

	assert_int_equal(repairs.count, 2);
	assert_int_equal(repairs.actions[0], EVENT_EXIT);
	assert_int_equal(repairs.tgids[0], 100);
	assert_int_equal(repairs.actions[1], EVENT_FORK);
	assert_int_equal(repairs.tgids[1], 500);
	assert_true(repairs.flags[0] & EVENT_INFERRED && repairs.flags[1] & EVENT_INFERRED);
	assert_null(model_find(model, 100));
	assert_non_null(model_find(model, 500));
	assert_int_equal(model_find(model, 500)->task->state, 'S');
	model_free(model);
}

static void a_sweep_does_not_know_better_than_what_came_after_it_began(void **state)
{
	struct model *model = model_of_two();
	struct repairs repairs;
	uint64_t room[EVENT_TASK_MAX / 8];
	(void)state;

	apply_fork(model, 300, 100, "sh");
	model_sweep_begin(model, start_of(300));
	repairs = (struct repairs){.model = model};
	model_sweep_take(model, &task_make(room, 1, "init")->header);
	model_sweep_take(model, &task_make(room, 400, "sh")->header);
	/* Between: 300 is older than its last event, 400 has ended since, 500 is new. */
	apply_fork(model, 400, 100, "sh");
	apply_exit(model, 400);
	apply_fork(model, 500, 100, "sh");
	assert_int_equal(model_sweep_end(model, start_of(600), take_repair, &repairs), 0);
	assert_int_equal(repairs.count, 1);
	assert_int_equal(repairs.tgids[0], 100);
	assert_non_null(model_find(model, 300));
	assert_null(model_find(model, 400));
	assert_non_null(model_find(model, 500));
	model_free(model);
}

static void a_zombie_comes_and_goes_in_silence(void **state)
{
	struct model *model = model_of_two();
	struct repairs repairs = {.model = model};
	uint64_t room[EVENT_TASK_MAX / 8];
	struct task_record *zombie;
	(void)state;

	apply_exit(model, 100);
	for (int round = 0; round < 2; round++) {
		model_sweep_begin(model, SECOND * (1000 + (uint64_t)round));
		model_sweep_take(model, &task_make(room, 1, "init")->header);
		zombie = task_make(room, 100, "sh");
		zombie->flags = TASK_ZOMBIE;
		model_sweep_take(model, &zombie->header);
		model_sweep_end(model, SECOND * 2000, take_repair, &repairs);
		assert_int_equal(repairs.count, 0);
		assert_non_null(model_find(model, 100));
	}
	repairs = sweep(model, SECOND * 3000, NULL, 0);
	assert_int_equal(repairs.count, 1);
	assert_false(repairs.flags[0] & EVENT_INFERRED);
	apply_fork(model, 300, 1, "init");
	assert_null(model_find(model, 100));
	model_free(model);
}

static void a_sweep_tells_of_credentials_and_namespaces_that_changed(void **state)
{
	struct model *model = model_of_two();
	struct repairs repairs = {.model = model};
	uint64_t room[EVENT_TASK_MAX / 8];
	struct task_record *task;
	(void)state;

	for (int round = 0; round < 2; round++) {
		model_sweep_begin(model, SECOND * (1000 + (uint64_t)round));
		model_sweep_take(model, &task_make(room, 1, "init")->header);
		task = task_make(room, 100, "sh");
		task->ids.euid = 1000;
		task->ns[NS_NET] = 4026533000U;
		model_sweep_take(model, &task->header);
		model_sweep_end(model, SECOND * 2000, take_repair, &repairs);
		assert_int_equal(repairs.count, 1);
	}
	assert_int_equal(repairs.actions[0], EVENT_CREDENTIALS);
	assert_int_equal(model_find(model, 100)->task->ids.euid, 1000);
	assert_int_equal(model_find(model, 100)->args_length, 11);
	model_free(model);
}

static void cpu_time_is_that_of_all_threads_at_the_last_sweep(void **state)
{
	struct model *model = model_of_two();
	struct thread_record thread = {.header = {sizeof(thread), RECORD_THREAD, 0},
				       .start_boot_ns = start_of(100),
				       .cpu_ns = 300,
				       .tgid = 100,
				       .tid = 99};
	uint64_t room[EVENT_TASK_MAX / 8];
	struct repairs repairs = {.model = model};
	(void)state;

	for (int round = 0; round < 2; round++) {
		model_sweep_begin(model, SECOND * (1000 + (uint64_t)round));
		model_sweep_take(model, &thread.header);
		model_sweep_take(model, &task_make(room, 1, "init")->header);
		model_sweep_take(model, &task_make(room, 100, "sh")->header);
		model_sweep_end(model, SECOND * 2000, take_repair, &repairs);
		assert_int_equal(model_find(model, 100)->cpu_ns, 5300);
	}
	model_free(model);
}

static void what_ends_leaves_no_memory_behind(void **state)
{
	struct model *model = model_of_two();
	size_t before = 0;
	(void)state;

	for (uint32_t i = 0; i < 200000; i++) {
		if (i == 40000)
			before = mallinfo2().uordblks;
		apply_inside(model, 1000 + i % 30000, 100, 4026540000U + i);
		apply_exec(model, 1000 + i % 30000, "true", "/bin/true", 10);
		apply_exit(model, 1000 + i % 30000);
	}
	assert_true(mallinfo2().uordblks < before + 64 * 1024);
	model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fork_adds_a_process_with_its_parents_arguments_until_exec),
		cmocka_unit_test(a_process_with_another_name_than_its_parent_has_unknown_arguments),
		cmocka_unit_test(a_process_that_ended_stays_until_the_next_record),
		cmocka_unit_test(processes_are_in_order_whenever_that_is_asked),
		cmocka_unit_test(credentials_of_the_leader_are_the_processes),
		cmocka_unit_test(a_pid_is_another_process_when_its_start_is_another),
		cmocka_unit_test(what_is_heard_late_of_a_process_does_not_bring_it_back),
		cmocka_unit_test(a_fork_that_the_snapshot_has_seen_changes_nothing),
		cmocka_unit_test(a_container_starts_with_its_first_process_and_ends_with_its_last),
		cmocka_unit_test(a_process_that_changes_namespaces_changes_containers),
		cmocka_unit_test(a_container_goes_with_its_only_process_into_its_cgroup),
		cmocka_unit_test(
			a_namespace_s_name_is_not_inherited_by_the_next_one_with_its_number),
		cmocka_unit_test(a_sweep_that_agrees_tells_nothing),
		cmocka_unit_test(a_sweep_tells_of_forks_and_exits_that_were_missed),
		cmocka_unit_test(a_sweep_does_not_know_better_than_what_came_after_it_began),
		cmocka_unit_test(a_zombie_comes_and_goes_in_silence),
		cmocka_unit_test(a_sweep_tells_of_credentials_and_namespaces_that_changed),
		cmocka_unit_test(cpu_time_is_that_of_all_threads_at_the_last_sweep),
		cmocka_unit_test(what_ends_leaves_no_memory_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
