/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "launch/spec.h"

#define TERMINAL_BYTES 4096

/* Reads when it is empty and writes when it is not: neither side is ever waited for. */
struct flow {
	int from; /* -1: ended */
	int to;   /* -1: nobody takes it any more */
	size_t start;
	size_t length;
	char data[TERMINAL_BYTES];
};

enum flow_direction {
	FLOW_IN,
	FLOW_OUT,
	FLOWS
};

struct terminal {
	int outer[2]; /* nsview's standard input and output, borrowed */
	int own_socket;
	int container_socket;
	int master;
	int slave;  /* held, so that the pty does not hang up when COMMAND closes its last one */
	int output; /* outer[1], or a description of it that does not block */
	bool has_input;
	struct winsize size;
	struct terminal_mode mode;
	struct flow flows[FLOWS];
};

/* Not of a file: its position and O_APPEND belong to the description. */
static int terminal_open_output(int fd)
{
	autofree char *path = mem_printf("/proc/self/fd/%d", fd);
	struct stat status;
	int copy = -1;

	if (!fstat(fd, &status) && (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)))
		copy = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return copy >= 0 ? copy : fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

int terminal_open(const struct spec *spec, struct terminal **terminal)
{
	struct terminal *made;
	int pair[2];

	if (!spec->has_terminal)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return log_fail(-errno, "make a connection to the container's terminal");
	made = mem_new(sizeof(*made));
	made->own_socket = pair[0];
	made->container_socket = pair[1];
	made->outer[0] = spec->stdio[0];
	made->outer[1] = spec->stdio[1];
	made->master = made->slave = made->mode.fd = -1;
	made->has_input = spec->keeps_stdin;
	made->output = terminal_open_output(made->outer[1]);
	if (spec->keeps_stdin && !tcgetattr(made->outer[0], &made->mode.saved))
		made->mode.fd = made->outer[0];
	if (ioctl(made->outer[1], TIOCGWINSZ, &made->size))
		ioctl(made->outer[0], TIOCGWINSZ, &made->size);
	*terminal = made;
	return 0;
}

void terminal_free(struct terminal *terminal)
{
	if (!terminal)
		return;
	for (int i = 0; i < 5; i++) {
		int fd = (int[]){terminal->own_socket, terminal->container_socket, terminal->master,
				 terminal->slave, terminal->output}[i];

		if (fd >= 0)
			close(fd);
	}
	free(terminal);
}

void terminal_mode_read(const struct terminal *terminal, struct terminal_mode *mode)
{
	*mode = (struct terminal_mode){.fd = -1};
	if (terminal)
		*mode = terminal->mode;
}

/* Whoever is not in the terminal's foreground would be stopped for it. */
static void terminal_set(int fd, const struct termios *termios)
{
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGTTOU);
	sigprocmask(SIG_BLOCK, &set, &old);
	tcsetattr(fd, TCSADRAIN, termios);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

void terminal_mode_restore(const struct terminal_mode *mode)
{
	if (mode->fd >= 0)
		terminal_set(mode->fd, &mode->saved);
}

static int terminal_send(int socket_fd, int fd)
{
	char byte = 0;
	struct iovec word = {.iov_base = &byte, .iov_len = 1};
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct msghdr message = {.msg_iov = &word,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(socket_fd, &message, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

static int terminal_receive(int socket_fd)
{
	char byte;
	struct iovec word = {.iov_base = &byte, .iov_len = 1};
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr message = {.msg_iov = &word,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *header;
	int fd;

	if (recvmsg(socket_fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) != 1)
		return -EPROTO;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(sizeof(int)))
		return -EPROTO;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

/* docker's: what the kernel and services call the console is the same terminal. */
static int terminal_bind_console(int master)
{
	autofree char *path = NULL;
	autoclose int file = -1;
	unsigned int number;

	if (ioctl(master, TIOCGPTN, &number))
		return -errno;
	path = mem_printf("/dev/pts/%u", number);
	file = open("/dev/console", O_CREAT | O_WRONLY | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0600);
	if (file < 0)
		return -errno;
	return mount(path, "/dev/console", NULL, MS_BIND, NULL) ? -errno : 0;
}

int terminal_make(const struct terminal *terminal, uid_t uid)
{
	autoclose int master = open("/dev/pts/ptmx", O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	autoclose int slave = -1;
	int locked = 0, r;

	if (master < 0 || ioctl(master, TIOCSPTLCK, &locked))
		return log_fail(-errno, "make a pseudo-terminal in the container");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || fchown(slave, uid, -1) || ioctl(slave, TIOCSWINSZ, &terminal->size))
		return log_fail(-errno, "open the container's pseudo-terminal");
	r = terminal_bind_console(master);
	if (r)
		return log_fail(r, "make the pseudo-terminal the container's /dev/console");
	if (ioctl(slave, TIOCSCTTY, 0))
		return log_fail(-errno, "make the pseudo-terminal the command's own");
	r = terminal_send(terminal->container_socket, master);
	for (int i = 0; !r && i < 3; i++) {
		if (dup2(slave, i) < 0)
			r = -errno;
	}
	return r ? log_fail(r, "pass the container's pseudo-terminal on") : 0;
}

int terminal_start(struct terminal *terminal)
{
	struct termios raw;

	if (!terminal)
		return 0;
	terminal->master = terminal_receive(terminal->own_socket);
	if (terminal->master < 0)
		return log_fail(terminal->master, "get the container's pseudo-terminal");
	terminal->slave = ioctl(terminal->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	terminal->flows[FLOW_IN].from = terminal->has_input ? terminal->outer[0] : -1;
	terminal->flows[FLOW_IN].to = terminal->master;
	terminal->flows[FLOW_OUT].from = terminal->master;
	terminal->flows[FLOW_OUT].to = terminal->output;
	if (terminal->mode.fd >= 0) {
		raw = terminal->mode.saved;
		cfmakeraw(&raw);
		terminal_set(terminal->mode.fd, &raw);
	}
	return 0;
}

void terminal_poll(const struct terminal *terminal, struct pollfd polled[TERMINAL_POLLED])
{
	for (int i = 0; i < FLOWS; i++) {
		const struct flow *flow = terminal ? &terminal->flows[i] : NULL;

		polled[i] = (struct pollfd){.fd = -1};
		if (flow && flow->length)
			polled[i] = (struct pollfd){.fd = flow->to, .events = POLLOUT};
		else if (flow)
			polled[i] = (struct pollfd){.fd = flow->from, .events = POLLIN};
	}
}

static bool flow_is_later(ssize_t result)
{
	return result < 0 && (errno == EAGAIN || errno == EINTR);
}

static void flow_read(struct flow *flow)
{
	ssize_t got = read(flow->from, flow->data, sizeof(flow->data));

	flow->start = 0;
	if (got > 0)
		flow->length = got;
	else if (!flow_is_later(got))
		flow->from = -1;
}

/* What nobody takes any more is dropped, or COMMAND would wait for ever. */
static void flow_write(struct flow *flow)
{
	ssize_t put = -1;

	if (flow->to >= 0)
		put = write(flow->to, flow->data + flow->start, flow->length);
	if (flow->to >= 0 && flow_is_later(put))
		return;
	if (put <= 0) {
		flow->to = -1;
		put = flow->length;
	}
	flow->start += put;
	flow->length -= put;
}

void terminal_move(struct terminal *terminal, const struct pollfd polled[TERMINAL_POLLED])
{
	for (int i = 0; terminal && i < FLOWS; i++) {
		struct flow *flow = &terminal->flows[i];

		if (polled[i].fd < 0 || !polled[i].revents)
			continue;
		if (!flow->length)
			flow_read(flow);
		if (flow->length)
			flow_write(flow);
	}
}

void terminal_resize(const struct terminal *terminal)
{
	struct winsize size;

	if (terminal && (!ioctl(terminal->outer[1], TIOCGWINSZ, &size) ||
			 !ioctl(terminal->outer[0], TIOCGWINSZ, &size)))
		ioctl(terminal->master, TIOCSWINSZ, &size);
}

void terminal_finish(struct terminal *terminal, int stop_fd)
{
	struct flow *flow = terminal ? &terminal->flows[FLOW_OUT] : NULL;

	while (flow && flow->from >= 0) {
		struct pollfd polled[2] = {{.fd = flow->to, .events = POLLOUT},
					   {.fd = stop_fd, .events = POLLIN}};

		if (!flow->length)
			flow_read(flow);
		if (!flow->length || poll(polled, 2, stop_fd < 0 ? 0 : -1) <= 0 ||
		    polled[1].revents)
			break;
		flow_write(flow);
	}
	if (terminal)
		terminal_mode_restore(&terminal->mode);
}
