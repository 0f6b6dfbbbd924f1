/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "model/model.h"

/* include/linux/proc_ns.h, PROC_*_INIT_INO */
#define HOST_PID_NS 0xEFFFFFFCU
#define HOST_USER_NS 0xEFFFFFFDU
#define HOST_MNT_NS 4026531841U

struct task_spec {
	uint32_t tgid;
	uint64_t start_ns;
	uint32_t pid_ns;
	uint32_t user_ns;
	uint32_t mnt_ns;
	uint32_t in_pid; /* 0: no second level */
	uint32_t flags;
	const char *cgroup;
};

static void apply_task(struct model *model, const struct task_spec *spec)
{
	struct {
		struct task_record task;
		char tail[256];
	} record = {0};
	struct pid_level chain[2] = {{HOST_PID_NS, spec->tgid}, {spec->pid_ns, spec->in_pid}};
	size_t count = spec->in_pid ? 2 : 1;
	const char *cgroup = spec->cgroup ? spec->cgroup : "/";
	size_t chain_bytes = count * sizeof(chain[0]);

	record.task.header.type = RECORD_TASK;
	record.task.header.size =
		(sizeof(record.task) + chain_bytes + strlen(cgroup) + 7) & ~(size_t)7;
	record.task.tgid = spec->tgid;
	record.task.start_boot_ns = spec->start_ns;
	record.task.cpu_ns = 1000;
	record.task.flags = spec->flags;
	record.task.ns[NS_PID] = spec->pid_ns;
	record.task.ns[NS_USER] = spec->user_ns;
	record.task.ns[NS_MNT] = spec->mnt_ns;
	record.task.chain_count = count;
	record.task.cgroup_length = strlen(cgroup);
	memcpy(record.tail, chain, chain_bytes);
	memcpy(record.tail + chain_bytes, cgroup, strlen(cgroup));
	assert_int_equal(model_apply(model, &record.task.header), 0);
}

static struct model *model_on_a_host(void)
{
	struct model *model = model_new();
	struct host_record host = {.header = {sizeof(host), RECORD_HOST, 0}};

	host.ns[NS_PID] = HOST_PID_NS;
	host.ns[NS_USER] = HOST_USER_NS;
	host.ns[NS_MNT] = HOST_MNT_NS;
	assert_int_equal(model_apply(model, &host.header), 0);
	return model;
}

static const char *container_name_of(struct model *model, uint32_t pid)
{
	struct proc *proc = model_find(model, pid);

	assert_non_null(proc);
	return proc->container ? proc->container->name : "-";
}

static void any_of_pid_user_and_mount_namespace_makes_a_container(void **state)
{
	struct model *model = model_on_a_host();
	(void)state;

	apply_task(model,
		   &(struct task_spec){1, 1, HOST_PID_NS, HOST_USER_NS, HOST_MNT_NS, .in_pid = 0});
	apply_task(model, &(struct task_spec){20, 2, 111, HOST_USER_NS, 222, .in_pid = 1});
	apply_task(model, &(struct task_spec){30, 3, HOST_PID_NS, 333, HOST_MNT_NS, .in_pid = 0});
	apply_task(model, &(struct task_spec){40, 4, HOST_PID_NS, HOST_USER_NS, 444, .in_pid = 0});
	model_settle(model, NULL, 0);
	assert_string_equal(container_name_of(model, 1), "-");
	assert_string_equal(container_name_of(model, 20), "pid:111");
	assert_string_equal(container_name_of(model, 30), "user:333");
	assert_string_equal(container_name_of(model, 40), "mnt:444");
	model_free(model);
}

static void a_zombie_stays_with_its_container(void **state)
{
	struct model *model = model_on_a_host();
	struct pid_level *chain;
	(void)state;

	apply_task(model, &(struct task_spec){20, 2, 111, HOST_USER_NS, 222, .in_pid = 1});
	apply_task(model, &(struct task_spec){21, 3, 0, HOST_USER_NS, 0, .in_pid = 7,
					      .flags = TASK_ZOMBIE});
	model_settle(model, NULL, 0);
	/* Without its namespace's inode nothing tells which container it was. */
	assert_string_equal(container_name_of(model, 21), "?");
	chain = (struct pid_level *)model_find(model, 21)->chain;
	chain[1].ns = 111;
	model_settle(model, NULL, 0);
	assert_string_equal(container_name_of(model, 21), "pid:111");
	model_free(model);
}

static void services_and_kernel_threads_stay_on_the_host(void **state)
{
	struct model *model = model_on_a_host();
	(void)state;

	apply_task(model, &(struct task_spec){50, 1, HOST_PID_NS, HOST_USER_NS, 555,
					      .cgroup = "/system.slice/systemd-logind.service"});
	apply_task(model, &(struct task_spec){60, 2, HOST_PID_NS, HOST_USER_NS, 666,
					      .flags = TASK_KTHREAD});
	model_settle(model, NULL, 0);
	assert_string_equal(container_name_of(model, 50), "-");
	assert_string_equal(container_name_of(model, 60), "-");
	model_free(model);
}

static void a_cgroup_names_the_container_also_with_the_hosts_namespaces(void **state)
{
	static const char id[] = "de4939f2c0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b";
	struct model *model = model_on_a_host();
	char cgroup[128];
	struct proc *proc;
	(void)state;

	snprintf(cgroup, sizeof(cgroup), "/system.slice/docker-%s.scope", id);
	apply_task(model,
		   &(struct task_spec){70, 9, HOST_PID_NS, HOST_USER_NS, 777, .cgroup = cgroup});
	apply_task(model, &(struct task_spec){71, 5, 888, HOST_USER_NS, 777, .in_pid = 4,
					      .cgroup = cgroup});
	model_settle(model, NULL, 0);
	proc = model_find(model, 70);
	assert_non_null(proc->container);
	assert_ptr_equal(proc->container, model_find(model, 71)->container);
	assert_string_equal(proc->container->name, "de4939f2c0a1");
	assert_string_equal(proc->container->id, id);
	assert_string_equal(proc->container->runtime, "docker");
	assert_int_equal(proc->container->procs, 2);
	assert_int_equal(proc->container->first_pid, 71);
	assert_int_equal(proc_in_pid(model_find(model, 71)), 4);
	model_free(model);
}

#define DOCKER_ID "de4939f2c0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b"

static void whose_cgroup_only_has_a_containers_name_is_not_in_it(void **state)
{
	struct model *model = model_on_a_host();
	struct container *container;
	(void)state;

	apply_task(model, &(struct task_spec){70, 5, 111, HOST_USER_NS, 222, .in_pid = 1,
					      .cgroup = "/docker/" DOCKER_ID});
	apply_task(model,
		   &(struct task_spec){80, 4, HOST_PID_NS, HOST_USER_NS, HOST_MNT_NS,
				       .cgroup = "/user@1000.service/docker-" DOCKER_ID ".scope"});
	model_settle(model, NULL, 0);
	container = model_find(model, 70)->container;
	assert_ptr_not_equal(container, model_find(model, 80)->container);
	assert_int_equal(container->procs, 1);
	assert_int_equal(container->first_pid, 70);
	model_free(model);
}

static void child_cgroups_are_of_their_container(void **state)
{
	static const char *const families[][3] = {
		{"/machine.slice/libpod-" DOCKER_ID ".scope/container",
		 "/machine.slice/libpod-" DOCKER_ID ".scope",
		 "/machine.slice/libpod-" DOCKER_ID ".scope/container/sub"},
		{"/machine.slice/machine-web.scope/payload",
		 "/machine.slice/machine-web.scope/supervisor",
		 "/machine.slice/machine-web.scope/payload/system.slice/ssh.service"},
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct model *model = model_on_a_host();
		size_t count;

		for (uint32_t j = 0; j < ARRAY_SIZE(families[i]); j++)
			apply_task(model,
				   &(struct task_spec){70 + j, 5, 111, HOST_USER_NS, 222,
						       .in_pid = 1 + j, .cgroup = families[i][j]});
		model_settle(model, NULL, 0);
		model_containers(model, &count);
		assert_int_equal(count, 1);
		model_free(model);
	}
}

/* Where the path's beginning is missing, that of another process may be missing from elsewhere. */
static void cut_paths_of_one_container_stay_together(void **state)
{
	struct model *model = model_on_a_host();
	size_t count;
	(void)state;

	apply_task(model, &(struct task_spec){70, 5, 111, HOST_USER_NS, 222, .in_pid = 1,
					      .flags = TASK_CGROUP_CUT,
					      .cgroup = "ong.slice/docker-" DOCKER_ID ".scope"});
	apply_task(model, &(struct task_spec){71, 5, 111, HOST_USER_NS, 222, .in_pid = 2,
					      .flags = TASK_CGROUP_CUT,
					      .cgroup = "ice/docker-" DOCKER_ID ".scope/child"});
	model_settle(model, NULL, 0);
	model_containers(model, &count);
	assert_int_equal(count, 1);
	model_free(model);
}

static void a_state_file_names_its_pid_namespace(void **state)
{
	struct container_name name = {
		.name = "web", .id = "web", .runtime = "nsview", .pid_ns = 111};
	struct model *model = model_on_a_host();
	(void)state;

	apply_task(model, &(struct task_spec){20, 2, 111, HOST_USER_NS, 222, .in_pid = 1});
	apply_task(model, &(struct task_spec){21, 3, 112, HOST_USER_NS, 223, .in_pid = 1});
	model_settle(model, &name, 1);
	assert_string_equal(container_name_of(model, 20), "web");
	assert_string_equal(container_name_of(model, 21), "pid:112");
	model_free(model);
}

static void containers_are_in_the_order_of_their_start(void **state)
{
	struct model *model = model_on_a_host();
	struct container *const *containers;
	size_t count;
	(void)state;

	apply_task(model, &(struct task_spec){20, 300, 111, HOST_USER_NS, 222, .in_pid = 1});
	apply_task(model, &(struct task_spec){21, 200, 112, HOST_USER_NS, 223, .in_pid = 1});
	apply_task(model, &(struct task_spec){22, 100, 111, HOST_USER_NS, 222, .in_pid = 2});
	model_settle(model, NULL, 0);
	containers = model_containers(model, &count);
	assert_int_equal(count, 2);
	assert_string_equal(containers[0]->name, "pid:111");
	assert_string_equal(containers[1]->name, "pid:112");
	model_free(model);
}

static void threads_add_their_cpu_time_even_before_their_leader(void **state)
{
	struct thread_record thread = {
		.header = {sizeof(thread), RECORD_THREAD, 0}, .cpu_ns = 7, .tgid = 90, .tid = 80};
	struct model *model = model_on_a_host();
	(void)state;

	model_apply(model, &thread.header);
	apply_task(model,
		   &(struct task_spec){90, 1, HOST_PID_NS, HOST_USER_NS, HOST_MNT_NS, .in_pid = 0});
	thread.tid = 91;
	model_apply(model, &thread.header);
	thread.tgid = 4242;
	model_apply(model, &thread.header);
	model_settle(model, NULL, 0);
	assert_int_equal(model_find(model, 90)->cpu_ns, 1000 + 7 + 7);
	model_free(model);
}

static void a_reused_pid_is_the_younger_process_and_the_older_is_counted(void **state)
{
	struct model *model = model_on_a_host();
	size_t count;
	(void)state;

	apply_task(model,
		   &(struct task_spec){90, 5, HOST_PID_NS, HOST_USER_NS, HOST_MNT_NS, .in_pid = 0});
	apply_task(model,
		   &(struct task_spec){90, 6, HOST_PID_NS, HOST_USER_NS, HOST_MNT_NS, .in_pid = 0});
	model_settle(model, NULL, 0);
	model_procs(model, &count);
	assert_int_equal(count, 1);
	assert_int_equal(model_find(model, 90)->task->start_boot_ns, 6);
	assert_int_equal(model_turned_away(model), 1);
	model_free(model);
}

static void processes_stand_by_pid_however_they_come(void **state)
{
	static const uint32_t steps[] = {1, 999, 3, 500}; /* ascending, descending, mixed */

	(void)state;
	for (size_t way = 0; way <= sizeof(steps) / sizeof(steps[0]); way++) {
		struct model *model = model_on_a_host();
		const struct proc *procs;
		size_t count;

		for (uint32_t i = 0; i < 1000; i++) {
			/* The last way: in order, but for a few at the end. */
			uint32_t pid = way < 4 ? i * steps[way] % 1000 : (i + 5) % 1000;
			struct task_spec spec = {.tgid = pid + 1, .start_ns = 5};

			apply_task(model, &spec);
			if (i == 700)
				apply_task(model, &spec);
		}
		model_settle(model, NULL, 0);
		procs = model_procs(model, &count);
		assert_int_equal(model_turned_away(model), way == 3 ? 1000 - count + 1 : 1);
		for (size_t i = 1; i < count; i++)
			assert_true(procs[i - 1].task->tgid < procs[i].task->tgid);
		model_free(model);
	}
}

static void neighbours_are_not_taken_for_one_container(void **state)
{
	static const struct task_spec specs[] = {
		{1, 1, 77, HOST_USER_NS, HOST_MNT_NS, 1, 0, "/a"},
		{2, 2, 77, HOST_USER_NS, HOST_MNT_NS, 2, 0, "/a"},
		{3, 3, 78, HOST_USER_NS, HOST_MNT_NS, 1, 0, "/a"},
		{4, 4, HOST_PID_NS, HOST_USER_NS, HOST_MNT_NS, 0, 0, "/a"},
		{5, 5, HOST_PID_NS, HOST_USER_NS, 79, 0, 0, "/a"},
		{6, 6, HOST_PID_NS, HOST_USER_NS, 79, 0, 0, "/a.service"},
		{7, 7, HOST_PID_NS, HOST_USER_NS, 79, 0, TASK_KTHREAD, "/a"},
		{8, 8, 0, 0, 0, 0, TASK_ZOMBIE, "/a"},
		{9, 9, 77, HOST_USER_NS, HOST_MNT_NS, 3, 0, "/b"},
	};
	static const char *const expected[] = {"pid:77", "pid:77", "pid:78", "-",     "mnt:79",
					       "-",      "-",      "-",      "pid:77"};
	struct model *model = model_on_a_host();

	(void)state;
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++)
		apply_task(model, &specs[i]);
	model_settle(model, NULL, 0);
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++)
		assert_string_equal(container_name_of(model, specs[i].tgid), expected[i]);
	model_free(model);
}

static void arguments_find_their_process_by_pid_and_start(void **state)
{
	struct {
		struct args_record args;
		char data[16];
	} record = {.args = {.header = {sizeof(record), RECORD_ARGS, 0},
			     .start_boot_ns = 5,
			     .tgid = 90,
			     .length = 11},
		    .data = "sleep\0"
			    "3600"};
	struct model *model = model_on_a_host();
	struct proc *proc;
	(void)state;

	model_apply(model, &record.args.header);
	apply_task(model,
		   &(struct task_spec){90, 5, HOST_PID_NS, HOST_USER_NS, HOST_MNT_NS, .in_pid = 0});
	apply_task(model,
		   &(struct task_spec){91, 5, HOST_PID_NS, HOST_USER_NS, HOST_MNT_NS, .in_pid = 0});
	record.args.tgid = 91;
	record.args.start_boot_ns = 4; /* of another process that had this pid before */
	model_apply(model, &record.args.header);
	model_settle(model, NULL, 0);
	proc = model_find(model, 90);
	assert_int_equal(proc->args_length, 11);
	assert_memory_equal(proc->args,
			    "sleep\0"
			    "3600",
			    11);
	assert_null(model_find(model, 91)->args);
	model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_of_pid_user_and_mount_namespace_makes_a_container),
		cmocka_unit_test(a_zombie_stays_with_its_container),
		cmocka_unit_test(services_and_kernel_threads_stay_on_the_host),
		cmocka_unit_test(a_cgroup_names_the_container_also_with_the_hosts_namespaces),
		cmocka_unit_test(whose_cgroup_only_has_a_containers_name_is_not_in_it),
		cmocka_unit_test(child_cgroups_are_of_their_container),
		cmocka_unit_test(cut_paths_of_one_container_stay_together),
		cmocka_unit_test(a_state_file_names_its_pid_namespace),
		cmocka_unit_test(containers_are_in_the_order_of_their_start),
		cmocka_unit_test(threads_add_their_cpu_time_even_before_their_leader),
		cmocka_unit_test(a_reused_pid_is_the_younger_process_and_the_older_is_counted),
		cmocka_unit_test(processes_stand_by_pid_however_they_come),
		cmocka_unit_test(neighbours_are_not_taken_for_one_container),
		cmocka_unit_test(arguments_find_their_process_by_pid_and_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
