/* SPDX-License-Identifier: GPL-2.0-only */
#include "model_make.h"

#include <malloc.h>

#include "host/runtime/runtime.h"

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

static void apply_move_to_cgroup(struct model *model, uint32_t pid, const char *path)
{
	struct event_make make = {0};
	struct task_identity *identity;

	apply_cgroup(model, path);
	event_start(&make, EVENT_CREDENTIALS, pid, 100);
	identity = event_make_identity(&make, "sleep", 2);
	identity->ns[NS_MNT] = HOST_MNT_NS;
	identity->cgroup_id = CGROUP_ID;
	apply(model, &make.record.header);
}

static void a_container_goes_with_its_only_process_into_its_cgroup(void **state)
{
	struct model *model = model_of_two();
	struct container *container;
	(void)state;

	apply_inside(model, 200, 100, 4026532567U);
	assert_change(model, CONTAINER_STARTED, "pid:4026532567");
	container = model_find(model, 200)->container;
	apply_move_to_cgroup(model, 200, "/nsview/0123456789ab");
	assert_change(model, CONTAINER_RENAMED, "0123456789ab");
	assert_no_change(model);
	assert_ptr_equal(model_find(model, 200)->container, container);
	assert_string_equal(container->runtime, "nsview");
	apply_exit(model, 200);
	assert_change(model, CONTAINER_ENDED, "0123456789ab");
	model_free(model);
}

static void a_container_with_a_name_takes_it_into_its_cgroup(void **state)
{
	static const struct runtime_container declared = {
		.runtime = "nsview", .id = "0123456789ab", .name = "web"};
	struct model *model = model_of_two();
	struct container *container;
	(void)state;

	apply_inside(model, 200, 100, 4026532567U);
	assert_change(model, CONTAINER_STARTED, "pid:4026532567");
	container = model_find(model, 200)->container;
	model_declare(container, &declared);
	apply_move_to_cgroup(model, 200, "/nsview/0123456789ab");
	assert_no_change(model);
	assert_ptr_equal(model_find(model, 200)->container, container);
	assert_ptr_equal(container->declared, &declared);
	assert_string_equal(container->name, "web");
	apply_exit(model, 200);
	assert_change(model, CONTAINER_ENDED, "web");
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
		cmocka_unit_test(a_container_with_a_name_takes_it_into_its_cgroup),
		cmocka_unit_test(
			a_namespace_s_name_is_not_inherited_by_the_next_one_with_its_number),
		cmocka_unit_test(what_ends_leaves_no_memory_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
