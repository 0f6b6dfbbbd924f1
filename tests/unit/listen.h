/* SPDX-License-Identifier: GPL-2.0-only */
/* The last sentence that was said while a test listened. */
#ifndef NSVIEW_TESTS_UNIT_LISTEN_H
#define NSVIEW_TESTS_UNIT_LISTEN_H

#include <stdio.h>

#include "base/log.h"

static char said[1024];

static void keep_sentence(void *context, const char *sentence)
{
	(void)context;
	snprintf(said, sizeof(said), "%s", sentence);
}

/* A test's setup and teardown. */
static int start_listening(void **state)
{
	(void)state;
	said[0] = '\0';
	log_set_sink(keep_sentence, NULL);
	return 0;
}

static int stop_listening(void **state)
{
	(void)state;
	log_set_sink(NULL, NULL);
	return 0;
}

#endif
