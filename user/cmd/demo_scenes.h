/* SPDX-License-Identifier: GPL-2.0-only */
/* The lessons of `nsview demo`, a row each. */
#ifndef NSVIEW_CMD_DEMO_SCENES_H
#define NSVIEW_CMD_DEMO_SCENES_H

#include <stdbool.h>
#include <stddef.h>

struct proc;
struct text;
struct view_context;

struct scene {
	const char *title;
	const char *name;     /* --name of the container */
	const char *user;     /* --user, or NULL */
	const char *cap_add;  /* or NULL */
	const char *cap_drop; /* or NULL */
	const char *userns;   /* or NULL */
	bool is_privileged;
	bool shows_host_row; /* nsview's own process beside the container's */
	/* What was to be seen, for the case that it was not. */
	const char *claim;
	bool (*judge)(const struct view_context *view, const struct proc *proc, struct text *said);
};

extern const struct scene demo_scenes[];
extern const size_t demo_scenes_count;

/*
 * Whether the process bears the claim out. said: two sentences about it, from what was read, which
 * mean something only then.
 */
bool scene_judge(const struct scene *scene, const struct view_context *view,
		 const struct proc *proc, struct text *said);

/* The same fields as they are, for a claim that was not borne out. */
void scene_describe(const struct view_context *view, const struct proc *proc, struct text *seen);

#endif
