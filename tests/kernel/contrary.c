/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A kernel that is not of one mind with whom it runs:
 *
 *	contrary load PROGRAM COMMAND...	the BPF program by that name is not loaded (EINVAL)
 *	contrary attach PROGRAM COMMAND...	it is loaded, and not attached as a tracepoint (EPERM)
 *	contrary skip PROGRAM:COUNT COMMAND...	so many of its runs were skipped (recursion_misses)
 *	contrary count MAP:COUNT COMMAND...	so much more is in the map's first number
 *
 * PROGRAM as the kernel keeps names, 15 characters of it. All other calls of bpf(2) are the kernel's:
 * seccomp(2) asks a process beside COMMAND what to say to each.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static char name[BPF_OBJ_NAME_LEN]; /* of the program or map */
static unsigned long long more;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "contrary: %s: %s\n", what, strerror(errno));
	_exit(125);
}

static int read_from(pid_t pid, uint64_t address, void *to, size_t size)
{
	struct iovec here = {to, size}, there = {(void *)(uintptr_t)address, size};

	return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)size ? 0 : -1;
}

static int write_to(pid_t pid, uint64_t address, const void *from, size_t size)
{
	struct iovec here = {(void *)(uintptr_t)from, size},
		     there = {(void *)(uintptr_t)address, size};

	return process_vm_writev(pid, &here, 1, &there, 1, 0) == (ssize_t)size ? 0 : -1;
}

/* What bpf(2) was asked; what is behind the end of its own is 0. */
static void attributes_read(const struct seccomp_notif *call, union bpf_attr *attributes)
{
	size_t size = call->data.args[2];

	memset(attributes, 0, sizeof(*attributes));
	if (size > sizeof(*attributes))
		size = sizeof(*attributes);
	if (read_from((pid_t)call->pid, call->data.args[1], attributes, size))
		memset(attributes, 0, sizeof(*attributes));
}

/* A descriptor of our own for what another process has there. */
static int descriptor_take(pid_t pid, int fd)
{
	int process = (int)syscall(SYS_pidfd_open, pid, 0);
	int own = process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, fd, 0);

	if (own < 0)
		die("take a descriptor");
	close(process);
	return own;
}

/* Of a program that is another process's descriptor; not 0: it is none. */
static int program_info(pid_t pid, int fd, struct bpf_prog_info *info)
{
	union bpf_attr attributes = {.info = {.info_len = sizeof(*info), .info = (uintptr_t)info}};
	char path[64], target[64] = "";
	int own;
	long r;

	memset(info, 0, sizeof(*info));
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	if (readlink(path, target, sizeof(target) - 1) < 0 ||
	    strcmp(target, "anon_inode:bpf-prog") != 0)
		return -1;
	own = descriptor_take(pid, fd);
	attributes.info.bpf_fd = (uint32_t)own;
	r = syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attributes, sizeof(attributes));
	close(own);
	return r ? -1 : 0;
}

static int is_named(const char *other)
{
	return !strncmp(other, name, sizeof(name) - 1);
}

static int answer_load(const struct seccomp_notif *call, const union bpf_attr *attributes)
{
	return call->data.args[0] == BPF_PROG_LOAD && is_named(attributes->prog_name) ? -EINVAL : 0;
}

static int answer_attach(const struct seccomp_notif *call, const union bpf_attr *attributes)
{
	struct bpf_prog_info info;

	if (call->data.args[0] != BPF_RAW_TRACEPOINT_OPEN ||
	    program_info((pid_t)call->pid, (int)attributes->raw_tracepoint.prog_fd, &info))
		return 0;
	return is_named(info.name) ? -EPERM : 0;
}

/* 1: it is answered. Only who asks for numbers alone is, and not for arrays. */
static int answer_skip(const struct seccomp_notif *call, const union bpf_attr *attributes)
{
	pid_t pid = (pid_t)call->pid;
	struct bpf_prog_info info;
	size_t size = attributes->info.info_len;

	if (call->data.args[0] != BPF_OBJ_GET_INFO_BY_FD ||
	    program_info(pid, (int)attributes->info.bpf_fd, &info) || !is_named(info.name))
		return 0;
	info.recursion_misses += more;
	if (size > sizeof(info))
		size = sizeof(info);
	if (write_to(pid, attributes->info.info, &info, size))
		die("write what a program is");
	return 1;
}

/* Of an array that each processor has one of. */
static size_t map_bytes(int map)
{
	struct bpf_map_info info = {0};
	union bpf_attr attributes = {.info = {.bpf_fd = (uint32_t)map,
					      .info_len = sizeof(info),
					      .info = (uintptr_t)&info}};
	FILE *possible = fopen("/sys/devices/system/cpu/possible", "re");
	unsigned int first = 0, last = 0;

	if (!possible || fscanf(possible, "%u-%u", &first, &last) < 1 ||
	    syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attributes, sizeof(attributes)))
		die("look at a map");
	fclose(possible);
	return is_named(info.name) ? ((info.value_size + 7) & ~7U) * (last + 1UL) : 0;
}

/* 1: it is answered. */
static int answer_count(const struct seccomp_notif *call, const union bpf_attr *attributes)
{
	union bpf_attr ours = *attributes;
	pid_t pid = (pid_t)call->pid;
	uint32_t key = 0;
	uint64_t *values;
	size_t size;
	int r = 0;

	if (call->data.args[0] != BPF_MAP_LOOKUP_ELEM)
		return 0;
	ours.map_fd = (uint32_t)descriptor_take(pid, (int)attributes->map_fd);
	size = map_bytes((int)ours.map_fd);
	values = calloc(1, size + 1);
	ours.key = (uintptr_t)&key;
	ours.value = (uintptr_t)values;
	if (size && !syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &ours, sizeof(ours))) {
		values[0] += more;
		r = 1;
		if (write_to(pid, attributes->value, values, size))
			die("write what is in a map");
	}
	free(values);
	close((int)ours.map_fd);
	return r;
}

static int (*answer)(const struct seccomp_notif *call, const union bpf_attr *attributes);

static void answer_call(int listener)
{
	struct seccomp_notif call = {0};
	struct seccomp_notif_resp response = {0};
	union bpf_attr attributes;
	int r;

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call))
		return;
	attributes_read(&call, &attributes);
	r = answer(&call, &attributes);
	response.id = call.id;
	response.error = r < 0 ? r : 0;
	response.flags = r ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response); /* it may have been killed */
}

/* Until COMMAND and all its children have gone. */
static _Noreturn void answer_calls(int listener)
{
	struct pollfd calls = {.fd = listener, .events = POLLIN};

	for (;;) {
		if (poll(&calls, 1, -1) < 0 && errno != EINTR)
			_exit(1);
		if (calls.revents & POLLIN)
			answer_call(listener);
		else if (calls.revents)
			_exit(0);
	}
}

static int listener_make(void)
{
	struct sock_filter instructions[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {sizeof(instructions) / sizeof(*instructions), instructions};

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			    &filter);
}

/* The process beside takes the listener out of this one, once its number has come. */
static _Noreturn void beside(pid_t command, int other)
{
	int number, listener;

	if (read(other, &number, sizeof(number)) != sizeof(number))
		_exit(0);
	listener = descriptor_take(command, number);
	if (write(other, &number, 1) != 1)
		die("take the listener");
	close(other);
	/* Whoever waits for the end of COMMAND's output is not to wait for this one's. */
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	answer_calls(listener);
}

/* From here on it is asked. */
static void listen_beside(int other)
{
	int listener = listener_make();
	char taken;

	if (listener < 0 || write(other, &listener, sizeof(listener)) != sizeof(listener) ||
	    read(other, &taken, 1) != 1)
		die("seccomp");
	close(listener);
	close(other);
}

static void choose(char *what, char *program)
{
	char *count = strchr(program, ':');

	if (count) {
		*count = 0;
		more = strtoull(count + 1, NULL, 10);
	}
	strncpy(name, program, sizeof(name) - 1);
	answer = !strcmp(what, "load")     ? answer_load
		 : !strcmp(what, "attach") ? answer_attach
		 : !strcmp(what, "count")  ? answer_count
					   : answer_skip;
}

int main(int argc, char **argv)
{
	pid_t self = getpid(), child;
	int ends[2];

	if (argc < 4)
		return 125;
	choose(argv[1], argv[2]);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		die("socketpair");
	/* A grandchild, so that COMMAND does not get a child that it knows nothing of. */
	child = fork();
	if (child == 0) {
		close(ends[1]);
		if (fork() == 0)
			beside(self, ends[0]);
		_exit(0);
	}
	if (child < 0 || waitpid(child, NULL, 0) < 0)
		die("fork");
	close(ends[0]);
	listen_beside(ends[1]);
	execvp(argv[3], argv + 3);
	die(argv[3]);
}
