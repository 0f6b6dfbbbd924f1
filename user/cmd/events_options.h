/* SPDX-License-Identifier: GPL-2.0-only */
/* The options of `nsview events`, as typed and as understood. */
#ifndef NSVIEW_CMD_EVENTS_OPTIONS_H
#define NSVIEW_CMD_EVENTS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/options.h"
#include "cmd/session.h"
#include "output/events.h"
#include "source/source.h"

struct events_options {
	struct select_options select;
	struct option_list types;
	struct option_list env;
	struct option_list hooks;
	const char *output;
	const char *format;
	const char *args_max;
	const char *line_max;
	const char *record;
	const char *duration;
	const char *count;
	const char *ring;
	bool snapshot;
	bool stats;
	bool is_complete;
};

extern const struct option events_option_table[];

#define EVENTS_ACTIONS_MAX 64

struct events_settings {
	struct listen_options listen;
	enum event_format format;
	size_t line_max;
	bool is_wanted[EVENTS_ACTIONS_MAX]; /* by the place in event_actions */
	const char **env;
	size_t env_count;
	char *env_words;      /* what env points into */
	uint64_t duration_ns; /* 0: until it is ended */
	uint64_t count;       /* 0: all */
};

/* An exit code; a bad value has been said. settings: events_settings_free it, whatever it was. */
int events_settings_read(const struct events_options *options, struct events_settings *settings);
void events_settings_free(struct events_settings *settings);

#endif
