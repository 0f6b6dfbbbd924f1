/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/changes.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "model/model.h"
#include "view/change_line.h"
#include "view/column.h"

/*
 * What is most of a storm, programs that start and change nothing, pushes out its like only: one
 * that changed its user an hour ago is still there.
 */
struct shelf {
	struct change_line *lines;
	size_t capacity;
	size_t next; /* where the next one goes */
	size_t count;
};

#define PLAIN_KEPT (CHANGES_KEPT / 4)

struct changes {
	const struct view_context *view;
	struct shelf plain;
	struct shelf others;
	uint64_t added;
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
	changes->plain.capacity = PLAIN_KEPT;
	changes->others.capacity = CHANGES_KEPT - PLAIN_KEPT;
	changes->plain.lines = mem_new(changes->plain.capacity * sizeof(struct change_line));
	changes->others.lines = mem_new(changes->others.capacity * sizeof(struct change_line));
	return changes;
}

void changes_free(struct changes *changes)
{
	if (!changes)
		return;
	free(changes->plain.lines);
	free(changes->others.lines);
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

void changes_add(struct changes *changes, const struct change_source *source)
{
	bool is_plain =
		source->kind == PANE_EXEC && source->event && !source->event->record->changed;
	struct shelf *shelf = is_plain ? &changes->plain : &changes->others;
	struct change_line *line = &shelf->lines[shelf->next];

	shelf->next = (shelf->next + 1) % shelf->capacity;
	if (shelf->count < shelf->capacity)
		shelf->count++;
	else
		changes->forgotten++;
	change_line_take(line, source);
	line->number = changes->added++;
}

size_t changes_count(const struct changes *changes)
{
	return changes->plain.count + changes->others.count;
}

/* From the newest one on. */
static const struct change_line *shelf_line(const struct shelf *shelf, size_t place)
{
	return &shelf->lines[(shelf->next + shelf->capacity - 1 - place) % shelf->capacity];
}

static bool is_newer(const struct changes *changes, size_t plain, size_t other)
{
	if (plain >= changes->plain.count || other >= changes->others.count)
		return plain < changes->plain.count;
	return shelf_line(&changes->plain, plain)->number >
	       shelf_line(&changes->others, other)->number;
}

/* The two shelves as one list, newest first. */
static const struct change_line *changes_line(const struct changes *changes, size_t place)
{
	size_t plain = 0;

	for (size_t i = 0; i < place; i++)
		plain += is_newer(changes, plain, i - plain);
	return is_newer(changes, plain, place - plain)
		       ? shelf_line(&changes->plain, plain)
		       : shelf_line(&changes->others, place - plain);
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
