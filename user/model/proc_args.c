/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/proc_args.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/model.h"

/* They go from a process to those that it forks. */
struct proc_args {
	size_t holders;
	char data[];
};

static struct proc_args *args_make(const char *data, uint32_t length)
{
	struct proc_args *args = mem_resize(NULL, 1, sizeof(*args) + length + 1);

	args->holders = 0;
	memcpy(args->data, data, length);
	args->data[length] = '\0'; /* for those that are one name */
	return args;
}

static void args_put(struct proc_args *args)
{
	if (args && !--args->holders)
		free(args);
}

static void args_hold(struct proc *proc, struct proc_args *args, const char *data, uint32_t length,
		      bool is_cut)
{
	proc->own.args = args;
	proc->args = data;
	proc->args_length = length;
	proc->args_cut = is_cut;
	proc->unknown &= ~FIELD_BIT(FIELD_ARGS);
	if (args)
		args->holders++;
}

static void args_release(struct proc *proc)
{
	args_put(proc->own.args);
	proc->own.args = NULL;
	proc->args = NULL;
	proc->args_length = 0;
	proc->args_cut = false;
	proc->long_name = NULL;
}

static void args_set(struct proc *proc, const char *data, uint32_t length, bool is_cut)
{
	struct proc_args *args;

	args_release(proc);
	if (!length)
		return;
	args = args_make(data, length);
	args_hold(proc, args, args->data, length, is_cut);
}

static void exe_hold(struct proc *proc, struct proc_args *exe, const char *data, uint32_t length)
{
	proc->own.exe = exe;
	proc->exe = data;
	proc->exe_length = length;
	if (exe)
		exe->holders++;
}

static void exe_release(struct proc *proc)
{
	args_put(proc->own.exe);
	exe_hold(proc, NULL, NULL, 0);
}

static void exe_set(struct proc *proc, const char *data, uint32_t length)
{
	struct proc_args *exe;

	exe_release(proc);
	if (!length)
		return;
	exe = args_make(data, length);
	exe_hold(proc, exe, exe->data, length);
}

/* What a process that has not called exec runs is what its parent runs. One with another name was
 * forked by a thread, or with CLONE_PARENT, which makes another process its parent. */
void proc_args_inherit(struct proc *proc, const struct proc *parent)
{
	bool is_named_alike = !strncmp(proc->task->comm, parent->task->comm, COMM_SIZE);
	bool has_threads = parent->task->threads > 1;

	if (proc->task->flags & TASK_KTHREAD || parent->task->flags & TASK_KTHREAD)
		return;
	if (!is_named_alike && !has_threads) {
		proc->unknown |= FIELD_BIT(FIELD_ARGS);
		return;
	}
	if (!proc->exe)
		exe_hold(proc, parent->own.exe, parent->exe, parent->exe_length);
	if (parent->unknown & FIELD_BIT(FIELD_ARGS))
		proc->unknown |= FIELD_BIT(FIELD_ARGS);
	else
		args_hold(proc, parent->own.args, parent->args, parent->args_length,
			  parent->args_cut);
}

void proc_args_set(struct proc *proc, const struct args_record *args)
{
	if (args->kind == ARGS_EXE) {
		exe_set(proc, record_args(args), args->length);
		return;
	}
	args_set(proc, record_args(args), args->length, args->is_cut);
	proc->unknown &= ~FIELD_BIT(FIELD_ARGS);
	if (args->kind == ARGS_NAME) {
		proc->long_name = proc->args;
		proc->args = NULL;
		proc->args_length = 0;
	}
}

/* What an execve was given is a path only from the root; the kernel names a file that came as a
 * descriptor /dev/fd/N. */
static bool is_path(const char *name, uint32_t length)
{
	static const char descriptor[] = "/dev/fd/";
	size_t size = sizeof(descriptor) - 1;

	return length && name[0] == '/' && (length < size || memcmp(name, descriptor, size) != 0);
}

void proc_args_exec(struct proc *proc, const struct event *event)
{
	const struct event_exec *exec = event->exec;
	const char *name = exec->interpreter_length ? event->interpreter : event->filename;
	uint32_t length =
		exec->interpreter_length ? exec->interpreter_length : exec->filename_length;

	exe_set(proc, name, is_path(name, length) ? length : 0);
	args_set(proc, event->args, exec->args_length, exec->args_total > exec->args_length);
	if (!exec->args_length && exec->args_total)
		proc->unknown |= FIELD_BIT(FIELD_ARGS);
	else
		proc->unknown &= ~FIELD_BIT(FIELD_ARGS);
}

void proc_args_release(struct proc *proc)
{
	args_release(proc);
	exe_release(proc);
}
