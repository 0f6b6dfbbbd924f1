/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "cmd/command.h"
#include "cmd/top_private.h"
#include "output/canvas.h"
#include "output/screen.h"
#include "view/changes.h"
#include "view/query.h"

#define INTERVAL_NS TOP_NS_PER_S
#define INTERVAL_MIN_S 0.1
#define INTERVAL_MAX_S 3600.0
#define KEYS_AT_ONCE 64    /* pasted, or held down: a frame is due now and then */
#define PANE_HEIGHT_MIN 16 /* of a terminal that the pane is shown on at first */

#define TOP(field) offsetof(struct top_options, field)

static const struct option top_option_table[] = {
	{.name = "delay",
	 .letter = 'd',
	 .argument = "SECONDS",
	 .help = "between two looks; 1",
	 .kind = OPTION_TEXT,
	 .offset = TOP(delay)},
	{.name = "once",
	 .help = "print one frame, of two looks that far apart, and end",
	 .kind = OPTION_FLAG,
	 .offset = TOP(is_once)},
	{.kind = OPTION_INCLUDE, .include = select_option_table, .offset = TOP(select)},
	OPTIONS_END,
};

/* A signal's handler can reach nothing else. */
static volatile sig_atomic_t top_is_ended;

static void take_signal(int signal_number)
{
	(void)signal_number;
	top_is_ended = 1;
}

static void catch_signals(void)
{
	static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = take_signal};
	struct sigaction ignored = {.sa_handler = SIG_IGN};

	for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
		sigaction(ending[i], &action, NULL);
	sigaction(SIGPIPE, &ignored, NULL); /* the write says so */
}

uint64_t top_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * TOP_NS_PER_S + (uint64_t)now.tv_nsec;
}

static int read_delay(const char *word, uint64_t *interval_ns)
{
	char *end = NULL;
	double seconds;

	*interval_ns = INTERVAL_NS;
	if (!word)
		return 0;
	errno = 0;
	seconds = strtod(word, &end);
	if (errno || end == word || *end || !(seconds >= INTERVAL_MIN_S) ||
	    !(seconds <= INTERVAL_MAX_S))
		return log_error(-EINVAL, "-d takes seconds from 0.1 to 3600, as 2 or 0.5, not %s",
				 word);
	*interval_ns = (uint64_t)(seconds * (double)TOP_NS_PER_S);
	return 0;
}

/* NO_COLOR: https://no-color.org */
static bool wants_colour(void)
{
	const char *no_color = getenv("NO_COLOR");

	return !(no_color && *no_color);
}

/* What is said while the screen is taken goes into its line of messages. */
static void say(void *context, const char *sentence)
{
	top_say(context, "%.*s", (int)strcspn(sentence, "\n"), sentence);
}

static int check_usage(const struct top_options *options, int argc, char **argv)
{
	if (argc > 1)
		return log_error(
			-EINVAL,
			"top takes no word %s: -c selects a container, -p a pid, -u a user",
			argv[1]);
	if (options->is_once || (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)))
		return 0;
	return log_error(-ENOTTY, "top needs a terminal to show its table on: `nsview top --once` "
				  "prints one frame, `nsview ps` all processes");
}

/* --filter, as `f` has it: what it leaves out may be wanted later. */
static int apply_filter(struct top *top)
{
	struct text complaint = {0};
	size_t at;
	int r = top_filter_set(top, top->options->select.filter, &complaint, &at);

	if (r)
		log_lines(text_string(&complaint));
	text_free(&complaint);
	return r ? EXIT_USAGE : EXIT_DONE;
}

/* An exit code. */
static int start(struct top *top)
{
	int exit_code = top_feed_open(top);

	if (exit_code == EXIT_DONE)
		exit_code = apply_filter(top);
	if (exit_code == EXIT_DONE)
		exit_code = top_feed_check(top);
	if (exit_code != EXIT_DONE)
		return exit_code;
	top->live = live_new(&top->view);
	top->changes = changes_new(&top->view);
	live_set(top->live, &top->settings);
	if (top->feed == FEED_REPLAY && top_play_start(top))
		return EXIT_FAILED;
	if (top_feed_sample(top))
		return EXIT_FAILED;
	top_frame_next(top);
	return EXIT_DONE;
}

static void take_size(struct top *top)
{
	size_t width, height;

	screen_size(top->screen, &width, &height);
	canvas_resize(top->canvas, width, height);
}

static int open_screen(struct top *top)
{
	int r = screen_open(&top->screen, wants_colour());
	size_t width, height;

	if (r)
		return EXIT_IMPOSSIBLE;
	log_set_sink(say, top);
	screen_size(top->screen, &width, &height);
	top->canvas = canvas_new(width, height);
	if (top->feed != FEED_SNAPSHOTS && height >= PANE_HEIGHT_MIN)
		top->pane = TOP_PANE_SHOWN;
	if (top->feed == FEED_EVENTS)
		r = source_heed(top->session->source, screen_fd(top->screen));
	top_keys_collect(top);
	return r ? EXIT_FAILED : EXIT_DONE;
}

static bool is_step(uint32_t key)
{
	return key == KEY_LEFT_ARROW || key == KEY_RIGHT_ARROW;
}

static unsigned int take_keys(struct top *top)
{
	unsigned int flags = 0;
	uint32_t key;

	for (int i = 0; i < KEYS_AT_ONCE && !(flags & TOP_QUIT); i++) {
		key = screen_key(top->screen);
		if (!key)
			break;
		if (!is_step(key) && top_play_settle(top))
			return TOP_QUIT;
		if (key == KEY_RESIZED)
			take_size(top);
		top_frame_refresh(top); /* keys act on rows */
		flags |= TOP_REDRAW | top_key_press(top, key);
		if (key == KEY_STOPPED) /* it may have another size by now */
			take_size(top);
		if (flags & TOP_RESORT) {
			live_set(top->live, &top->settings);
			top_choose_again(top);
			flags &= ~(unsigned int)TOP_RESORT;
		}
	}
	return top_play_settle(top) ? TOP_QUIT : flags;
}

/* The next frame, and when the one after it is due. */
static int make_frame(struct top *top, uint64_t now_ns)
{
	uint64_t passed_ns = now_ns + top->interval_ns - top->frame_ns;
	int r = 0;

	top->frame_ns += top->interval_ns;
	if (top->frame_ns <= now_ns) /* it took longer, or the machine slept */
		top->frame_ns = now_ns + top->interval_ns;
	if (top->feed == FEED_REPLAY)
		r = top_play_advance(top, passed_ns);
	else if (!top->frozen)
		r = top_feed_sample(top);
	if (r)
		return r;
	if (top->frozen)
		return 0;
	top_frame_next(top);
	top_page_make(top);
	return 0;
}

/* An exit code. */
static int follow(struct top *top)
{
	top->frame_ns = top_clock() + top->interval_ns;
	top_frame_draw(top);
	while (!top_is_ended) {
		unsigned int flags;
		uint64_t now_ns;

		if (top_feed_wait(top, top->frame_ns))
			return EXIT_FAILED;
		flags = take_keys(top);
		if (flags & TOP_QUIT || top_is_ended)
			break;
		now_ns = top_clock();
		if (now_ns >= top->frame_ns || flags & TOP_FRAME) {
			if (make_frame(top, now_ns))
				return EXIT_FAILED;
			flags |= TOP_REDRAW;
		}
		if (flags & TOP_REDRAW) {
			top_frame_refresh(top);
			top_frame_draw(top);
		}
	}
	return EXIT_DONE;
}

static int print_once(struct top *top)
{
	const struct timespec wait = {
		.tv_sec = (time_t)(top->interval_ns / TOP_NS_PER_S),
		.tv_nsec = (long)(top->interval_ns % TOP_NS_PER_S),
	};
	int r;

	if (top->feed != FEED_REPLAY) {
		nanosleep(&wait, NULL);
		if (top_is_ended)
			return EXIT_DONE;
		if (top_feed_sample(top))
			return EXIT_FAILED;
		top_frame_next(top);
	}
	r = top_write_once(top);
	if (!r || r == -EPIPE)
		return EXIT_DONE;
	log_fail(r, "write to standard output");
	return EXIT_FAILED;
}

static void finish(struct top *top)
{
	screen_close(top->screen);
	log_set_sink(NULL, NULL);
	canvas_free(top->canvas);
	live_free(top->live);
	changes_free(top->changes);
	top_thaw(top->frozen);
	top_prompt_close(top);
	text_free(&top->editor.text);
	text_free(&top->editor.complaint);
	page_free(&top->page.page);
	text_free(&top->page.title);
	text_free(&top->message);
	filter_free(top->filter);
	free(top->filter_text);
	free(top->search);
	free(top->help);
}

static int top_run(struct app *app, void *target, int argc, char **argv)
{
	const struct top_options *options = target;
	struct top top = {.app = app, .options = options, .select = options->select};
	int exit_code, closed;
	int r;

	if (read_delay(options->delay, &top.interval_ns))
		return EXIT_USAGE;
	r = check_usage(options, argc, argv);
	if (r)
		return r == -ENOTTY ? EXIT_IMPOSSIBLE : EXIT_USAGE;
	top.select.filter = NULL;
	top.view.proc_fd = -1;
	catch_signals();
	exit_code = start(&top);
	if (exit_code == EXIT_DONE && options->is_once)
		exit_code = print_once(&top);
	else if (exit_code == EXIT_DONE)
		exit_code = open_screen(&top);
	if (exit_code == EXIT_DONE && top.screen)
		exit_code = follow(&top);
	finish(&top);
	closed = top_feed_close(&top);
	return exit_code == EXIT_DONE ? closed : exit_code;
}

const struct command top_command = {
	.name = "top",
	.usage = "[OPTIONS]",
	.summary = "a live table of containers and their processes, and of what changes",
	.details = "F1 or h shows the keys, q ends. No key changes anything on the host.",
	.example = "nsview top --containers -d 2",
	.options = top_option_table,
	.options_size = sizeof(struct top_options),
	.run = top_run,
};
