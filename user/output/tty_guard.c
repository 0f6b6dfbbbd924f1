/* SPDX-License-Identifier: GPL-2.0-only */
#include "output/tty_guard.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define BYTES_MAX 256
#define PATIENCE_MS 200 /* with a terminal that does not take the last bytes */
#define SIGNAL_STACK 65536

/* A signal's handler can reach nothing else. */
static struct {
	volatile sig_atomic_t is_armed;
	volatile sig_atomic_t is_resized;
	volatile sig_atomic_t is_stopped;
	volatile sig_atomic_t is_continued;
	bool has_exit;
	int fd;
	int wake_fd;
	pid_t owner; /* a forked child has no terminal to give back */
	struct termios modes;
	char bytes[BYTES_MAX];
	size_t length;
	void *stack;
	struct sigaction old[_NSIG];
	bool is_taken[_NSIG];
} guard = {.fd = -1, .wake_fd = -1};

/* End the program when nobody takes them. */
static const int ends[] = {
	SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGPIPE,   SIGALRM, SIGUSR1,
	SIGUSR2, SIGXCPU, SIGXFSZ, SIGPROF, SIGVTALRM, SIGSYS,  SIGTRAP,
};
static const int crashes[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE};

/* What is still on its way is of no interest any more, where it is in the way. */
static void write_last(const char *bytes, size_t length)
{
	struct pollfd polled = {.fd = guard.fd, .events = POLLOUT};
	int patience = 2;

	while (length) {
		ssize_t r = write(guard.fd, bytes, length);

		if (r > 0) {
			bytes += r;
			length -= (size_t)r;
		} else if (r < 0 && errno == EAGAIN && patience--) {
			tcflush(guard.fd, TCOFLUSH);
			poll(&polled, 1, PATIENCE_MS);
		} else if (r == 0 || errno != EINTR) {
			return;
		}
	}
}

void guard_give_back(void)
{
	int error = errno;
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction old;
	pid_t foreground;

	if (!guard.is_armed || getpid() != guard.owner)
		return;
	guard.is_armed = 0;
	/* In the background the terminal belongs to somebody else, who has set it up. One that is
	 * not our controlling terminal tells no foreground. */
	foreground = tcgetpgrp(guard.fd);
	if (foreground < 0 || foreground == getpgrp()) {
		sigaction(SIGTTOU, &ignore, &old);
		/* The second undoes only what the first does, and with it a Ctrl-S. */
		tcflow(guard.fd, TCOOFF);
		tcflow(guard.fd, TCOON);
		write_last(guard.bytes, guard.length);
		tcsetattr(guard.fd, TCSANOW, &guard.modes);
		sigaction(SIGTTOU, &old, NULL);
	}
	errno = error;
}

static void guard_wake(void)
{
	int error = errno;
	uint64_t one = 1;

	if (write(guard.wake_fd, &one, sizeof(one)) < 0)
		errno = error;
}

static void take_news(int number)
{
	if (number == SIGWINCH)
		guard.is_resized = 1;
	else if (number == SIGTSTP)
		guard.is_stopped = 1;
	else
		guard.is_continued = 1;
	guard_wake();
}

/* Gives the terminal back, then lets the signal do what it would have done. */
static void take_end(int number, siginfo_t *info, void *context)
{
	bool is_fault =
		number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE;

	(void)context;
	guard_give_back();
	sigaction(number, &guard.old[number], NULL);
	/* A fault comes again, at its own place, when the instruction is tried again. */
	if (!is_fault || info->si_code <= 0)
		raise(number);
}

static void guard_take(int number, const struct sigaction *action, bool is_default_only)
{
	struct sigaction *old = &guard.old[number];

	if (sigaction(number, NULL, old))
		return;
	if (is_default_only && (old->sa_flags & SA_SIGINFO || old->sa_handler != SIG_DFL))
		return;
	guard.is_taken[number] = !sigaction(number, action, NULL);
}

/* A stack that has run out is no place for a handler. */
static void stack_open(void)
{
	stack_t stack = {0};

	if (sigaltstack(NULL, &stack) || !(stack.ss_flags & SS_DISABLE))
		return;
	guard.stack = mem_new(SIGNAL_STACK);
	stack = (stack_t){.ss_sp = guard.stack, .ss_size = SIGNAL_STACK};
	sigaltstack(&stack, NULL);
}

static void stack_close(void)
{
	stack_t stack = {.ss_flags = SS_DISABLE};

	if (!guard.stack)
		return;
	sigaltstack(&stack, NULL);
	free(guard.stack);
	guard.stack = NULL;
}

void guard_open(int wake_fd)
{
	struct sigaction end = {.sa_sigaction = take_end,
				.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
	struct sigaction news = {.sa_handler = take_news};

	guard.wake_fd = wake_fd;
	guard.owner = getpid();
	if (!guard.has_exit)
		guard.has_exit = !atexit(guard_give_back);
	stack_open();
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		guard_take(ends[i], &end, true);
	for (size_t i = 0; i < ARRAY_SIZE(crashes); i++)
		guard_take(crashes[i], &end, false);
	guard_take(SIGTSTP, &news, true);
	guard_take(SIGCONT, &news, true);
	guard_take(SIGWINCH, &news, true);
}

void guard_close(void)
{
	guard_give_back();
	for (int number = 1; number < _NSIG; number++) {
		struct sigaction now;

		if (!guard.is_taken[number])
			continue;
		guard.is_taken[number] = false;
		/* One that somebody has taken since stays his. */
		if (!sigaction(number, NULL, &now) &&
		    (now.sa_sigaction == take_end || now.sa_handler == take_news))
			sigaction(number, &guard.old[number], NULL);
	}
	stack_close();
	guard.wake_fd = -1;
}

void guard_arm(int fd, const struct termios *modes)
{
	guard.fd = fd;
	guard.modes = *modes;
	guard.is_armed = 1;
}

void guard_bytes(const char *bytes, size_t length)
{
	sigset_t all;
	sigset_t old;

	if (length > BYTES_MAX)
		length = BYTES_MAX;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	memcpy(guard.bytes, bytes, length);
	guard.length = length;
	sigprocmask(SIG_SETMASK, &old, NULL);
}

struct guard_news guard_take_news(void)
{
	struct guard_news news;
	uint64_t count;

	/* First, so that what comes from here on wakes again. */
	while (read(guard.wake_fd, &count, sizeof(count)) > 0)
		;
	news.is_resized = guard.is_resized;
	news.is_stopped = guard.is_stopped;
	news.is_continued = guard.is_continued;
	if (news.is_resized)
		guard.is_resized = 0;
	if (news.is_stopped)
		guard.is_stopped = 0;
	if (news.is_continued)
		guard.is_continued = 0;
	return news;
}

void guard_stop(void)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	struct sigaction old;
	sigset_t stop;
	sigset_t mask;

	if (sigaction(SIGTSTP, NULL, &old) ||
	    (!(old.sa_flags & SA_SIGINFO) && old.sa_handler == SIG_IGN))
		return; /* a shell without job control could not continue it */
	sigaction(SIGTSTP, &action, NULL);
	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stop, &mask);
	raise(SIGTSTP);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	sigaction(SIGTSTP, &old, NULL);
}
