/* SPDX-License-Identifier: GPL-2.0-only */
/* What a process was called with and where its program lies, once events change that. Private to
 * model/. */
#ifndef NSVIEW_MODEL_PROC_ARGS_H
#define NSVIEW_MODEL_PROC_ARGS_H

#include "wire/wire.h"

struct proc;

/* From its exec. */
void proc_args_exec(struct proc *proc, const struct event *event);

/* From a record, of any kind. */
void proc_args_set(struct proc *proc, const struct args_record *args);

/* At its fork. What is known better already stays. */
void proc_args_inherit(struct proc *proc, const struct proc *parent);

void proc_args_release(struct proc *proc);

#endif
