/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine.h"

#include <stdio.h>

#include "output/procps.h"
#include "view/vantage.h"

/* What is printed of these processes. */
static char *written_of(struct machine *machine, const struct process *processes, size_t count)
{
	const struct procps_options options = {0};
	struct vantage_row rows[8];
	struct vantage inside = {.view = &machine->view, .rows = rows, .count = count};
	struct vantage host;
	char *written = NULL;
	size_t size;
	FILE *stream = open_memstream(&written, &size);

	for (size_t i = 0; i < count; i++)
		machine_add(machine, &processes[i]);
	machine_settle(machine);
	for (size_t i = 0; i < count; i++)
		rows[i].proc = model_find(machine->view.model, processes[i].task.tgid);
	vantage_open_host(&host, &inside);
	assert_int_equal(procps_write(stream, &host, &options), 0);
	vantage_close(&host);
	fclose(stream);
	return written;
}

/* From exit_task_namespaces() on it has no namespaces, and is no zombie before exit_notify(). */
static void defunct_is_what_is_a_zombie_and_not_what_is_about_to_be_one(void **state)
{
	struct process processes[] = {process_make(4), process_make(7)};
	struct machine machine;
	char *written;

	(void)state;
	machine_start(&machine);
	processes[0].task.flags = processes[1].task.flags = TASK_ZOMBIE;
	processes[0].task.state = 'Z';
	processes[1].task.state = 'R';
	written = written_of(&machine, processes, 2);
	assert_non_null(strstr(written, " Z "));
	assert_non_null(strstr(written, "[sleep] <defunct>\n"));
	assert_non_null(strstr(written, " R "));
	assert_non_null(strstr(written, "[sleep]\n"));
	free(written);
	machine_end(&machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defunct_is_what_is_a_zombie_and_not_what_is_about_to_be_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
