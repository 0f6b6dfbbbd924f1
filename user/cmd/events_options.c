/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/events_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/units.h"

#define ARGS_DEFAULT 2048
#define ARGS_MAX 16384  /* ARGS_ROOM of bpf/maps.bpf.h */
#define ENV_BYTES 16384 /* ENV_ROOM: of the environment, in which --env finds its names */
#define RING_DEFAULT (8ULL << 20)
#define RING_MAX (1ULL << 30)
#define LINE_MAX_MAX (16ULL << 20)
#define NEAREST_DISTANCE_MAX 3

#define EVENTS(field) offsetof(struct events_options, field)

const struct option events_option_table[] = {
	{.name = "types",
	 .argument = "LIST",
	 .help = "only these actions, with commas: exec,exit,capabilities_changed; gaps always",
	 .kind = OPTION_LIST,
	 .offset = EVENTS(types)},
	{.name = "snapshot",
	 .help = "first a line for each process that is there already",
	 .kind = OPTION_FLAG,
	 .offset = EVENTS(snapshot)},
	{.name = "output",
	 .argument = "FILE",
	 .help = "append to FILE (mode 0600), which SIGHUP opens again: for log rotation",
	 .kind = OPTION_TEXT,
	 .offset = EVENTS(output)},
	{.name = "format",
	 .argument = "ecs|otel|text",
	 .help = "Elastic's names (the default), OpenTelemetry's, or one line for people",
	 .kind = OPTION_TEXT,
	 .offset = EVENTS(format)},
	{.name = "args-max",
	 .argument = "BYTES",
	 .help = "of the arguments of an exec; 2048",
	 .kind = OPTION_TEXT,
	 .offset = EVENTS(args_max)},
	{.name = "line-max",
	 .argument = "BYTES",
	 .help = "of a line; 16384. A longer one leaves out env, then args, and says so",
	 .kind = OPTION_TEXT,
	 .offset = EVENTS(line_max)},
	{.name = "env",
	 .argument = "NAME,...",
	 .help = "add these variables of the environment to each exec",
	 .kind = OPTION_LIST,
	 .offset = EVENTS(env)},
	{.name = "record",
	 .argument = "FILE",
	 .help = "write down all that --replay needs to show the same elsewhere",
	 .kind = OPTION_TEXT,
	 .offset = EVENTS(record)},
	{.name = "duration",
	 .argument = "TIME",
	 .help = "end after 10s, 500ms, 2m, 1h",
	 .kind = OPTION_TEXT,
	 .offset = EVENTS(duration)},
	{.name = "count",
	 .argument = "N",
	 .help = "end after N lines; gaps and infos do not count",
	 .kind = OPTION_TEXT,
	 .offset = EVENTS(count)},
	{.name = "stats",
	 .help = "at the end, on standard error: seen, lost and skipped, for each hook",
	 .kind = OPTION_FLAG,
	 .offset = EVENTS(stats)},
	{.name = "ring",
	 .argument = "SIZE",
	 .help = "of the kernel's buffer: a power of two; 8m",
	 .kind = OPTION_TEXT,
	 .offset = EVENTS(ring)},
	{.name = "hooks",
	 .argument = "HOOK=TIER,...",
	 .help = "how to listen, where not the best way: fentry, kprobe, syscall or off",
	 .kind = OPTION_LIST,
	 .offset = EVENTS(hooks)},
	{.name = "complete",
	 .help = "compare at the end of every system call, too: nothing is found late",
	 .kind = OPTION_FLAG,
	 .offset = EVENTS(is_complete)},
	{.kind = OPTION_INCLUDE, .include = select_option_table, .offset = EVENTS(select)},
	OPTIONS_END,
};

static int type_unknown(const char *word)
{
	size_t best = NEAREST_DISTANCE_MAX + 1;
	const char *nearest = NULL;
	struct text all = {0};

	for (size_t i = 0; event_actions[i]; i++) {
		size_t distance = text_distance(word, event_actions[i]);

		if (distance < best) {
			best = distance;
			nearest = event_actions[i];
		}
		text_printf(&all, "%s%s", i ? ", " : "", event_actions[i]);
	}
	if (nearest)
		log_error(0, "--types has no %s: did you mean %s?", word, nearest);
	else
		log_error(0, "--types has no %s: there are %s", word, text_string(&all));
	text_free(&all);
	return -EINVAL;
}

static int type_want(struct events_settings *settings, const char *word)
{
	for (size_t i = 0; i < EVENTS_ACTIONS_MAX && event_actions[i]; i++) {
		if (strcmp(event_actions[i], word) != 0)
			continue;
		settings->is_wanted[i] = true;
		return 0;
	}
	return type_unknown(word);
}

static int types_read(const struct events_options *options, struct events_settings *settings)
{
	int r = 0;

	if (!options->types.count)
		memset(settings->is_wanted, true, sizeof(settings->is_wanted));
	for (size_t i = 0; i < options->types.count && !r; i++) {
		autofree char *words = mem_copy(options->types.items[i]);
		char *rest = words;
		char *word;

		while (!r && (word = strsep(&rest, ", ")))
			r = *word ? type_want(settings, word) : 0;
	}
	return r;
}

/* All names in one piece of memory, with the array that points into it. */
static void env_read(const struct events_options *options, struct events_settings *settings)
{
	struct text words = {0};
	size_t capacity = 0;
	char *rest;
	char *word;

	for (size_t i = 0; i < options->env.count; i++)
		text_printf(&words, "%s%s", i ? "," : "", options->env.items[i]);
	settings->env_words = mem_copy(text_string(&words));
	text_free(&words);
	rest = settings->env_words;
	while ((word = strsep(&rest, ", "))) {
		if (!*word)
			continue;
		mem_reserve_one(settings->env, settings->env_count, capacity);
		settings->env[settings->env_count++] = word;
	}
	settings->listen.env_max = settings->env_count ? ENV_BYTES : 0;
}

struct size_option {
	const char *name;
	const char *value;
	uint64_t usual;
	uint64_t least;
	uint64_t most;
};

static int size_read(const struct size_option *option, uint64_t *bytes)
{
	*bytes = option->usual;
	if (!option->value)
		return 0;
	if (units_size(option->value, bytes))
		return log_error(-EINVAL, "--%s takes a size in bytes, as 2048, 64k or 8m, not %s",
				 option->name, option->value);
	if (*bytes < option->least || *bytes > option->most)
		return log_error(-EINVAL, "--%s %s: it is at least %llu and at most %llu bytes",
				 option->name, option->value, (unsigned long long)option->least,
				 (unsigned long long)option->most);
	return 0;
}

static int sizes_read(const struct events_options *options, struct events_settings *settings)
{
	const struct size_option args = {"args-max", options->args_max, ARGS_DEFAULT, 0, ARGS_MAX};
	const struct size_option line = {"line-max", options->line_max, EVENT_LINE_DEFAULT,
					 EVENT_LINE_MIN, LINE_MAX_MAX};
	const struct size_option ring = {"ring", options->ring, RING_DEFAULT,
					 (uint64_t)sysconf(_SC_PAGESIZE), RING_MAX};
	uint64_t args_bytes, line_bytes, ring_bytes;

	if (size_read(&args, &args_bytes) || size_read(&line, &line_bytes) ||
	    size_read(&ring, &ring_bytes))
		return -EINVAL;
	if (ring_bytes & (ring_bytes - 1))
		return log_error(-EINVAL,
				 "--ring %s: the kernel takes powers of two: 1m, 2m, 4m, 8m, 16m",
				 options->ring);
	settings->listen.args_max = args_bytes;
	settings->listen.ring_bytes = ring_bytes;
	settings->line_max = line_bytes;
	return 0;
}

static int hooks_read(const struct events_options *options, struct events_settings *settings)
{
	struct text complaint = {0};
	int r = 0;

	memset(settings->listen.tiers, TIERS, sizeof(settings->listen.tiers));
	settings->listen.is_complete = options->is_complete;
	for (size_t i = 0; i < options->hooks.count && !r; i++)
		r = listen_options_parse(&settings->listen, options->hooks.items[i], &complaint);
	if (r)
		log_error(0, "%s", text_string(&complaint));
	text_free(&complaint);
	return r;
}

static int ends_read(const struct events_options *options, struct events_settings *settings)
{
	uint32_t count = 0;

	if (options->duration &&
	    (units_duration(options->duration, &settings->duration_ns) || !settings->duration_ns))
		return log_error(-EINVAL,
				 "--duration takes a time, as 10s, 500ms, 2m or 1h, not %s",
				 options->duration);
	if (options->count && (option_number(options->count, &count) || !count))
		return log_error(-EINVAL, "--count takes a whole number from 1 on, not %s",
				 options->count);
	settings->count = count;
	return 0;
}

int events_settings_read(const struct events_options *options, struct events_settings *settings)
{
	*settings = (struct events_settings){.format = EVENT_FORMAT_ECS};
	if (options->format && event_format_by_name(options->format, &settings->format)) {
		log_error(0, "unknown format %s: there are ecs, otel and text", options->format);
		return EXIT_USAGE;
	}
	env_read(options, settings);
	if (types_read(options, settings) || sizes_read(options, settings) ||
	    hooks_read(options, settings) || ends_read(options, settings))
		return EXIT_USAGE;
	return EXIT_DONE;
}

void events_settings_free(struct events_settings *settings)
{
	free(settings->env);
	free(settings->env_words);
}
