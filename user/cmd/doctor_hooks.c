/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/doctor_hooks.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "cmd/command.h"

#define RING_BYTES (1 << 16) /* nobody reads it */

static void reports_take(struct doctor_hooks *hooks, struct source *source)
{
	source_report(source, hooks->reports);
	for (size_t i = 0; i < HOOKS; i++) {
		const char *why = hooks->reports[i].why;

		hooks->why[i] = why ? mem_copy(why) : NULL;
		hooks->reports[i].why = NULL; /* the source's */
		for (size_t j = 0; j < hooks->reports[i].tier_count; j++) {
			struct tier_report *tier = &hooks->reports[i].tiers[j];

			hooks->tier_why[i][j] = tier->why ? mem_copy(tier->why) : NULL;
			tier->why = NULL;
		}
	}
}

void doctor_hooks_look(struct doctor_hooks *hooks, const struct app *app)
{
	const struct source_options options = {
		.facts = &app->facts,
		.btf_path = app->btf_path,
		.will_listen = true,
	};
	struct listen_options listen = {.ring_bytes = RING_BYTES, .is_complete = true};
	struct source *source = NULL;

	memset(listen.tiers, TIERS, sizeof(listen.tiers));
	if (!source_open(&bpf_source, &options, &source, &hooks->refusal))
		hooks->can_listen = !source_listen(source, &listen, &hooks->refusal);
	if (hooks->can_listen)
		reports_take(hooks, source);
	source_close(source);
}

static void add_column(struct text *out, const char *word, size_t width)
{
	size_t length = strlen(word);

	text_add_string(out, word);
	text_add_spaces(out, (length < width ? width - length : 0) + 2);
}

static size_t name_width(const struct doctor_hooks *hooks)
{
	size_t width = 0;

	for (size_t i = 0; i < HOOKS; i++) {
		size_t length = strlen(hooks->reports[i].name);

		width = length > width ? length : width;
	}
	return width;
}

/* What stands behind the tier that was taken. */
static void print_spares(const struct hook_report *hook, struct text *out)
{
	const char *before = " (spare: ";

	for (size_t i = 0; i < hook->tier_count; i++) {
		if (hook->tiers[i].verdict != TIER_SPARE)
			continue;
		text_printf(out, "%s%s", before, tier_name(hook->tiers[i].tier));
		before = ", ";
	}
	if (*before == ',')
		text_add_char(out, ')');
}

static void print_hook(const struct hook_report *hook, const char *why, size_t width,
		       struct text *out)
{
	add_column(out, hook->name, width);
	add_column(out, tier_name(hook->tier), strlen(tier_name(TIER_TRACEPOINT)));
	if (why && hook->missed)
		text_printf(out, "misses %s", hook->missed);
	else
		text_add_string(out, hook->meaning);
	print_spares(hook, out);
	text_add_char(out, '\n');
}

/* Each reason once, after the hooks that have it. */
static void print_reason(const struct doctor_hooks *hooks, size_t first, struct text *out)
{
	const char *why = hooks->why[first];

	for (size_t i = 0; i < first; i++) {
		if (hooks->why[i] && !strcmp(hooks->why[i], why))
			return;
	}
	text_printf(out, "\nNothing better for %s", hooks->reports[first].name);
	for (size_t i = first + 1; i < HOOKS; i++) {
		if (hooks->why[i] && !strcmp(hooks->why[i], why))
			text_printf(out, ", %s", hooks->reports[i].name);
	}
	text_add_string(out, ":\n");
	text_add_printable(out, why, strlen(why));
	text_add_char(out, '\n');
}

void doctor_hooks_print(const struct doctor_hooks *hooks, struct text *out)
{
	size_t width;

	if (!hooks->can_listen) {
		text_add_string(out, "It cannot listen for events: ");
		text_add_printable(out, hooks->refusal.data, hooks->refusal.length);
		text_add_string(out, ".\n");
		return;
	}
	width = name_width(hooks);
	text_add_string(out, "\nFor events it listens by\n");
	for (size_t i = 0; i < HOOKS; i++)
		print_hook(&hooks->reports[i], hooks->why[i], width, out);
	for (size_t i = 0; i < HOOKS; i++) {
		if (hooks->why[i])
			print_reason(hooks, i, out);
	}
}

static void add_string(struct json *json, const char *key, const char *value)
{
	json_key(json, key);
	if (value)
		json_string(json, value, strlen(value));
	else
		json_null(json);
}

/* Never a reason without a refusal, and never the other way round. */
static void tiers_json(const struct doctor_hooks *hooks, size_t hook, struct json *json)
{
	static const char *const words[] = {
		[TIER_TAKEN] = "taken",
		[TIER_REFUSED] = "refused",
		[TIER_SPARE] = "spare",
	};
	const struct hook_report *report = &hooks->reports[hook];

	json_key(json, "tiers");
	json_array_open(json);
	for (size_t i = 0; i < report->tier_count; i++) {
		const struct tier_report *tier = &report->tiers[i];

		json_object_open(json);
		add_string(json, "tier", tier_name(tier->tier));
		add_string(json, "verdict", words[tier->verdict]);
		add_string(json, "why", hooks->tier_why[hook][i]);
		add_string(json, "missed", tier->missed);
		json_object_close(json);
	}
	json_array_close(json);
}

void doctor_hooks_json(const struct doctor_hooks *hooks, struct json *json)
{
	json_key(json, "hooks");
	json_array_open(json);
	for (size_t i = 0; hooks->can_listen && i < HOOKS; i++) {
		const struct hook_report *hook = &hooks->reports[i];

		json_object_open(json);
		add_string(json, "hook", hook->name);
		add_string(json, "tier", tier_name(hook->tier));
		add_string(json, "meaning", hook->meaning);
		add_string(json, "missed", hook->missed);
		add_string(json, "why", hooks->why[i]);
		tiers_json(hooks, i, json);
		json_object_close(json);
	}
	json_array_close(json);
}

void doctor_hooks_free(struct doctor_hooks *hooks)
{
	for (size_t i = 0; i < HOOKS; i++) {
		free(hooks->why[i]);
		for (size_t j = 0; j < HOOK_TIERS_MAX; j++)
			free(hooks->tier_why[i][j]);
	}
	text_free(&hooks->refusal);
}
