/* SPDX-License-Identifier: GPL-2.0-only */
/* Puts the CPU time of threads, which bpf/usage.bpf.c tells one by one, to their processes. */
#ifndef NSVIEW_SOURCE_USAGE_H
#define NSVIEW_SOURCE_USAGE_H

#include "wire/wire.h"

struct usage;

struct usage *usage_new(void);
void usage_free(struct usage *usage); /* takes NULL */

/* Begins a sample: what is complete goes to sink, a RECORD_USAGE per process. */
void usage_start(struct usage *usage, record_sink sink, void *context);
/* A record_sink; context: the struct usage. Threads may come before their process. */
int usage_take(void *context, const struct record_header *record);
/* Hands out the processes that wait for their threads. */
int usage_end(struct usage *usage);

#endif
