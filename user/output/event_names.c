/* SPDX-License-Identifier: GPL-2.0-only */
#include "output/event_names.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "bpf/event.h"

const char *const event_actions[] = {
	[WORD_FORK] = "fork",
	[WORD_EXEC] = "exec",
	[WORD_EXIT] = "exit",
	[WORD_CREDENTIALS] = "credentials_changed",
	[WORD_CAPABILITIES] = "capabilities_changed",
	[WORD_NAMESPACES] = "namespaces_changed",
	[WORD_CGROUP_CREATED] = "cgroup_created",
	[WORD_CGROUP_REMOVED] = "cgroup_removed",
	[WORD_CGROUP_CHANGED] = "cgroup_changed",
	[WORD_CONTAINER_STARTED] = "container_started",
	[WORD_CONTAINER_NAMED] = "container_named",
	[WORD_CONTAINER_EXITED] = "container_exited",
	[WORD_SNAPSHOT] = "snapshot",
	[WORD_GAP] = "gap",
	[WORD_INFO] = "info",
	[WORDS] = NULL,
};

/* event.type: only what ECS allows for the category "process". */
const struct event_class event_classes[WORDS] = {
	[WORD_FORK] = {"event", "start", true},
	[WORD_EXEC] = {"event", "start", true},
	[WORD_EXIT] = {"event", "end", true},
	[WORD_CREDENTIALS] = {"event", "change", true},
	[WORD_CAPABILITIES] = {"event", "change", true},
	[WORD_NAMESPACES] = {"event", "change", true},
	[WORD_CGROUP_CREATED] = {"event", "info", true},
	[WORD_CGROUP_REMOVED] = {"event", "info", true},
	[WORD_CGROUP_CHANGED] = {"event", "change", true},
	[WORD_CONTAINER_STARTED] = {"event", "start", false},
	[WORD_CONTAINER_NAMED] = {"event", "info", false},
	[WORD_CONTAINER_EXITED] = {"event", "end", false},
	[WORD_SNAPSHOT] = {"state", "info", false},
	[WORD_GAP] = {"event", "info", false},
	[WORD_INFO] = {"event", "info", false},
};

const char *const event_gap_reasons[GAP_REASONS] = {
	[GAP_RING_FULL] = "ring-full",
	[GAP_SKIPPED] = "skipped",
	[GAP_OUTPUT] = "output",
};

/* Of a refused call there is no change to go by, but the cause says what was tried. */
static bool is_about_capabilities(const struct event_record *record)
{
	const uint32_t capabilities = CHANGE_CAPS | CHANGE_SECUREBITS;

	switch (record->cause) {
	case CAUSE_CAPSET:
	case CAUSE_AMBIENT:
	case CAUSE_BOUNDING_DROP:
	case CAUSE_SECUREBITS:
		if (record->error)
			return true;
	}
	return record->changed && !(record->changed & ~capabilities);
}

static enum event_word event_word(const struct event_record *record)
{
	static const uint8_t words[EVENT_ACTIONS] = {
		[EVENT_FORK] = WORD_FORK,
		[EVENT_EXEC] = WORD_EXEC,
		[EVENT_EXIT] = WORD_EXIT,
		[EVENT_CREDENTIALS] = WORD_CREDENTIALS,
		[EVENT_NAMESPACES] = WORD_NAMESPACES,
		[EVENT_PRIVILEGES] = WORD_CREDENTIALS,
		[EVENT_IDMAP] = WORD_CREDENTIALS,
		[EVENT_CGROUP_MAKE] = WORD_CGROUP_CREATED,
		[EVENT_CGROUP_REMOVE] = WORD_CGROUP_REMOVED,
		[EVENT_CGROUP_ATTACH] = WORD_CGROUP_CHANGED,
	};

	if (record->action == EVENT_CREDENTIALS && is_about_capabilities(record))
		return WORD_CAPABILITIES;
	return words[record->action];
}

enum event_word event_line_word(const struct event_line *line)
{
	switch (line->kind) {
	case LINE_EVENT:
		return event_word(line->event->record);
	case LINE_SNAPSHOT:
		return WORD_SNAPSHOT;
	case LINE_CONTAINER_STARTED:
		return WORD_CONTAINER_STARTED;
	case LINE_CONTAINER_NAMED:
		return WORD_CONTAINER_NAMED;
	case LINE_CONTAINER_EXITED:
		return WORD_CONTAINER_EXITED;
	case LINE_GAP:
		return WORD_GAP;
	case LINE_INFO:
		break;
	}
	return WORD_INFO;
}

const char *event_line_action(const struct event_line *line)
{
	return event_actions[event_line_word(line)];
}

int event_format_by_name(const char *name, enum event_format *format)
{
	static const char *const names[EVENT_FORMATS] = {
		[EVENT_FORMAT_ECS] = "ecs",
		[EVENT_FORMAT_OTEL] = "otel",
		[EVENT_FORMAT_TEXT] = "text",
	};

	for (int i = 0; i < EVENT_FORMATS; i++) {
		if (!strcmp(name, names[i])) {
			*format = (enum event_format)i;
			return 0;
		}
	}
	return -EINVAL;
}
