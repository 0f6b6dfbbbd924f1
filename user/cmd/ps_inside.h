/* SPDX-License-Identifier: GPL-2.0-only */
/* ps --inside and --both. */
#ifndef NSVIEW_CMD_PS_INSIDE_H
#define NSVIEW_CMD_PS_INSIDE_H

#include <stdbool.h>
#include <stddef.h>

struct session;

struct inside_options {
	const char *container; /* as typed */
	size_t width;          /* of the terminal; 0: as into a pipe */
	bool is_both;
	bool is_full;
	bool no_headers;
	bool is_terminal; /* standard output */
};

/* After session_snapshot. An exit code; what went wrong has been said. */
int ps_inside(struct session *session, const struct inside_options *options);

#endif
