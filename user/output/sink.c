/* SPDX-License-Identifier: GPL-2.0-only */
#include "output/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#define BLOCK_BYTES (64 * 1024) /* written at once */
#define FILE_BLOCK_BYTES \
	(256 *           \
	 1024) /* into a file: fewer and larger pieces of page cache, which still fit the cache */
#define BUFFER_BYTES (1024 * 1024)     /* kept for a reader that is slow */
#define PATIENCE_NS (1000 * 1000000LL) /* then lines are lost; the kernel's ring holds as much */
#define RETRY_NS (1000 * 1000000LL)    /* of a full disk */
#define WAIT_MS 10
#define PIPE_BYTES \
	(512 * 1024)   /* asked for: 64 KiB hold 20 lines, and their reader wakes for each */
#define PIPE_SLOT 4096 /* a pipe holds pages, each as full as the writes left it */

enum sink_kind {
	SINK_FILE,   /* a write ends at once: a regular file, /dev/null */
	SINK_PIPE,   /* a description of its own that does not block */
	SINK_STREAM, /* a terminal: the same, but whoever reads it takes parts of lines */
	SINK_SOCKET,
};

struct sink {
	enum sink_kind kind;
	int fd;
	bool owns_fd;
	char *path; /* NULL: not opened by name */
	char *name;
	struct text text;
	size_t start;       /* in text: what lies before has been written */
	size_t end;         /* the last whole line's */
	int64_t stalled_ns; /* since when nothing could be written; 0: it could */
	int64_t retry_ns;   /* not before */
	int error;          /* said already */
	size_t inside;      /* bytes before start that are the beginning of a line */
	bool is_closed;     /* by who read it */
	uint64_t lines;
	uint64_t lost;
	struct sink_loss loss;
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* O_NONBLOCK belongs to the description, which others may share: a new one is ours alone. */
static int sink_open_again(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

static void sink_set_fd(struct sink *sink, int fd, bool owns_fd)
{
	struct stat status = {0};
	bool can_stop;
	int own;

	fstat(fd, &status);
	sink->fd = fd;
	sink->owns_fd = owns_fd;
	sink->kind = SINK_FILE;
	can_stop = S_ISFIFO(status.st_mode) || isatty(fd);
	if (S_ISFIFO(status.st_mode))
		sink->kind = SINK_PIPE;
	else if (isatty(fd))
		sink->kind = SINK_STREAM;
	else if (S_ISSOCK(status.st_mode))
		sink->kind = SINK_SOCKET;
	own = can_stop && !owns_fd ? sink_open_again(fd) : -1;
	if (own >= 0) {
		sink->fd = own;
		sink->owns_fd = true;
	}
	if (sink->kind == SINK_PIPE && fcntl(sink->fd, F_GETPIPE_SZ) < PIPE_BYTES)
		fcntl(sink->fd, F_SETPIPE_SZ,
		      PIPE_BYTES); /* less will do where it is not granted */
}

struct sink *sink_new(int fd, const char *name)
{
	struct sink *sink = mem_new(sizeof(*sink));

	sink->name = mem_copy(name);
	sink_set_fd(sink, fd, false);
	return sink;
}

/* What was cut there when a machine or a disk failed is not to be the beginning of a line of ours. */
static void sink_end_line(const char *path, int fd)
{
	autoclose int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	struct stat status;
	char last;

	if (reader >= 0 && !fstat(reader, &status) && S_ISREG(status.st_mode) && status.st_size &&
	    pread(reader, &last, 1, status.st_size - 1) == 1 && last != '\n')
		(void)!write(fd, "\n", 1);
}

static int sink_open_path(const char *path)
{
	int fd =
		open(path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0600);

	if (fd < 0)
		return -errno;
	sink_end_line(path, fd);
	return fd;
}

static int sink_refused(int error, const char *path)
{
	if (error == -ENXIO)
		return log_error(error, "open %s: nobody reads this pipe: start its reader first",
				 path);
	return log_fail(error, "open %s", path);
}

int sink_open(struct sink **sink, const char *path)
{
	int fd = sink_open_path(path);
	struct sink *opened;

	if (fd < 0)
		return sink_refused(fd, path);
	opened = mem_new(sizeof(*opened));
	opened->path = mem_copy(path);
	opened->name = mem_copy(path);
	sink_set_fd(opened, fd, true);
	*sink = opened;
	return 0;
}

struct text *sink_text(struct sink *sink)
{
	return &sink->text;
}

static size_t count_lines(const char *data, size_t length)
{
	size_t count = 0;
	const char *end = data + length;

	while ((data = memchr(data, '\n', (size_t)(end - data)))) {
		data++;
		count++;
	}
	return count;
}

/* How much may be written so that all of it fits into the pipe, whole lines of it. Two pages that
 * follow each other there hold more than one page's worth. */
static size_t pipe_fits(const struct sink *sink, size_t length)
{
	const char *data = sink->text.data + sink->start;
	const char *newline;
	int bytes = 0;
	int size = fcntl(sink->fd, F_GETPIPE_SZ);
	long slots;

	if (size < 0 || ioctl(sink->fd, FIONREAD, &bytes))
		return length;
	slots = size / PIPE_SLOT;
	if (bytes)
		slots -= 2 * (bytes / PIPE_SLOT) + 2;
	if (slots <= 0)
		return 0;
	if (length <= (size_t)slots * PIPE_SLOT)
		return length;
	newline = memrchr(data, '\n', (size_t)slots * PIPE_SLOT);
	if (newline)
		return (size_t)(newline - data) + 1;
	return bytes ? 0 : length; /* a line longer than the pipe: its reader has to go on */
}

/* A file that ends with the beginning of a line is cut there, and the line waits as a whole. */
static void sink_take_back(struct sink *sink)
{
	off_t end = lseek(sink->fd, 0, SEEK_CUR);
	off_t whole = end - (off_t)sink->inside;
	struct stat status;

	if (!sink->inside || sink->inside > sink->start || sink->kind != SINK_FILE || whole < 0)
		return;
	if (fstat(sink->fd, &status) || !S_ISREG(status.st_mode) || status.st_size != end)
		return; /* another one writes there too: it is completed when that is possible */
	if (ftruncate(sink->fd, whole) || lseek(sink->fd, whole, SEEK_SET) < 0)
		return;
	sink->start -= sink->inside;
	sink->inside = 0;
}

static void sink_wrote(struct sink *sink, size_t written)
{
	const char *data = sink->text.data + sink->start;
	const char *newline = memrchr(data, '\n', written);

	sink->inside = newline ? (size_t)(data + written - newline - 1) : sink->inside + written;
	sink->start += written;
	sink->stalled_ns = 0;
}

/* The line whose beginning was left in another file, or whose end will never come. */
static void sink_skip_line(struct sink *sink)
{
	const char *data = sink->text.data + sink->start;
	const char *newline = memchr(data, '\n', sink->end - sink->start);

	if (!sink->inside || !newline)
		return;
	sink->start += (size_t)(newline - data) + 1;
	sink->inside = 0;
	sink->lost++;
	sink->lines--;
}

static int sink_failed(struct sink *sink, int error)
{
	int64_t now = now_ns();

	if (error == -EPIPE || error == -ECONNRESET) {
		sink->is_closed = true;
		return -EPIPE;
	}
	if (!sink->stalled_ns)
		sink->stalled_ns = now;
	if (error == -EAGAIN)
		return -EAGAIN;
	sink_take_back(sink);
	sink->retry_ns = now + RETRY_NS;
	if (!sink->error)
		log_fail(error, "write to %s: lines wait, and then are lost, until it can be done",
			 sink->name);
	sink->error = error;
	return -EAGAIN;
}

static ssize_t sink_try(const struct sink *sink, size_t length)
{
	const char *data = sink->text.data + sink->start;
	ssize_t written;

	do {
		written = sink->kind == SINK_SOCKET
				  ? send(sink->fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL)
				  : write(sink->fd, data, length);
	} while (written < 0 && errno == EINTR);
	return written < 0 ? -errno : written;
}

/* 0: all is written; -EAGAIN: not now. */
static int sink_write(struct sink *sink)
{
	if (sink->is_closed)
		return -EPIPE;
	if (sink->retry_ns && now_ns() < sink->retry_ns)
		return -EAGAIN;
	sink->retry_ns = 0;
	while (sink->start < sink->end) {
		size_t length = sink->end - sink->start;
		ssize_t written;

		if (sink->kind == SINK_PIPE)
			length = pipe_fits(sink, length);
		written = length ? sink_try(sink, length) : -EAGAIN;
		if (written < 0)
			return sink_failed(sink, (int)written);
		sink_wrote(sink, (size_t)written);
	}
	sink->error = 0;
	return 0;
}

/* What has been written leaves the buffer. */
static void sink_shift(struct sink *sink)
{
	if (sink->start == sink->text.length)
		text_clear(&sink->text);
	else if (sink->start < sink->text.length / 2)
		return;
	else
		memmove(sink->text.data, sink->text.data + sink->start,
			sink->text.length -= sink->start);
	sink->end -= sink->start;
	sink->start = 0;
}

static bool is_readerless(const struct sink *sink)
{
	struct pollfd poll_fd = {.fd = sink->fd};

	return sink->kind == SINK_PIPE && poll(&poll_fd, 1, 0) == 1 &&
	       poll_fd.revents & (POLLERR | POLLNVAL);
}

int sink_flush(struct sink *sink)
{
	int r;

	if (is_readerless(sink))
		sink->is_closed = true;
	r = sink_write(sink);
	sink_shift(sink);
	return r == -EAGAIN ? 0 : r;
}

bool sink_is_blocked(const struct sink *sink)
{
	return sink->stalled_ns && !sink->retry_ns && !sink->is_closed;
}

/* 0: something may be written now; -EINTR: a signal came, and has to be looked at first. */
int sink_wait(const struct sink *sink, int timeout_ms)
{
	struct pollfd poll_fd = {.fd = sink->fd, .events = POLLOUT};
	const struct timespec pause = {.tv_nsec = 1000000};
	int r = poll(&poll_fd, 1, timeout_ms);

	if (r < 0)
		return -errno;
	/* There may be room, but less than it takes. */
	return r && nanosleep(&pause, NULL) ? -errno : 0;
}

static size_t sink_pending(const struct sink *sink)
{
	return sink->text.length - sink->start;
}

/* A reader that pauses costs nothing; the kernel's ring fills meanwhile. */
static int sink_make_room(struct sink *sink)
{
	int r = sink_write(sink);

	while (r == -EAGAIN && !sink->retry_ns && sink_pending(sink) > BUFFER_BYTES &&
	       now_ns() < sink->stalled_ns + PATIENCE_NS) {
		if (sink_wait(sink, WAIT_MS))
			break;
		r = sink_write(sink);
	}
	sink_shift(sink);
	return r;
}

static void sink_lose(struct sink *sink, uint64_t first, uint64_t last)
{
	sink->text.length = sink->end;
	sink->lost++;
	sink->loss.lines++;
	if (!first)
		return;
	if (!sink->loss.first)
		sink->loss.first = first;
	sink->loss.last = last;
}

static size_t block_bytes(const struct sink *sink)
{
	return sink->kind == SINK_FILE ? FILE_BLOCK_BYTES : BLOCK_BYTES;
}

int sink_commit(struct sink *sink, uint64_t first, uint64_t last)
{
	int r = 0;

	/* A line that began in this buffer stays behind those that wait. */
	if (sink_pending(sink) > BUFFER_BYTES)
		r = sink_make_room(sink);
	if (r == -EPIPE)
		return r;
	if (sink->loss.lines || sink_pending(sink) > BUFFER_BYTES) {
		sink_lose(sink, first, last);
		return 0;
	}
	sink->end = sink->text.length;
	sink->lines++;
	if (sink_pending(sink) < block_bytes(sink) || sink->stalled_ns)
		return 0;
	r = sink_write(sink);
	sink_shift(sink);
	return r == -EAGAIN ? 0 : r;
}

bool sink_take_loss(struct sink *sink, struct sink_loss *loss)
{
	if (!sink->loss.lines || sink_pending(sink) > BUFFER_BYTES / 2)
		return false;
	*loss = sink->loss;
	sink->loss = (struct sink_loss){0};
	return true;
}

uint64_t sink_lines(const struct sink *sink)
{
	return sink->lines;
}

uint64_t sink_lost(const struct sink *sink)
{
	return sink->lost;
}

void sink_reopen(struct sink *sink)
{
	int fd;

	if (!sink->path)
		return;
	sink->retry_ns = 0;
	sink_write(sink);
	fd = sink_open_path(sink->path);
	if (fd < 0) {
		sink_refused(fd, sink->path);
		return;
	}
	if (sink->owns_fd)
		close(sink->fd);
	sink_skip_line(sink);
	sink->stalled_ns = 0;
	sink->error = 0;
	sink_set_fd(sink, fd, true);
	sink_flush(sink);
}

int sink_finish(struct sink *sink, int timeout_ms)
{
	int64_t deadline = now_ns() + (int64_t)timeout_ms * 1000000;
	int r;

	sink->retry_ns = 0;
	r = sink_write(sink);
	while (r == -EAGAIN && !sink->retry_ns && now_ns() < deadline) {
		sink_wait(sink, WAIT_MS);
		r = sink_write(sink);
	}
	if (r == -EAGAIN) {
		size_t left = count_lines(sink->text.data + sink->start, sink->end - sink->start);

		sink->lost += left;
		sink->lines -= left;
		sink->start = sink->end;
	}
	sink_shift(sink);
	return r == -EAGAIN && sink->error ? sink->error : r;
}

void sink_close(struct sink *sink)
{
	if (!sink)
		return;
	if (sink->owns_fd)
		close(sink->fd);
	text_free(&sink->text);
	free(sink->path);
	free(sink->name);
	free(sink);
}
