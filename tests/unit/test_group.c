/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine.h"

#include <stdio.h>
#include <json-c/json.h>

#include "host/caps.h"
#include "host/runtime/runtime.h"
#include "output/output.h"
#include "view/group.h"
#include "view/query.h"

#define PID_NS_A 4026539001U
#define PID_NS_B 4026539011U
#define PID_NS_C 4026539021U
#define MAC_ADMIN (1ULL << 33)

static const struct runtime_container declared[] = {
	{.runtime = "docker",
	 .id = ID_A,
	 .name = "web",
	 .image = "nginx",
	 .pod = "front",
	 .pod_namespace = "prod",
	 .caps = CAPS_DOCKER_DEFAULT},
	{.runtime = "docker",
	 .id = ID_B,
	 .name = "web",
	 .image = "nginx",
	 .pod = "front",
	 .pod_namespace = "test",
	 .caps = CAPS_DOCKER_DEFAULT},
};

/* 10 and 11 on the host; 20, 21 and 30 in two containers of one name and image; 40 in one whose
 * files cannot be read. */
static void machine_fill(struct machine *machine)
{
	static const struct {
		uint32_t pid, in_pid, ns, user;
		const char *cgroup;
	} inside[] = {
		{20, 1, PID_NS_A, 0, "/docker/" ID_A},
		{21, 7, PID_NS_A, USER_NAMELESS, "/docker/" ID_A},
		{30, 1, PID_NS_B, 0, "/docker/" ID_B},
		{40, 1, PID_NS_C, 0, "/kubepods/" ID_C},
	};
	struct process process = process_make(10);

	machine_start(machine);
	process.task.cpu_ns = 1800 * SECOND;
	process.task.rss_pages = 10;
	machine_add(machine, &process);
	process = process_make(11);
	process.task.start_boot_ns = (NOW_BOOT - 10) * SECOND;
	process.task.cpu_ns = 9 * SECOND;
	process.task.rss_pages = 5;
	machine_add(machine, &process);
	for (size_t i = 0; i < ARRAY_SIZE(inside); i++) {
		process = process_make_inside(inside[i].pid, inside[i].in_pid, inside[i].ns);
		process.cgroup = inside[i].cgroup;
		process_set_euid(&process, inside[i].user, inside[i].user);
		if (inside[i].pid == 21)
			process.task.caps[CAP_SET_EFFECTIVE] = MAC_ADMIN;
		process.task.start_boot_ns += inside[i].ns;
		machine_add(machine, &process);
	}
	machine_settle(machine);
	model_declare(model_find(machine->view.model, 20)->container, &declared[0]);
	model_declare(model_find(machine->view.model, 30)->container, &declared[1]);
}

/* The rows' value of `key`, with spaces between them. */
static void assert_rows(struct machine *machine, enum group_way way, const char *key,
			const char *expected)
{
	const struct query query = {0};
	struct query_result result;
	struct text complaint = {0};
	struct text shown = {0};
	struct groups *groups;
	struct json_object *rows;
	char *written = NULL;
	size_t size;
	FILE *stream = open_memstream(&written, &size);

	query_run(&query, &machine->view, &result, &complaint);
	groups = groups_make(way, &machine->view, result.procs, result.count);
	assert_int_equal(output_groups(stream, GROUPS_JSON, false, &machine->view, groups, way), 0);
	fclose(stream);
	rows = json_tokener_parse(written);
	assert_non_null(rows);
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *member;

		if (!json_object_object_get_ex(json_object_array_get_idx(rows, i), key, &member))
			fail_msg("no key %s", key);
		if (i)
			text_add_char(&shown, ' ');
		text_add_string(&shown, json_object_to_json_string_ext(
						member, JSON_C_TO_STRING_PLAIN |
								JSON_C_TO_STRING_NOSLASHESCAPE));
	}
	assert_string_equal(text_string(&shown), expected);
	json_object_put(rows);
	groups_free(groups);
	free(result.procs);
	free(written);
	text_free(&shown);
}

static void each_container_is_a_row_also_when_two_have_one_name(void **state)
{
	struct machine machine;

	(void)state;
	machine_fill(&machine);
	assert_rows(&machine, GROUP_CONTAINER, "container",
		    "null \"web\" \"web\" \"cccc11112222\"");
	assert_rows(&machine, GROUP_CONTAINER, "processes", "2 2 1 1");
	assert_rows(&machine, GROUP_CONTAINER, "users",
		    "[\"root\"] [\"root\",\"4000001\"] [\"root\"] [\"root\"]");
	machine_end(&machine);
}

static void containers_of_one_image_pod_or_runtime_share_a_row(void **state)
{
	struct machine machine;

	(void)state;
	machine_fill(&machine);
	assert_rows(&machine, GROUP_IMAGE, "image", "null \"nginx\" null");
	assert_rows(&machine, GROUP_IMAGE, "unknown",
		    "[] [\"cpu_usage\",\"cpu_limit\",\"memory_usage\",\"memory_limit\"] "
		    "[\"image\",\"cpu_usage\",\"cpu_limit\",\"memory_usage\",\"memory_limit\","
		    "\"drift\"]");
	assert_rows(&machine, GROUP_IMAGE, "containers", "0 2 1");
	assert_rows(&machine, GROUP_IMAGE, "processes", "2 3 1");
	assert_rows(&machine, GROUP_POD, "pod", "null \"prod/front\" \"test/front\" null");
	assert_rows(&machine, GROUP_RUNTIME, "runtime", "null \"docker\" null");
	assert_rows(&machine, GROUP_RUNTIME, "processes", "2 3 1");
	machine_end(&machine);
}

static void users_are_those_of_the_host_by_their_number(void **state)
{
	struct machine machine;

	(void)state;
	machine_fill(&machine);
	assert_rows(&machine, GROUP_USER, "user", "\"root\" \"4000001\"");
	assert_rows(&machine, GROUP_USER, "processes", "5 1");
	assert_rows(&machine, GROUP_USER, "containers", "3 1");
	machine_end(&machine);
}

static void users_stand_in_the_order_of_their_numbers_whoever_comes_first(void **state)
{
	struct machine machine;
	struct process process = process_make(10);

	(void)state;
	machine_start(&machine);
	process_set_euid(&process, USER_NAMELESS, 0);
	machine_add(&machine, &process);
	process = process_make(11);
	machine_add(&machine, &process);
	machine_settle(&machine);
	assert_rows(&machine, GROUP_USER, "user", "\"root\" \"4000001\"");
	machine_end(&machine);
}

static void capabilities_and_drift_are_those_of_all_together(void **state)
{
	struct machine machine;

	(void)state;
	machine_fill(&machine);
	assert_rows(&machine, GROUP_CONTAINER, "caps",
		    "\"full\" \"docker-default +MAC_ADMIN\" \"docker-default\" \"docker-default\"");
	assert_rows(&machine, GROUP_CONTAINER, "drift", "null [\"CAP_MAC_ADMIN\"] [] null");
	assert_rows(&machine, GROUP_IMAGE, "drift", "null [\"CAP_MAC_ADMIN\"] null");
	machine_end(&machine);
}

static void surface_is_of_all_processes_of_the_group(void **state)
{
	struct machine machine;
	struct process process = process_make_inside(20, 1, PID_NS_A);

	(void)state;
	machine_start(&machine);
	memset(process.task.caps, 0, sizeof(process.task.caps));
	process.task.ns[NS_NET] = process.task.ns[NS_IPC] = 5;
	machine_add(&machine, &process);
	process.task.tgid = 21;
	process.task.seccomp = 2;
	process.task.ns[NS_IPC] = HOST_NS(NS_IPC);
	machine_add(&machine, &process);
	process = process_make_inside(30, 1, PID_NS_B);
	process.task.unknown = FIELD_BIT(FIELD_SECCOMP);
	machine_add(&machine, &process);
	process = process_make(10);
	machine_add(&machine, &process);
	machine_settle(&machine);
	assert_rows(&machine, GROUP_CONTAINER, "surface",
		    "null [\"host-root\",\"no-seccomp\",\"host-ipc\"] null");
	machine_end(&machine);
}

static void what_counts_on_the_host_hides_what_does_not(void **state)
{
	struct machine machine;
	struct process process = process_make(10);

	(void)state;
	machine_start(&machine);
	process.task.caps[CAP_SET_EFFECTIVE] = 1 << 5;
	machine_add(&machine, &process);
	process = process_make_inside(20, 1, PID_NS_A);
	process.task.ns[NS_USER] = 4026539999U;
	process_set_euid(&process, USER_NAMELESS, 0);
	machine_add(&machine, &process);
	machine_settle(&machine);
	assert_rows(&machine, GROUP_CONTAINER, "caps", "\"KILL\" \"docker-default in userns\"");
	assert_rows(&machine, GROUP_CONTAINER, "host_effective", "true false");
	assert_rows(&machine, GROUP_IMAGE, "caps", "\"KILL\"");
	assert_rows(&machine, GROUP_IMAGE, "eff", "[\"CAP_KILL\"]");
	machine_end(&machine);
}

/* 1809 s in the hour since the older one began; sums of averages would say 1.4 CPUs. */
static void cpu_time_without_a_cgroup_is_that_of_the_processes_since_the_first(void **state)
{
	struct machine machine;

	(void)state;
	machine_fill(&machine);
	assert_rows(&machine, GROUP_CONTAINER, "cpu_usage", "0.502500000 null null null");
	assert_rows(&machine, GROUP_CONTAINER, "memory_usage", "61440 null null null");
	assert_rows(&machine, GROUP_CONTAINER, "memory_limit", "null null null null");
	machine_end(&machine);
}

static void the_table_says_it_too_and_names_at_most_three_users(void **state)
{
	struct machine machine;
	struct query_result result;
	const struct query query = {0};
	struct text complaint = {0};
	struct groups *groups;
	char *written = NULL;
	size_t size;
	FILE *stream = open_memstream(&written, &size);

	(void)state;
	machine_start(&machine);
	for (uint32_t i = 0; i < 5; i++) {
		struct process process = process_make(10 + i);

		process_set_euid(&process, USER_NAMELESS + i, 0);
		machine_add(&machine, &process);
	}
	machine_settle(&machine);
	query_run(&query, &machine.view, &result, &complaint);
	groups = groups_make(GROUP_RUNTIME, &machine.view, result.procs, result.count);
	output_groups(stream, GROUPS_TABLE, false, &machine.view, groups, GROUP_RUNTIME);
	fclose(stream);
	assert_string_equal(
		written,
		"RUNTIME PROCESSES CONTAINERS USERS                      CAPS CPU-USAGE CPU-LIMIT "
		"MEMORY-USAGE MEMORY-LIMIT DRIFT SURFACE\n"
		"-               5          0 4000001,4000002,4000003,+2 full      0.00         - "
		"           0            - -     -\n");
	groups_free(groups);
	free(result.procs);
	free(written);
	machine_end(&machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_container_is_a_row_also_when_two_have_one_name),
		cmocka_unit_test(containers_of_one_image_pod_or_runtime_share_a_row),
		cmocka_unit_test(users_are_those_of_the_host_by_their_number),
		cmocka_unit_test(users_stand_in_the_order_of_their_numbers_whoever_comes_first),
		cmocka_unit_test(capabilities_and_drift_are_those_of_all_together),
		cmocka_unit_test(surface_is_of_all_processes_of_the_group),
		cmocka_unit_test(what_counts_on_the_host_hides_what_does_not),
		cmocka_unit_test(
			cpu_time_without_a_cgroup_is_that_of_the_processes_since_the_first),
		cmocka_unit_test(the_table_says_it_too_and_names_at_most_three_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
