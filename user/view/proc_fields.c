/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/proc_fields.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "bpf/event.h"
#include "host/passwd.h"
#include "host/procfs.h"
#include "model/model.h"
#include "view/column.h"

#define STATUS_BYTES_MAX (1U << 20) /* 65,536 groups (NGROUPS_MAX) of up to 11 characters */

const char *const proc_namespace_names[NS_KINDS + 1] = {
	[NS_MNT] = "mnt", [NS_PID] = "pid",       [NS_NET] = "net",   [NS_IPC] = "ipc",
	[NS_UTS] = "uts", [NS_CGROUP] = "cgroup", [NS_TIME] = "time", [NS_USER] = "user",
};

const char *const proc_seccomp_words[] = {"off", "strict", "filter", NULL};

static void value_set_number(struct value *value, int64_t number)
{
	value->kind = VALUE_NUMBER;
	value->number = number;
}

static void value_set_bool(struct value *value, bool is_true)
{
	value->kind = VALUE_BOOL;
	value->is_true = is_true;
}

static void value_set_text(struct value *value, const char *data, size_t length)
{
	value->kind = VALUE_TEXT;
	value->text.data = data;
	value->text.length = length;
}

static const void *proc_field(const struct column *column, const struct proc *proc)
{
	return (const char *)proc->task + column->at;
}

PROC_GETTER(proc_get_u32)
{
	(void)view;
	value_set_number(value, *(const uint32_t *)proc_field(column, proc));
}

PROC_GETTER(proc_get_u64)
{
	(void)view;
	value_set_number(value, (int64_t) * (const uint64_t *)proc_field(column, proc));
}

PROC_GETTER(proc_get_s32)
{
	(void)view;
	value_set_number(value, *(const int32_t *)proc_field(column, proc));
}

PROC_GETTER(proc_get_flag)
{
	(void)view;
	value_set_bool(value, *(const uint8_t *)proc_field(column, proc) != 0);
}

PROC_GETTER(proc_get_login)
{
	uint32_t id = *(const uint32_t *)proc_field(column, proc);

	(void)view;
	if (id != ID_UNSET)
		value_set_number(value, id);
}

PROC_GETTER(proc_get_namespace)
{
	uint32_t inode = *(const uint32_t *)proc_field(column, proc);

	(void)view;
	if (inode)
		value_set_number(value, inode);
}

enum caps_reach proc_reach(const struct view_context *view, const struct proc *proc)
{
	if (proc->unknown & FIELD_BIT(FIELD_NS + NS_USER) || !model_host_ns(view->model)[NS_USER])
		return REACH_UNKNOWN;
	return proc_is_host_effective(proc, view->model) ? REACH_HOST : REACH_USERNS;
}

PROC_GETTER(proc_get_caps)
{
	value->kind = VALUE_CAPS;
	value->caps.mask = *(const uint64_t *)proc_field(column, proc);
	value->caps.reach = proc_reach(view, proc);
}

PROC_GETTER(proc_get_host_effective)
{
	enum caps_reach reach = proc_reach(view, proc);

	(void)column;
	value->kind = VALUE_UNKNOWN;
	if (reach != REACH_UNKNOWN)
		value_set_bool(value, reach == REACH_HOST);
}

/* A user is its name, or its number where it has none. */
static void value_set_user(struct value *value, const struct view_context *view, const char *name,
			   uint32_t uid)
{
	if (name) {
		value_set_text(value, name, strlen(name));
		return;
	}
	text_clear(view->scratch);
	text_add_unsigned(view->scratch, uid);
	value_set_text(value, view->scratch->data, view->scratch->length);
}

PROC_GETTER(proc_get_user)
{
	uint32_t uid = proc->task->ids.euid;

	(void)column;
	value_set_user(value, view, passwd_host_name(view->users, uid), uid);
}

/* Whose root tells the names inside: the container's first process's, as `ps` inside has them,
 * which is one look a container; its own where it has left that mount namespace. */
static uint32_t proc_root_pid(const struct proc *proc)
{
	const struct container *container = proc->container;

	if (container && container->ns[NS_MNT] == proc->task->ns[NS_MNT])
		return container->first_pid;
	return proc->task->tgid;
}

const char *proc_in_user_name(const struct view_context *view, const struct proc *proc,
			      uint32_t uid)
{
	return passwd_container_name(view->users, view->proc_fd, proc_root_pid(proc),
				     proc->task->ns[NS_MNT], uid);
}

PROC_GETTER(proc_get_in_user)
{
	uint32_t uid = proc->task->in_ids.euid;

	(void)column;
	value_set_user(value, view, proc_in_user_name(view, proc, uid), uid);
}

PROC_GETTER(proc_get_in_pid)
{
	(void)column;
	(void)view;
	value_set_number(value, proc_in_pid(proc));
}

PROC_GETTER(proc_get_chain)
{
	(void)column;
	(void)view;
	value->kind = VALUE_CHAIN;
	value->chain.levels = proc->chain;
	value->chain.count = proc->task->chain_count;
}

/* The numbers of the "Groups:" line, as an array of uint32_t in `numbers`. */
static void groups_parse(struct text *status, struct text *numbers)
{
	const char *at = strstr(text_string(status), "\nGroups:");

	if (!at)
		return;
	at += sizeof("\nGroups:") - 1;
	while ((at += strspn(at, " \t")), *at >= '0' && *at <= '9') {
		uint32_t number = 0;

		for (; *at >= '0' && *at <= '9'; at++)
			number = number * 10 + (uint32_t)(*at - '0');
		text_add(numbers, (const char *)&number, sizeof(number));
	}
}

/*
 * A record carries the first groups; /proc has the others. They are the same process's when
 * their number and those first ones agree: the pid may have been used again.
 */
static bool groups_complete(const struct view_context *view, const struct proc *proc)
{
	const struct task_record *task = proc->task;
	struct text status = {0};
	int r = -1;

	text_clear(view->scratch);
	if (view->proc_fd >= 0)
		r = procfs_read(view->proc_fd, task->tgid, "status", STATUS_BYTES_MAX, &status);
	if (r == 0)
		groups_parse(&status, view->scratch);
	text_free(&status);
	return view->scratch->length == task->groups_total * sizeof(uint32_t) &&
	       !memcmp(view->scratch->data, proc->groups, task->groups_kept * sizeof(uint32_t));
}

PROC_GETTER(proc_get_groups)
{
	const struct task_record *task = proc->task;

	(void)column;
	value->kind = VALUE_IDS;
	value->ids.items = proc->groups;
	value->ids.count = task->groups_kept;
	if (task->groups_total == task->groups_kept)
		return;
	if (groups_complete(view, proc)) {
		value->ids.items = (const uint32_t *)view->scratch->data;
		value->ids.count = task->groups_total;
	} else {
		value->cut = CUT_END;
	}
}

PROC_GETTER(proc_get_seccomp)
{
	const char *word = "?";

	(void)column;
	(void)view;
	if (proc->task->seccomp < ARRAY_SIZE(proc_seccomp_words) - 1)
		word = proc_seccomp_words[proc->task->seccomp];
	value_set_text(value, word, strlen(word));
}

PROC_GETTER(proc_get_shared)
{
	const uint32_t *host_ns = model_host_ns(view->model);
	struct text *words = view->scratch;

	(void)column;
	if (proc->task->flags & TASK_ZOMBIE)
		return;
	text_clear(words);
	for (int kind = 0; kind < NS_KINDS; kind++) {
		uint32_t inode = proc->task->ns[kind];

		if (inode && !host_ns[kind]) {
			value->kind = VALUE_UNKNOWN;
			return;
		}
		if (inode && inode == host_ns[kind])
			text_add(words, proc_namespace_names[kind],
				 strlen(proc_namespace_names[kind]) + 1);
	}
	value->kind = VALUE_WORDS;
	value->text.data = words->data;
	value->text.length = words->length;
}

PROC_GETTER(proc_get_cgroup)
{
	const struct task_record *task = proc->task;

	(void)column;
	(void)view;
	if (!task->cgroup_length)
		return;
	value_set_text(value, proc->cgroup_path, task->cgroup_length);
	value->cut = task->flags & TASK_CGROUP_CUT ? CUT_START : CUT_NOT;
}

PROC_GETTER(proc_get_comm)
{
	(void)column;
	(void)view;
	value_set_text(value, proc->task->comm, strnlen(proc->task->comm, COMM_SIZE));
}

/* A kernel thread has no program and no arguments, and a zombie has them no longer. */
static bool proc_has_memory(const struct proc *proc)
{
	return !(proc->task->flags & (TASK_KTHREAD | TASK_ZOMBIE));
}

PROC_GETTER(proc_get_link)
{
	const char *file = column->at == FIELD_EXE ? "exe" : "cwd";
	struct text *target = view->scratch;

	if (!proc_has_memory(proc))
		return;
	value->kind = VALUE_UNKNOWN;
	text_clear(target);
	if (view->proc_fd >= 0 && !procfs_link(view->proc_fd, proc->task->tgid, file, target))
		value_set_text(value, target->data, target->length);
}

PROC_GETTER(proc_get_args)
{
	(void)column;
	(void)view;
	if (!proc->args)
		return;
	value->kind = VALUE_WORDS;
	value->text.data = proc->args;
	value->text.length = proc->args_length;
	value->cut = proc->args_cut ? CUT_END : CUT_NOT;
}
