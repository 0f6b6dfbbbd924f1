/* SPDX-License-Identifier: GPL-2.0-only */
/* Any bytes as --filter: refused with a complaint that is fit for a terminal, or matched. */
#include "../unit/machine.h"

#include <locale.h>
#include <stdio.h>

#include "view/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct machine machine;

static void machine_up(void)
{
	struct process process = process_make(1);

	setlocale(LC_CTYPE, "C.UTF-8");
	machine_start(&machine);
	machine_add(&machine, &process);
	process = process_make_inside(2, 1, 4026532000);
	process.task.ns[NS_USER] = 4026532003;
	process.args = "sleep\0\xff\x1b[0m\n";
	process.args_length = 13;
	machine_add(&machine, &process);
	machine_name(&machine, 4026532000, "web", ID_A, "docker");
	process = process_make(3);
	process.task.unknown = ~0ULL;
	machine_add(&machine, &process);
	process = process_make(4);
	process.task.flags = TASK_ZOMBIE;
	machine_add(&machine, &process);
	machine_settle(&machine);
}

/* Three printable lines, the last one a caret below the second. */
static void complaint_check(const struct text *complaint)
{
	size_t lines = 1;

	if (!complaint->length || complaint->data[complaint->length - 1] != '^')
		abort();
	for (size_t i = 0, length; i < complaint->length; i += length) {
		uint32_t codepoint;

		length = text_decode(complaint->data + i, complaint->length - i, &codepoint);
		if (!length || (text_is_hidden(codepoint) && codepoint != '\n'))
			abort();
		lines += codepoint == '\n';
	}
	if (lines != 3)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *expression = mem_new(size + 1);
	struct text complaint = {0};
	struct filter *filter = NULL;

	if (!machine.view.model)
		machine_up();
	memcpy(expression, data, size);
	if (filter_parse(expression, &machine.view, &filter, &complaint)) {
		complaint_check(&complaint);
	} else {
		for (uint32_t pid = 1; pid <= 4; pid++)
			filter_match(filter, &machine.view, model_find(machine.view.model, pid));
		filter_free(filter);
	}
	text_free(&complaint);
	free(expression);
	return 0;
}
