/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine.h"

#include <errno.h>

#include "view/query.h"

static struct machine machine;
static struct text complaint;
static struct query_result result;

static void add_inside(uint32_t pid, uint32_t in_pid, uint32_t pid_ns, uint64_t age_s)
{
	struct process process = process_make_inside(pid, in_pid, pid_ns);

	process.task.start_boot_ns = (NOW_BOOT - age_s) * SECOND;
	process.task.rss_pages = pid;
	process_set_euid(&process, pid, in_pid);
	machine_add(&machine, &process);
}

static void add_host(uint32_t pid, uint32_t euid, uint64_t rss_pages)
{
	struct process process = process_make(pid);

	process_set_euid(&process, euid, euid);
	process.task.rss_pages = rss_pages;
	machine_add(&machine, &process);
}

static int machine_up(void **state)
{
	struct process process;

	(void)state;
	machine_start(&machine);
	add_host(1, 0, 500);
	add_host(300, 1000, 100);
	add_host(20, 0, 100);
	/* The one that started later has the smaller pids, as after a wrap. */
	add_inside(50, 2, 4026532000, 900);
	add_inside(60, 1, 4026532000, 1000);
	add_inside(30, 1, 4026532100, 100);
	add_inside(70, 1, 4026532200, 50);
	add_inside(80, 1, 4026532300, 40);
	machine_name(&machine, 4026532000, "web", ID_A, "docker");
	machine_name(&machine, 4026532100, "web-db", ID_B, "docker");
	machine_name(&machine, 4026532200, "aaaa", ID_C, "podman");
	process = process_make(90);
	process.task.unknown = FIELD_BIT(FIELD_IDS) | FIELD_BIT(FIELD_MEMORY);
	machine_add(&machine, &process);
	machine_settle(&machine);
	return 0;
}

static int machine_down(void **state)
{
	(void)state;
	machine_end(&machine);
	free(result.procs);
	text_free(&complaint);
	return 0;
}

static int run(const struct query *query)
{
	free(result.procs);
	text_clear(&complaint);
	return query_run(query, &machine.view, &result, &complaint);
}

/* expected: the pids in their order, as text, so that a failure tells all. */
static void assert_pids(const char *expected)
{
	struct text pids = {0};

	for (size_t i = 0; i < result.count; i++)
		text_printf(&pids, "%s%u", i ? " " : "", result.procs[i]->task->tgid);
	assert_string_equal(text_string(&pids), expected);
	text_free(&pids);
}

static void assert_selects(const struct selection *selection, const char *expected)
{
	const struct query query = {.selection = *selection};

	assert_int_equal(run(&query), 0);
	assert_pids(expected);
}

static void assert_sorted(const char *column, bool is_descending, const char *expected)
{
	const struct column *columns[] = {column_of(column)};
	const struct query query = {
		.sort = columns, .sort_descending = &is_descending, .sort_count = 1};

	assert_int_equal(run(&query), 0);
	assert_pids(expected);
}

static void host_comes_first_then_containers_as_they_started(void **state)
{
	(void)state;
	assert_selects(&(struct selection){0}, "1 20 90 300 60 50 30 70 80");
}

static void sorting_keeps_pids_in_order_among_equals(void **state)
{
	(void)state;
	assert_sorted("pid", false, "1 20 30 50 60 70 80 90 300");
	assert_sorted("pid", true, "300 90 80 70 60 50 30 20 1");
	assert_sorted("rss", true, "1 20 300 80 70 60 50 30 90");
	assert_sorted("rss", false, "90 30 50 60 70 80 20 300 1");
	assert_sorted("container", false, "1 20 90 300 70 80 50 60 30");
	assert_sorted("in-pid", false, "1 20 90 300 30 60 70 80 50");
}

static void several_sort_columns_go_from_left_to_right(void **state)
{
	const struct column *columns[] = {column_of("rss"), column_of("pid")};
	bool is_descending[] = {true, true};
	const struct query query = {
		.sort = columns, .sort_descending = is_descending, .sort_count = 2};

	(void)state;
	assert_int_equal(run(&query), 0);
	assert_pids("1 300 20 80 70 60 50 30 90");
}

static void containers_and_host_are_told_apart(void **state)
{
	(void)state;
	assert_selects(&(struct selection){.only_host = true}, "1 20 90 300");
	assert_selects(&(struct selection){.only_containers = true}, "60 50 30 70 80");
}

static void assert_container(const char *pattern, const char *expected)
{
	assert_selects(&(struct selection){.containers = &pattern, .containers_count = 1},
		       expected);
}

static void a_container_is_meant_by_name_id_glob_or_prefix(void **state)
{
	(void)state;
	assert_container("web", "60 50"); /* not web-db too */
	assert_container("web*", "60 50 30");
	assert_container("*-[a-e]b", "30");
	assert_container(ID_B, "30");
	assert_container("aaaa1", "60 50"); /* an id's beginning */
	assert_container("aaaa", "70");     /* a name wins over ids that begin so */
	assert_container("cccc", "70");
}

static void several_containers_add_up(void **state)
{
	const char *patterns[] = {"web-db", "aaaa"};

	(void)state;
	assert_selects(&(struct selection){.containers = patterns, .containers_count = 2}, "30 70");
}

static void an_ambiguous_prefix_lists_the_candidates(void **state)
{
	const char *pattern = "aaa";
	const struct query query = {.selection = {.containers = &pattern, .containers_count = 1}};

	(void)state;
	assert_int_equal(run(&query), -EEXIST);
	assert_int_equal(result.count, 0);
	assert_non_null(strstr(text_string(&complaint), "aaaa11112222 web, aaaabbbb2222 web-db"));
}

static void a_missing_container_is_said_and_the_others_are_shown(void **state)
{
	const char *patterns[] = {"wep", "aaaa"};
	const struct query query = {.selection = {.containers = patterns, .containers_count = 2}};

	(void)state;
	assert_int_equal(run(&query), -ENOENT);
	assert_non_null(strstr(text_string(&complaint), "no container is called wep"));
	assert_non_null(strstr(text_string(&complaint), "did you mean web?"));
	assert_pids("70");
}

static void pids_are_looked_up_and_missing_ones_said(void **state)
{
	const uint32_t pids[] = {300, 1, 300, 4242, 4243};
	struct query query = {.selection = {.pids = pids, .pids_count = 3}};

	(void)state;
	assert_int_equal(run(&query), 0);
	assert_pids("1 300");
	query.selection.pids_count = 5;
	assert_int_equal(run(&query), -ENOENT);
	assert_pids("1 300");
	assert_string_equal(text_string(&complaint), "no process has the pid 4242, nor 4243");
}

static void pids_inside_are_those_of_containers(void **state)
{
	const uint32_t in_pids[] = {1, 77};
	const char *pattern = "web";
	struct query query = {.selection = {.in_pids = in_pids, .in_pids_count = 1}};

	(void)state;
	assert_int_equal(run(&query), 0);
	assert_pids("60 30 70 80"); /* not host pid 1 */
	query.selection.containers = &pattern;
	query.selection.containers_count = 1;
	assert_int_equal(run(&query), 0);
	assert_pids("60");
	query.selection.in_pids_count = 2;
	assert_int_equal(run(&query), -ENOENT);
	assert_string_equal(text_string(&complaint), "no process has the pid inside 77");
}

static void users_are_effective_and_unknown_ones_are_counted(void **state)
{
	const uint32_t uids[] = {1000, 50};
	const char *in_users[] = {"2"};

	(void)state;
	assert_selects(&(struct selection){.uids = uids, .uids_count = 2}, "300 50");
	assert_int_equal(result.unknown, 1);
	assert_selects(&(struct selection){.in_users = in_users, .in_users_count = 1}, "50");
}

static void runtime_selects_what_that_runtime_made(void **state)
{
	(void)state;
	assert_selects(&(struct selection){.runtime = "docker"}, "60 50 30");
	assert_int_equal(result.unknown, 0); /* a bare namespace is known to have none */
}

static void the_filter_narrows_and_counts_what_it_cannot_tell(void **state)
{
	struct filter *filter = NULL;

	(void)state;
	assert_int_equal(filter_parse("rss>=200k", &machine.view, &filter, &complaint), 0);
	assert_selects(&(struct selection){.filter = filter}, "1 20 300 60 50 70 80");
	assert_int_equal(result.unknown, 1);
	assert_selects(&(struct selection){.filter = filter, .only_containers = true},
		       "60 50 70 80");
	assert_int_equal(result.unknown, 0); /* 90 was not asked for */
	filter_free(filter);
}

static void kinds_of_selection_narrow_each_other(void **state)
{
	const uint32_t pids[] = {1, 50};
	const char *pattern = "web";

	(void)state;
	assert_selects(&(struct selection){.pids = pids,
					   .pids_count = 2,
					   .containers = &pattern,
					   .containers_count = 1},
		       "50");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host_comes_first_then_containers_as_they_started),
		cmocka_unit_test(sorting_keeps_pids_in_order_among_equals),
		cmocka_unit_test(several_sort_columns_go_from_left_to_right),
		cmocka_unit_test(containers_and_host_are_told_apart),
		cmocka_unit_test(a_container_is_meant_by_name_id_glob_or_prefix),
		cmocka_unit_test(several_containers_add_up),
		cmocka_unit_test(an_ambiguous_prefix_lists_the_candidates),
		cmocka_unit_test(a_missing_container_is_said_and_the_others_are_shown),
		cmocka_unit_test(pids_are_looked_up_and_missing_ones_said),
		cmocka_unit_test(pids_inside_are_those_of_containers),
		cmocka_unit_test(users_are_effective_and_unknown_ones_are_counted),
		cmocka_unit_test(runtime_selects_what_that_runtime_made),
		cmocka_unit_test(the_filter_narrows_and_counts_what_it_cannot_tell),
		cmocka_unit_test(kinds_of_selection_narrow_each_other),
	};

	return cmocka_run_group_tests_name("query", tests, machine_up, machine_down);
}
