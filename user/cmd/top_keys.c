/* SPDX-License-Identifier: GPL-2.0-only */
/* Every key that does something is one row here, and the row is also its line of the help. */
#include <string.h>

#include "base/mem.h"
#include "cmd/top_private.h"
#include "output/screen.h"
#include "view/column.h"

#define CONTROL(letter) ((letter) - '@')
#define KEYS_MAX 6

/* Where a row means anything. */
enum key_place {
	KEY_ANYWHERE,
	KEY_LIVE,     /* not in a recording */
	KEY_EVENTFUL, /* where there is a pane */
	KEY_REPLAY,
};

struct top_key {
	struct top_key_help text;
	enum key_place place;
	unsigned int (*act)(struct top *top, uint32_t key);
	uint32_t keys[KEYS_MAX]; /* the first 0 ends them */
};

static unsigned int key_help(struct top *top, uint32_t key)
{
	(void)key;
	return top_page_open(top, TOP_PAGE_HELP);
}

static unsigned int key_search(struct top *top, uint32_t key)
{
	(void)key;
	return top_prompt_search(top);
}

static unsigned int key_search_on(struct top *top, uint32_t key)
{
	return top_prompt_search_on(top, key == 'N');
}

static unsigned int key_filter(struct top *top, uint32_t key)
{
	(void)key;
	return top_prompt_filter(top);
}

static unsigned int key_tree(struct top *top, uint32_t key)
{
	(void)key;
	top->settings.is_tree = !top->settings.is_tree;
	return TOP_RESORT | TOP_REDRAW;
}

static unsigned int key_sort(struct top *top, uint32_t key)
{
	(void)key;
	return top_prompt_sort(top);
}

static unsigned int key_reverse(struct top *top, uint32_t key)
{
	(void)key;
	top->settings.is_reversed = !top->settings.is_reversed;
	return TOP_RESORT | TOP_REDRAW;
}

/* Whoever asks for these wants to see the largest. */
static unsigned int key_sort_by(struct top *top, uint32_t key)
{
	const char *nearest;

	top->settings.sort = column_find(key == 'P'   ? "cpu"
					 : key == 'M' ? "rss"
						      : "time",
					 &nearest);
	top->settings.is_reversed = true;
	return TOP_RESORT | TOP_REDRAW;
}

static unsigned int key_user(struct top *top, uint32_t key)
{
	(void)key;
	return top_prompt_user(top);
}

/* A recording that plays is paused by it, as everywhere. */
static unsigned int key_fold(struct top *top, uint32_t key)
{
	(void)key;
	if (top->feed != FEED_REPLAY || top->play.is_paused || top_play_is_over(top))
		return top_fold(top);
	top_play_pause(top, true);
	return TOP_REDRAW;
}

static unsigned int key_fold_all(struct top *top, uint32_t key)
{
	live_fold_all(top->live, key == '-');
	top_choose_again(top);
	return TOP_REDRAW;
}

static unsigned int key_enter(struct top *top, uint32_t key)
{
	(void)key;
	return top->pane == TOP_PANE_FOCUSED ? top_go(top) : top_page_open(top, TOP_PAGE_INSPECT);
}

static unsigned int key_inside(struct top *top, uint32_t key)
{
	(void)key;
	return top_page_open(top, TOP_PAGE_INSIDE);
}

static unsigned int key_events(struct top *top, uint32_t key)
{
	(void)key;
	top->pane = top->pane == TOP_PANE_NONE ? TOP_PANE_SHOWN : TOP_PANE_NONE;
	top->pane_first = top->pane_selected = 0;
	return TOP_REDRAW;
}

static unsigned int key_focus(struct top *top, uint32_t key)
{
	(void)key;
	top->pane = top->pane == TOP_PANE_FOCUSED ? TOP_PANE_SHOWN : TOP_PANE_FOCUSED;
	return TOP_REDRAW;
}

/* Out of the pane; then what was said is read. */
static unsigned int key_escape(struct top *top, uint32_t key)
{
	(void)key;
	if (top->pane == TOP_PANE_FOCUSED)
		top->pane = TOP_PANE_SHOWN;
	return TOP_REDRAW;
}

/* The rows leave the model that stood still before it goes. */
static unsigned int thaw(struct top *top)
{
	struct top_frozen *frozen = top->frozen;

	top->frozen = NULL;
	top_feed_refresh_view(top);
	live_refresh(top->live, top_feed_now(top));
	top_thaw(frozen);
	top_choose_again(top);
	return TOP_REDRAW | TOP_FRAME;
}

static unsigned int key_freeze(struct top *top, uint32_t key)
{
	(void)key;
	if (top->feed == FEED_REPLAY) {
		top_play_pause(top, !top->play.is_paused);
		return TOP_REDRAW;
	}
	if (top->frozen)
		return thaw(top);
	top->frozen = top_freeze(top->view.model);
	top->frozen_ns = top_feed_now(top);
	top->view.model = top_frozen_model(top->frozen);
	live_refresh(top->live, top_feed_now(top));
	top_choose_again(top);
	return TOP_REDRAW;
}

static unsigned int key_step(struct top *top, uint32_t key)
{
	top_play_step(top, key == KEY_LEFT_ARROW);
	return TOP_REDRAW;
}

static unsigned int key_write(struct top *top, uint32_t key)
{
	(void)key;
	return top_prompt_write(top);
}

static unsigned int key_redraw(struct top *top, uint32_t key)
{
	(void)key;
	screen_redraw(top->screen);
	return TOP_REDRAW;
}

static unsigned int key_quit(struct top *top, uint32_t key)
{
	(void)top;
	(void)key;
	return TOP_QUIT;
}

/* brief: in the last line, in this order. */
static const struct top_key keys[] = {
	{.text = {"F1 h ?", "Help", "this page"},
	 .keys = {KEY_FUNCTION + 1, 'h', '?'},
	 .act = key_help},
	{.text = {"F3 /", "Search", "search the rows that are open, for each letter typed"},
	 .keys = {KEY_FUNCTION + 3, '/'},
	 .act = key_search},
	{.text = {"n N", NULL, "the next row found, the one before"},
	 .keys = {'n', 'N'},
	 .act = key_search_on},
	{.text = {"F4 \\ f", "Filter", "show what an expression holds for: as ps --filter"},
	 .keys = {KEY_FUNCTION + 4, '\\', 'f'},
	 .act = key_filter},
	{.text = {"F5 t", "Tree", "each process below its parent"},
	 .keys = {KEY_FUNCTION + 5, 't'},
	 .act = key_tree},
	{.text = {"F6 > s", "Sort", "the processes of each group by any column of ps"},
	 .keys = {KEY_FUNCTION + 6, '>', 's'},
	 .act = key_sort},
	{.text = {"I", NULL, "the other way round"}, .keys = {'I'}, .act = key_reverse},
	{.text = {"P M T", NULL, "by CPU, memory or time, the largest first"},
	 .keys = {'P', 'M', 'T'},
	 .act = key_sort_by},
	{.text = {"u", NULL, "one user's processes only"}, .keys = {'u'}, .act = key_user},
	{.text = {"Space", NULL, "fold or open this group; a recording that plays is paused"},
	 .keys = {' '},
	 .act = key_fold},
	{.text = {"+ -", "Fold", "open all groups, fold all"},
	 .keys = {'+', '-'},
	 .act = key_fold_all},
	{.text = {"Enter", "Inspect", "all about this row; in the pane: go to the process"},
	 .keys = {KEY_RETURN},
	 .act = key_enter},
	{.text = {"i", "Inside", "what ps aux shows in this container, live"},
	 .keys = {'i'},
	 .act = key_inside},
	{.text = {"e", "Events", "show or hide the latest changes"},
	 .place = KEY_EVENTFUL,
	 .keys = {'e'},
	 .act = key_events},
	{.text = {"Tab", NULL, "into the changes, and back: arrows scroll, Enter goes there"},
	 .place = KEY_EVENTFUL,
	 .keys = {KEY_TABULATOR},
	 .act = key_focus},
	{.text = {"p", "Freeze", "stop looking, and go on"},
	 .place = KEY_LIVE,
	 .keys = {'p'},
	 .act = key_freeze},
	{.text = {"p", "Play", "pause the recording, and go on"},
	 .place = KEY_REPLAY,
	 .keys = {'p'},
	 .act = key_freeze},
	{.text = {"Left Right", "Step", "back and on in the recording, paused"},
	 .place = KEY_REPLAY,
	 .keys = {KEY_LEFT_ARROW, KEY_RIGHT_ARROW},
	 .act = key_step},
	{.text = {"w", NULL, "write the view to a file: text, or JSON if it ends in .json"},
	 .keys = {'w'},
	 .act = key_write},
	{.text = {"arrows, PgUp PgDn, Home End", NULL, "move"},
	 .keys = {KEY_UP_ARROW, KEY_DOWN_ARROW, KEY_PAGE_UP, KEY_PAGE_DOWN, KEY_TO_START,
		  KEY_TO_END},
	 .act = top_move},
	{.text = {"Esc", NULL, "leave what was begun; the old filter stays"},
	 .keys = {KEY_ESCAPE},
	 .act = key_escape},
	{.text = {"Ctrl-L", NULL, "draw everything anew"},
	 .keys = {KEY_REDRAWN},
	 .act = key_redraw},
	{.text = {"F10 q Ctrl-C", "Quit", "end; nothing stays behind"},
	 .keys = {KEY_FUNCTION + 10, 'q', CONTROL('C')},
	 .act = key_quit},
};

static bool is_here(const struct top *top, const struct top_key *row)
{
	switch (row->place) {
	case KEY_LIVE:
		return top->feed != FEED_REPLAY;
	case KEY_EVENTFUL:
		return top->feed != FEED_SNAPSHOTS;
	case KEY_REPLAY:
		return top->feed == FEED_REPLAY;
	default:
		return true;
	}
}

void top_keys_collect(struct top *top)
{
	top->help = mem_resize(top->help, ARRAY_SIZE(keys), sizeof(*top->help));
	top->help_count = 0;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (is_here(top, &keys[i]))
			top->help[top->help_count++] = keys[i].text;
	}
}

static const struct top_key *find(const struct top *top, uint32_t key)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		for (size_t j = 0; j < KEYS_MAX && keys[i].keys[j]; j++) {
			if (keys[i].keys[j] == key && is_here(top, &keys[i]))
				return &keys[i];
		}
	}
	return NULL;
}

/* Whoever has the keyboard. */
unsigned int top_key_press(struct top *top, uint32_t key)
{
	const struct top_key *row;

	top->message_until_ns = 0; /* it has been read */
	if (key == KEY_GONE)
		return TOP_QUIT;
	if (key == KEY_STOPPED) {
		screen_suspend(top->screen);
		return TOP_FRAME | TOP_REDRAW;
	}
	if (key == KEY_REDRAWN)
		return key_redraw(top, key);
	if (key == CONTROL('C'))
		return TOP_QUIT;
	if (top->editor.kind)
		return top_prompt_key(top, key);
	if (top->page.kind)
		return top_page_key(top, key);
	row = find(top, key);
	return row ? row->act(top, key) : TOP_REDRAW;
}
