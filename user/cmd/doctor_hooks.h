/* SPDX-License-Identifier: GPL-2.0-only */
/* How nsview would listen here: each hook is attached for a moment, as `events` does it. */
#ifndef NSVIEW_CMD_DOCTOR_HOOKS_H
#define NSVIEW_CMD_DOCTOR_HOOKS_H

#include <stdbool.h>

#include "base/text.h"
#include "source/source.h"

struct app;
struct json;

/* Zero-initialise; doctor_hooks_free. */
struct doctor_hooks {
	bool can_listen;
	struct hook_report reports[HOOKS];
	char *why[HOOKS]; /* why no better tier; NULL: it is the best */
	char *tier_why[HOOKS][HOOK_TIERS_MAX];
	struct text refusal;
};

void doctor_hooks_look(struct doctor_hooks *hooks, const struct app *app);
void doctor_hooks_print(const struct doctor_hooks *hooks, struct text *out);

/* "hooks": an array, empty where nothing can be loaded. */
void doctor_hooks_json(const struct doctor_hooks *hooks, struct json *json);
void doctor_hooks_free(struct doctor_hooks *hooks);

#endif
