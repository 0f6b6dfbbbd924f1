/* SPDX-License-Identifier: GPL-2.0-only */
/* The lessons of `nsview demo` that lie in how a process looks, a row each. */
#ifndef NSVIEW_CMD_DEMO_SCENES_H
#define NSVIEW_CMD_DEMO_SCENES_H

#include <stdbool.h>
#include <stddef.h>

#include "launch/spec.h"

struct proc;
struct text;
struct view_context;

#define SCENE_COLUMNS_MAX 8

struct scene {
	const char *title;
	const struct spec spec; /* of the container, which runs `sleep 60` */
	bool is_joined;         /* no container of its own, but another process in the first one */
	bool has_image;         /* its files are those of an image made for it */
	bool shows_host_row;    /* nsview's own process beside the container's */
	const char *columns[SCENE_COLUMNS_MAX]; /* none: the usual ones */
	/* What was to be seen, for the case that it was not. */
	const char *claim;
	bool (*judge)(const struct view_context *view, const struct proc *proc, struct text *said);
};

extern const struct scene demo_scenes[];
extern const size_t demo_scenes_count;

/*
 * Whether the process bears the claim out. said: a sentence or two about it, from what was read,
 * which mean something only then.
 */
bool scene_judge(const struct scene *scene, const struct view_context *view,
		 const struct proc *proc, struct text *said);

/* The same fields as they are, for a claim that was not borne out. */
void scene_describe(const struct view_context *view, const struct proc *proc, struct text *seen);

#endif
