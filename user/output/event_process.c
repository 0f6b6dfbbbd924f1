/* SPDX-License-Identifier: GPL-2.0-only */
/* `,"process":{...}` */
#include "output/event_private.h"

#include <sys/wait.h>

#include "base/mem.h"
#include "model/model.h"

static bool is_unknown(const struct event_subject *subject, enum task_field field)
{
	return subject->unknown & FIELD_BIT(field);
}

/* Of one head and its parent's: numbers, ids and keys. */
#define HEAD_BYTES_MAX 256

static char *place_entity(char *place, const struct event_known *known)
{
	place = place_put_literal(place, ",\"entity_id\":\"");
	place = place_put(place, known->entity, sizeof(known->entity));
	return place_put_literal(place, "\"");
}

static char *place_vpid(char *place, struct event_writer *writer,
			const struct event_subject *subject)
{
	if (!subject->container)
		return place;
	if (!subject->chain) {
		writer->unknown |= AT_BIT(VPID);
		return place;
	}
	place = place_put_literal(place, ",\"vpid\":");
	return text_put_unsigned(place, subject->chain[subject->chain_count - 1].pid);
}

static void put_head(struct event_writer *writer, const struct event_subject *subject)
{
	char *place = text_room(writer->out, HEAD_BYTES_MAX);

	place = place_put_literal(place, ",\"process\":{\"pid\":");
	place = event_place_pid(place, writer->process);
	place = place_vpid(place, writer, subject);
	if (is_unknown(subject, FIELD_START))
		writer->unknown |= AT_BIT(ENTITY);
	else
		place = place_entity(place, writer->process);
	event_end(writer, place);
}

static void put_parent(struct event_writer *writer, const struct event_subject *subject)
{
	const struct event_known *known;
	char *place = text_room(writer->out, HEAD_BYTES_MAX);

	if (is_unknown(subject, FIELD_PARENT)) {
		writer->unknown |= AT_BIT(PARENT);
		return;
	}
	if (!subject->ppid)
		return;
	known = event_known_get(writer, writer->parents, subject->ppid,
				subject->parent_start_boot_ns);
	place = place_put_literal(place, ",\"parent\":{\"pid\":");
	place = event_place_pid(place, known);
	if (subject->container && is_unknown(subject, FIELD_IN_PARENT)) {
		writer->unknown |= AT_BIT(PARENT_VPID);
	} else if (subject->container) {
		place = place_put_literal(place, ",\"vpid\":");
		place = text_put_unsigned(place, subject->identity->in_ppid);
	}
	if (subject->parent_start_boot_ns)
		place = place_entity(place, known);
	else
		writer->unknown |= AT_BIT(PARENT_ENTITY);
	event_end(writer, place_put_literal(place, "}"));
}

static void put_name(struct event_writer *writer, const struct event_subject *subject)
{
	const char *comm = subject->identity->comm;

	if (subject->has_name)
		event_put_member(writer, "name", AT_NAME, comm, strnlen(comm, COMM_SIZE));
	else
		writer->unknown |= AT_BIT(NAME);
}

static bool env_is_wanted(const struct event_writer *writer, const char *variable, size_t length)
{
	for (size_t i = 0; i < writer->env_count; i++) {
		size_t name = strlen(writer->env[i]);

		if (length > name && variable[name] == '=' &&
		    !memcmp(variable, writer->env[i], name))
			return true;
	}
	return false;
}

/* Those of the environment that --env names; a last one that was cut is left out if its name was. */
static void put_env(struct event_writer *writer, const struct event *event)
{
	const struct event_exec *exec = event ? event->exec : NULL;
	const char *at = event ? event->env : NULL;
	const char *end = exec ? at + exec->env_length : NULL;
	const char *separator = ",\"env_vars\":[";

	if (!exec || !writer->env_count)
		return;
	if (exec->env_total > exec->env_length)
		writer->cut |= EVENT_CUT_ENV;
	if (writer->level >= LEVEL_NO_ENV && exec->env_length) {
		writer->cut |= EVENT_CUT_ENV;
		return;
	}
	while (at < end) {
		size_t size = strnlen(at, (size_t)(end - at));

		if (env_is_wanted(writer, at, size)) {
			event_put_string(writer, separator);
			event_put_quoted(writer, AT_ENV, at, size);
			separator = ",";
		}
		at += size + 1;
	}
	event_put_string(writer, separator[1] ? ",\"env_vars\":[]" : "]");
}

static void put_exit_code(struct event_writer *writer, const struct event *event)
{
	if (!event || !event->exit || !WIFEXITED(event->exit->status) ||
	    event->record->flags & EVENT_REPAIR)
		return;
	event_put(writer, ",\"exit_code\":");
	event_put_number(writer, (uint64_t)WEXITSTATUS(event->exit->status));
}

static void put_start(struct event_writer *writer, const struct event_subject *subject)
{
	char *place;

	if (is_unknown(subject, FIELD_START)) {
		writer->unknown |= AT_BIT(START);
		return;
	}
	place = text_room(writer->out, HEAD_BYTES_MAX);
	place = place_put_literal(place, ",\"start\":\"");
	place = place_put(place, event_known_start(writer, writer->process), EVENT_TIME_LENGTH);
	event_end(writer, place_put_literal(place, "\""));
}

static void put_thread_id(struct event_writer *writer, const struct event_subject *subject)
{
	char *place = text_room(writer->out, HEAD_BYTES_MAX);

	place = place_put_literal(place, ",\"thread\":{\"id\":");
	if (subject->tid == subject->tgid)
		place = event_place_pid(place, writer->process);
	else
		place = text_put_unsigned(place, subject->tid);
	event_end(writer, place);
}

void event_put_process(struct event_writer *writer, const struct event_line *line,
		       const struct event_subject *subject)
{
	const struct event_block *block;

	writer->process =
		event_known_get(writer, writer->known, subject->tgid, subject->start_boot_ns);
	put_head(writer, subject);
	if (writer->level == LEVEL_CORE) {
		put_thread_id(writer, subject);
		event_put(writer, "}}");
		return;
	}
	block = event_block_get(writer, subject);
	put_parent(writer, subject);
	put_name(writer, subject);
	event_put_command(writer, line, subject);
	put_env(writer, line->event);
	put_exit_code(writer, line->event);
	put_start(writer, subject);
	event_put_text(writer, &block->users);
	put_thread_id(writer, subject);
	event_put_text(writer, &block->thread);
	event_put(writer, "}}");
	event_put_text(writer, &block->container);
}
