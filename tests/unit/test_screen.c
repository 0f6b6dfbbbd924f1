/* SPDX-License-Identifier: GPL-2.0-only */
/* The screen on a pseudo-terminal: what it writes there, and the keys and sizes that come from it. */
#include <locale.h>

#include "screen_stage.h"

static void the_scrolling_region_is_the_whole_terminal(void **state)
{
	struct stage *stage;

	(void)state;
	/* What the shell exported when it was of another size. */
	setenv("LINES", "11", 1);
	setenv("COLUMNS", "33", 1);
	stage = stage_start(tells_sizes);
	unsetenv("LINES");
	unsetenv("COLUMNS");
	stage_await(stage, "<ready>");
	assert_true(is_seen(stage, "\033[1;24r"));
	assert_false(is_seen(stage, "\033[1;11r"));
	resize(stage, 80, 40);
	stage_await(stage, "<80x40>");
	stage_forget(stage);
	type(stage, "q");
	assert_int_equal(stage_wait(stage), 0);
	assert_true(is_seen(stage, "\033[1;40r"));
	assert_given_back(stage);
	stage_end(stage);
}

static void tells_keys(struct screen *screen)
{
	uint32_t key;

	while ((key = wait_key(screen)) != 'q') {
		char words[64];

		snprintf(words, sizeof(words), "<key %x>", key);
		show(screen, words);
		screen_redraw(screen); /* all of it, however little differs */
	}
}

/* Whether it is told as one. It is not where a piece was late: then the last of them is a key of its own. */
static bool types_in_pieces(struct stage *stage)
{
	static const char *const pieces[] = {"\033", "[", "2", "1", "~"};
	char one[32];

	snprintf(one, sizeof(one), "<key %x>", KEY_FUNCTION + 10);
	stage_forget(stage);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		type(stage, pieces[i]);
		usleep(2000);
	}
	while (!is_seen(stage, one) && !is_seen(stage, "<key 7e>"))
		assert_true(stage_read(stage, PATIENCE_MS));
	return is_seen(stage, one);
}

static void a_key_that_comes_in_pieces_is_one(void **state)
{
	struct stage *stage = stage_open(tells_keys);
	bool is_one = false;

	(void)state;
	for (int i = 0; i < 50 && !is_one; i++)
		is_one = types_in_pieces(stage);
	assert_true(is_one);
	stage_quit(stage);
}

/* One at a time, as if each took long. */
static void takes_one_at_a_time(struct screen *screen)
{
	struct pollfd polled = {.fd = screen_fd(screen), .events = POLLIN};
	char words[64] = "";

	while (poll(&polled, 1, PATIENCE_MS) > 0) {
		uint32_t key = screen_key(screen);

		if (key == 'q')
			return;
		if (key)
			words[strlen(words)] = (char)key;
		show(screen, words);
	}
	_exit(99);
}

static void keys_that_are_not_taken_yet_are_told(void **state)
{
	struct stage *stage = stage_open(takes_one_at_a_time);

	(void)state;
	type(stage, "abcdefghij\033[A\033[Bq");
	assert_int_equal(stage_wait(stage), 0);
	assert_given_back(stage);
	stage_end(stage);
}

static void a_resize_comes_as_a_key_and_the_last_of_a_storm_counts(void **state)
{
	struct stage *stage = stage_open(tells_sizes);

	(void)state;
	resize(stage, 132, 40);
	stage_await(stage, "<132x40>");
	for (unsigned short i = 0; i < 500; i++) {
		resize(stage, (unsigned short)(1 + i % 300), (unsigned short)(1 + i % 100));
		stage_read(stage, 0);
	}
	resize(stage, 1, 1);
	resize(stage, 300, 100);
	stage_await(stage, "<300x100>");
	stage_quit(stage);
}

/* Frames of which only the clock changes. */
static void ticks(struct screen *screen)
{
	struct canvas *canvas = canvas_of("some text that stays as it is");

	for (unsigned int second = 0; wait_key(screen) == 't'; second++) {
		char clock[16];

		snprintf(clock, sizeof(clock), "06:14:%02u", second);
		canvas_put(canvas, 0, 70, 8, STYLE_PLAIN, clock, 8);
		canvas_cursor_set(canvas, 12, 0, false);
		screen_show(screen, canvas);
		++*stage_told;
	}
	canvas_free(canvas);
}

static void an_idle_frame_takes_less_than_200_bytes(void **state)
{
	struct stage *stage = stage_open(ticks);

	(void)state;
	for (unsigned int i = 0; i < 10; i++) {
		stage_forget(stage);
		type(stage, "t");
		stage_await_told(i + 1);
		while (stage_read(stage, 0))
			;
		if (i)
			assert_in_range(stage->seen.length, 1, 60);
	}
	stage_end(stage);
}

static void a_terminal_that_takes_nothing_makes_nobody_wait(void **state)
{
	struct stage *stage = flood();

	(void)state;
	stage_await(stage, "<last>");
	stage_quit(stage);
}

static void colourful(struct screen *screen)
{
	struct canvas *canvas = canvas_of("");

	for (int style = 0; style < CANVAS_STYLES; style++)
		canvas_put(canvas, (size_t)style, 0, 9, (enum canvas_style)style, "styled", 6);
	canvas_put(canvas, CANVAS_STYLES, 0, 9, STYLE_PLAIN, "<done>", 6);
	screen_show(screen, canvas);
	canvas_free(canvas);
	until_q(screen);
}

/* Whether a colour is set: SGR 30 to 47. */
static bool has_colour(struct stage *stage)
{
	const char *at = text_string(&stage->seen);

	for (; (at = strstr(at, "\033[")); at++) {
		unsigned int first = 0;
		unsigned int second = 0;
		char end = 0;

		if (sscanf(at, "\033[%u;%u%c", &first, &second, &end) == 3 && end == 'm' &&
		    second >= 30 && second <= 47)
			return true;
		if (sscanf(at, "\033[%u%c", &first, &end) == 2 && end == 'm' && first >= 30 &&
		    first <= 47 && first != 39)
			return true;
	}
	return false;
}

/* What is written on that terminal with that in the environment. */
static bool writes_colour(const char *name, const char *value)
{
	autofree char *before = getenv(name) ? mem_copy(getenv(name)) : NULL;
	struct stage *stage;
	bool result;

	setenv(name, value, 1);
	stage = stage_start(colourful);
	if (before)
		setenv(name, before, 1);
	else
		unsetenv(name);
	stage_await(stage, "<done>");
	result = has_colour(stage);
	type(stage, "q");
	assert_int_equal(stage_wait(stage), 0);
	assert_true(is_as_before(stage));
	stage_end(stage);
	return result;
}

static void without_colour_none_is_written(void **state)
{
	(void)state;
	assert_true(writes_colour("TERM", "xterm-256color"));
	assert_false(writes_colour("NO_COLOR", "1"));
	assert_false(writes_colour("TERM", "vt100"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_scrolling_region_is_the_whole_terminal),
		cmocka_unit_test(a_key_that_comes_in_pieces_is_one),
		cmocka_unit_test(keys_that_are_not_taken_yet_are_told),
		cmocka_unit_test(a_resize_comes_as_a_key_and_the_last_of_a_storm_counts),
		cmocka_unit_test(an_idle_frame_takes_less_than_200_bytes),
		cmocka_unit_test(a_terminal_that_takes_nothing_makes_nobody_wait),
		cmocka_unit_test(without_colour_none_is_written),
	};

	setlocale(LC_ALL, "C.UTF-8");
	setenv("TERM", "xterm-256color", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
