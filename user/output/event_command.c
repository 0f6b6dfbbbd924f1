/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `,"executable":...,"args":[...],"args_count":...`: what a process runs. A process, its children
 * until their exec and its exit have the same, and a busy host runs the same few programs all the time.
 */
#include "output/event_private.h"

#include <limits.h>
#include <stdlib.h>

#include "base/mem.h"
#include "model/model.h"

#define KEPT_BYTES_MAX 2048 /* of arguments */
#define COMMANDS 32         /* a power of two */

struct command {
	const char *exe; /* a path; NULL: none */
	size_t exe_length;
	const char *args;
	size_t args_length;
	int64_t args_count;
	bool is_args_cut;
};

/* As it was written last, when all of it could be. */
struct kept_command {
	struct text source;     /* the path, then the arguments */
	struct command command; /* borrows from `source` */
	struct text text;
};

struct event_commands {
	struct kept_command kept[COMMANDS];
};

struct event_commands *event_commands_new(void)
{
	return mem_new(sizeof(struct event_commands));
}

void event_commands_free(struct event_commands *commands)
{
	if (!commands)
		return;
	for (size_t i = 0; i < COMMANDS; i++) {
		text_free(&commands->kept[i].source);
		text_free(&commands->kept[i].text);
	}
	free(commands);
}

/* What an execve was given is a path only from the root; the kernel names a file that came as a
 * descriptor /dev/fd/N. */
static bool is_path(const char *name, uint32_t length)
{
	static const char descriptor[] = "/dev/fd/";

	return length && name[0] == '/' &&
	       (length < sizeof(descriptor) ||
		memcmp(name, descriptor, sizeof(descriptor) - 1) != 0);
}

static void command_set_exe(struct command *command, const char *name, uint32_t length)
{
	if (!name || !is_path(name, length))
		return;
	command->exe = name;
	command->exe_length = length;
}

static void command_read(const struct event_line *line, const struct event_subject *subject,
			 struct command *command)
{
	const struct event *event = line->event;
	const struct event_exec *exec = event ? event->exec : NULL;

	*command = (struct command){
		.args = subject->args,
		.args_length = subject->args ? subject->args_length : 0,
		.args_count = subject->args_count,
		.is_args_cut = subject->is_args_cut,
	};
	if (exec && exec->interpreter_length)
		command_set_exe(command, event->interpreter, exec->interpreter_length);
	else if (exec)
		command_set_exe(command, event->filename, exec->filename_length);
	else if (subject->proc)
		command_set_exe(command, subject->proc->exe, subject->proc->exe_length);
}

/* NUL-terminated strings, the last perhaps without its NUL, as an array. How many there are. */
static int64_t put_strings(struct event_writer *writer, const char *at, size_t length)
{
	const char *end = at + length;
	int64_t count = 0;

	event_put(writer, "[");
	for (; at < end; count++) {
		const char *nul = memchr(at, '\0', (size_t)(end - at));
		size_t size = (size_t)((nul ? nul : end) - at);

		if (count)
			event_put(writer, ",");
		event_put_quoted(writer, AT_ARGS, at, size);
		at += size + 1;
	}
	event_put(writer, "]");
	return count;
}

static int64_t count_strings(const char *at, size_t length)
{
	const char *end = at + length;
	int64_t count = 0;

	for (; at < end; count++) {
		const char *nul = memchr(at, '\0', (size_t)(end - at));

		at = nul ? nul + 1 : end;
	}
	return count;
}

static void put_args(struct event_writer *writer, const struct command *command)
{
	int64_t count = command->args_count;
	int64_t found;

	if (writer->level >= LEVEL_NO_ARGS) {
		found = count_strings(command->args, command->args_length);
	} else {
		event_put(writer, ",\"args\":");
		found = put_strings(writer, command->args, command->args_length);
	}
	if (count < 0 && !command->is_args_cut)
		count = found;
	if (count < 0)
		return;
	event_put(writer, ",\"args_count\":");
	event_put_number(writer, (uint64_t)count);
}

static void put_command(struct event_writer *writer, const struct command *command)
{
	if (command->exe)
		event_put_member(writer, "executable", AT_EXECUTABLE, command->exe,
				 command->exe_length);
	if (command->args)
		put_args(writer, command);
}

/* What does not apply to it has neither. */
static void note_missing(struct event_writer *writer, const struct event_line *line,
			 const struct event_subject *subject, const struct command *command)
{
	bool is_without = subject->identity->flags & (TASK_KTHREAD | TASK_ZOMBIE);
	bool is_exec = line->event && line->event->exec;

	if (!command->exe && (is_exec || !is_without))
		writer->unknown |= AT_BIT(EXECUTABLE);
	if (!command->args && subject->unknown & FIELD_BIT(FIELD_ARGS) && !is_without)
		writer->unknown |= AT_BIT(ARGS);
	if (command->args && (command->is_args_cut || writer->level >= LEVEL_NO_ARGS))
		writer->cut |= EVENT_CUT_ARGS;
}

static bool is_same(const struct command *one, const struct command *other)
{
	return one->exe_length == other->exe_length && one->args_length == other->args_length &&
	       one->args_count == other->args_count && one->is_args_cut == other->is_args_cut &&
	       !one->args == !other->args && !memcmp(one->exe, other->exe, one->exe_length) &&
	       !memcmp(one->args, other->args, one->args_length);
}

/* The lengths, and the end of the arguments: what tells commands apart that begin alike. */
static struct kept_command *kept_of(struct event_commands *commands, const struct command *command)
{
	uint64_t end = 0;
	uint64_t mixed;

	memcpy(&end, command->args + command->args_length - sizeof(end), sizeof(end));
	mixed = (end ^ command->args_length << 32 ^ command->exe_length) * 0x9e3779b97f4a7c15ULL;
	return &commands->kept[mixed >> 59];
}

static void command_keep(struct kept_command *kept, const struct command *command, const char *text,
			 size_t length)
{
	_Static_assert(COMMANDS == 1 << (64 - 59), "the bits of kept_of");
	text_clear(&kept->source);
	text_add(&kept->source, command->exe, command->exe_length);
	text_add(&kept->source, command->args, command->args_length);
	kept->command = *command;
	kept->command.exe = kept->source.data;
	kept->command.args = kept->source.data + command->exe_length;
	text_clear(&kept->text);
	text_add(&kept->text, text, length);
}

static bool can_be_kept(const struct event_writer *writer, const struct command *command)
{
	return writer->level < LEVEL_NO_ARGS && command->exe && command->exe_length < PATH_MAX &&
	       command->args && command->args_length >= sizeof(uint64_t) &&
	       command->args_length <= KEPT_BYTES_MAX;
}

void event_put_command(struct event_writer *writer, const struct event_line *line,
		       const struct event_subject *subject)
{
	struct command command;
	struct kept_command *kept;
	size_t start = writer->out->length;
	uint64_t lossy = writer->lossy;

	command_read(line, subject, &command);
	note_missing(writer, line, subject, &command);
	if (!can_be_kept(writer, &command)) {
		put_command(writer, &command);
		return;
	}
	kept = kept_of(writer->commands, &command);
	if (kept->text.length && is_same(&kept->command, &command)) {
		event_put_text(writer, &kept->text);
		return;
	}
	writer->lossy = 0;
	put_command(writer, &command);
	if (!writer->lossy)
		command_keep(kept, &command, writer->out->data + start,
			     writer->out->length - start);
	writer->lossy |= lossy;
}
