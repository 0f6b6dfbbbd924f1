/* SPDX-License-Identifier: GPL-2.0-only */
/* The getters of proc_columns.c for what a process is; proc_ps.h has those of ps(1)'s columns,
 * container_fields.h those for its container. */
#ifndef NSVIEW_VIEW_PROC_FIELDS_H
#define NSVIEW_VIEW_PROC_FIELDS_H

#include "view/value.h"

struct column;
struct proc;
struct view_context;

#define PROC_GETTER(name)                                                       \
	void name(const struct column *column, const struct view_context *view, \
		  const struct proc *proc, struct value *value)

/* `at` is the offset in struct task_record of a... */
PROC_GETTER(proc_get_u32);
PROC_GETTER(proc_get_u64);
PROC_GETTER(proc_get_s32);
PROC_GETTER(proc_get_flag);      /* __u8 that is 0 or not */
PROC_GETTER(proc_get_login);     /* __u32 where ID_UNSET means none */
PROC_GETTER(proc_get_caps);      /* capability set */
PROC_GETTER(proc_get_namespace); /* namespace inode, 0 means none */

PROC_GETTER(proc_get_user);    /* the effective one, by its name on the host */
PROC_GETTER(proc_get_in_user); /* by the container's own name */
PROC_GETTER(proc_get_in_pid);
PROC_GETTER(proc_get_chain);
PROC_GETTER(proc_get_groups);
PROC_GETTER(proc_get_seccomp);
PROC_GETTER(proc_get_host_effective);
PROC_GETTER(proc_get_shared); /* namespaces that are the host's */
PROC_GETTER(proc_get_cgroup);
PROC_GETTER(proc_get_comm);
PROC_GETTER(proc_get_link); /* exe or cwd: `at` is the enum task_field */
PROC_GETTER(proc_get_args);

/* Whether what it may do counts on the host, as far as is known. */
enum caps_reach proc_reach(const struct view_context *view, const struct proc *proc);

/* What its container calls the user, borrowed; NULL: nothing. */
const char *proc_in_user_name(const struct view_context *view, const struct proc *proc,
			      uint32_t uid);

/* "mnt", "pid", ... in the order of enum ns_kind, then NULL. */
extern const char *const proc_namespace_names[];
/* What proc_get_seccomp can say, then NULL. */
extern const char *const proc_seccomp_words[];

#endif
