/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/verdict.h"

#include <stddef.h>
#include <string.h>

const char *verdict_find(char *verifier_log)
{
	const char *verdict = NULL;
	char *rest = NULL;

	for (char *line = strtok_r(verifier_log, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (strncmp(line, "processed ", 10) && strncmp(line, "verification time", 17) &&
		    strncmp(line, "stack depth", 11))
			verdict = line;
	}
	return verdict;
}
