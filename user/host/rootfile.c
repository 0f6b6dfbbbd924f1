/* SPDX-License-Identifier: GPL-2.0-only */
#include "host/rootfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/procfs.h"

#define ANSWER_MS 1000
#define STALLS_MAX 3    /* each has cost a second, and has left a child behind */
#define PATH_BYTES 4096 /* PATH_MAX: a data-root may lie anywhere */
#define CHUNK_BYTES 65536
#define CHILD_SOCKET 0 /* the only descriptor that the child keeps */

struct rootfile {
	pid_t child; /* 0: none */
	int socket;
	int stalls;
};

enum request_kind {
	REQUEST_CONTENT,
	REQUEST_DEVICE,
};

/* Goes with the descriptor of the root. */
struct request {
	uint64_t limit;
	uint32_t kind; /* enum request_kind */
	uint32_t pad;
	char path[PATH_BYTES];
};

/* Comes before `length` bytes of content. */
struct answer {
	uint64_t device;
	int32_t error; /* 0 or negative errno */
	uint32_t length;
};

/* ---- the child ---- */

/*
 * O_PATH: to open a FIFO or a device for reading does something to it, and which of them lies
 * there is the container's choice.
 */
static int file_find(int root_fd, const char *path, struct stat *status)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int found = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));

	if (found < 0)
		return -errno;
	if (fstat(found, status)) {
		int r = -errno;

		close(found);
		return r;
	}
	return found;
}

/* /proc/self/fd opens the very file that was found. */
static int file_open(int root_fd, const char *path)
{
	struct stat status;
	autoclose int found = file_find(root_fd, path, &status);
	char again[32];
	int fd;

	if (found < 0)
		return found;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	snprintf(again, sizeof(again), "/proc/self/fd/%d", found);
	fd = open(again, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

static int file_read(int root_fd, const char *path, size_t limit, struct text *out)
{
	autoclose int fd = file_open(root_fd, path);
	char chunk[4096];

	if (fd < 0)
		return fd;
	for (;;) {
		ssize_t length = read(fd, chunk, sizeof(chunk));

		if (length <= 0)
			return length < 0 ? -errno : 0;
		if (out->length + (size_t)length > limit)
			return -EFBIG;
		text_add(out, chunk, (size_t)length);
	}
}

static int device_read(int root_fd, const char *path, uint64_t *device)
{
	struct stat status;
	autoclose int found = file_find(root_fd, path, &status);

	if (found < 0)
		return found;
	*device = status.st_rdev;
	return 0;
}

static bool send_all(int socket, const void *data, size_t length)
{
	const char *at = data;

	while (length) {
		ssize_t sent = send(socket, at, length, MSG_NOSIGNAL);

		if (sent < 0)
			return false;
		at += sent;
		length -= (size_t)sent;
	}
	return true;
}

/* The next request and the descriptor that came with it; false: there will be none. */
static bool request_receive(int socket, struct request *request, int *root_fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec vector = {request, sizeof(*request)};
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t length = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL);
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	if (length != sizeof(*request) || !header || header->cmsg_type != SCM_RIGHTS)
		return false;
	memcpy(root_fd, CMSG_DATA(header), sizeof(*root_fd));
	request->path[PATH_BYTES - 1] = '\0';
	return true;
}

/*
 * Keeps nothing but its socket: a child that hangs must not hold the pipe to the next program
 * open, nor BPF programs. It ends with nsview, if it can.
 */
static _Noreturn void child_main(int socket, pid_t parent)
{
	struct text content = {0};
	struct request request;
	int root_fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	if (getppid() != parent || dup2(socket, CHILD_SOCKET) < 0 ||
	    syscall(SYS_close_range, CHILD_SOCKET + 1, UINT_MAX, 0))
		_exit(1);
	while (request_receive(CHILD_SOCKET, &request, &root_fd)) {
		struct answer answer = {0};

		text_clear(&content);
		if (request.kind == REQUEST_DEVICE)
			answer.error = device_read(root_fd, request.path, &answer.device);
		else
			answer.error = file_read(root_fd, request.path, request.limit, &content);
		answer.length = answer.error ? 0 : (uint32_t)content.length;
		close(root_fd);
		if (!send_all(CHILD_SOCKET, &answer, sizeof(answer)) ||
		    !send_all(CHILD_SOCKET, content.data, answer.length))
			break;
	}
	_exit(0);
}

/* ---- nsview itself ---- */

struct rootfile *rootfile_new(void)
{
	struct rootfile *reader = mem_new(sizeof(*reader));

	reader->socket = -1;
	return reader;
}

static void child_leave(struct rootfile *reader)
{
	if (!reader->child)
		return;
	close(reader->socket);
	kill(reader->child, SIGKILL);
	waitpid(reader->child, NULL, WNOHANG);
	reader->child = 0;
	reader->socket = -1;
}

/* A child that does not hang ends at once when its socket does: that one is waited for. */
void rootfile_free(struct rootfile *reader)
{
	if (!reader)
		return;
	if (reader->child) {
		close(reader->socket);
		waitpid(reader->child, NULL, 0);
	}
	free(reader);
}

static int child_start(struct rootfile *reader)
{
	pid_t parent = getpid();
	int sockets[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
		return -errno;
	child = fork();
	if (child == 0)
		child_main(sockets[1], parent);
	close(sockets[1]);
	if (child < 0) {
		close(sockets[0]);
		return -EAGAIN;
	}
	reader->child = child;
	reader->socket = sockets[0];
	return 0;
}

static int request_send(int socket, int root_fd, const char *path, struct request *request)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec vector = {request, sizeof(*request)};
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	if (strlen(path) >= sizeof(request->path))
		return -ENAMETOOLONG;
	strcpy(request->path, path);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(root_fd));
	memcpy(CMSG_DATA(header), &root_fd, sizeof(root_fd));
	return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What has come by the deadline: a number of bytes above 0, or -errno. */
static ssize_t receive_some(int socket, void *data, size_t length, int64_t deadline_ms)
{
	for (;;) {
		struct pollfd wait = {.fd = socket, .events = POLLIN};
		int64_t left = deadline_ms - now_ms();
		ssize_t received;
		int ready = poll(&wait, 1, left > 0 ? (int)left : 0);

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return ready < 0 ? -errno : -ETIMEDOUT;
		received = recv(socket, data, length, 0);
		if (received < 0 && errno == EINTR)
			continue;
		if (received <= 0)
			return received < 0 ? -errno : -EPIPE;
		return received;
	}
}

static int answer_receive(int socket, uint64_t *device, struct text *out)
{
	int64_t deadline_ms = now_ms() + ANSWER_MS;
	struct answer answer;
	char chunk[CHUNK_BYTES];
	size_t start = out->length;
	ssize_t received;

	for (size_t have = 0; have < sizeof(answer); have += (size_t)received) {
		received = receive_some(socket, (char *)&answer + have, sizeof(answer) - have,
					deadline_ms);
		if (received < 0)
			return (int)received;
	}
	for (size_t left = answer.length; left; left -= (size_t)received) {
		received = receive_some(socket, chunk, left < CHUNK_BYTES ? left : CHUNK_BYTES,
					deadline_ms);
		if (received < 0) {
			out->length = start;
			return (int)received;
		}
		text_add(out, chunk, (size_t)received);
	}
	*device = answer.device;
	return answer.error;
}

static int rootfile_ask(struct rootfile *reader, int root_fd, const char *path,
			struct request *request, uint64_t *device, struct text *out)
{
	int r = 0;

	if (reader->stalls >= STALLS_MAX)
		return -EBUSY;
	if (!reader->child)
		r = child_start(reader);
	if (!r)
		r = request_send(reader->socket, root_fd, path, request);
	if (r)
		return r;
	r = answer_receive(reader->socket, device, out);
	if (r == -ETIMEDOUT || r == -EPIPE) {
		reader->stalls++;
		child_leave(reader);
	}
	return r;
}

int rootfile_read(struct rootfile *reader, int root_fd, const char *path, size_t limit,
		  struct text *out)
{
	struct request request = {.kind = REQUEST_CONTENT, .limit = limit};
	uint64_t device;

	return rootfile_ask(reader, root_fd, path, &request, &device, out);
}

int rootfile_device(struct rootfile *reader, int root_fd, const char *path, dev_t *device)
{
	struct request request = {.kind = REQUEST_DEVICE};
	struct text nothing = {0};
	uint64_t number;
	int r = rootfile_ask(reader, root_fd, path, &request, &number, &nothing);

	text_free(&nothing);
	if (!r)
		*device = number;
	return r;
}

int rootfile_open_root(int proc_fd, uint32_t pid, uint32_t mnt_ns)
{
	autofree char *root =
		pid == PROCFS_SELF ? mem_copy("self/root") : mem_printf("%u/root", pid);
	autoclose int root_fd = openat(proc_fd, root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	uint32_t mnt_now = 0;
	int r;

	if (root_fd < 0)
		return -errno;
	/* Another process may have the pid by now. */
	r = procfs_namespace(proc_fd, pid, "mnt", &mnt_now);
	if (r || (mnt_ns && mnt_now != mnt_ns))
		return r ? r : -ESRCH;
	return steal_fd(&root_fd);
}

int rootfile_read_of(struct rootfile *reader, int proc_fd, uint32_t pid, uint32_t mnt_ns,
		     const char *path, size_t limit, struct text *out)
{
	autoclose int root_fd = rootfile_open_root(proc_fd, pid, mnt_ns);

	if (root_fd < 0)
		return root_fd;
	return rootfile_read(reader, root_fd, path, limit, out);
}
