/* SPDX-License-Identifier: GPL-2.0-only */
/* The getters of proc_columns.c that follow ps(1), procps 4.0.2. */
#ifndef NSVIEW_VIEW_PROC_PS_H
#define NSVIEW_VIEW_PROC_PS_H

#include <stdint.h>

#include "view/proc_fields.h"

struct text;

/* "pts/3"; where no name is known, the device's numbers: "204:80". */
void tty_name_add(struct text *out, uint32_t major, uint32_t minor);

PROC_GETTER(proc_get_cpu_percent); /* CPU time over life time, cut to one decimal */
PROC_GETTER(proc_get_cpu_share);   /* ps -ef's C: the same without decimals, at most 99 */
PROC_GETTER(proc_get_mem_percent);
PROC_GETTER(proc_get_pages); /* `at`: the offset of a count of pages; in bytes */
PROC_GETTER(proc_get_tty);
PROC_GETTER(proc_get_stat);
PROC_GETTER(proc_get_start);
PROC_GETTER(proc_get_cpu_time);
PROC_GETTER(proc_get_pri);
PROC_GETTER(proc_get_nice);
PROC_GETTER(proc_get_command); /* arguments with spaces; [name]; [comm] <defunct> */

#endif
