/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/proc_ps.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "bpf/event.h"
#include "host/facts.h"
#include "model/model.h"
#include "view/column.h"
#include "view/live.h"
#include "view/tree.h"

#define PRIORITY_MAX 39 /* ps -o pri counts down from the least urgent one */

/* Documentation/admin-guide/devices.txt. What is not here is shown as major:minor. */
static const struct {
	uint32_t major;
	uint32_t first_minor;
	uint32_t last_minor;
	int32_t first_number; /* -1: the name has no number */
	const char *name;
} terminals[] = {
	{4, 0, 63, 0, "tty"},       {4, 64, 255, 0, "ttyS"},    {5, 0, 0, -1, "tty"},
	{5, 1, 1, -1, "console"},   {166, 0, 255, 0, "ttyACM"}, {188, 0, 255, 0, "ttyUSB"},
	{204, 64, 79, 0, "ttyAMA"}, {204, 8, 15, 0, "ttySC"},   {229, 0, 255, 0, "hvc"},
};

/* Unix98 pseudo terminals: eight majors, of which Linux since 2.6 fills the first with 2^20. */
#define PTS_MAJOR_FIRST 136
#define PTS_MAJOR_LAST 143
#define PTS_PER_MAJOR 256

static void value_set_number(struct value *value, int64_t number)
{
	value->kind = VALUE_NUMBER;
	value->number = number;
}

static void value_set_scratch(struct value *value, const struct text *scratch)
{
	value->kind = VALUE_TEXT;
	value->text.data = scratch->data;
	value->text.length = scratch->length;
}

/* As ps has it: cut, not rounded, to one decimal. */
static void value_set_percent(struct value *value, double part, double whole)
{
	value->kind = VALUE_REAL;
	value->real = whole > 0 ? (double)(int64_t)(part * 1000 / whole) / 10 : 0;
}

/* What `top` means by it. */
static void get_live_cpu_percent(const struct live *live, const struct proc *proc,
				 struct value *value)
{
	value->real = live_cpu(live, proc);
	value->kind = value->real < 0 ? VALUE_UNKNOWN : VALUE_REAL;
}

PROC_GETTER(proc_get_cpu_percent)
{
	uint64_t now = view->facts->boot_now_ns;
	uint64_t start = proc->task->start_boot_ns;

	(void)column;
	if (view->live) {
		get_live_cpu_percent(view->live, proc, value);
		return;
	}
	value_set_percent(value, (double)proc->cpu_ns, now > start ? (double)(now - start) : 0);
}

PROC_GETTER(proc_get_cpu_share)
{
	proc_get_cpu_percent(column, view, proc, value);
	if (value->kind == VALUE_REAL)
		value_set_number(value, value->real < 99 ? (int64_t)value->real : 99);
}

PROC_GETTER(proc_get_mem_percent)
{
	double rss = (double)proc->task->rss_pages * (double)view->facts->page_bytes;

	(void)column;
	value->kind = VALUE_UNKNOWN;
	if (view->facts->memory_bytes)
		value_set_percent(value, rss, (double)view->facts->memory_bytes);
}

PROC_GETTER(proc_get_pages)
{
	const char *field = (const char *)proc->task + column->at;

	value_set_number(value, (int64_t)(*(const uint64_t *)field * view->facts->page_bytes));
}

void tty_name_add(struct text *out, uint32_t major, uint32_t minor)
{
	if (major >= PTS_MAJOR_FIRST && major <= PTS_MAJOR_LAST) {
		text_add_string(out, "pts/");
		text_add_unsigned(out, minor + (major - PTS_MAJOR_FIRST) * PTS_PER_MAJOR);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(terminals); i++) {
		if (major != terminals[i].major || minor < terminals[i].first_minor ||
		    minor > terminals[i].last_minor)
			continue;
		text_add_string(out, terminals[i].name);
		if (terminals[i].first_number >= 0)
			text_add_unsigned(out, minor - terminals[i].first_minor);
		return;
	}
	text_printf(out, "%u:%u", major, minor);
}

PROC_GETTER(proc_get_tty)
{
	const struct task_record *task = proc->task;

	(void)column;
	if (!task->tty_major && !task->tty_minor)
		return;
	text_clear(view->scratch);
	tty_name_add(view->scratch, task->tty_major, task->tty_minor);
	value_set_scratch(value, view->scratch);
}

/* The letters and their order are procps's pr_stat(). */
PROC_GETTER(proc_get_stat)
{
	const struct task_record *task = proc->task;
	struct text *letters = view->scratch;

	(void)column;
	text_clear(letters);
	text_add_char(letters, task->state);
	if (task->nice < 0)
		text_add_char(letters, '<');
	if (task->nice > 0)
		text_add_char(letters, 'N');
	if (task->flags & TASK_LOCKED)
		text_add_char(letters, 'L');
	if (task->flags & TASK_SESSION_LEADER)
		text_add_char(letters, 's');
	if (task->threads > 1)
		text_add_char(letters, 'l');
	if (task->flags & TASK_FOREGROUND)
		text_add_char(letters, '+');
	value_set_scratch(value, letters);
}

PROC_GETTER(proc_get_start)
{
	(void)column;
	value_set_number(value, (int64_t)(view->facts->boot_offset_ns + proc->task->start_boot_ns));
}

PROC_GETTER(proc_get_cpu_time)
{
	(void)column;
	(void)view;
	value_set_number(value, (int64_t)proc->cpu_ns);
}

PROC_GETTER(proc_get_pri)
{
	(void)column;
	(void)view;
	value_set_number(value, PRIORITY_MAX - proc->task->priority);
}

/* Real-time and deadline tasks have a negative priority, and then nice has no effect. */
PROC_GETTER(proc_get_nice)
{
	(void)column;
	(void)view;
	if (proc->task->priority >= 0)
		value_set_number(value, proc->task->nice);
}

/* False: there is nothing but NULs, as after a program has wiped its arguments. */
static bool command_add_args(struct text *out, const struct proc *proc)
{
	size_t length = proc->args ? proc->args_length : 0;
	char *place;

	while (length && !proc->args[length - 1])
		length--;
	if (!length)
		return false;
	text_add(out, proc->args, length);
	place = out->data + out->length - length;
	while ((place = memchr(place, '\0', (size_t)(out->data + out->length - place))) != NULL)
		*place++ = ' ';
	return true;
}

PROC_GETTER(proc_get_command)
{
	const struct task_record *task = proc->task;
	struct text *command = view->scratch;

	(void)column;
	text_clear(command);
	if (view->tree)
		tree_add_branches(view->tree, proc, command);
	value->cut = proc->args_cut ? CUT_END : CUT_NOT;
	if (task->flags & TASK_ZOMBIE || !command_add_args(command, proc)) {
		text_add_char(command, '[');
		if (proc->long_name)
			text_add_string(command, proc->long_name);
		else
			text_add(command, task->comm, strnlen(task->comm, COMM_SIZE));
		text_add_char(command, ']');
		if (task->flags & TASK_ZOMBIE)
			text_add_string(command, " <defunct>");
	}
	value_set_scratch(value, command);
}
