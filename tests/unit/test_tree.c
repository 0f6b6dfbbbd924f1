/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine.h"

#include "view/query.h"
#include "view/tree.h"

#define PID_NS 4026539001U

static void add(struct machine *machine, uint32_t pid, uint32_t ppid, uint32_t in_pid)
{
	struct process process =
		in_pid ? process_make_inside(pid, in_pid, PID_NS) : process_make(pid);

	process.task.ppid = ppid;
	process.task.in_ppid = 0;
	process.task.start_boot_ns = (NOW_BOOT - 3600 + pid) * SECOND;
	machine_add(machine, &process);
}

/* "PID branches" of each row, one a line. */
static void forest(struct machine *machine, const struct proc **procs, size_t count,
		   struct text *out)
{
	struct tree *tree = tree_new(machine->view.model, procs, count);

	for (size_t i = 0; i < count; i++) {
		text_printf(out, "%u", procs[i]->task->tgid);
		tree_add_branches(tree, procs[i], out);
		text_add_char(out, '\n');
	}
	tree_free(tree);
}

static void check(struct machine *machine, const char *expected)
{
	const struct query query = {0};
	struct query_result result;
	struct text complaint = {0};
	struct text shown = {0};

	model_settle(machine->view.model, NULL, 0);
	assert_int_equal(query_run(&query, &machine->view, &result, &complaint), 0);
	forest(machine, result.procs, result.count, &shown);
	assert_string_equal(text_string(&shown), expected);
	free(result.procs);
	text_free(&shown);
	text_free(&complaint);
	machine_end(machine);
}

static void children_stand_below_their_parents(void **state)
{
	struct machine machine;

	(void)state;
	machine_start(&machine);
	add(&machine, 1, 0, 0);
	add(&machine, 2, 1, 0);
	add(&machine, 3, 1, 0);
	add(&machine, 4, 2, 0);
	add(&machine, 5, 4, 0);
	add(&machine, 6, 3, 0);
	add(&machine, 7, 2, 0);
	check(&machine, "1\n"
			"2 \\_ \n"
			"4 |   \\_ \n"
			"5 |   |   \\_ \n"
			"7 |   \\_ \n"
			"3 \\_ \n"
			"6     \\_ \n");
}

static void a_container_begins_a_tree_of_its_own(void **state)
{
	struct machine machine;

	(void)state;
	machine_start(&machine);
	add(&machine, 1, 0, 0);
	add(&machine, 10, 1, 0);
	add(&machine, 20, 10, 1);
	add(&machine, 21, 20, 2);
	add(&machine, 22, 10, 9); /* put there later: its parent is outside too */
	check(&machine, "1\n"
			"10 \\_ \n"
			"20\n"
			"21 \\_ \n"
			"22\n");
}

static void a_pid_used_again_is_no_parent(void **state)
{
	struct machine machine;
	struct process young = process_make(5);
	struct process circle[2] = {process_make(7), process_make(8)};

	(void)state;
	machine_start(&machine);
	add(&machine, 1, 0, 0);
	young.task.start_boot_ns = NOW_BOOT * SECOND;
	machine_add(&machine, &young);
	add(&machine, 6, 5, 0);
	/* Each is the other's parent, as a torn snapshot may have it. */
	circle[0].task.ppid = 8;
	circle[1].task.ppid = 7;
	machine_add(&machine, &circle[0]);
	machine_add(&machine, &circle[1]);
	check(&machine, "1\n"
			"5 \\_ \n"
			"6\n"
			"7\n"
			"8 \\_ \n");
}

static void a_chain_of_thousands_costs_neither_stack_nor_a_line_of_that_length(void **state)
{
	struct machine machine;
	const struct query query = {0};
	struct query_result result;
	struct text complaint = {0};
	struct text shown = {0};

	(void)state;
	machine_start(&machine);
	for (uint32_t pid = 1; pid <= 20000; pid++)
		add(&machine, pid, pid - 1, 0);
	model_settle(machine.view.model, NULL, 0);
	assert_int_equal(query_run(&query, &machine.view, &result, &complaint), 0);
	forest(&machine, result.procs, result.count, &shown);
	assert_int_equal(result.count, 20000);
	assert_true(shown.length < 20000 * 410);
	free(result.procs);
	text_free(&shown);
	text_free(&complaint);
	machine_end(&machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(children_stand_below_their_parents),
		cmocka_unit_test(a_container_begins_a_tree_of_its_own),
		cmocka_unit_test(a_pid_used_again_is_no_parent),
		cmocka_unit_test(
			a_chain_of_thousands_costs_neither_stack_nor_a_line_of_that_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
