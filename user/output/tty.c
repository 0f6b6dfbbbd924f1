/* SPDX-License-Identifier: GPL-2.0-only */
#include "output/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "output/tty_guard.h"

struct tty {
	struct termios before;
	struct termios ours;
	struct text pending;
	size_t written; /* of it */
	int out;
	int wake;
	int epoll;
	bool is_gone;
	bool awaits_room; /* epoll tells when there is some */
};

/*
 * Standard output is shared with the shell, which O_NONBLOCK would hit as well, so this is another
 * open file of the same terminal. One that may not be opened (su to somebody else) is written as it
 * is, and may make us wait.
 */
static int out_open(void)
{
	int fd = open("/proc/self/fd/1", O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 && isatty(fd))
		return fd;
	if (fd >= 0)
		close(fd);
	return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
}

static int epoll_add(int epoll, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int fds_open(struct tty *tty)
{
	int r;

	tty->out = out_open();
	tty->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	tty->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (tty->out < 0 || tty->wake < 0 || tty->epoll < 0)
		return -errno;
	r = epoll_add(tty->epoll, STDIN_FILENO, EPOLLIN);
	if (!r)
		r = epoll_add(tty->epoll, tty->wake, EPOLLIN);
	if (!r)
		r = epoll_add(tty->epoll, tty->out, 0);
	return r;
}

/* ^C, ^Z and ^S do what they do everywhere. No byte is changed on its way out: terminfo describes
 * terminals, not what the driver makes of a line feed. */
static void make_ours(struct tty *tty)
{
	tty->ours = tty->before;
	tty->ours.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ECHONL | IEXTEN);
	tty->ours.c_lflag |= ISIG;
	tty->ours.c_oflag &= ~(tcflag_t)OPOST;
	tty->ours.c_cc[VMIN] = 0;
	tty->ours.c_cc[VTIME] = 0;
}

int tty_open(struct tty **result)
{
	struct tty *tty;
	int r;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return -ENOTTY;
	tty = mem_new(sizeof(*tty));
	tty->out = tty->wake = tty->epoll = -1;
	r = fds_open(tty);
	if (!r && tcgetattr(STDIN_FILENO, &tty->before))
		r = -errno;
	if (r) {
		tty_close(tty);
		return r;
	}
	make_ours(tty);
	guard_open(tty->wake);
	*result = tty;
	return 0;
}

void tty_close(struct tty *tty)
{
	if (!tty)
		return;
	guard_close();
	text_free(&tty->pending);
	for (size_t i = 0; i < 3; i++) {
		int fd = i == 0 ? tty->out : i == 1 ? tty->wake : tty->epoll;

		if (fd >= 0)
			close(fd);
	}
	free(tty);
}

void tty_set_last(struct tty *tty, const char *bytes, size_t length)
{
	(void)tty;
	guard_bytes(bytes, length);
}

/* A frame that the terminal has not taken whole is of no use to anybody. */
void tty_leave(struct tty *tty)
{
	text_clear(&tty->pending);
	tty->written = 0;
	guard_give_back();
}

void tty_enter(struct tty *tty)
{
	guard_arm(tty->out, &tty->before);
	/* In the background this stops us until we are in the foreground. */
	while (tcsetattr(STDIN_FILENO, TCSANOW, &tty->ours) && errno == EINTR)
		;
}

int tty_fd(const struct tty *tty)
{
	return tty->epoll;
}

void tty_wake(struct tty *tty)
{
	uint64_t one = 1;

	while (write(tty->wake, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void tty_size(const struct tty *tty, size_t *width, size_t *height)
{
	struct winsize size = {0};

	if (ioctl(tty->out, TIOCGWINSZ, &size))
		size = (struct winsize){0};
	*width = size.ws_col;
	*height = size.ws_row;
}

ssize_t tty_read(struct tty *tty, char *data, size_t size, int timeout_ms)
{
	struct pollfd polled = {.fd = STDIN_FILENO, .events = POLLIN};
	ssize_t r;

	if (tty->is_gone)
		return -EIO;
	if (poll(&polled, 1, timeout_ms) <= 0)
		return 0;
	r = read(STDIN_FILENO, data, size);
	if (r > 0 || (r < 0 && (errno == EINTR || errno == EAGAIN)))
		return r > 0 ? r : 0;
	/* Nothing, although there was something: with VMIN 0, that is another reader's luck. */
	if (!r && !(polled.revents & (POLLHUP | POLLERR)))
		return 0;
	tty->is_gone = true;
	return -EIO;
}

static void await_room(struct tty *tty, bool awaits)
{
	struct epoll_event event = {.events = awaits ? EPOLLOUT : 0, .data.fd = tty->out};

	if (awaits == tty->awaits_room)
		return;
	tty->awaits_room = awaits;
	epoll_ctl(tty->epoll, EPOLL_CTL_MOD, tty->out, &event);
}

bool tty_flush(struct tty *tty)
{
	while (tty->written < tty->pending.length && !tty->is_gone) {
		ssize_t r = write(tty->out, tty->pending.data + tty->written,
				  tty->pending.length - tty->written);

		if (r > 0)
			tty->written += (size_t)r;
		else if (r < 0 && errno == EAGAIN)
			break;
		else if (r == 0 || errno != EINTR)
			tty->is_gone = true;
	}
	if (tty->is_gone || tty->written == tty->pending.length) {
		text_clear(&tty->pending);
		tty->written = 0;
	}
	await_room(tty, tty->pending.length);
	return tty->pending.length;
}

void tty_write(struct tty *tty, const char *data, size_t length)
{
	if (tty->is_gone)
		return;
	text_add(&tty->pending, data, length);
	tty_flush(tty);
}
