/* SPDX-License-Identifier: GPL-2.0-only */
/* The getters of proc_columns.c for the container that a process is in. */
#ifndef NSVIEW_VIEW_CONTAINER_FIELDS_H
#define NSVIEW_VIEW_CONTAINER_FIELDS_H

#include <stdint.h>

#include "view/proc_fields.h"

PROC_GETTER(proc_get_container); /* its name */
PROC_GETTER(proc_get_container_id);
PROC_GETTER(proc_get_runtime);

/* From its runtime's state files. `at` is the offset of a string in struct runtime_container. */
PROC_GETTER(proc_get_declared_text);
PROC_GETTER(proc_get_declared);
PROC_GETTER(proc_get_drift);

/* From its cgroups. */
PROC_GETTER(proc_get_cpu_usage);   /* average since its first process began */
PROC_GETTER(proc_get_cpu_limit);   /* CPUs */
PROC_GETTER(proc_get_cgroup_fact); /* `at` is the enum cgroup_fact, not of CPU time */

/* What a process may do beyond what its container declares, which has to be known. Bounding counts:
 * a setuid program turns it into effective. */
uint64_t proc_drift(const struct view_context *view, const struct proc *proc);

#endif
