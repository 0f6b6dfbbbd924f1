/* SPDX-License-Identifier: GPL-2.0-only */
/* What another source may ask of /proc. */
#ifndef NSVIEW_SOURCE_PROC_SOURCE_H
#define NSVIEW_SOURCE_PROC_SOURCE_H

#include "source/source.h"

/* The records of one process, numbered as facts->proc_path does; none when there is no such
 * process, or no /proc. Otherwise as source_ops.snapshot. */
int proc_source_read_one(const struct facts *facts, size_t args_max, uint32_t pid, record_sink sink,
			 void *context);

#endif
