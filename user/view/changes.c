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
	uint64_t added;
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

static struct change_line *changes_line(const struct changes *changes, size_t place)
{
	return &changes->lines[(changes->added - 1 - place) % CHANGES_KEPT];
}

void changes_add(struct changes *changes, const struct change_source *source)
{
	struct change_line *line = &changes->lines[changes->added % CHANGES_KEPT];
	const struct event *event = source->event;

	/* What a container's own processes start, and changes nothing, is its daily work. */
	if (source->kind == PANE_EXEC && event && !event->record->changed &&
	    !change_is_entering(source))
		return;
	if (changes->added && change_line_repeats(changes_line(changes, 0), source)) {
		change_line_merge(changes_line(changes, 0), source);
		return;
	}
	change_line_take(line, source);
	changes->added++;
}

size_t changes_count(const struct changes *changes)
{
	return changes->added < CHANGES_KEPT ? (size_t)changes->added : CHANGES_KEPT;
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
	return changes->added - changes_count(changes);
}
