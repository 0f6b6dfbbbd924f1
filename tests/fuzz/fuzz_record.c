/* SPDX-License-Identifier: GPL-2.0-only */
/* Any bytes as records: refused, or shown as a table of one line each and as JSON that json-c reads. */
#include "../unit/machine.h"

#include <locale.h>

#include "rows.h"
#include "wire/wire.h"

#define RECORDS_MAX 8
#define RECORD_BYTES_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Where the bytes are nearly a record, makes them one: chance alone finds few. */
static void record_mend(struct record_header *header, size_t room)
{
	struct task_record *task = (void *)header;
	struct args_record *args = (void *)header;
	size_t length;

	header->type = 1 + header->type % 4;
	if (header->type == RECORD_TASK) {
		task->chain_count = 1 + task->chain_count % PID_LEVELS_MAX;
		task->groups_kept %= GROUPS_KEPT + 1;
		task->groups_total = task->groups_kept + (task->groups_total & 3);
		task->cgroup_length %= CGROUP_PATH_MAX + 1;
		task->cgroup_hierarchy %= CGROUP_HIERARCHIES;
		task->comm[COMM_SIZE - 1] = '\0';
		length = sizeof(*task) + task->chain_count * sizeof(struct pid_level) +
			 task->groups_kept * sizeof(uint32_t) + task->cgroup_length;
	} else if (header->type == RECORD_ARGS) {
		args->kind &= 1;
		args->length %= 1024;
		length = sizeof(*args) + args->length;
	} else {
		length = header->type == RECORD_HOST ? sizeof(struct host_record)
						     : sizeof(struct thread_record);
	}
	header->size = (uint32_t)((length + 7) & ~(size_t)7);
	if (header->size > room)
		abort();
}

static void model_feed(struct model *model, const uint8_t *data, size_t size)
{
	for (int i = 0; i < RECORDS_MAX && size > sizeof(struct record_header); i++) {
		size_t taken = size < RECORD_BYTES_MAX ? size : RECORD_BYTES_MAX;
		struct record_header *exact = mem_new(taken);
		struct record_header *mended = mem_new(RECORD_BYTES_MAX);

		/* In a block of just its size, so that a look beyond its end is noticed. */
		memcpy(exact, data, taken);
		if (record_is_sound(exact, taken))
			model_apply(model, exact);
		free(exact);
		memcpy(mended, data, taken);
		record_mend(mended, RECORD_BYTES_MAX);
		if (!record_is_sound(mended, mended->size))
			abort();
		model_apply(model, mended);
		taken = mended->size < taken ? mended->size : taken;
		free(mended);
		data += taken;
		size -= taken;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct machine machine;

	setlocale(LC_CTYPE, "C.UTF-8");
	machine_start(&machine);
	model_feed((struct model *)machine.view.model, data, size);
	machine_settle(&machine);
	rows_check(&machine.view, &output_table);
	rows_check(&machine.view, &output_json);
	rows_check(&machine.view, &output_ndjson);
	machine_end(&machine);
	return 0;
}
