/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the formats write to. Private to output/. */
#ifndef NSVIEW_OUTPUT_STREAM_H
#define NSVIEW_OUTPUT_STREAM_H

#include <stdio.h>

struct text;

/* Writes and empties text once it has grown enough to be worth a system call. 0 or -errno. */
int stream_add(FILE *stream, struct text *text);
/* The same whatever its size, and through to the file. */
int stream_finish(FILE *stream, struct text *text);

#endif
