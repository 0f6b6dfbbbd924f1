/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/column.h"

#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"
#include "bpf/event.h"
#include "host/caps.h"
#include "host/facts.h"
#include "host/passwd.h"
#include "model/model.h"

#define NAME_LENGTH_MAX 48
#define NEAREST_DISTANCE_MAX 3
#define NS_PER_SECOND 1000000000ULL
#define CAPABILITIES_MAX 64

static const char *const type_names[COLUMN_TYPES] = {
	[COLUMN_TEXT] = "text",
	[COLUMN_NUMBER] = "number",
	[COLUMN_UID] = "number",
	[COLUMN_KIB] = "size",
	[COLUMN_CPUS] = "number",
	[COLUMN_DECLARED] = "capabilities",
	[COLUMN_PERCENT] = "number",
	[COLUMN_CPU_TIME] = "duration",
	[COLUMN_CPU_CLOCK] = "duration",
	[COLUMN_START] = "time",
	[COLUMN_BOOL] = "yes or no",
	[COLUMN_CAPS] = "capabilities",
	[COLUMN_CAP_NAMES] = "capabilities",
	[COLUMN_HEX] = "mask",
	[COLUMN_WORDS] = "words",
	[COLUMN_IDS] = "numbers",
	[COLUMN_CHAIN] = "chain",
};

const char *column_type_name(enum column_type type)
{
	return type_names[type];
}

bool column_is_right(const struct column *column)
{
	switch (column->type) {
	case COLUMN_NUMBER:
	case COLUMN_KIB:
	case COLUMN_CPUS:
	case COLUMN_PERCENT:
	case COLUMN_CPU_TIME:
	case COLUMN_CPU_CLOCK:
		return true;
	default:
		return false;
	}
}

/* What ps(1) calls columns that have another name here. */
static const struct {
	const char *ps_name;
	const char *key;
} ps_names[] = {
	{"args", "command"}, {"cmd", "command"},  {"pcpu", "cpu"},      {"pmem", "mem"},
	{"nlwp", "threads"}, {"state", "stat"},   {"luid", "loginuid"}, {"ruid", "uid"},
	{"rgid", "gid"},     {"mntns", "ns-mnt"}, {"pidns", "ns-pid"},  {"netns", "ns-net"},
};

/* The one spelling that all accepted ones share. */
static void name_fold(char folded[NAME_LENGTH_MAX], const char *name)
{
	size_t length = 0;

	for (; *name && length < NAME_LENGTH_MAX - 1; name++) {
		char character = *name;

		if (character == '%')
			continue;
		if (character == '_' || character == '.')
			character = '-';
		if (character >= 'A' && character <= 'Z')
			character = (char)(character + 'a' - 'A');
		folded[length++] = character;
	}
	folded[length] = '\0';
}

static bool name_is(const char *folded, const char *candidate)
{
	char other[NAME_LENGTH_MAX];

	if (!candidate)
		return false;
	name_fold(other, candidate);
	return !strcmp(folded, other);
}

static const char *column_nearest(const char *folded)
{
	size_t best = NEAREST_DISTANCE_MAX + 1;
	const char *nearest = NULL;

	for (size_t i = 0; i < proc_columns_count; i++) {
		size_t distance;

		if (proc_columns[i].is_hidden)
			continue;
		distance = text_distance(folded, proc_columns[i].key);
		/* A word that shares no letter with a short key is no misspelling of it. */
		if (distance < best && distance < strlen(proc_columns[i].key)) {
			best = distance;
			nearest = proc_columns[i].key;
		}
	}
	return nearest;
}

const struct column *column_find(const char *name, const char **nearest)
{
	char folded[NAME_LENGTH_MAX];

	name_fold(folded, name);
	for (size_t i = 0; i < ARRAY_SIZE(ps_names); i++) {
		if (!strcmp(folded, ps_names[i].ps_name))
			strcpy(folded, ps_names[i].key);
	}
	for (size_t i = 0; i < proc_columns_count; i++) {
		const struct column *column = &proc_columns[i];

		if (!column->is_hidden &&
		    (name_is(folded, column->key) || name_is(folded, column->heading) ||
		     name_is(folded, column->json)))
			return column;
	}
	*nearest = column_nearest(folded);
	return NULL;
}

void column_get(const struct column *column, const struct view_context *view,
		const struct proc *proc, struct value *value)
{
	value->kind = VALUE_NONE;
	value->cut = CUT_NOT;
	if (column->is_inside && !proc->container)
		return;
	if (proc->unknown & column->needs) {
		value->kind = VALUE_UNKNOWN;
		return;
	}
	column->get(column, view, proc, value);
}

bool value_next_word(const struct value *value, const char **word, size_t *length)
{
	const char *end, *next, *stop;

	if (!value->text.length) /* and perhaps no text either */
		return false;
	end = value->text.data + value->text.length;
	next = *word ? *word + *length + 1 : value->text.data;
	if (next >= end)
		return false;
	stop = memchr(next, '\0', (size_t)(end - next));
	*word = next;
	*length = (size_t)((stop ? stop : end) - next);
	return true;
}

/* A text of nothing but blanks would look like an empty cell. */
static void cell_add_text(struct text *out, const struct value *value)
{
	const char *data = value->text.data;
	size_t length = value->text.length;
	size_t blanks = 0;

	while (blanks < length && data[blanks] == ' ')
		blanks++;
	if (blanks == length) {
		text_add_char(out, '"');
		text_add(out, data, length);
		text_add_char(out, '"');
		return;
	}
	text_add_printable(out, data, length);
}

/* procps: four characters at most below 10,000 % */
static void cell_add_percent(struct text *out, double percent)
{
	uint64_t tenths = (uint64_t)(percent * 10 + 0.5);

	text_add_unsigned(out, tenths / 10);
	if (tenths <= 999) {
		text_add_char(out, '.');
		text_add_unsigned(out, tenths % 10);
	}
}

static void cell_add_cpus(struct text *out, double cpus)
{
	uint64_t hundredths = (uint64_t)(cpus * 100 + 0.5);

	text_add_unsigned(out, hundredths / 100);
	text_add_char(out, '.');
	text_add_padded(out, hundredths % 100, 2);
}

static void cell_add_cpu_time(struct text *out, uint64_t ns)
{
	uint64_t seconds = ns / NS_PER_SECOND;

	text_add_unsigned(out, seconds / 60);
	text_add_char(out, ':');
	text_add_padded(out, seconds % 60, 2);
}

static void cell_add_cpu_clock(struct text *out, uint64_t ns)
{
	uint64_t seconds = ns / NS_PER_SECOND;
	uint64_t days = seconds / 86400;

	if (days) {
		text_add_unsigned(out, days);
		text_add_char(out, '-');
	}
	text_add_padded(out, seconds / 3600 % 24, 2);
	text_add_char(out, ':');
	text_add_padded(out, seconds / 60 % 60, 2);
	text_add_char(out, ':');
	text_add_padded(out, seconds % 60, 2);
}

/* procps's pr_stime(): today the time, this year the day, else the year. */
static void cell_add_start(struct text *out, int64_t epoch_ns, const struct facts *facts)
{
	int64_t start = epoch_ns / (int64_t)NS_PER_SECOND;
	int64_t now = (int64_t)((facts->boot_now_ns + facts->boot_offset_ns) / NS_PER_SECOND);
	const char *format = "%H:%M";
	struct tm started;
	struct tm today;
	char shown[32];

	if (!facts_local(facts, start, &started) || !facts_local(facts, now, &today)) {
		text_add_char(out, '?');
		return;
	}
	if (started.tm_year != today.tm_year)
		format = "%Y";
	else if (started.tm_yday != today.tm_yday)
		format = "%b%d";
	text_add(out, shown, strftime(shown, sizeof(shown), format, &started));
}

/* The words of caps.h have a form for "counts on the host" and one for "does not". Where that
 * is not known neither may be claimed. */
static void cell_add_caps(struct text *out, const struct value *value, int cap_last)
{
	caps_words(out, value->caps.mask, cap_last, value->caps.reach != REACH_USERNS);
	if (value->caps.reach == REACH_UNKNOWN && value->caps.mask)
		text_add_string(out, " in userns?");
}

static void cell_add_separator(struct text *out, size_t start)
{
	if (out->length > start)
		text_add_char(out, ',');
}

static void cell_add_cap_names(struct text *out, uint64_t mask)
{
	size_t start = out->length;

	for (int capability = 0; capability < CAPABILITIES_MAX; capability++) {
		if (!(mask >> capability & 1))
			continue;
		cell_add_separator(out, start);
		text_add_string(out, caps_name(capability));
	}
}

static void cell_add_words(struct text *out, const struct value *value)
{
	size_t start = out->length;
	const char *word = NULL;
	size_t length;

	while (value_next_word(value, &word, &length)) {
		cell_add_separator(out, start);
		text_add_printable(out, word, length);
	}
}

static void cell_add_ids(struct text *out, const struct value *value)
{
	size_t start = out->length;

	for (size_t i = 0; i < value->ids.count; i++) {
		cell_add_separator(out, start);
		text_add_unsigned(out, value->ids.items[i]);
	}
}

static void cell_add_chain(struct text *out, const struct value *value)
{
	for (size_t i = 0; i < value->chain.count; i++) {
		if (i)
			text_add_char(out, '/');
		text_add_unsigned(out, value->chain.levels[i].pid);
	}
}

static void cell_add_uid(struct text *out, uint32_t uid, const struct view_context *view)
{
	const char *name = passwd_host_name(view->users, uid);

	if (name)
		text_add_printable(out, name, strlen(name));
	else
		text_add_unsigned(out, uid);
}

static void cell_add(struct text *out, const struct column *column, const struct value *value,
		     const struct view_context *view)
{
	switch (column->type) {
	case COLUMN_TEXT:
		cell_add_text(out, value);
		break;
	case COLUMN_NUMBER:
		text_add_number(out, value->number);
		break;
	case COLUMN_UID:
		cell_add_uid(out, (uint32_t)value->number, view);
		break;
	case COLUMN_KIB:
		text_add_unsigned(out, (uint64_t)value->number / 1024);
		break;
	case COLUMN_CPUS:
		cell_add_cpus(out, value->real);
		break;
	case COLUMN_PERCENT:
		cell_add_percent(out, value->real);
		break;
	case COLUMN_CPU_TIME:
		cell_add_cpu_time(out, (uint64_t)value->number);
		break;
	case COLUMN_CPU_CLOCK:
		cell_add_cpu_clock(out, (uint64_t)value->number);
		break;
	case COLUMN_START:
		cell_add_start(out, value->number, view->facts);
		break;
	case COLUMN_BOOL:
		text_add_string(out, value->is_true ? "yes" : "no");
		break;
	case COLUMN_CAPS:
	case COLUMN_DECLARED:
		cell_add_caps(out, value, view->facts->cap_last);
		break;
	case COLUMN_CAP_NAMES:
		cell_add_cap_names(out, value->caps.mask);
		break;
	case COLUMN_HEX:
		text_add_hex(out, value->caps.mask, 16);
		break;
	case COLUMN_WORDS:
		cell_add_words(out, value);
		break;
	case COLUMN_IDS:
		cell_add_ids(out, value);
		break;
	case COLUMN_CHAIN:
		cell_add_chain(out, value);
		break;
	case COLUMN_TYPES:
		break;
	}
}

void cell_format(struct text *out, const struct column *column, const struct value *value,
		 const struct view_context *view)
{
	size_t start = out->length;

	if (value->kind == VALUE_UNKNOWN) {
		text_add_char(out, '?');
		return;
	}
	if (value->cut == CUT_START)
		text_add_string(out, "...");
	if (value->kind != VALUE_NONE)
		cell_add(out, column, value, view);
	if (value->cut == CUT_END)
		text_add_string(out, "...");
	if (out->length == start)
		text_add_string(out, column->none ? column->none : "-");
}
