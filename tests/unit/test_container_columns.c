/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine.h"

#include <stdio.h>

#include "host/caps.h"
#include "host/runtime/runtime.h"
#include "view/query.h"

#define PID_NS_A 4026539001U
#define PID_NS_B 4026539011U
#define CAP_SYS_ADMIN_BIT (1ULL << 21)
#define CAP_MAC_ADMIN_BIT (1ULL << 33)

static struct text shown;

#define assert_cell(machine, pid, key, expected) \
	assert_string_equal(cell_of(machine, pid, key, &shown), expected)

static const struct runtime_container web = {
	.runtime = "docker",
	.id = ID_A,
	.name = "web",
	.image = "registry/nginx:1.25",
	.pod = "front",
	.pod_namespace = "prod",
	.user = "",
	.caps = CAPS_DOCKER_DEFAULT | CAP_MAC_ADMIN_BIT,
	.cpu_limit_nano = 500000000,
	.memory_limit_bytes = RUNTIME_NO_LIMIT,
	.pids_limit = RUNTIME_NO_LIMIT,
};

/* 10 on the host, 20 and 21 in a container that says what it declares, 30 in one that does not. */
static void machine_fill(struct machine *machine, struct process extra)
{
	struct process process = process_make(10);

	machine_start(machine);
	machine_add(machine, &process);
	process = process_make_inside(20, 1, PID_NS_A);
	process.cgroup = "/docker/" ID_A;
	machine_add(machine, &process);
	extra.cgroup = "/docker/" ID_A;
	machine_add(machine, &extra);
	process = process_make_inside(30, 1, PID_NS_B);
	process.cgroup = "/docker/" ID_B;
	machine_add(machine, &process);
	machine_settle(machine);
	model_declare(model_find(machine->view.model, 20)->container, &web);
}

static void what_the_files_say_is_shown_for_every_process_of_the_container(void **state)
{
	struct machine machine;

	(void)state;
	machine_fill(&machine, process_make_inside(21, 7, PID_NS_A));
	for (uint32_t pid = 20; pid <= 21; pid++) {
		assert_cell(&machine, pid, "container", "web");
		assert_cell(&machine, pid, "image", "registry/nginx:1.25");
		assert_cell(&machine, pid, "pod", "front");
		assert_cell(&machine, pid, "namespace", "prod");
		assert_cell(&machine, pid, "declared", "docker-default +MAC_ADMIN");
		assert_cell(&machine, pid, "drift", "-");
	}
	machine_end(&machine);
}

static void without_files_of_a_runtime_nothing_is_made_up(void **state)
{
	static const char *const keys[] = {"image",     "pod",          "namespace",
					   "declared",  "drift",        "cpu-usage",
					   "cpu-limit", "memory-usage", "pids-limit"};
	struct machine machine;

	(void)state;
	machine_fill(&machine, process_make_inside(21, 7, PID_NS_A));
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		assert_cell(&machine, 30, keys[i], "?");
		assert_cell(&machine, 10, keys[i], "-");
	}
	machine_end(&machine);
}

static void bare_namespaces_have_declared_nothing(void **state)
{
	struct process process = process_make_inside(20, 1, PID_NS_A);
	struct machine machine;

	(void)state;
	machine_start(&machine);
	machine_add(&machine, &process);
	machine_settle(&machine);
	assert_cell(&machine, 20, "image", "-");
	assert_cell(&machine, 20, "declared", "-");
	assert_cell(&machine, 20, "drift", "-");
	machine_end(&machine);
}

/* Nothing of the host is in reach. */
static struct process process_make_shut(uint32_t pid)
{
	struct process process = process_make_inside(pid, 7, PID_NS_A);
	struct task_record *task = &process.task;

	memset(task->caps, 0, sizeof(task->caps));
	task->ids.uid = task->ids.euid = task->ids.suid = task->ids.fsuid = USER_NAMELESS;
	task->no_new_privs = 1;
	task->seccomp = 2;
	task->ns[NS_NET] = 5;
	task->ns[NS_IPC] = 6;
	return process;
}

static void assert_surface(struct process process, const char *expected)
{
	struct machine machine;

	machine_fill(&machine, process);
	assert_cell(&machine, 21, "surface", expected);
	assert_cell(&machine, 10, "surface", "-");
	machine_end(&machine);
}

#define TASK_FIELD(field) \
	offsetof(struct task_record, field), sizeof(((struct task_record *)0)->field)

static void surface_has_a_word_for_each_way_to_the_host(void **state)
{
	static const struct {
		const char *shown;
		size_t offset;
		size_t size;
		uint64_t value;
	} ways[] = {
		{"host-root", TASK_FIELD(ids.uid), 0},
		{"host-root", TASK_FIELD(ids.euid), 0},
		{"host-root", TASK_FIELD(ids.suid), 0},
		{"host-root", TASK_FIELD(ids.fsuid), 0},
		{"host-caps", TASK_FIELD(caps[CAP_SET_EFFECTIVE]), 1},
		{"host-caps", TASK_FIELD(caps[CAP_SET_PERMITTED]), 1},
		{"-", TASK_FIELD(caps[CAP_SET_BOUNDING]), 1},
		{"-", TASK_FIELD(no_new_privs), 0},
		{"no-seccomp", TASK_FIELD(seccomp), 0},
		{"host-mnt", TASK_FIELD(ns[NS_MNT]), HOST_NS(NS_MNT)},
		{"host-pid", TASK_FIELD(ns[NS_PID]), HOST_NS(NS_PID)},
		{"host-net", TASK_FIELD(ns[NS_NET]), HOST_NS(NS_NET)},
		{"host-ipc", TASK_FIELD(ns[NS_IPC]), HOST_NS(NS_IPC)},
		{"-", TASK_FIELD(ns[NS_UTS]), HOST_NS(NS_UTS)},
		{"?", TASK_FIELD(unknown), FIELD_BIT(FIELD_SECCOMP)},
	};

	(void)state;
	assert_surface(process_make_shut(21), "-");
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct process process = process_make_shut(21);

		memcpy((char *)&process.task + ways[i].offset, &ways[i].value, ways[i].size);
		assert_surface(process, ways[i].shown);
	}
}

static void what_an_exec_could_give_is_surface(void **state)
{
	struct process process = process_make_shut(21);

	(void)state;
	process.task.caps[CAP_SET_BOUNDING] = CAP_SYS_ADMIN_BIT;
	process.task.no_new_privs = 0;
	assert_surface(process, "can-gain");
	process.task.caps[CAP_SET_EFFECTIVE] = CAP_SYS_ADMIN_BIT;
	process.task.seccomp = 0;
	assert_surface(process, "host-caps,can-gain,no-seccomp");
	process.task.ns[NS_USER] = 5;
	assert_surface(process, "no-seccomp");
	process.task.flags |= TASK_ZOMBIE;
	assert_surface(process, "-");
}

static void drift_is_what_any_of_effective_permitted_and_bounding_has_beyond(void **state)
{
	static const enum cap_set sets[] = {CAP_SET_EFFECTIVE, CAP_SET_PERMITTED, CAP_SET_BOUNDING};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		struct process process = process_make_inside(21, 7, PID_NS_A);
		struct machine machine;

		process.task.caps[sets[i]] |= CAP_SYS_ADMIN_BIT | CAP_MAC_ADMIN_BIT;
		machine_fill(&machine, process);
		assert_cell(&machine, 21, "drift", "SYS_ADMIN");
		assert_cell(&machine, 20, "drift", "-");
		machine_end(&machine);
	}
}

static void what_counts_only_in_a_user_namespace_of_its_own_is_no_drift(void **state)
{
	struct process process = process_make_inside(21, 7, PID_NS_A);
	struct machine machine;

	(void)state;
	for (int set = 0; set < CAP_SETS; set++)
		process.task.caps[set] = 0x1ffffffffffULL;
	process.task.ns[NS_USER] = 4026539999U;
	process.task.user_ns_level = 1;
	machine_fill(&machine, process);
	assert_cell(&machine, 21, "drift", "-");
	machine_end(&machine);
}

static void drift_needs_the_capabilities(void **state)
{
	struct process process = process_make_inside(21, 7, PID_NS_A);
	struct machine machine;

	(void)state;
	process.task.unknown = FIELD_BIT(FIELD_CAPS);
	machine_fill(&machine, process);
	assert_cell(&machine, 21, "drift", "?");
	machine_end(&machine);
}

static size_t selected(struct machine *machine, struct selection selection, size_t *unknown, int *r)
{
	const struct query query = {.selection = selection};
	struct query_result result;
	struct text complaint = {0};

	*r = query_run(&query, &machine->view, &result, &complaint);
	*unknown = result.unknown;
	free(result.procs);
	text_free(&complaint);
	return result.count;
}

static void image_pod_and_namespace_select(void **state)
{
	static const struct {
		struct selection selection;
		size_t count;
		size_t unknown;
		int r;
	} cases[] = {
		{{.image = "registry/nginx:1.25"}, 2, 1, 0},
		{{.image = "*nginx*"}, 2, 1, 0},
		{{.image = "nginx"}, 0, 1, 0},
		{{.pod = "front"}, 2, 1, 0},
		{{.pod = "prod/front"}, 2, 1, 0},
		{{.pod = "pro/front"}, 0, 1, -2},
		{{.pod = "back"}, 0, 1, -2},
		{{.pod_namespace = "prod"}, 2, 1, 0},
		{{.pod_namespace = "test"}, 0, 1, 0},
		{{.pod_namespace = "prod", .pod = "front", .image = "*:1.25"}, 2, 1, 0},
	};
	struct machine machine;

	(void)state;
	machine_fill(&machine, process_make_inside(21, 7, PID_NS_A));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t unknown;
		int r;

		assert_int_equal(selected(&machine, cases[i].selection, &unknown, &r),
				 cases[i].count);
		assert_int_equal(unknown, cases[i].unknown);
		assert_int_equal(r, cases[i].r);
	}
	machine_end(&machine);
}

static void filters_take_the_new_columns(void **state)
{
	static const struct {
		const char *expression;
		enum filter_verdict verdict;
	} cases[] = {
		{"image~nginx", FILTER_YES},
		{"declared~MAC_ADMIN", FILTER_YES},
		{"declared~SYS_ADMIN", FILTER_NO},
		{"declared='docker-default +MAC_ADMIN'", FILTER_YES},
		{"drift~SYS_ADMIN", FILTER_YES},
		{"drift=none", FILTER_NO},
		{"pod=front and namespace=prod", FILTER_YES},
		{"cpu-limit>500m", FILTER_UNKNOWN},
	};
	struct process process = process_make_inside(21, 7, PID_NS_A);
	struct machine machine;

	(void)state;
	process.task.caps[CAP_SET_EFFECTIVE] |= CAP_SYS_ADMIN_BIT;
	machine_fill(&machine, process);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct text complaint = {0};
		struct filter *filter = NULL;

		if (filter_parse(cases[i].expression, &machine.view, &filter, &complaint))
			fail_msg("%s", text_string(&complaint));
		assert_int_equal(
			filter_match(filter, &machine.view, model_find(machine.view.model, 21)),
			cases[i].verdict);
		filter_free(filter);
	}
	machine_end(&machine);
}

static void a_state_files_process_names_its_container_whatever_the_namespace(void **state)
{
	struct process first = process_make_inside(20, 1, PID_NS_A);
	struct process other = process_make_inside(30, 1, PID_NS_B);
	struct container_name names[] = {
		{.name = "own", .id = "1", .runtime = "nsview", .first_pid = 20, .declared = &web},
		{.name = "reused", .id = "2", .runtime = "nsview", .first_pid = 30},
	};
	struct machine machine;

	(void)state;
	first.task.ns[NS_PID] = HOST_NS(NS_PID);
	names[0].start_boot_ns = first.task.start_boot_ns;
	names[1].start_boot_ns = other.task.start_boot_ns - SECOND;
	machine_start(&machine);
	machine_add(&machine, &first);
	machine_add(&machine, &other);
	model_settle(machine.view.model, names, ARRAY_SIZE(names));
	assert_cell(&machine, 20, "container", "own");
	assert_cell(&machine, 20, "image", "registry/nginx:1.25");
	assert_cell(&machine, 30, "container", "pid:4026539011");
	machine_end(&machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_files_say_is_shown_for_every_process_of_the_container),
		cmocka_unit_test(without_files_of_a_runtime_nothing_is_made_up),
		cmocka_unit_test(bare_namespaces_have_declared_nothing),
		cmocka_unit_test(surface_has_a_word_for_each_way_to_the_host),
		cmocka_unit_test(what_an_exec_could_give_is_surface),
		cmocka_unit_test(drift_is_what_any_of_effective_permitted_and_bounding_has_beyond),
		cmocka_unit_test(what_counts_only_in_a_user_namespace_of_its_own_is_no_drift),
		cmocka_unit_test(drift_needs_the_capabilities),
		cmocka_unit_test(image_pod_and_namespace_select),
		cmocka_unit_test(filters_take_the_new_columns),
		cmocka_unit_test(a_state_files_process_names_its_container_whatever_the_namespace),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	text_free(&shown);
	return failed;
}
