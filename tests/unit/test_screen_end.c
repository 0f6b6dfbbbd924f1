/* SPDX-License-Identifier: GPL-2.0-only */
/* However the program on it ends or stops, the terminal is given back; one that is none is told. */
#include <errno.h>
#include <locale.h>
#include <sys/resource.h>

#include "screen_stage.h"

static void closing_gives_the_terminal_back(void **state)
{
	struct stage *stage = stage_open(until_q);

	(void)state;
	assert_false(is_as_before(stage));
	stage_quit(stage);
}

static void exits(struct screen *screen)
{
	wait_key(screen);
	exit(7);
}

static void exit_gives_the_terminal_back(void **state)
{
	struct stage *stage = stage_open(exits);

	(void)state;
	type(stage, "x");
	assert_int_equal(WEXITSTATUS(stage_wait(stage)), 7);
	assert_given_back(stage);
	stage_end(stage);
}

static void assert_ended_by(struct stage *stage, int number)
{
	int status = stage_wait(stage);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), number);
	assert_given_back(stage);
	stage_end(stage);
}

static void signals_that_end_it_give_the_terminal_back(void **state)
{
	static const int numbers[] = {SIGTERM, SIGHUP,  SIGINT,  SIGQUIT, SIGPIPE, SIGUSR1,
				      SIGALRM, SIGXCPU, SIGSEGV, SIGABRT, SIGBUS,  SIGFPE};

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		struct stage *stage = stage_open(until_q);

		kill(stage->program, numbers[i]);
		assert_ended_by(stage, numbers[i]);
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
	struct stage *stage = stage_open(role);

	type(stage, "xy");
	assert_ended_by(stage, number);
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
	struct stage *stage;

	(void)state;
	signal(SIGTERM, SIG_IGN);
	stage = stage_start(until_q);
	signal(SIGTERM, SIG_DFL);
	stage_await(stage, "<ready>");
	kill(stage->program, SIGTERM);
	type(stage, "q");
	assert_int_equal(stage_wait(stage), 0);
	stage_end(stage);
}

static void stopping_gives_the_terminal_back_and_fg_takes_it_again(void **state)
{
	struct stage *stage;
	int status;

	(void)state;
	stage = stage_open(until_q);
	type(stage, "\x1a");
	status = stage_wait(stage);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(WSTOPSIG(status), SIGTSTP);
	assert_given_back(stage);
	stage_forget(stage);
	kill(stage->leader, SIGUSR1);
	stage_await(stage, "<ready>");
	assert_true(is_seen(stage, "\033[?1049h"));
	assert_false(is_as_before(stage));
	stage_quit(stage);
}

static void another_size_while_it_was_stopped_is_told(void **state)
{
	struct stage *stage = stage_open(tells_sizes);

	(void)state;
	type(stage, "\x1a");
	assert_true(WIFSTOPPED(stage_wait(stage)));
	resize(stage, 91, 33);
	kill(stage->leader, SIGUSR1);
	stage_await(stage, "<91x33>");
	stage_quit(stage);
}

static void after_a_stop_that_cannot_be_seen_it_paints_anew(void **state)
{
	struct stage *stage = stage_open(until_q);

	(void)state;
	kill(stage->program, SIGSTOP);
	assert_true(WIFSTOPPED(stage_wait(stage)));
	/* A shell gives itself its own modes. */
	assert_int_equal(tcsetattr(stage->inner, TCSANOW, &stage->before), 0);
	stage_forget(stage);
	kill(stage->leader, SIGUSR1);
	stage_await(stage, "<ready>");
	assert_false(is_as_before(stage));
	stage_quit(stage);
}

static void a_terminal_that_takes_nothing_is_given_back(void **state)
{
	struct stage *stage = flood();

	(void)state;
	kill(stage->program, SIGTERM);
	for (int i = 0; i < PATIENCE_MS / 10 && !is_as_before(stage); i++)
		usleep(10000);
	assert_int_equal(WTERMSIG(stage_wait(stage)), SIGTERM);
	assert_given_back(stage);
	stage_end(stage);
}

static void a_terminal_that_ctrl_s_has_stopped_is_given_back(void **state)
{
	struct stage *stage = stage_open(until_q);

	(void)state;
	type(stage, "\x13");
	stage_quit(stage);
}

static void until_gone(struct screen *screen)
{
	signal(SIGHUP, SIG_IGN);
	++*stage_told;
	while (wait_key(screen) != KEY_GONE)
		;
	show(screen, "nobody");
	_exit(42);
}

static void a_terminal_that_is_gone_is_a_key(void **state)
{
	struct stage *stage;
	int status;

	(void)state;
	stage = stage_open(until_gone);
	stage_await_told(1);
	close(stage->outer);
	stage->outer = -1;
	assert_int_equal(read(stage->reports, &status, sizeof(status)), sizeof(status));
	assert_int_equal(WEXITSTATUS(status), 42);
	stage_end(stage);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closing_gives_the_terminal_back),
		cmocka_unit_test(exit_gives_the_terminal_back),
		cmocka_unit_test(signals_that_end_it_give_the_terminal_back),
		cmocka_unit_test(a_crash_gives_the_terminal_back),
		cmocka_unit_test(a_stack_that_runs_out_gives_the_terminal_back),
		cmocka_unit_test(a_signal_that_is_ignored_stays_so),
		cmocka_unit_test(stopping_gives_the_terminal_back_and_fg_takes_it_again),
		cmocka_unit_test(another_size_while_it_was_stopped_is_told),
		cmocka_unit_test(after_a_stop_that_cannot_be_seen_it_paints_anew),
		cmocka_unit_test(a_terminal_that_takes_nothing_is_given_back),
		cmocka_unit_test(a_terminal_that_ctrl_s_has_stopped_is_given_back),
		cmocka_unit_test(a_terminal_that_is_gone_is_a_key),
		cmocka_unit_test(one_that_is_not_the_controlling_terminal_is_given_back),
		cmocka_unit_test(a_terminal_that_cannot_show_it_is_said),
	};

	setlocale(LC_ALL, "C.UTF-8");
	setenv("TERM", "xterm-256color", 1);
	no_cores();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
