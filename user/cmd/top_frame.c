/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cmd/command.h"
#include "cmd/top_private.h"
#include "output/canvas.h"
#include "output/screen.h"
#include "view/changes.h"

#define MESSAGE_NS (5 * TOP_NS_PER_S)

void top_say(struct top *top, const char *format, ...)
{
	va_list arguments;
	autofree char *sentence = NULL;

	va_start(arguments, format);
	if (vasprintf(&sentence, format, arguments) < 0)
		sentence = NULL;
	va_end(arguments);
	text_clear(&top->message);
	if (sentence)
		text_add_string(&top->message, sentence);
	top->message_until_ns = top_clock() + MESSAGE_NS;
}

/* How exactly it tells, best first: docs/hooks.md. */
static int tier_rank(enum hook_tier tier)
{
	static const enum hook_tier order[] = {TIER_TRACEPOINT, TIER_KPROBE, TIER_FENTRY,
					       TIER_SYSCALL};

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		if (order[i] == tier)
			return (int)i;
	}
	return -1;
}

static void summarize_hooks(struct top *top, struct top_summary *summary)
{
	struct hook_report hooks[HOOKS] = {0};
	enum hook_tier weakest = TIER_OFF;

	source_report(top->session->source, hooks);
	for (size_t id = 0; id < HOOKS; id++) {
		if (id == HOOK_COMPLETE || id == HOOK_SWEEP)
			continue;
		summary->hooks_wanted++;
		summary->hooks += hooks[id].tier != TIER_OFF;
		if (tier_rank(hooks[id].tier) > tier_rank(weakest))
			weakest = hooks[id].tier;
	}
	summary->mode = tier_name(weakest);
}

static const char *play_mode(const struct top *top)
{
	if (top_play_is_over(top))
		return "replay, at its end";
	return top->play.is_paused ? "replay, paused" : "replay";
}

static void summarize(struct top *top, struct top_summary *summary)
{
	const struct facts *facts = &top->app->facts;
	uint64_t now_ns = top->frozen ? top->frozen_ns : top_feed_now(top);

	*summary = (struct top_summary){
		.hostname = facts->hostname,
		.release = facts->release,
		.uptime_s = now_ns / TOP_NS_PER_S,
		.cpus = facts->cpus,
		.cpu_percent = load_cpu_percent(&top->load_before, &top->load),
		.memory_used_bytes = top->load.memory_used_bytes,
		.memory_bytes = facts->memory_bytes,
		.mode = top->lacking,
		.interval_s = (double)top->interval_ns / (double)TOP_NS_PER_S,
		.is_frozen = top->frozen,
		.now_epoch_ns = (int64_t)(now_ns + facts->boot_offset_ns),
		.events_per_s = top->events_per_s,
		.lost = top->lost,
	};
	if (top->feed == FEED_REPLAY)
		summary->mode = play_mode(top);
	else if (top->feed == FEED_EVENTS)
		summarize_hooks(top, summary);
}

/* How many events there were since the frame before, and how many are missing in all. */
static void count_events(struct top *top)
{
	struct hook_report hooks[HOOKS] = {0};
	uint64_t now_ns = top->feed == FEED_REPLAY ? top_feed_now(top) : top_clock();
	uint64_t seen = 0;

	/* A recording that stands still says what it said. */
	if (top->seen_ns == now_ns)
		return;
	top->events_per_s = -1;
	if (top->feed == FEED_SNAPSHOTS)
		return;
	source_report(top->session->source, hooks);
	top->lost = top->lost_unwritten;
	for (size_t id = 0; id < HOOKS; id++) {
		seen += hooks[id].seen;
		top->lost += hooks[id].lost + hooks[id].skipped;
	}
	if (top->seen_ns && now_ns > top->seen_ns && seen >= top->seen)
		top->events_per_s = (double)(seen - top->seen) * (double)TOP_NS_PER_S /
				    (double)(now_ns - top->seen_ns);
	else if (top->seen_ns && now_ns > top->seen_ns)
		top->events_per_s = 0;
	top->seen = seen;
	top->seen_ns = now_ns;
}

void top_frame_next(struct top *top)
{
	top->load_before = top->load;
	if (top->feed != FEED_REPLAY)
		load_read(top->app->facts.proc_path, &top->load);
	count_events(top);
	live_update(top->live, top_feed_now(top));
	top->is_stale = false;
	top_choose_again(top);
}

void top_frame_refresh(struct top *top)
{
	if (!top->is_stale || top->frozen)
		return;
	live_refresh(top->live, top_feed_now(top));
	top->is_stale = false;
	top_choose_again(top);
}

static size_t pane_moved(size_t place, uint64_t more)
{
	return more > INT64_MAX && place < -more ? 0 : place + more;
}

/* New lines push the old ones on, and one that takes the place of others draws them back: whoever
 * reads one, or has frozen the view, goes on reading it. */
static void follow_pane(struct top *top)
{
	uint64_t count = changes_count(top->changes) + changes_forgotten(top->changes);
	uint64_t more = count - top->pane_count;
	size_t last = changes_count(top->changes);

	top->pane_count = count;
	if (!more || (!top->frozen && !top->pane_selected && !top->pane_first))
		return;
	top->pane_selected = pane_moved(top->pane_selected, more);
	top->pane_first = pane_moved(top->pane_first, more);
	if (top->pane_selected >= last)
		top->pane_selected = last ? last - 1 : 0;
}

static void fill_frame(struct top *top, struct top_frame *frame)
{
	const struct top_editor *editor = &top->editor;

	*frame = (struct top_frame){
		.view = &top->view,
		.live = top->live,
		.changes = top->changes,
		.selected = top->screen ? top->selected : SIZE_MAX,
		.first = &top->first,
		.pane = top->pane,
		.pane_selected = top->pane_selected,
		.pane_first = &top->pane_first,
		.keys = top->help,
		.keys_count = top->help_count,
		.filter = top->filter_text,
		.memory = top->help_count ? &top->memory : NULL,
	};
	summarize(top, &frame->summary);
	if (top->message.length && top_clock() < top->message_until_ns)
		frame->message = text_string(&top->message);
	if (editor->kind)
		top_prompt_fill(top, &frame->prompt);
}

size_t top_frame_rows(struct top *top)
{
	struct top_frame frame;

	fill_frame(top, &frame);
	return top_rows(top->canvas, &frame);
}

void top_frame_paint(struct top *top)
{
	struct top_frame frame;

	follow_pane(top);
	fill_frame(top, &frame);
	canvas_clear(top->canvas);
	top_draw(top->canvas, &frame);
}

void top_frame_draw(struct top *top)
{
	struct top_page *page = &top->page;

	if (page->kind) {
		canvas_clear(top->canvas);
		top_draw_page(top->canvas, text_string(&page->title), &page->page, &page->first,
			      NULL);
	} else {
		top_frame_paint(top);
	}
	screen_show(top->screen, top->canvas);
}
