/* SPDX-License-Identifier: GPL-2.0-only */
/* All processes in a format: a line each that a terminal only shows, or JSON that json-c reads. */
#ifndef NSVIEW_TESTS_FUZZ_ROWS_H
#define NSVIEW_TESTS_FUZZ_ROWS_H

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "model/model.h"
#include "output/output.h"
#include "view/column.h"

static inline void rows_check(const struct view_context *view, const struct output_format *format)
{
	struct output_options options = {.no_headers = true, .columns_count = 0};
	const struct column *columns[256];
	struct json_object *parsed;
	char *written = NULL;
	size_t length = 0, count, lines = 0;
	FILE *stream = open_memstream(&written, &length);
	struct proc *procs = model_procs(view->model, &count);
	const struct proc **rows = mem_new((count + 1) * sizeof(*rows));

	for (size_t i = 0; i < proc_columns_count; i++)
		if (!proc_columns[i].is_hidden)
			columns[options.columns_count++] = &proc_columns[i];
	options.columns = columns;
	for (size_t i = 0; i < count; i++)
		rows[i] = &procs[i];
	if (!stream || format->write(stream, &options, view, rows, count) || fclose(stream))
		abort();
	for (size_t i = 0; i < length; i++) {
		lines += written[i] == '\n';
		if ((unsigned char)written[i] < 0x20 && written[i] != '\n')
			abort();
	}
	if (format != &output_json && lines != count)
		abort();
	parsed = format == &output_json ? json_tokener_parse(written) : NULL;
	if (format == &output_json && !parsed)
		abort();
	json_object_put(parsed);
	free(written);
	free(rows);
}

#endif
