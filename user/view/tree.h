/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows as a forest: who started whom, as far as both are shown and in the same container. */
#ifndef NSVIEW_VIEW_TREE_H
#define NSVIEW_VIEW_TREE_H

#include <stddef.h>

struct model;
struct proc;
struct text;
struct tree;

/* Puts each row behind its parent; children, and those without a parent here, keep their order.
 * A child of another container's process, or of the host's, begins a tree of its own. */
struct tree *tree_new(struct model *model, const struct proc **procs, size_t count);
void tree_free(struct tree *tree); /* takes NULL */

/* Appends what stands before its command, in the looks of ps --forest. */
void tree_add_branches(const struct tree *tree, const struct proc *proc, struct text *out);

#endif
