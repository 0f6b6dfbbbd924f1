/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of `nsview top` share. top.c is its life and its one loop; top_feed.c brings the
 * processes (events, snapshots or a recording) and top_play.c the recording's time; top_frame.c makes
 * a frame of them; top_keys.c is the table of keys, top_move.c, top_prompt.c, top_page.c and
 * top_freeze.c what they do; top_write.c writes the view to a file.
 */
#ifndef NSVIEW_CMD_TOP_PRIVATE_H
#define NSVIEW_CMD_TOP_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "cmd/session.h"
#include "host/load.h"
#include "output/top.h"
#include "source/source.h"
#include "view/column.h"
#include "view/live.h"
#include "view/page.h"

struct app;
struct canvas;
struct changes;
struct column;
struct filter;
struct model;
struct proc;
struct screen;
struct top;
struct top_frozen;
struct watch;

#define TOP_NS_PER_S 1000000000ULL
#define TOP_NS_PER_MS 1000000ULL

struct top_options {
	struct select_options select;
	const char *delay;
	bool is_once;
};

/* What a key has done; the loop sees to the rest. */
enum top_flag {
	TOP_REDRAW = 1 << 0, /* draw again what there is */
	TOP_RESORT = 1 << 1, /* other rows, or in another order */
	TOP_FRAME = 1 << 2,  /* look at the processes again at once */
	TOP_QUIT = 1 << 3,
};

/* Where the processes come from. */
enum top_feed {
	FEED_EVENTS,    /* a watch: the kernel tells each change */
	FEED_SNAPSHOTS, /* nobody does: each frame looks at all of them anew */
	FEED_REPLAY,    /* a watch over a recording */
};

/* The row that keys act on, whichever place it gets. */
struct top_choice {
	bool is_group;
	uint64_t key; /* of the group */
	uint32_t pid;
	uint64_t start_boot_ns;
};

/* The line that is being typed. */
struct top_editor {
	const struct top_prompt_kind *kind; /* NULL: none */
	struct text text;
	size_t cursor; /* in bytes */
	struct text complaint;
	size_t complaint_at;
	bool is_vain;             /* a search that found nothing */
	char *subject;            /* what a question is about: the file that is there already */
	struct top_choice origin; /* the row that a search began at */
};

enum top_page_kind {
	TOP_NO_PAGE,
	TOP_PAGE_HELP,
	TOP_PAGE_INSPECT,
	TOP_PAGE_INSIDE,
};

struct top_page {
	enum top_page_kind kind;
	struct page page;
	struct text title;
	size_t first;
	struct top_choice subject;
};

/* A recording's time. */
struct top_play {
	struct source_span span;
	uint64_t now_ns; /* boot clock of the recorded machine */
	bool is_paused;
	bool is_owed; /* now_ns was moved, and nothing is there yet of it */
	bool is_back; /* and once it was moved back */
};

struct top {
	struct app *app;
	const struct top_options *options;
	struct select_options select; /* without --filter, which `f` edits */
	uint64_t interval_ns;

	enum top_feed feed;
	struct watch *watch; /* FEED_SNAPSHOTS: NULL */
	struct session snapshots;
	struct session *session;  /* the watch's, or that */
	struct view_context view; /* the session's, with limits of its own */
	uint64_t limits_ns;       /* when those were made */
	bool has_new_container;
	const char *lacking; /* what the source cannot tell, for the summary */
	struct top_play play;

	struct live *live;
	struct changes *changes;
	struct live_settings settings;
	struct filter *filter;
	char *filter_text; /* NULL: none */
	char *search;      /* NULL: none */

	struct screen *screen; /* NULL: --once */
	struct canvas *canvas;
	struct top_memory memory;
	struct load load;
	struct load load_before;
	uint64_t seen; /* events, at the frame before */
	uint64_t seen_ns;
	double events_per_s;
	uint64_t lost;
	uint64_t lost_unwritten;   /* of a recording: no hook's, but what the disk did not take */
	uint64_t frame_ns;         /* when the next one is due, on the monotonic clock */
	bool is_stale;             /* events have changed the model since the rows were made */
	struct top_frozen *frozen; /* NULL: it goes on */
	uint64_t frozen_ns;        /* boot clock */

	struct top_choice choice;
	bool has_chosen; /* else the first row is meant, whichever it is */
	size_t selected;
	size_t first;
	enum top_pane pane;
	size_t pane_selected;
	size_t pane_first;
	uint64_t pane_count; /* lines that the pane ever had, when it was last drawn */

	struct top_editor editor;
	struct top_page page;
	struct text message;
	uint64_t message_until_ns;

	struct top_key_help *help; /* of the keys that do something here */
	size_t help_count;
};

/* top.c */
uint64_t top_clock(void); /* monotonic, ns */

/* top_feed.c: an exit code; what went wrong has been said. */
int top_feed_open(struct top *top);
int top_feed_close(struct top *top);
/* Waits until that moment of the monotonic clock at most, for a key or for events. -errno: said. */
int top_feed_wait(struct top *top, uint64_t until_ns);
/* Brings the model up to date for a frame. -errno: said. */
int top_feed_sample(struct top *top);
uint64_t top_feed_now(const struct top *top); /* boot clock of the machine that is shown */
/* A container or pid that was asked for and is not there. An exit code; said. */
int top_feed_check(struct top *top);
/* Memory limits and the like are read again; the session's view is taken over. */
void top_feed_refresh_view(struct top *top);
/* A recording: what there is up to where it is played to. Lines, -ENODATA: its end, or -errno. */
int top_feed_run(struct top *top);
/* All that rows were made of goes: the recording begins again. An exit code. */
int top_feed_restart(struct top *top);

/* top_play.c */
int top_play_start(struct top *top);
/* The recording's time goes on by ns of ours, unless it is paused. -errno: said. */
int top_play_advance(struct top *top, uint64_t ns);
void top_play_step(struct top *top, bool is_back);
/* Goes where the steps lead; before any other key, and before a frame. -errno: said. */
int top_play_settle(struct top *top);
void top_play_pause(struct top *top, bool is_paused);
bool top_play_is_over(const struct top *top);

/* top_frame.c */
void top_frame_next(struct top *top);    /* the processes have been brought up to date */
void top_frame_refresh(struct top *top); /* they have changed, and no frame has passed */
void top_frame_paint(struct top *top);   /* on the canvas */
void top_frame_draw(struct top *top);    /* and from there on the screen */
size_t top_frame_rows(struct top *top);  /* of the table, that fit */
void top_say(struct top *top, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* top_freeze.c: what from is now. */
struct top_frozen *top_freeze(struct model *from);
struct model *top_frozen_model(const struct top_frozen *frozen);
void top_thaw(struct top_frozen *frozen); /* takes NULL */

/* top_keys.c: enum top_flag. */
unsigned int top_key_press(struct top *top, uint32_t key);
void top_keys_collect(struct top *top); /* help and last line */

/* top_move.c */
unsigned int top_move(struct top *top, uint32_t key);
/* The selected row; NULL: there is none. */
const struct live_row *top_chosen(const struct top *top);
void top_choose(struct top *top, size_t row);
/* After rows have changed: finds the chosen one again. */
void top_choose_again(struct top *top);
/* false: nothing. */
bool top_find(struct top *top, bool is_backward, bool from_next);
unsigned int top_fold(struct top *top);
unsigned int top_go(struct top *top); /* from the pane's line to its process */

/* top_prompt.c */
unsigned int top_prompt_search(struct top *top);
unsigned int top_prompt_search_on(struct top *top, bool is_backward); /* n, N */
unsigned int top_prompt_filter(struct top *top);
unsigned int top_prompt_sort(struct top *top);
unsigned int top_prompt_user(struct top *top);
unsigned int top_prompt_write(struct top *top);
unsigned int top_prompt_key(struct top *top, uint32_t key);
void top_prompt_fill(struct top *top, struct top_prompt *prompt);
void top_prompt_close(struct top *top);
/* --filter. -EINVAL: said in complaint; *at: the byte where it went wrong. */
int top_filter_set(struct top *top, const char *expression, struct text *complaint, size_t *at);

/* top_page.c */
unsigned int top_page_open(struct top *top, enum top_page_kind kind);
unsigned int top_page_key(struct top *top, uint32_t key);
void top_page_make(struct top *top);
void top_page_close(struct top *top);

/* top_write.c: 0, -EEXIST: there is such a file, and may_replace was not given, or -errno. */
int top_write(struct top *top, const char *path, bool may_replace);
int top_write_once(struct top *top);   /* --once, to standard output */
char *top_write_path(struct top *top); /* where it would be well: to be freed */

#endif
