/* SPDX-License-Identifier: GPL-2.0-only */
/* `,"nsview":{...}`: what no schema has. */
#include "output/event_private.h"

#include <sys/wait.h>

#include "base/mem.h"
#include "host/cgroup.h"
#include "source/source.h"
#include "view/change_words.h"

#define CORE_DUMPED 0x80

static void level_set(struct event_level_text *text, uint32_t ns)
{
	char digits[TEXT_DIGITS_MAX];
	size_t length = (size_t)(text_put_unsigned(digits, ns) - digits);
	char *place = place_put_literal(text->text, "{\"ns\":");

	place = place_put(place, digits, length);
	place = place_put_literal(place, ",\"pid\":");
	text->length = (uint8_t)(place - text->text);
	text->ns = ns;
}

static char *place_level(char *place, struct event_writer *writer, uint32_t level, uint32_t ns)
{
	struct event_level_text *text = &writer->levels[level & (EVENT_LEVELS - 1)];

	if (text->ns != ns || !text->length)
		level_set(text, ns);
	memcpy(place, text->text, sizeof(text->text));
	return place + text->length;
}

/* A namespace and a pid, each of 32 bits, and what is around them. */
#define CHAIN_LEVEL_MAX 48

static void put_chain(struct event_writer *writer, const struct event_subject *subject)
{
	const struct pid_level *level = subject->chain;
	char *place;

	if (!subject->chain || subject->unknown & FIELD_BIT(FIELD_CHAIN)) {
		writer->unknown |= AT_BIT(CHAIN);
		return;
	}
	place = text_room(writer->out, (subject->chain_count + 1U) * CHAIN_LEVEL_MAX);
	place = place_put_literal(place, ",\"pid_chain\":[");
	for (uint32_t i = 0; i < subject->chain_count; i++, level++) {
		if (i)
			place = place_put_literal(place, ",");
		place = place_level(place, writer, i, level->ns);
		if (level->pid == subject->tgid)
			place = event_place_pid(place, writer->process);
		else
			place = text_put_unsigned(place, level->pid);
		place = place_put_literal(place, "}");
	}
	event_end(writer, place_put_literal(place, "]"));
}

/* Closes the capabilities that the block has left open; gained and lost are of the effective set. */
static void put_gained(struct event_writer *writer, const struct event *event)
{
	uint64_t before;
	uint64_t after;

	if (event && event->before && event->identity) {
		before = event->before->caps[CAP_SET_EFFECTIVE];
		after = event->identity->caps[CAP_SET_EFFECTIVE];
		event_put(writer, ",\"gained\":");
		event_put_caps(writer, after & ~before);
		event_put(writer, ",\"lost\":");
		event_put_caps(writer, before & ~after);
	}
	event_put(writer, "}");
}

static void render_cgroup(struct event_writer *writer, const struct event_subject *subject)
{
	const char *separator = ",\"cgroup\":{";

	if (subject->cgroup_id) {
		event_put_string(writer, separator);
		event_put(writer, "\"id\":");
		event_put_large(writer, subject->cgroup_id);
		separator = ",";
	} else {
		writer->unknown |= AT_BIT(CGROUP_ID);
	}
	if (subject->cgroup_hierarchy != CGROUP_V2) {
		event_put_string(writer, separator);
		event_put(writer, "\"controller\":\"");
		event_put_string(writer, cgroup_hierarchy_names[subject->cgroup_hierarchy]);
		event_put(writer, "\"");
		separator = ",";
	}
	if (subject->cgroup_length) {
		event_put_string(writer, separator);
		event_put(writer, "\"path\":");
		event_put_quoted(writer, AT_CGROUP_PATH, subject->cgroup_path,
				 subject->cgroup_length);
	} else {
		writer->unknown |= AT_BIT(CGROUP_PATH);
	}
	event_put(writer, "}");
}

/* Only what was written whole and as it is, so that there is nothing else to remember of it. */
static bool is_kept(const struct event_writer *writer, const struct event_subject *subject)
{
	return writer->level < LEVEL_SHORT && !(writer->lossy & AT_BIT(CGROUP_PATH)) &&
	       subject->cgroup_id && subject->cgroup_length;
}

static void cgroup_keep(struct event_cgroup_text *kept, const struct event_subject *subject,
			const char *text, size_t length)
{
	text_clear(&kept->path);
	text_add(&kept->path, subject->cgroup_path, subject->cgroup_length);
	text_clear(&kept->text);
	text_add(&kept->text, text, length);
	kept->id = subject->cgroup_id;
	kept->hierarchy = subject->cgroup_hierarchy;
}

/* Processes that follow each other are in the same few cgroups. */
static void put_cgroup(struct event_writer *writer, const struct event_subject *subject)
{
	struct event_cgroup_text *kept = &writer->cgroups[subject->cgroup_id & (EVENT_CGROUPS - 1)];
	size_t start = writer->out->length;

	if (subject->unknown & FIELD_BIT(FIELD_CGROUP) ||
	    (!subject->cgroup_id && !subject->cgroup_length)) {
		writer->unknown |= AT_BIT(CGROUP);
		return;
	}
	if (subject->is_cgroup_cut)
		writer->cut |= EVENT_CUT_CGROUP;
	if (is_kept(writer, subject) && kept->id == subject->cgroup_id &&
	    kept->hierarchy == subject->cgroup_hierarchy &&
	    kept->path.length == subject->cgroup_length &&
	    !memcmp(kept->path.data, subject->cgroup_path, kept->path.length)) {
		event_put_text(writer, &kept->text);
		return;
	}
	render_cgroup(writer, subject);
	if (is_kept(writer, subject))
		cgroup_keep(kept, subject, writer->out->data + start, writer->out->length - start);
}

static void put_children(struct event_writer *writer, const struct event_children *children)
{
	if (!children)
		return;
	if (children->pid_ns || children->time_ns) {
		const char *separator = ",\"children\":{\"ns\":{";

		if (children->pid_ns) {
			event_put_string(writer, separator);
			event_put(writer, "\"pid\":");
			event_put_number(writer, children->pid_ns);
			separator = ",";
		}
		if (children->time_ns) {
			event_put_string(writer, separator);
			event_put(writer, "\"time\":");
			event_put_number(writer, children->time_ns);
		}
		event_put(writer, "}}");
	}
	if (children->map_ns) {
		event_put(writer, ",\"idmap\":{\"user_ns\":");
		event_put_number(writer, children->map_ns);
		event_put(writer, "}");
	}
}

/* What process.executable does not say of the file. */
static void put_exec(struct event_writer *writer, const struct event *event)
{
	static const struct {
		const char *member;
		uint16_t flag;
	} flags[] = {
		{"\"setuid\":true", EVENT_SETUID_FILE},
		{"\"setgid\":true", EVENT_SETGID_FILE},
		{"\"secure\":true", EVENT_SECUREEXEC},
	};
	const struct event_exec *exec = event->exec;
	const char *separator = ",\"exec\":{";

	if (!exec)
		return;
	if (exec->interpreter_length || (exec->filename_length && event->filename[0] != '/') ||
	    writer->unknown & AT_BIT(EXECUTABLE)) {
		event_put_string(writer, separator);
		event_put(writer, "\"filename\":");
		event_put_quoted(writer, AT_FILENAME, event->filename, exec->filename_length);
		separator = ",";
	}
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (!(event->record->flags & flags[i].flag))
			continue;
		event_put_string(writer, separator);
		event_put_string(writer, flags[i].member);
		separator = ",";
	}
	if (!separator[1])
		event_put(writer, "}");
}

static void put_exit(struct event_writer *writer, const struct event *event)
{
	const struct event_exit *exit = event->exit;

	if (!exit)
		return;
	if (event->record->flags & EVENT_REPAIR) { /* nobody saw how it ended */
		writer->unknown |= AT_BIT(EXIT_CODE);
		return;
	}
	if (!WIFSIGNALED(exit->status))
		return;
	event_put(writer, ",\"exit_signal\":");
	event_put_number(writer, (uint64_t)WTERMSIG(exit->status));
	if (exit->status & CORE_DUMPED)
		event_put(writer, ",\"core_dumped\":true");
}

static void put_cause(struct event_writer *writer, const struct event_record *record)
{
	const char *cause = change_cause_name(record->cause);

	if (!cause)
		return;
	event_put(writer, ",\"cause\":\"");
	event_put_string(writer, cause);
	event_put(writer, "\"");
}

static void put_event(struct event_writer *writer, const struct event *event)
{
	put_cause(writer, event->record);
	if (writer->level == LEVEL_CORE)
		return;
	event_put_before(writer, event);
	put_children(writer, event->children);
	put_exec(writer, event);
	put_exit(writer, event);
}

/* Of arguments that are not all here, how long they were. */
static void put_args_bytes(struct event_writer *writer, const struct event_subject *subject)
{
	uint64_t total = subject->is_args_cut ? subject->args_total : subject->args_length;

	if (!(writer->cut & EVENT_CUT_ARGS) || !total)
		return;
	event_put(writer, ",\"args_bytes\":");
	event_put_number(writer, total);
}

static void put_hook(struct event_writer *writer, const char *start, uint32_t hook)
{
	const char *name = hook_name(hook);

	if (!name)
		return;
	event_put_string(writer, start);
	event_put(writer, "\"hook\":\"");
	event_put_string(writer, name);
	event_put(writer, "\"");
}

static void put_gap(struct event_writer *writer, const struct gap_record *gap)
{
	event_put(writer, ",\"gap\":{\"lost\":");
	event_put_large(writer, gap->last - gap->first + 1);
	event_put(writer, ",\"first\":");
	event_put_large(writer, gap->first);
	event_put(writer, ",\"last\":");
	event_put_large(writer, gap->last);
	event_put(writer, ",\"reason\":\"");
	event_put_string(writer, event_gap_reasons[gap->reason]);
	event_put(writer, "\"");
	put_hook(writer, ",", gap->hook);
	event_put(writer, "}");
}

static void put_info(struct event_writer *writer, const struct info_record *info)
{
	if (!hook_name(info->hook))
		return;
	put_hook(writer, ",\"info\":{", info->hook);
	event_put(writer, "}");
}

#define FIELD_TEXT(name, text) text,
static const char *const field_texts[EVENT_FIELDS] = {EVENT_FIELDS_LIST(FIELD_TEXT)};
#undef FIELD_TEXT

static const char *const cut_texts[] = {
	"\"args\"",   "\"env\"",     "\"capabilities\"", "\"groups\"",
	"\"cgroup\"", "\"strings\"", "\"line\"",
};

/* `,"unknown":["...",...]`, by bits. */
static void put_names(struct event_writer *writer, const char *opening, uint64_t bits,
		      const char *const *texts)
{
	if (!bits)
		return;
	event_put_string(writer, opening);
	for (; bits; bits &= bits - 1) {
		event_put_string(writer, texts[__builtin_ctzll(bits)]);
		if (bits & (bits - 1))
			event_put(writer, ",");
	}
	event_put(writer, "]");
}

static bool is_inferred(const struct event_line *line)
{
	return line->is_inferred ||
	       (line->event && line->event->record->flags & (EVENT_INFERRED | EVENT_REPAIR));
}

/* Of what the line is about: a process, a container alone, a cgroup, or nothing of them. */
static void put_subject(struct event_writer *writer, const struct event_line *line,
			const struct event_subject *subject)
{
	const struct event_block *block;

	if (!subject->tgid) {
		event_render_declared(writer, subject);
		if (subject->cgroup_id)
			put_cgroup(writer, subject);
		return;
	}
	block = event_block_get(writer, subject);
	put_chain(writer, subject);
	event_put_text(writer, &block->nsview);
	if (block->has_caps)
		put_gained(writer, line->event);
	put_cgroup(writer, subject);
}

void event_put_nsview(struct event_writer *writer, const struct event_line *line,
		      const struct event_subject *subject)
{
	event_put(writer, ",\"nsview\":{\"schema\":1");
	if (writer->level < LEVEL_CORE)
		put_subject(writer, line, subject);
	if (line->event)
		put_event(writer, line->event);
	put_args_bytes(writer, subject);
	if (line->gap)
		put_gap(writer, line->gap);
	if (line->info)
		put_info(writer, line->info);
	put_names(writer, ",\"truncated\":[", writer->cut, cut_texts);
	if (writer->level < LEVEL_CORE) {
		put_names(writer, ",\"unknown\":[", writer->unknown, field_texts);
		put_names(writer, ",\"lossy\":[", writer->lossy, field_texts);
	}
	event_put_string(writer,
			 is_inferred(line) ? ",\"inferred\":true}" : ",\"inferred\":false}");
}
