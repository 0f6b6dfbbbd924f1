/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/args.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/facts.h"
#include "host/pid_ns.h"
#include "host/procfs.h"
#include "source/source.h"

#define NAME_BYTES 64 /* fs/proc/array.c proc_task_name(), with the newline */
#define PID_DIGITS 10
#define PADDING 8
#define ARGS_SHARE 64 /* of what is left, at most one part is for one process */

struct args_reader {
	int proc_fd;     /* -1: no /proc */
	uint32_t pid_ns; /* whose pids it shows */
	uint32_t own_ns; /* nsview's own, whose pids system calls take */
	size_t args_max;
	struct args_budget budget;
	struct args_record *record; /* and room for one byte more than args_max, and the padding */
};

void args_budget_start(struct args_budget *budget)
{
	budget->left = ARGS_TOTAL_MAX;
}

size_t args_budget_room(const struct args_budget *budget, size_t args_max)
{
	size_t room = budget->left / ARGS_SHARE;

	if (room < ARGS_LEAST)
		room = ARGS_LEAST;
	return room < args_max ? room : args_max;
}

void args_budget_take(struct args_budget *budget, size_t length)
{
	budget->left -= length < budget->left ? length : budget->left;
}

struct args_reader *args_open(const struct facts *facts, size_t args_max)
{
	struct args_reader *reader = mem_new(sizeof(*reader));
	size_t room = args_max > NAME_BYTES ? args_max : NAME_BYTES;

	reader->args_max = args_max;
	args_start(reader);
	reader->own_ns = facts->self_ns[NS_PID];
	reader->record = mem_new(sizeof(*reader->record) + room + 1 + PADDING);
	reader->proc_fd = procfs_open(facts->proc_path);
	if (reader->proc_fd >= 0)
		reader->pid_ns = pid_ns_of_proc(reader->proc_fd, facts);
	return reader;
}

void args_close(struct args_reader *reader)
{
	if (!reader)
		return;
	if (reader->proc_fd >= 0)
		close(reader->proc_fd);
	free(reader->record);
	free(reader);
}

void args_start(struct args_reader *reader)
{
	args_budget_start(&reader->budget);
}

/* 0: the process is not in that pid namespace. */
static uint32_t pid_in(const struct task_record *task, uint32_t pid_ns)
{
	const struct pid_level *chain = record_chain(task);

	for (size_t i = 0; pid_ns && i < task->chain_count; i++) {
		if (chain[i].ns == pid_ns)
			return chain[i].pid;
	}
	return 0;
}

/* /proc says ENOENT also for a process that it hides (hidepid); a system call knows better. */
static int args_refusal(const struct args_reader *reader, const struct task_record *task, int r)
{
	uint32_t pid = pid_in(task, reader->own_ns);

	if (r != -ENOENT && r != -ESRCH)
		return r;
	if (pid && kill((pid_t)pid, 0) && errno == ESRCH)
		return -ESRCH;
	return -ENODATA;
}

/* "123/cmdline", without printf: this is done once per process. */
static const char *args_path(char *end, uint32_t pid, const char *file)
{
	size_t length = strlen(file) + 1;

	end -= length;
	memcpy(end, file, length);
	*--end = '/';
	do {
		*--end = (char)('0' + pid % 10);
		pid /= 10;
	} while (pid);
	return end;
}

/* One read gives all that there is: fs/proc/base.c get_mm_cmdline() goes on until nothing comes. */
static ssize_t args_take(const struct args_reader *reader, uint32_t pid, const char *file,
			 char *data, size_t room)
{
	char path[PID_DIGITS + 16];
	autoclose int fd = openat(reader->proc_fd, args_path(path + sizeof(path), pid, file),
				  O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd < 0)
		return -errno;
	do {
		length = read(fd, data, room);
	} while (length < 0 && errno == EINTR);
	return length < 0 ? -errno : length;
}

int args_read(struct args_reader *reader, const struct task_record *task,
	      const struct args_record **record)
{
	struct args_record *out = reader->record;
	bool is_kernel = task->flags & TASK_KTHREAD;
	uint32_t pid = pid_in(task, reader->pid_ns);
	char *data = (char *)(out + 1);
	size_t kept = args_budget_room(&reader->budget, reader->args_max);
	size_t room = is_kernel ? NAME_BYTES : kept + 1;
	ssize_t length;

	if (!pid)
		return -ENODATA;
	length = args_take(reader, pid, is_kernel ? "comm" : "cmdline", data, room);
	if (length < 0)
		return args_refusal(reader, task, (int)length);
	if (is_kernel && length && data[length - 1] == '\n')
		length--;
	*record = NULL;
	if (!length)
		return 0;
	out->header.type = RECORD_ARGS;
	out->start_boot_ns = task->start_boot_ns;
	out->tgid = task->tgid;
	out->kind = is_kernel ? ARGS_NAME : ARGS_VECTOR;
	out->is_cut = !is_kernel && (size_t)length > kept;
	out->length = (uint32_t)(out->is_cut ? kept : (size_t)length);
	args_budget_take(&reader->budget, out->length);
	memset(data + out->length, 0, PADDING);
	out->header.size = (uint32_t)(sizeof(*out) + ((out->length + 7) & ~7U));
	*record = out;
	return 0;
}
