/* SPDX-License-Identifier: GPL-2.0-only */
/* procps 4.0.2's own layout, to the column: what `ps aux` and `ps -ef` print. */
#ifndef NSVIEW_OUTPUT_PROCPS_H
#define NSVIEW_OUTPUT_PROCPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct vantage;

struct procps_options {
	size_t width; /* of the terminal; 0: as into a pipe */
	bool is_full; /* ps -ef */
	bool no_headers;
	bool is_terminal; /* what acts instead of being seen, and ps lets through, is a `?` */
};

/* 0 or -errno of the stream. */
int procps_write(FILE *stream, const struct vantage *vantage, const struct procps_options *options);

#endif
