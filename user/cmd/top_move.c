/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/top_private.h"
#include "model/model.h"
#include "output/screen.h"
#include "view/changes.h"

const struct live_row *top_chosen(const struct top *top)
{
	size_t count;
	const struct live_row *rows = live_rows(top->live, &count);

	return top->selected < count ? &rows[top->selected] : NULL;
}

static struct top_choice choice_of(const struct live_row *row)
{
	return (struct top_choice){
		.is_group = !row->proc,
		.key = row->group->key,
		.pid = row->proc ? row->proc->task->tgid : 0,
		.start_boot_ns = row->proc ? row->proc->task->start_boot_ns : 0,
	};
}

static bool is_chosen(const struct live_row *row, const struct top_choice *choice)
{
	if (choice->is_group)
		return !row->proc && row->group->key == choice->key;
	return row->proc && row->proc->task->tgid == choice->pid &&
	       row->proc->task->start_boot_ns == choice->start_boot_ns;
}

void top_choose(struct top *top, size_t row)
{
	size_t count;
	const struct live_row *rows = live_rows(top->live, &count);

	if (!count) {
		top->selected = SIZE_MAX;
		return;
	}
	top->selected = row < count ? row : count - 1;
	top->choice = choice_of(&rows[top->selected]);
}

/* Where it was, in most frames; else wherever it is now; where it has gone, what took its place. */
void top_choose_again(struct top *top)
{
	size_t count;
	const struct live_row *rows = live_rows(top->live, &count);

	if (!top->has_chosen) {
		top_choose(top, 0);
		return;
	}
	if (top->selected < count && is_chosen(&rows[top->selected], &top->choice))
		return;
	for (size_t i = 0; i < count && top->selected != SIZE_MAX; i++) {
		if (is_chosen(&rows[i], &top->choice)) {
			top->selected = i;
			return;
		}
	}
	top_choose(top, top->selected == SIZE_MAX ? 0 : top->selected);
}

static size_t moved(size_t at, size_t count, size_t page, uint32_t key)
{
	size_t last = count ? count - 1 : 0;

	switch (key) {
	case KEY_UP_ARROW:
		return at ? at - 1 : 0;
	case KEY_DOWN_ARROW:
		return at < last ? at + 1 : last;
	case KEY_PAGE_UP:
		return at > page ? at - page : 0;
	case KEY_PAGE_DOWN:
		return last - at > page ? at + page : last;
	case KEY_TO_START:
		return 0;
	case KEY_TO_END:
		return last;
	default:
		return at;
	}
}

unsigned int top_move(struct top *top, uint32_t key)
{
	size_t page = top_frame_rows(top);
	size_t count;

	if (top->pane == TOP_PANE_FOCUSED) {
		top->pane_selected = moved(top->pane_selected, changes_count(top->changes), 5, key);
		return TOP_REDRAW;
	}
	live_rows(top->live, &count);
	if (top->selected == SIZE_MAX)
		top->selected = 0;
	top->has_chosen = true;
	top_choose(top, moved(top->selected, count, page > 1 ? page - 1 : 1, key));
	return TOP_REDRAW;
}

bool top_find(struct top *top, bool is_backward, bool from_next)
{
	size_t from = top->selected == SIZE_MAX ? 0 : top->selected;
	size_t count, found;

	live_rows(top->live, &count);
	if (from_next && count)
		from = is_backward ? (from + count - 1) % count : (from + 1) % count;
	found = live_find(top->live, top->search, from, is_backward);
	if (found == SIZE_MAX)
		return false;
	top->has_chosen = true;
	top_choose(top, found);
	return true;
}

unsigned int top_fold(struct top *top)
{
	const struct live_row *row = top_chosen(top);
	uint64_t key;

	if (!row)
		return 0;
	key = row->group->key;
	live_fold(top->live, key, !row->group->is_folded);
	top->has_chosen = true;
	top->choice = (struct top_choice){.is_group = true, .key = key};
	top_choose_again(top);
	return TOP_REDRAW;
}

unsigned int top_go(struct top *top)
{
	struct change change;
	size_t row;

	if (top->pane_selected >= changes_count(top->changes))
		return 0;
	changes_get(top->changes, top->pane_selected, &change);
	row = change.pid ? live_go(top->live, change.pid, change.start_boot_ns) : SIZE_MAX;
	if (row == SIZE_MAX) {
		top_say(top, change.pid ? "that process has ended, or is not selected"
					: "that line is about no process");
		return TOP_REDRAW;
	}
	top->has_chosen = true;
	top_choose(top, row);
	top->pane = TOP_PANE_SHOWN;
	return TOP_REDRAW;
}
