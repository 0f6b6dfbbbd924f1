/* SPDX-License-Identifier: GPL-2.0-only */
/* The getters of proc_columns.c for the container that a process is in. */
#ifndef NSVIEW_VIEW_CONTAINER_FIELDS_H
#define NSVIEW_VIEW_CONTAINER_FIELDS_H

#include <stdint.h>

#include "view/proc_fields.h"
#include "view/value.h"

struct text;

PROC_GETTER(proc_get_container); /* its name */
PROC_GETTER(proc_get_container_id);
PROC_GETTER(proc_get_runtime);

/* From its runtime's state files. `at` is the offset of a string in struct runtime_container. */
PROC_GETTER(proc_get_declared_text);
PROC_GETTER(proc_get_declared);
PROC_GETTER(proc_get_drift);

/* What of the host a container's process touches; docs/ps.md has what each word means. */
PROC_GETTER(proc_get_surface);

/* From its cgroups. */
PROC_GETTER(proc_get_cpu_usage);   /* average since its first process began */
PROC_GETTER(proc_get_cpu_limit);   /* CPUs */
PROC_GETTER(proc_get_cgroup_fact); /* `at` is the enum cgroup_fact, not of CPU time */

/* What a process may do beyond what its container declares, which has to be known. Bounding counts:
 * a setuid program turns it into effective. */
uint64_t proc_drift(const struct view_context *view, const struct proc *proc);

/* The same. CAPS: *drift has it; NONE: nothing was declared; UNKNOWN: nobody could read what was.
 * Its capabilities have to be known. */
enum value_kind proc_drift_known(const struct view_context *view, const struct proc *proc,
				 uint64_t *drift);

#define PROC_SURFACE_NEEDS                                                                        \
	(FIELD_BIT(FIELD_IDS) | FIELD_BIT(FIELD_CAPS) | FIELD_BIT(FIELD_NNP) |                    \
	 FIELD_BIT(FIELD_SECCOMP) | FIELD_BIT(FIELD_NS + NS_MNT) | FIELD_BIT(FIELD_NS + NS_PID) | \
	 FIELD_BIT(FIELD_NS + NS_NET) | FIELD_BIT(FIELD_NS + NS_IPC) |                            \
	 FIELD_BIT(FIELD_NS + NS_USER))

/* Bits of proc_surface, each a word of proc_surface_words. */
enum surface {
	SURFACE_HOST_ROOT,
	SURFACE_HOST_CAPS,
	SURFACE_CAN_GAIN,
	SURFACE_NO_SECCOMP,
	SURFACE_HOST_MNT,
	SURFACE_HOST_PID,
	SURFACE_HOST_NET,
	SURFACE_HOST_IPC,
	SURFACE_WORDS,
};

extern const char *const proc_surface_words[]; /* then NULL */

/* WORDS: *surface has them as bits; NONE and UNKNOWN as a value's. */
enum value_kind proc_surface(const struct view_context *view, const struct proc *proc,
			     uint32_t *surface);

/* Appends the words of such bits, each ended by a NUL. */
void proc_surface_add(struct text *out, uint32_t surface);

#endif
