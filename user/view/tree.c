/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/tree.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "bpf/event.h"
#include "model/model.h"

#define NONE UINT32_MAX
#define DEPTH_MAX 100 /* deeper ones stand below each other */
#define BRANCH_WIDTH 4

/* A row, by its place in the query's order. */
struct node {
	const struct proc *proc;
	uint32_t parent;
	uint32_t first_child;
	uint32_t last_child;
	uint32_t next; /* sibling */
	uint32_t depth;
	bool is_placed;
};

struct tree {
	const struct proc *base; /* the model's first process */
	uint32_t *node_of;       /* by the place in the model; NONE: not shown */
	struct node *nodes;
	size_t count;
};

static uint32_t tree_node(const struct tree *tree, const struct proc *proc)
{
	return tree->node_of[proc - tree->base];
}

/* A parent that is younger than its child is somebody else, with the parent's pid. Of two that
 * started in the same instant the lower pid is the parent: so there are no circles. */
static uint32_t tree_parent(const struct tree *tree, struct model *model, const struct proc *proc)
{
	const struct proc *parent;

	if (proc->unknown & FIELD_BIT(FIELD_PARENT) || !proc->task->ppid)
		return NONE;
	parent = model_find(model, proc->task->ppid);
	if (!parent || parent == proc || parent->container != proc->container ||
	    parent->task->start_boot_ns > proc->task->start_boot_ns ||
	    (parent->task->start_boot_ns == proc->task->start_boot_ns &&
	     parent->task->tgid > proc->task->tgid))
		return NONE;
	return tree_node(tree, parent);
}

static void tree_link(struct tree *tree, struct model *model)
{
	for (uint32_t i = 0; i < tree->count; i++) {
		struct node *node = &tree->nodes[i];
		struct node *parent;

		node->parent = tree_parent(tree, model, node->proc);
		if (node->parent == NONE)
			continue;
		parent = &tree->nodes[node->parent];
		if (parent->first_child == NONE)
			parent->first_child = i;
		else
			tree->nodes[parent->last_child].next = i;
		parent->last_child = i;
	}
}

/* The node and all below it, without recursion: a fork bomb is deep. */
static size_t tree_place(struct tree *tree, uint32_t root, const struct proc **procs, size_t placed)
{
	uint32_t at = root;

	while (at != NONE) {
		struct node *node = &tree->nodes[at];

		if (!node->is_placed) {
			node->is_placed = true;
			if (at != root)
				node->depth = tree->nodes[node->parent].depth + 1;
			procs[placed++] = node->proc;
			if (node->first_child != NONE) {
				at = node->first_child;
				continue;
			}
		}
		while (at != root && tree->nodes[at].next == NONE)
			at = tree->nodes[at].parent;
		at = at == root ? NONE : tree->nodes[at].next;
	}
	return placed;
}

struct tree *tree_new(struct model *model, const struct proc **procs, size_t count)
{
	struct tree *tree = mem_new(sizeof(*tree));
	size_t all;
	size_t placed = 0;

	tree->base = model_procs(model, &all);
	tree->node_of = mem_resize(NULL, all, sizeof(*tree->node_of));
	memset(tree->node_of, 0xff, all * sizeof(*tree->node_of));
	tree->nodes = mem_resize(NULL, count, sizeof(*tree->nodes));
	tree->count = count;
	for (uint32_t i = 0; i < count; i++) {
		tree->nodes[i] = (struct node){procs[i], NONE, NONE, NONE, NONE, 0, false};
		tree->node_of[procs[i] - tree->base] = i;
	}
	tree_link(tree, model);
	for (uint32_t i = 0; i < count; i++) {
		if (tree->nodes[i].parent == NONE)
			placed = tree_place(tree, i, procs, placed);
	}
	return tree;
}

void tree_free(struct tree *tree)
{
	if (!tree)
		return;
	free(tree->node_of);
	free(tree->nodes);
	free(tree);
}

void tree_add_branches(const struct tree *tree, const struct proc *proc, struct text *out)
{
	uint32_t at = tree_node(tree, proc);
	const struct node *node = &tree->nodes[at];
	uint32_t depth = node->depth < DEPTH_MAX ? node->depth : DEPTH_MAX;
	const char *branch = " \\_ ";

	text_add_spaces(out, (size_t)depth * BRANCH_WIDTH);
	for (uint32_t i = 1; i <= depth; i++) {
		memcpy(out->data + out->length - (size_t)i * BRANCH_WIDTH, branch, BRANCH_WIDTH);
		node = &tree->nodes[node->parent];
		branch = node->next == NONE ? "    " : " |  ";
	}
}
