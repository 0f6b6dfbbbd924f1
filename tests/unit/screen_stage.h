/* SPDX-License-Identifier: GPL-2.0-only */
/* A stage for the screen's tests: a pseudo-terminal, a program that plays a role on it, and a leader of its
 * session that knows, as a shell does, how that stops or ends. */
#ifndef NSVIEW_TESTS_UNIT_SCREEN_STAGE_H
#define NSVIEW_TESTS_UNIT_SCREEN_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "output/canvas.h"
#include "output/screen.h"

#define PATIENCE_MS 60000 /* what is waited for comes at once, on a machine that has time for it */
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

static inline struct canvas *canvas_of(const char *text)
{
	struct canvas *canvas = canvas_new(COLUMNS_BEFORE, LINES_BEFORE);

	for (size_t y = 0; y < LINES_BEFORE; y++)
		canvas_put(canvas, y, 0, COLUMNS_BEFORE, STYLE_PLAIN, text, strlen(text));
	return canvas;
}

static inline void show(struct screen *screen, const char *text)
{
	struct canvas *canvas = canvas_of(text);

	screen_show(screen, canvas);
	canvas_free(canvas);
}

static inline uint32_t wait_key(struct screen *screen)
{
	uint32_t key;

	while (!(key = screen_key(screen))) {
		struct pollfd polled = {.fd = screen_fd(screen), .events = POLLIN};

		if (poll(&polled, 1, PATIENCE_MS) == 0)
			_exit(99);
	}
	return key;
}

static inline void program_run(screen_role role)
{
	struct screen *screen;

	if (screen_open(&screen, !getenv("NO_COLOR")))
		_exit(98);
	show(screen, "<ready>");
	role(screen);
	screen_close(screen);
}

static inline void program_start(const struct stage *stage, int reports, screen_role role)
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
static inline void leader_run(const struct stage *stage, int reports, screen_role role)
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

/* Shared with the program, which counts in it how far it is. */
static volatile unsigned int *stage_told;

static inline void told_open(void)
{
	if (!stage_told)
		stage_told = mmap(NULL, sizeof(*stage_told), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(stage_told, MAP_FAILED);
	*stage_told = 0;
}

static inline void stage_await_told(unsigned int count)
{
	for (int i = 0; i < PATIENCE_MS / 10 && *stage_told < count; i++)
		usleep(10000);
	assert_int_equal(*stage_told, count);
}

static inline struct stage *stage_start(screen_role role)
{
	struct winsize size = {.ws_col = COLUMNS_BEFORE, .ws_row = LINES_BEFORE};
	struct stage *stage = mem_new(sizeof(*stage));
	int reports[2];

	told_open();
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
	return stage;
}

/* Adds what has come to `seen`; false: nothing within the time. */
static inline bool stage_read(struct stage *stage, int timeout_ms)
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

static inline bool is_seen(struct stage *stage, const char *words)
{
	return memmem(stage->seen.data, stage->seen.length, words, strlen(words));
}

static inline void stage_await(struct stage *stage, const char *words)
{
	while (!stage->seen.length || !is_seen(stage, words)) {
		if (!stage_read(stage, PATIENCE_MS))
			fail_msg("%s is not in %zu bytes", words, stage->seen.length);
	}
}

/* One whose program has drawn. */
static inline struct stage *stage_open(screen_role role)
{
	struct stage *stage = stage_start(role);

	stage_await(stage, "<ready>");
	return stage;
}

static inline void stage_forget(struct stage *stage)
{
	text_clear(&stage->seen);
}

/* How the program has stopped or ended. Reads on meanwhile. */
static inline int stage_wait(struct stage *stage)
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

static inline bool is_as_before(const struct stage *stage)
{
	struct termios now = {0};

	assert_int_equal(tcgetattr(stage->inner, &now), 0);
	return now.c_iflag == stage->before.c_iflag && now.c_oflag == stage->before.c_oflag &&
	       now.c_cflag == stage->before.c_cflag && now.c_lflag == stage->before.c_lflag &&
	       !memcmp(now.c_cc, stage->before.c_cc, VEOL2 + 1);
}

static inline void stage_end(struct stage *stage)
{
	kill(stage->leader, SIGKILL); /* and with it the program */
	waitpid(stage->leader, NULL, 0);
	close(stage->outer);
	close(stage->inner);
	close(stage->reports);
	text_free(&stage->seen);
	free(stage);
}

static inline void type(struct stage *stage, const char *keys)
{
	assert_int_equal(write(stage->outer, keys, strlen(keys)), strlen(keys));
}

static inline void until_q(struct screen *screen)
{
	uint32_t key;

	while ((key = wait_key(screen)) != 'q' && key != KEY_GONE) {
		if (key == KEY_STOPPED)
			screen_suspend(screen);
	}
}

static inline void assert_given_back(struct stage *stage)
{
	assert_true(is_as_before(stage));
	assert_true(stage->seen.length > strlen(XTERM_LAST));
	assert_memory_equal(stage->seen.data + stage->seen.length - strlen(XTERM_LAST), XTERM_LAST,
			    strlen(XTERM_LAST));
	assert_true(is_seen(stage, "\033[?25h")); /* the cursor; terminfo's cnorm has it */
}

/* What q ends, and how it leaves the terminal. */
static inline void stage_quit(struct stage *stage)
{
	type(stage, "q");
	assert_int_equal(stage_wait(stage), 0);
	assert_given_back(stage);
	stage_end(stage);
}

static inline void resize(struct stage *stage, unsigned short width, unsigned short height)
{
	struct winsize size = {.ws_col = width, .ws_row = height};

	assert_int_equal(ioctl(stage->outer, TIOCSWINSZ, &size), 0);
}

/* More than any terminal's buffer takes, and then one that says so. */
static inline void floods(struct screen *screen)
{
	for (unsigned int i = 0; i < 400; i++) {
		char words[COLUMNS_BEFORE + 1];

		memset(words, 'a' + (int)i % 26, COLUMNS_BEFORE);
		words[COLUMNS_BEFORE] = '\0';
		show(screen, words);
	}
	show(screen, "<last>");
	++*stage_told;
	until_q(screen);
}

/* Nothing is read meanwhile. */
static inline struct stage *flood(void)
{
	struct stage *stage = stage_start(floods);

	stage_await_told(1);
	return stage;
}

static inline void tells_sizes(struct screen *screen)
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

#endif
