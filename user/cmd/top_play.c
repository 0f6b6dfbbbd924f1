/* SPDX-License-Identifier: GPL-2.0-only */
/* A recording as time: it goes on as ours does, stands still, or is moved through in steps. There is
 * no way back but from its start: what ended is not in the model any more. */
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd/command.h"
#include "cmd/replay.h"
#include "cmd/top_private.h"
#include "cmd/watch.h"
#include "view/changes.h"

/* Up to play.now_ns, whatever happened until then. */
static int play_run(struct top *top)
{
	struct top_play *play = &top->play;
	int r;

	if (play->now_ns > play->span.end_ns)
		play->now_ns = play->span.end_ns;
	r = watch_play(top->watch, play->now_ns, &play->span);
	if (!r)
		r = top_feed_run(top);
	if (r >= 0 && top_play_is_over(top))
		r = top_feed_run(top); /* the end is only told of when nothing else is left */
	replay_clock(top->session);
	top_feed_refresh_view(top);
	if (r < 0 && r != -ENODATA)
		return log_fail(r, "read the recording");
	return replay_pause(top->session);
}

bool top_play_is_over(const struct top *top)
{
	return top->feed == FEED_REPLAY && top->play.now_ns >= top->play.span.end_ns;
}

/* To --at, which then is where one looks; else its start, for a frame of it all to its end. */
int top_play_start(struct top *top)
{
	struct top_play *play = &top->play;
	int r = watch_play(top->watch, 0, &play->span);

	if (r)
		return log_fail(r, "play the recording");
	play->is_paused = play->span.at_ns;
	play->now_ns = play->span.at_ns        ? play->span.at_ns
		       : top->options->is_once ? play->span.end_ns
					       : play->span.start_ns;
	return play_run(top);
}

int top_play_advance(struct top *top, uint64_t ns)
{
	struct top_play *play = &top->play;

	if (play->is_paused || top_play_is_over(top))
		return 0;
	play->now_ns += ns;
	return play_run(top);
}

void top_play_pause(struct top *top, bool is_paused)
{
	top->play.is_paused = is_paused;
}

/* Which groups were open: those who begin anew do not know it. */
struct play_folds {
	struct {
		uint64_t key;
		bool is_folded;
	} * items;
	size_t count;
};

static void folds_take(const struct top *top, struct play_folds *folds)
{
	const struct live_group *groups = live_groups(top->live, &folds->count);

	folds->items = mem_resize(NULL, folds->count + 1, sizeof(*folds->items));
	for (size_t i = 0; i < folds->count; i++) {
		folds->items[i].key = groups[i].key;
		folds->items[i].is_folded = groups[i].is_folded;
	}
}

static int play_again(struct top *top)
{
	struct play_folds folds;

	folds_take(top, &folds);
	live_free(top->live);
	changes_free(top->changes);
	top->live = NULL;
	top->changes = NULL;
	top->pane_count = top->pane_first = top->pane_selected = 0;
	top->lost_unwritten = 0;
	if (top_feed_restart(top) != EXIT_DONE) {
		free(folds.items);
		return -EIO;
	}
	top->live = live_new(&top->view);
	top->changes = changes_new(&top->view);
	live_set(top->live, &top->settings);
	live_update(top->live, top_feed_now(top));
	for (size_t i = 0; i < folds.count; i++)
		live_fold(top->live, folds.items[i].key, folds.items[i].is_folded);
	free(folds.items);
	return 0;
}

void top_play_step(struct top *top, bool is_back)
{
	struct top_play *play = &top->play;

	play->is_paused = true;
	play->is_owed = true;
	play->is_back |= is_back;
	if (!is_back && play->span.end_ns > play->now_ns + top->interval_ns)
		play->now_ns += top->interval_ns;
	else if (!is_back)
		play->now_ns = play->span.end_ns;
	else if (play->now_ns > play->span.start_ns + top->interval_ns)
		play->now_ns -= top->interval_ns;
	else
		play->now_ns = play->span.start_ns;
}

/* However many steps a held key has asked for meanwhile, the way is gone once. */
int top_play_settle(struct top *top)
{
	struct top_play *play = &top->play;
	bool is_back = play->is_back;
	int r = 0;

	if (!play->is_owed)
		return 0;
	play->is_owed = play->is_back = false;
	if (is_back)
		r = play_again(top);
	if (!r)
		r = play_run(top);
	if (!r)
		top_frame_next(top);
	return r;
}
