/* SPDX-License-Identifier: GPL-2.0-only */
/* Letting go of tracepoints without waiting for it: each perf event that ends waits for the kernel. */
#ifndef NSVIEW_SOURCE_OUTLIVE_H
#define NSVIEW_SOURCE_OUTLIVE_H

#include <stddef.h>

/* A process of its own, which says in its arguments what it does, holds these descriptors too until
 * the one that is returned is closed: who comes last has to wait. -1: there is none. */
int outlive_start(const int *held, size_t count);

#endif
