/* SPDX-License-Identifier: GPL-2.0-only */
/* The screen on a pseudo-terminal: what it writes, and that the terminal is always given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/text.h"
#include "output/canvas.h"
#include "output/screen.h"

#define PATIENCE_MS 5000
#define COLUMNS_BEFORE 80
#define LINES_BEFORE 24
#define XTERM_LAST "\033[?1049l\033[23;0;0t" /* rmcup of xterm-256color */

/* A program on a terminal, and what it has written so far. */
struct stage {
	int outer;
	int inner;
	pid_t leader; /* of the session, as a shell is: waits for the program, and knows how it stops */
	pid_t program;
	int reports; /* the program's pid, then its wait statuses */
	struct termios before;
	struct text seen;
};

typedef void (*screen_role)(struct screen *screen);

static struct canvas *canvas_of(const char *text)
{
	struct canvas *canvas = canvas_new(COLUMNS_BEFORE, LINES_BEFORE);

	for (size_t y = 0; y < LINES_BEFORE; y++)
		canvas_put(canvas, y, 0, COLUMNS_BEFORE, STYLE_PLAIN, text, strlen(text));
	return canvas;
}

static void show(struct screen *screen, const char *text)
{
	struct canvas *canvas = canvas_of(text);

	screen_show(screen, canvas);
	canvas_free(canvas);
}

static uint32_t wait_key(struct screen *screen)
{
	uint32_t key;

	while (!(key = screen_key(screen))) {
		struct pollfd polled = {.fd = screen_fd(screen), .events = POLLIN};

		if (poll(&polled, 1, PATIENCE_MS) == 0)
			_exit(99);
	}
	return key;
}

static void program_run(screen_role role)
{
	struct screen *screen;

	if (screen_open(&screen, !getenv("NO_COLOR")))
		_exit(98);
	show(screen, "<ready>");
	role(screen);
	screen_close(screen);
}

static void program_start(const struct stage *stage, int reports, screen_role role)
{
	static const int cmockas[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGSYS};
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0);
	tcsetpgrp(stage->inner, getpid());
	signal(SIGTTOU, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	for (size_t i = 0; i < sizeof(cmockas) / sizeof(*cmockas); i++)
		signal(cmockas[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int fd = 0; fd < 3; fd++)
		dup2(stage->inner, fd);
	close(stage->inner);
	close(reports);
	program_run(role);
	exit(0);
}

/* Like a shell: the program has a process group of its own in the foreground. SIGUSR1 is `fg`. */
static void leader_run(const struct stage *stage, int reports, screen_role role)
{
	sigset_t fg;
	pid_t program;
	int status;
	int number;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	close(stage->outer);
	ioctl(stage->inner, TIOCSCTTY, 0);
	signal(SIGTTOU, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&fg);
	sigaddset(&fg, SIGUSR1);
	sigprocmask(SIG_BLOCK, &fg, NULL);
	program = fork();
	if (!program)
		program_start(stage, reports, role);
	if (write(reports, &program, sizeof(program)) < 0)
		_exit(1);
	while (waitpid(program, &status, WUNTRACED) > 0) {
		tcsetpgrp(stage->inner, getpgrp());
		if (write(reports, &status, sizeof(status)) < 0 || !WIFSTOPPED(status))
			break;
		sigwait(&fg, &number);
		tcsetpgrp(stage->inner, program);
		kill(program, SIGCONT);
	}
	_exit(0);
}

static void stage_start(struct stage *stage, screen_role role)
{
	struct winsize size = {.ws_col = COLUMNS_BEFORE, .ws_row = LINES_BEFORE};
	int reports[2];

	memset(stage, 0, sizeof(*stage));
	stage->outer = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(stage->outer >= 0);
	assert_int_equal(grantpt(stage->outer), 0);
	assert_int_equal(unlockpt(stage->outer), 0);
	stage->inner = open(ptsname(stage->outer), O_RDWR | O_NOCTTY);
	assert_true(stage->inner >= 0);
	assert_int_equal(ioctl(stage->inner, TIOCSWINSZ, &size), 0);
	assert_int_equal(tcgetattr(stage->inner, &stage->before), 0);
	assert_int_equal(pipe(reports), 0);
	fflush(NULL);
	stage->leader = fork();
	assert_true(stage->leader >= 0);
	if (!stage->leader)
		leader_run(stage, reports[1], role);
	close(reports[1]);
	stage->reports = reports[0];
	assert_int_equal(read(stage->reports, &stage->program, sizeof(stage->program)),
			 sizeof(stage->program));
}

/* Adds what has come to `seen`; false: nothing within the time. */
static bool stage_read(struct stage *stage, int timeout_ms)
{
	struct pollfd polled = {.fd = stage->outer, .events = POLLIN};
	ssize_t r;

	if (poll(&polled, 1, timeout_ms) <= 0)
		return false;
	r = read(stage->outer, text_room(&stage->seen, 65536), 65536);
	if (r > 0)
		stage->seen.length += (size_t)r;
	return r > 0;
}

static bool is_seen(struct stage *stage, const char *words)
{
	return memmem(stage->seen.data, stage->seen.length, words, strlen(words));
}

static void stage_await(struct stage *stage, const char *words)
{
	while (!stage->seen.length || !is_seen(stage, words)) {
		if (!stage_read(stage, PATIENCE_MS))
			fail_msg("%s is not in %zu bytes", words, stage->seen.length);
	}
}

static void stage_forget(struct stage *stage)
{
	text_clear(&stage->seen);
}

/* How the program has stopped or ended. Reads on meanwhile. */
static int stage_wait(struct stage *stage)
{
	struct pollfd polled = {.fd = stage->reports, .events = POLLIN};
	int status;

	while (poll(&polled, 1, 10) == 0)
		stage_read(stage, 10);
	assert_int_equal(read(stage->reports, &status, sizeof(status)), sizeof(status));
	while (stage_read(stage, 10))
		;
	return status;
}

static bool is_as_before(const struct stage *stage)
{
	struct termios now = {0};

	assert_int_equal(tcgetattr(stage->inner, &now), 0);
	return now.c_iflag == stage->before.c_iflag && now.c_oflag == stage->before.c_oflag &&
	       now.c_cflag == stage->before.c_cflag && now.c_lflag == stage->before.c_lflag &&
	       !memcmp(now.c_cc, stage->before.c_cc, VEOL2 + 1);
}

static void stage_end(struct stage *stage)
{
	kill(stage->leader, SIGKILL); /* and with it the program */
	waitpid(stage->leader, NULL, 0);
	close(stage->outer);
	close(stage->inner);
	close(stage->reports);
	text_free(&stage->seen);
}

static void type(struct stage *stage, const char *keys)
{
	assert_int_equal(write(stage->outer, keys, strlen(keys)), strlen(keys));
}

static void until_q(struct screen *screen)
{
	uint32_t key;

	while ((key = wait_key(screen)) != 'q' && key != KEY_GONE) {
		if (key == KEY_STOPPED)
			screen_suspend(screen);
	}
}

static void assert_given_back(struct stage *stage)
{
	assert_true(is_as_before(stage));
	assert_true(stage->seen.length > strlen(XTERM_LAST));
	assert_memory_equal(stage->seen.data + stage->seen.length - strlen(XTERM_LAST), XTERM_LAST,
			    strlen(XTERM_LAST));
	assert_true(is_seen(stage, "\033[?25h")); /* the cursor; terminfo's cnorm has it */
}

static void closing_gives_the_terminal_back(void **state)
{
	struct stage stage;

	(void)state;
	stage_start(&stage, until_q);
	stage_await(&stage, "<ready>");
	assert_false(is_as_before(&stage));
	type(&stage, "q");
	assert_int_equal(stage_wait(&stage), 0);
	assert_given_back(&stage);
	stage_end(&stage);
}

static void tells_sizes(struct screen *screen)
{
	uint32_t key;

	while ((key = wait_key(screen)) != 'q') {
		char words[64];
		size_t width;
		size_t height;
		struct canvas *canvas;

		if (key == KEY_STOPPED)
			screen_suspend(screen);
		if (key != KEY_RESIZED)
			continue;
		screen_size(screen, &width, &height);
		snprintf(words, sizeof(words), "<%zux%zu>", width, height);
		canvas = canvas_new(width, height);
		canvas_put(canvas, height - 1, 0, width, STYLE_PLAIN, words, strlen(words));
		screen_show(screen, canvas);
		canvas_free(canvas);
	}
}

static void resize(struct stage *stage, unsigned short width, unsigned short height)
{
	struct winsize size = {.ws_col = width, .ws_row = height};

	assert_int_equal(ioctl(stage->outer, TIOCSWINSZ, &size), 0);
}

static void the_scrolling_region_is_the_whole_terminal(void **state)
{
	struct stage stage;

	(void)state;
	/* What the shell exported when it was of another size. */
	setenv("LINES", "11", 1);
	setenv("COLUMNS", "33", 1);
	stage_start(&stage, tells_sizes);
	unsetenv("LINES");
	unsetenv("COLUMNS");
	stage_await(&stage, "<ready>");
	assert_true(is_seen(&stage, "\033[1;24r"));
	assert_false(is_seen(&stage, "\033[1;11r"));
	resize(&stage, 80, 40);
	stage_await(&stage, "<80x40>");
	stage_forget(&stage);
	type(&stage, "q");
	assert_int_equal(stage_wait(&stage), 0);
	assert_true(is_seen(&stage, "\033[1;40r"));
	assert_given_back(&stage);
	stage_end(&stage);
}

static void tells_keys(struct screen *screen)
{
	uint32_t key;

	while ((key = wait_key(screen)) != 'q') {
		char words[64];

		snprintf(words, sizeof(words), "<key %x>", key);
		show(screen, words);
	}
}

static void a_key_that_comes_in_pieces_is_one(void **state)
{
	static const char *const pieces[] = {"\033", "[", "2", "1", "~"};
	char expected[32];
	struct stage stage;

	(void)state;
	stage_start(&stage, tells_keys);
	stage_await(&stage, "<ready>");
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++)
		type(&stage, pieces[i]);
	snprintf(expected, sizeof(expected), "<key %x>", KEY_FUNCTION + 10);
	stage_await(&stage, expected);
	type(&stage, "q");
	assert_int_equal(stage_wait(&stage), 0);
	stage_end(&stage);
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
	struct stage stage;

	(void)state;
	stage_start(&stage, takes_one_at_a_time);
	stage_await(&stage, "<ready>");
	type(&stage, "abcdefghij\033[A\033[Bq");
	assert_int_equal(stage_wait(&stage), 0);
	assert_given_back(&stage);
	stage_end(&stage);
}

static void exits(struct screen *screen)
{
	wait_key(screen);
	exit(7);
}

static void exit_gives_the_terminal_back(void **state)
{
	struct stage stage;

	(void)state;
	stage_start(&stage, exits);
	stage_await(&stage, "<ready>");
	type(&stage, "x");
	assert_int_equal(WEXITSTATUS(stage_wait(&stage)), 7);
	assert_given_back(&stage);
	stage_end(&stage);
}

static void signals_that_end_it_give_the_terminal_back(void **state)
{
	static const int numbers[] = {SIGTERM, SIGHUP,  SIGINT,  SIGQUIT, SIGPIPE, SIGUSR1,
				      SIGALRM, SIGXCPU, SIGSEGV, SIGABRT, SIGBUS,  SIGFPE};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		struct stage stage;
		int status;

		stage_start(&stage, until_q);
		stage_await(&stage, "<ready>");
		kill(stage.program, numbers[i]);
		status = stage_wait(&stage);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), numbers[i]);
		assert_given_back(&stage);
		stage_end(&stage);
	}
}

static void no_cores(void)
{
	struct rlimit none = {0};

	setrlimit(RLIMIT_CORE, &none);
}

static void faults(struct screen *screen)
{
	wait_key(screen);
	*(volatile int *)(uintptr_t)wait_key(screen) = 1;
}

static void aborts(struct screen *screen)
{
	wait_key(screen);
	abort();
}

static size_t recurse(volatile char *above, size_t depth)
{
	volatile char room[4096];

	room[0] = above ? *above : 0;
	return depth ? recurse(room, depth + 1) + (size_t)room[0] : 0;
}

static void overflows(struct screen *screen)
{
	wait_key(screen);
	recurse(NULL, 1);
}

static void assert_crash(screen_role role, int number)
{
	struct stage stage;
	int status;

	stage_start(&stage, role);
	stage_await(&stage, "<ready>");
	type(&stage, "xy");
	status = stage_wait(&stage);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), number);
	assert_given_back(&stage);
	stage_end(&stage);
}

static void a_crash_gives_the_terminal_back(void **state)
{
	(void)state;
	assert_crash(faults, SIGSEGV);
	assert_crash(aborts, SIGABRT);
}

static void a_stack_that_runs_out_gives_the_terminal_back(void **state)
{
	(void)state;
	assert_crash(overflows, SIGSEGV);
}

static void a_signal_that_is_ignored_stays_so(void **state)
{
	struct stage stage;

	(void)state;
	signal(SIGTERM, SIG_IGN);
	stage_start(&stage, until_q);
	signal(SIGTERM, SIG_DFL);
	stage_await(&stage, "<ready>");
	kill(stage.program, SIGTERM);
	type(&stage, "q");
	assert_int_equal(stage_wait(&stage), 0);
	stage_end(&stage);
}

static void stopping_gives_the_terminal_back_and_fg_takes_it_again(void **state)
{
	struct stage stage;
	int status;

	(void)state;
	stage_start(&stage, until_q);
	stage_await(&stage, "<ready>");
	type(&stage, "\x1a");
	status = stage_wait(&stage);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(WSTOPSIG(status), SIGTSTP);
	assert_given_back(&stage);
	stage_forget(&stage);
	kill(stage.leader, SIGUSR1);
	stage_await(&stage, "<ready>");
	assert_true(is_seen(&stage, "\033[?1049h"));
	assert_false(is_as_before(&stage));
	type(&stage, "q");
	assert_int_equal(stage_wait(&stage), 0);
	assert_given_back(&stage);
	stage_end(&stage);
}

static void another_size_while_it_was_stopped_is_told(void **state)
{
	struct stage stage;

	(void)state;
	stage_start(&stage, tells_sizes);
	stage_await(&stage, "<ready>");
	type(&stage, "\x1a");
	assert_true(WIFSTOPPED(stage_wait(&stage)));
	resize(&stage, 91, 33);
	kill(stage.leader, SIGUSR1);
	stage_await(&stage, "<91x33>");
	type(&stage, "q");
	assert_int_equal(stage_wait(&stage), 0);
	assert_given_back(&stage);
	stage_end(&stage);
}

static void after_a_stop_that_cannot_be_seen_it_paints_anew(void **state)
{
	struct stage stage;

	(void)state;
	stage_start(&stage, until_q);
	stage_await(&stage, "<ready>");
	kill(stage.program, SIGSTOP);
	assert_true(WIFSTOPPED(stage_wait(&stage)));
	/* A shell gives itself its own modes. */
	assert_int_equal(tcsetattr(stage.inner, TCSANOW, &stage.before), 0);
	stage_forget(&stage);
	kill(stage.leader, SIGUSR1);
	stage_await(&stage, "<ready>");
	assert_false(is_as_before(&stage));
	type(&stage, "q");
	assert_int_equal(stage_wait(&stage), 0);
	assert_given_back(&stage);
	stage_end(&stage);
}

static void a_resize_comes_as_a_key_and_the_last_of_a_storm_counts(void **state)
{
	struct stage stage;

	(void)state;
	stage_start(&stage, tells_sizes);
	stage_await(&stage, "<ready>");
	resize(&stage, 132, 40);
	stage_await(&stage, "<132x40>");
	for (unsigned short i = 0; i < 500; i++) {
		resize(&stage, (unsigned short)(1 + i % 300), (unsigned short)(1 + i % 100));
		stage_read(&stage, 0);
	}
	resize(&stage, 1, 1);
	resize(&stage, 300, 100);
	stage_await(&stage, "<300x100>");
	type(&stage, "q");
	assert_int_equal(stage_wait(&stage), 0);
	assert_given_back(&stage);
	stage_end(&stage);
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
	}
	canvas_free(canvas);
}

static void an_idle_frame_takes_less_than_200_bytes(void **state)
{
	struct stage stage;

	(void)state;
	stage_start(&stage, ticks);
	stage_await(&stage, "<ready>");
	type(&stage, "t");
	stage_await(&stage, "06:14:00");
	while (stage_read(&stage, 100))
		;
	for (int i = 0; i < 9; i++) {
		stage_forget(&stage);
		type(&stage, "t");
		assert_true(stage_read(&stage, PATIENCE_MS));
		while (stage_read(&stage, 50))
			;
		assert_in_range(stage.seen.length, 1, 60);
	}
	stage_end(&stage);
}

static volatile bool *is_flooded; /* shared with the program */

/* More than any terminal's buffer takes, and then one that says so. */
static void floods(struct screen *screen)
{
	for (unsigned int i = 0; i < 400; i++) {
		char words[COLUMNS_BEFORE + 1];

		memset(words, 'a' + (int)i % 26, COLUMNS_BEFORE);
		words[COLUMNS_BEFORE] = '\0';
		show(screen, words);
	}
	show(screen, "<last>");
	*is_flooded = true;
	until_q(screen);
}

/* Nothing is read meanwhile. */
static void flood(struct stage *stage)
{
	is_flooded = mmap(NULL, sizeof(*is_flooded), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(is_flooded, MAP_FAILED);
	stage_start(stage, floods);
	for (int i = 0; i < PATIENCE_MS / 10 && !*is_flooded; i++)
		usleep(10000);
	assert_true(*is_flooded);
	munmap((void *)is_flooded, sizeof(*is_flooded));
}

static void a_terminal_that_takes_nothing_makes_nobody_wait(void **state)
{
	struct stage stage;

	(void)state;
	flood(&stage);
	stage_await(&stage, "<last>");
	type(&stage, "q");
	assert_int_equal(stage_wait(&stage), 0);
	assert_given_back(&stage);
	stage_end(&stage);
}

static void a_terminal_that_takes_nothing_is_given_back(void **state)
{
	struct stage stage;

	(void)state;
	flood(&stage);
	kill(stage.program, SIGTERM);
	for (int i = 0; i < PATIENCE_MS / 10 && !is_as_before(&stage); i++)
		usleep(10000);
	assert_int_equal(WTERMSIG(stage_wait(&stage)), SIGTERM);
	assert_given_back(&stage);
	stage_end(&stage);
}

static void a_terminal_that_ctrl_s_has_stopped_is_given_back(void **state)
{
	struct stage stage;

	(void)state;
	stage_start(&stage, until_q);
	stage_await(&stage, "<ready>");
	type(&stage, "\x13");
	type(&stage, "q");
	assert_int_equal(stage_wait(&stage), 0);
	assert_given_back(&stage);
	stage_end(&stage);
}

static void until_gone(struct screen *screen)
{
	signal(SIGHUP, SIG_IGN);
	while (wait_key(screen) != KEY_GONE)
		;
	show(screen, "nobody");
	_exit(42);
}

static void a_terminal_that_is_gone_is_a_key(void **state)
{
	struct stage stage;
	int status;

	(void)state;
	stage_start(&stage, until_gone);
	stage_await(&stage, "<ready>");
	usleep(100000);
	close(stage.outer);
	stage.outer = -1;
	assert_int_equal(read(stage.reports, &status, sizeof(status)), sizeof(status));
	assert_int_equal(WEXITSTATUS(status), 42);
	stage_end(&stage);
}

static int child_status(const char *term, void (*act)(void), char *said, size_t size)
{
	int pipes[2];
	int status;
	pid_t child;
	ssize_t r;

	assert_int_equal(pipe(pipes), 0);
	fflush(NULL);
	child = fork();
	if (!child) {
		int outer = posix_openpt(O_RDWR | O_NOCTTY);
		int inner;

		unlockpt(outer);
		inner = open(ptsname(outer), O_RDWR | O_NOCTTY);
		dup2(inner, 0);
		dup2(inner, 1);
		dup2(pipes[1], 2);
		if (term)
			setenv("TERM", term, 1);
		else
			unsetenv("TERM");
		act();
		_exit(0);
	}
	close(pipes[1]);
	r = read(pipes[0], said, size - 1);
	said[r > 0 ? r : 0] = '\0';
	close(pipes[0]);
	waitpid(child, &status, 0);
	return WEXITSTATUS(status);
}

static bool is_same_mode(const struct termios *one, const struct termios *other)
{
	return one->c_iflag == other->c_iflag && one->c_oflag == other->c_oflag &&
	       one->c_lflag == other->c_lflag;
}

static void opens_and_closes(void)
{
	struct screen *screen;
	struct termios before = {0};
	struct termios after = {0};

	setsid();
	tcgetattr(0, &before);
	if (screen_open(&screen, true))
		_exit(1);
	tcgetattr(0, &after);
	if (is_same_mode(&before, &after))
		_exit(2);
	screen_close(screen);
	tcgetattr(0, &after);
	_exit(is_same_mode(&before, &after) ? 0 : 3);
}

static void one_that_is_not_the_controlling_terminal_is_given_back(void **state)
{
	char said[1024];

	(void)state;
	assert_int_equal(child_status("xterm", opens_and_closes, said, sizeof(said)), 0);
	assert_string_equal(said, "");
}

static void opens(void)
{
	struct screen *screen;
	struct termios before = {0};
	struct termios after = {0};
	int r;

	tcgetattr(0, &before);
	r = screen_open(&screen, true);
	tcgetattr(0, &after);
	_exit(is_same_mode(&before, &after) ? -r : 200);
}

static void opens_elsewhere(void)
{
	int fd = open("/dev/null", O_RDWR);

	dup2(fd, 1);
	opens();
}

static void a_terminal_that_cannot_show_it_is_said(void **state)
{
	char said[1024];

	(void)state;
	assert_int_equal(child_status("dumb", opens, said, sizeof(said)), EOPNOTSUPP);
	assert_non_null(strstr(said, "TERM=dumb cannot place text"));
	assert_int_equal(child_status("no-such-\033terminal", opens, said, sizeof(said)), ENOENT);
	assert_non_null(strstr(said, "TERM=no-such-\\x1bterminal here"));
	assert_int_equal(child_status(NULL, opens, said, sizeof(said)), ENOENT);
	assert_non_null(strstr(said, "TERM is not set"));
	assert_int_equal(child_status("xterm", opens_elsewhere, said, sizeof(said)), ENOTTY);
	assert_non_null(strstr(said, "have to be a terminal"));
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

static void without_colour_none_is_written(void **state)
{
	struct stage stage;

	(void)state;
	stage_start(&stage, colourful);
	stage_await(&stage, "<done>");
	assert_true(has_colour(&stage));
	stage_end(&stage);
	setenv("NO_COLOR", "1", 1);
	stage_start(&stage, colourful);
	unsetenv("NO_COLOR");
	stage_await(&stage, "<done>");
	assert_false(has_colour(&stage));
	stage_end(&stage);
	setenv("TERM", "vt100", 1);
	stage_start(&stage, colourful);
	setenv("TERM", "xterm-256color", 1);
	stage_await(&stage, "<done>");
	assert_false(has_colour(&stage));
	type(&stage, "q");
	assert_int_equal(stage_wait(&stage), 0);
	assert_true(is_as_before(&stage));
	stage_end(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closing_gives_the_terminal_back),
		cmocka_unit_test(the_scrolling_region_is_the_whole_terminal),
		cmocka_unit_test(a_key_that_comes_in_pieces_is_one),
		cmocka_unit_test(keys_that_are_not_taken_yet_are_told),
		cmocka_unit_test(exit_gives_the_terminal_back),
		cmocka_unit_test(signals_that_end_it_give_the_terminal_back),
		cmocka_unit_test(a_crash_gives_the_terminal_back),
		cmocka_unit_test(a_stack_that_runs_out_gives_the_terminal_back),
		cmocka_unit_test(a_signal_that_is_ignored_stays_so),
		cmocka_unit_test(stopping_gives_the_terminal_back_and_fg_takes_it_again),
		cmocka_unit_test(another_size_while_it_was_stopped_is_told),
		cmocka_unit_test(after_a_stop_that_cannot_be_seen_it_paints_anew),
		cmocka_unit_test(a_resize_comes_as_a_key_and_the_last_of_a_storm_counts),
		cmocka_unit_test(an_idle_frame_takes_less_than_200_bytes),
		cmocka_unit_test(a_terminal_that_takes_nothing_makes_nobody_wait),
		cmocka_unit_test(a_terminal_that_takes_nothing_is_given_back),
		cmocka_unit_test(a_terminal_that_ctrl_s_has_stopped_is_given_back),
		cmocka_unit_test(a_terminal_that_is_gone_is_a_key),
		cmocka_unit_test(one_that_is_not_the_controlling_terminal_is_given_back),
		cmocka_unit_test(a_terminal_that_cannot_show_it_is_said),
		cmocka_unit_test(without_colour_none_is_written),
	};

	setlocale(LC_ALL, "C.UTF-8");
	setenv("TERM", "xterm-256color", 1);
	no_cores();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
