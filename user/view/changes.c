/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/changes.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "model/model.h"
#include "view/change_line.h"
#include "view/column.h"

struct changes {
	const struct view_context *view;
	struct change_line *lines; /* CHANGES_KEPT, used in turn */
	size_t next;
	size_t count;
	uint64_t forgotten;
	struct text who;
	struct text text;
};

static const char *const kind_words[PANE_KINDS] = {
	[PANE_EXEC] = "exec",       [PANE_CAPS] = "caps",       [PANE_USER] = "user",
	[PANE_USERNS] = "userns",   [PANE_NS] = "ns",           [PANE_PRIVILEGES] = "privs",
	[PANE_REFUSED] = "refused", [PANE_STARTED] = "started", [PANE_NAMED] = "named",
	[PANE_ENDED] = "ended",     [PANE_LOST] = "LOST",
};

struct changes *changes_new(const struct view_context *view)
{
	struct changes *changes = mem_new(sizeof(*changes));

	changes->view = view;
	changes->lines = mem_new(CHANGES_KEPT * sizeof(*changes->lines));
	return changes;
}

void changes_free(struct changes *changes)
{
	if (!changes)
		return;
	free(changes->lines);
	text_free(&changes->who);
	text_free(&changes->text);
	free(changes);
}

static enum change_kind kind_of_change(const struct event_record *record)
{
	if (record->changed & CHANGE_USER_NS)
		return PANE_USERNS;
	if (record->changed & (CHANGE_NS | CHANGE_CHILDREN))
		return PANE_NS;
	if (record->changed & (CHANGE_CAPS | CHANGE_SECUREBITS))
		return PANE_CAPS;
	if (record->changed & (CHANGE_IDS | CHANGE_GROUPS))
		return PANE_USER;
	return PANE_PRIVILEGES;
}

bool changes_kind(const struct event *event, const struct proc *proc, enum change_kind *kind)
{
	const struct event_record *record = event->record;

	if (record->error) {
		*kind = PANE_REFUSED;
		return true;
	}
	switch (record->action) {
	case EVENT_EXEC:
		*kind = PANE_EXEC;
		return record->changed || (proc && proc->container);
	case EVENT_IDMAP:
		*kind = PANE_USERNS;
		return true;
	case EVENT_FORK:
	case EVENT_CREDENTIALS:
	case EVENT_NAMESPACES:
	case EVENT_PRIVILEGES:
		*kind = kind_of_change(record);
		return record->changed;
	default:
		return false;
	}
}

/* What a later line may still tell in other words. */
#define RECENT_LINES 64
#define RECENT_NS 3000000000ULL

static struct change_line *changes_line(const struct changes *changes, size_t place)
{
	return &changes->lines[(changes->next + CHANGES_KEPT - 1 - place) % CHANGES_KEPT];
}

/* Takes out what `line` tells as well. How many changes that were. */
static uint64_t changes_take_out(struct changes *changes, const struct change_line *line)
{
	size_t recent = 0;
	size_t gone = 0;
	uint64_t steps = 0;

	while (recent < changes->count && recent < RECENT_LINES &&
	       changes_line(changes, recent)->time_boot_ns + RECENT_NS > line->time_boot_ns)
		recent++;
	while (recent--) {
		const struct change_line *older = changes_line(changes, recent);

		if (change_line_tells(line, older)) {
			gone++;
			steps += older->times;
		} else if (gone) {
			*changes_line(changes, recent + gone) = *older;
		}
	}
	changes->next = (changes->next + CHANGES_KEPT - gone) % CHANGES_KEPT;
	changes->count -= gone;
	return steps;
}

void changes_add(struct changes *changes, const struct change_source *source)
{
	const struct event *event = source->event;
	struct change_line line;

	/* What a container's own processes start, and changes nothing, is its daily work. */
	if (source->kind == PANE_EXEC && event && !event->record->changed &&
	    !change_is_entering(source))
		return;
	if (changes->count && change_line_repeats(changes_line(changes, 0), source)) {
		change_line_merge(changes_line(changes, 0), source);
		return;
	}
	change_line_take(&line, source);
	line.steps = changes_take_out(changes, &line);
	changes->lines[changes->next] = line;
	changes->next = (changes->next + 1) % CHANGES_KEPT;
	if (changes->count < CHANGES_KEPT)
		changes->count++;
	else
		changes->forgotten++;
}

size_t changes_count(const struct changes *changes)
{
	return changes->count;
}

void changes_get(struct changes *changes, size_t place, struct change *change)
{
	const struct change_line *line = changes_line(changes, place);

	text_clear(&changes->who);
	text_clear(&changes->text);
	change_line_who(line, &changes->who);
	change_line_text(line, changes->view, &changes->text);
	*change = (struct change){
		.kind = line->kind,
		.time_boot_ns = line->time_boot_ns,
		.pid = line->tgid,
		.start_boot_ns = line->start_boot_ns,
		.word = kind_words[line->kind],
		.container = line->container[0] ? line->container : "-",
		.who = text_string(&changes->who),
		.text = text_string(&changes->text),
		.is_loud = change_line_is_loud(line, changes->view),
	};
}

uint64_t changes_forgotten(const struct changes *changes)
{
	return changes->forgotten;
}
