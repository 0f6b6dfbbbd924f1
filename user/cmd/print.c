/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/print.h"

#include <errno.h>
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"
#include "cmd/command.h"

int print_text(struct text *text)
{
	int r = 0;

	if (fwrite(text->data, 1, text->length, stdout) != text->length || fflush(stdout))
		r = -errno;
	text_free(text);
	if (!r || r == -EPIPE)
		return EXIT_DONE;
	log_fail(r, "write to standard output");
	return EXIT_FAILED;
}
