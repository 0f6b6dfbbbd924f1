/* SPDX-License-Identifier: GPL-2.0-only */
#include "output/events.h"

#include <stdlib.h>

#include "base/mem.h"
#include "host/facts.h"
#include "host/passwd.h"
#include "model/model.h"
#include "output/event_private.h"
#include "view/change_words.h"
#include "view/column.h"

#define ECS_VERSION "9.0.0" /* has process.vpid and thread.capabilities; released in 2025 */
#define NS_PER_SECOND 1000000000ULL

struct event_writer *event_writer_new(const struct event_writer_options *options,
				      const struct view_context *view)
{
	struct event_writer *writer = mem_new(sizeof(*writer));

	writer->format = options->format;
	writer->line_max = options->line_max < EVENT_LINE_MIN ? EVENT_LINE_MIN : options->line_max;
	writer->env = options->env;
	writer->env_count = options->env_count;
	writer->host_name = options->host_name;
	writer->boot_id = options->boot_id;
	writer->has_boot_id = options->boot_id && options->boot_id[0];
	writer->view = view;
	writer->boot_offset_ns = view->facts->boot_offset_ns;
	writer->values.cap_last = view->facts->cap_last;
	writer->blocks = event_blocks_new();
	writer->commands = event_commands_new();
	event_entity_seed(writer);
	return writer;
}

void event_writer_free(struct event_writer *writer)
{
	if (!writer)
		return;
	event_blocks_free(writer->blocks);
	event_commands_free(writer->commands);
	json_values_free(&writer->values);
	text_free(&writer->host);
	for (size_t i = 0; i < ARRAY_SIZE(writer->heads); i++)
		text_free(&writer->heads[i]);
	for (size_t i = 0; i < ARRAY_SIZE(writer->cgroups); i++) {
		text_free(&writer->cgroups[i].path);
		text_free(&writer->cgroups[i].text);
	}
	text_free(&writer->scratch);
	free(writer);
}

void event_writer_set_clock(struct event_writer *writer, uint64_t boot_offset_ns)
{
	writer->boot_offset_ns = boot_offset_ns;
}

static void put_outcome(struct event_writer *writer, const struct event_record *record)
{
	const char *name = change_error_name(record->error);

	if (!record->error) {
		event_put(writer, ",\"outcome\":\"success\"}");
		return;
	}
	event_put(writer, ",\"outcome\":\"failure\"},\"error\":{\"code\":\"");
	if (name)
		event_put_string(writer, name);
	else
		text_add_number(writer->out, record->error);
	event_put(writer, "\"}");
}

/* From the time's end to the number: the same in all lines with that action. */
static const struct text *head_of(struct event_writer *writer)
{
	const struct event_class *class = &event_classes[writer->word];
	struct text *head = &writer->heads[writer->word];

	if (!head->length)
		text_printf(head,
			    "\",\"ecs\":{\"version\":\"" ECS_VERSION
			    "\"},\"event\":{\"kind\":\"%s\","
			    "\"category\":[\"process\"],\"type\":[\"%s\"],\"action\":\"%s\"",
			    class->kind, class->type, event_actions[writer->word]);
	return head;
}

/* `{"@timestamp":...,"event":{...}`, and what goes with a failure. */
static void put_event(struct event_writer *writer, const struct event_line *line)
{
	const struct event_record *record = line->event ? line->event->record : NULL;
	char *place = text_room(writer->out, EVENT_TIME_LENGTH + sizeof("{\"@timestamp\":\""));

	place = place_put_literal(place, "{\"@timestamp\":\"");
	event_end(writer, event_place_time(place, writer, &writer->seconds[0], line->time_boot_ns));
	event_put_text(writer, head_of(writer));
	if (record && record->sequence) {
		event_put(writer, ",\"sequence\":");
		event_put_large(writer, record->sequence);
	}
	if (record)
		put_outcome(writer, record);
	else
		event_put(writer, "}");
}

static void put_message(struct event_writer *writer, const struct info_record *info)
{
	event_put_member(writer, "message", AT_MESSAGE, record_info(info), info->length);
}

static void put_line(struct event_writer *writer, const struct event_line *line,
		     const struct event_subject *subject)
{
	put_event(writer, line);
	if (line->info)
		put_message(writer, line->info);
	event_put_host(writer);
	if (subject->tgid)
		event_put_process(writer, line, subject);
	else if (subject->container && writer->level < LEVEL_CORE)
		event_render_container(writer, subject);
	event_put_nsview(writer, line, subject);
	event_put(writer, "}");
}

static void put_ecs(struct event_writer *writer, const struct event_line *line,
		    const struct event_subject *subject, struct text *out)
{
	writer->out = out;
	writer->block = NULL;
	writer->unknown = 0;
	writer->lossy = 0;
	writer->cut = writer->level == LEVEL_CORE ? EVENT_CUT_LINE : 0;
	put_line(writer, line, subject);
}

static void put_otel(struct event_writer *writer, const struct event_line *line,
		     const struct event_subject *subject, struct text *out)
{
	text_clear(&writer->scratch);
	put_ecs(writer, line, subject, &writer->scratch);
	event_flatten(out, writer->scratch.data);
}

/* The longest form that fits, which is nearly always the first. */
static void add_json(struct event_writer *writer, const struct event_line *line, struct text *out)
{
	struct event_subject subject;
	size_t start = out->length;

	event_subject_read(line, &subject);
	writer->word = event_line_word(line);
	for (int level = LEVEL_ALL; level < LEVELS; level++) {
		out->length = start;
		writer->level = (enum event_level)level;
		if (writer->format == EVENT_FORMAT_OTEL)
			put_otel(writer, line, &subject, out);
		else
			put_ecs(writer, line, &subject, out);
		if (out->length - start < writer->line_max)
			break;
	}
	text_add_char(out, '\n');
}

/* Ends where a character does. */
static void add_words(struct event_writer *writer, const struct event_line *line, struct text *out)
{
	size_t start = out->length;

	writer->out = out;
	writer->word = event_line_word(line);
	event_put_words(writer, line);
	if (out->length - start >= writer->line_max) {
		out->length = start + writer->line_max - 1;
		while (((unsigned char)out->data[out->length] & 0xc0) == 0x80)
			out->length--;
	}
	text_add_char(out, '\n');
}

/*
 * Names change under who runs for long: users of the host are added and renamed, and a container's
 * program runs in the root that was made for it, where until then the runtime's own steps were seen
 * in the host's.
 */
static void refresh_names(struct event_writer *writer, const struct event_line *line)
{
	struct passwd_cache *users = writer->view->users;
	uint64_t second = line->time_boot_ns / NS_PER_SECOND;
	const struct event *event = line->event;

	if (event && event->exec && line->container &&
	    event->record->tgid == line->container->first_pid)
		passwd_forget(users, event->identity->ns[NS_MNT]);
	if (second != writer->refreshed_second)
		passwd_refresh(users);
	writer->refreshed_second = second;
	if (passwd_changes(users) != writer->names_changes)
		event_blocks_clear(writer->blocks);
	writer->names_changes = passwd_changes(users);
}

void event_writer_add(struct event_writer *writer, const struct event_line *line, struct text *out)
{
	refresh_names(writer, line);
	if (writer->format == EVENT_FORMAT_TEXT)
		add_words(writer, line, out);
	else
		add_json(writer, line, out);
}
