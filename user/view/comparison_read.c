/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/comparison.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/caps.h"
#include "host/facts.h"
#include "host/passwd.h"
#include "view/pattern.h"

#define NS_PER_SECOND 1000000000LL
#define WORD_MAX 64
#define NEAREST_DISTANCE_MAX 3

struct reading {
	struct literal *literal;
	const struct column *column;
	enum comparison_op op;
	const char *text;
	const struct view_context *view;
	struct text *why;
	size_t *bad_offset;
};

struct unit {
	const char *name;
	double factor;
};

static const struct unit size_units[] = {
	{"", 1024},       {"b", 1},         {"k", 1024},       {"kb", 1024},       {"kib", 1024},
	{"m", 1 << 20},   {"mb", 1 << 20},  {"mib", 1 << 20},  {"g", 1 << 30},     {"gb", 1 << 30},
	{"gib", 1 << 30}, {"t", 1LL << 40}, {"tb", 1LL << 40}, {"tib", 1LL << 40}, {NULL, 0},
};

static const struct unit time_units[] = {
	{"", 1e9},     {"ns", 1},     {"us", 1e3},    {"ms", 1e6},     {"s", 1e9}, {"m", 60e9},
	{"min", 60e9}, {"h", 3600e9}, {"d", 86400e9}, {"w", 604800e9}, {NULL, 0},
};

static const struct unit percent_units[] = {{"", 1}, {"%", 1}, {NULL, 0}};

static const struct unit cpu_units[] = {{"", 1}, {"m", 1e-3}, {NULL, 0}};

static int read_fails(struct reading *reading, size_t offset, const char *clause)
{
	*reading->bad_offset = offset;
	text_printf(reading->why, "%s %s", reading->column->heading, clause);
	return -EINVAL;
}

static bool is_order(enum comparison_op op)
{
	return op >= OP_LESS && op <= OP_MORE_EQUAL;
}

static bool is_match(enum comparison_op op)
{
	return op == OP_MATCH || op == OP_NO_MATCH;
}

/* A decimal number with one of the units after it. */
static bool quantity_read(const char *text, const struct unit *units, double *quantity)
{
	const char *digits = text + (*text == '-' || *text == '+');
	char *end;

	/* strtod would also take inf, nan and 0x1p3 */
	if (!isdigit((unsigned char)*digits) || tolower((unsigned char)digits[1]) == 'x')
		return false;
	*quantity = strtod(text, &end);
	for (; units->name; units++) {
		if (!strcasecmp(units->name, end)) {
			*quantity *= units->factor;
			return true;
		}
	}
	return false;
}

static int read_number(struct reading *reading)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(reading->text, &end, 10);
	if (end == reading->text || *end || errno)
		return read_fails(reading, 0, "is compared with a whole number");
	reading->literal->kind = LITERAL_NUMBER;
	reading->literal->number = number;
	return 0;
}

static int read_uid(struct reading *reading)
{
	uint32_t uid;

	if (passwd_host_uid(reading->view->users, reading->text, &uid))
		return read_fails(reading, 0, "is compared with a user of this host, or a number");
	reading->literal->kind = LITERAL_NUMBER;
	reading->literal->number = uid;
	return 0;
}

static int read_size(struct reading *reading)
{
	double bytes;

	if (!quantity_read(reading->text, size_units, &bytes) || bytes < 0 || bytes > 9e18)
		return read_fails(reading, 0,
				  "is compared with a size: KiB, or with a unit as 500m or 2g");
	reading->literal->kind = LITERAL_NUMBER;
	reading->literal->number = (int64_t)bytes;
	return 0;
}

static int read_percent(struct reading *reading)
{
	double percent;

	if (!quantity_read(reading->text, percent_units, &percent))
		return read_fails(reading, 0, "is compared with a number");
	reading->literal->kind = LITERAL_REAL;
	reading->literal->real = percent;
	return 0;
}

static int read_cpus(struct reading *reading)
{
	double cpus;

	if (!quantity_read(reading->text, cpu_units, &cpus) || cpus < 0 || cpus > 1e6)
		return read_fails(reading, 0, "is compared with a number of CPUs: 0.5 or 500m");
	/* 700 thousandths are not 0.7 to the last bit; the kernel's limits are whole billionths. */
	reading->literal->kind = LITERAL_REAL;
	reading->literal->real = (double)(int64_t)(cpus * 1e9 + 0.5) / 1e9;
	return 0;
}

/* As the table shows it, minutes:seconds. */
static bool minutes_read(const char *text, double *ns)
{
	unsigned long long minutes;
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	minutes = strtoull(text, &end, 10);
	if (*end != ':' || !isdigit((unsigned char)end[1]) || !isdigit((unsigned char)end[2]) ||
	    end[3])
		return false;
	*ns = ((double)minutes * 60 + strtod(end + 1, NULL)) * (double)NS_PER_SECOND;
	return true;
}

static int read_duration(struct reading *reading)
{
	double ns;

	if ((!minutes_read(reading->text, &ns) && !quantity_read(reading->text, time_units, &ns)) ||
	    ns < 0 || ns > 9e18)
		return read_fails(reading, 0,
				  "is compared with a duration: seconds, 10s, 5m, 2h or 27:40");
	reading->literal->kind = LITERAL_NUMBER;
	reading->literal->number = (int64_t)ns;
	return 0;
}

/* A date, a time of today, or both, in local time; with Z behind it, in UTC. */
static bool date_read(const char *text, const struct facts *facts, int64_t now, int64_t *seconds)
{
	static const char *const formats[] = {
		"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M",
		"%Y-%m-%d",          "%H:%M:%S",          "%H:%M",
	};

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		struct tm date;
		const char *end;

		if (!facts_local(facts, now, &date))
			return false;
		date.tm_hour = date.tm_min = date.tm_sec = 0;
		date.tm_isdst = -1;
		end = strptime(text, formats[i], &date);
		if (!end)
			continue;
		if (*end && strcmp(end, "Z"))
			continue;
		*seconds = *end ? timegm(&date) : facts_epoch(facts, &date);
		return true;
	}
	return false;
}

static int read_start(struct reading *reading)
{
	const struct facts *facts = reading->view->facts;
	int64_t now_ns = (int64_t)(facts->boot_now_ns + facts->boot_offset_ns);
	double ago;
	int64_t seconds;

	reading->literal->kind = LITERAL_NUMBER;
	if (*reading->text == '-' && quantity_read(reading->text, time_units, &ago) &&
	    ago > -9e18) {
		reading->literal->number = now_ns + (int64_t)ago;
		return 0;
	}
	if (!date_read(reading->text, facts, now_ns / NS_PER_SECOND, &seconds))
		return read_fails(reading, 0,
				  "is compared with a time: 06:14, 2026-11-21, "
				  "2026-11-21T06:14:31, or -10m for ten minutes ago");
	reading->literal->number = seconds * NS_PER_SECOND;
	return 0;
}

static int read_bool(struct reading *reading)
{
	static const char *const words[] = {"no", "yes", "false", "true", "0", "1"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcasecmp(reading->text, words[i]))
			continue;
		reading->literal->kind = LITERAL_BOOL;
		reading->literal->is_true = i & 1;
		return 0;
	}
	return read_fails(reading, 0, "is yes or no");
}

static int read_regex(struct reading *reading)
{
	*reading->bad_offset = 0;
	text_add_string(reading->why, "not a regular expression: ");
	if (pattern_compile(&reading->literal->regex, reading->text, reading->why))
		return -EINVAL;
	text_clear(reading->why);
	reading->literal->kind = LITERAL_REGEX;
	return 0;
}

static int domain_check(struct reading *reading, const char *word, size_t length, size_t offset)
{
	const char *const *domain = reading->column->domain;

	if (!domain)
		return 0;
	for (size_t i = 0; domain[i]; i++) {
		if (strlen(domain[i]) == length && !strncasecmp(domain[i], word, length))
			return 0;
	}
	*reading->bad_offset = offset;
	text_printf(reading->why, "%s knows", reading->column->heading);
	for (size_t i = 0; domain[i]; i++)
		text_printf(reading->why, "%s%s",
			    i == 0          ? " "
			    : domain[i + 1] ? ", "
					    : " and ",
			    domain[i]);
	return -EINVAL;
}

static int read_text(struct reading *reading)
{
	size_t length = strlen(reading->text);

	if (is_match(reading->op))
		return read_regex(reading);
	if (domain_check(reading, reading->text, length, 0))
		return -EINVAL;
	reading->literal->kind = LITERAL_TEXT;
	reading->literal->text.data = mem_copy(reading->text);
	reading->literal->text.length = length;
	return 0;
}

/* `docker-default +3 -1` and `5 caps` tell how many, not which. */
static bool caps_is_count(const char *text)
{
	for (const char *at = text; *at; at++) {
		if (!isdigit((unsigned char)*at))
			continue;
		at += strspn(at, "0123456789");
		if (*at == '\0' || *at == ' ')
			return true;
		at--;
	}
	return false;
}

static int caps_fails(struct reading *reading, const char *text, size_t offset)
{
	size_t length = strcspn(text + offset, " ,");
	const char *nearest = NULL;
	char word[WORD_MAX] = "";
	int capability;

	if (length && (text[offset] == '+' || text[offset] == '-')) {
		offset++;
		length--;
	}
	*reading->bad_offset = offset;
	if (!length) {
		text_add_string(reading->why, "a capability is missing here");
		return -EINVAL;
	}
	if (length < sizeof(word))
		memcpy(word, text + offset, length);
	caps_from_name(word, &capability, &nearest);
	text_add_string(reading->why, "no capability is called ");
	text_add_printable(reading->why, text + offset, length);
	if (nearest)
		text_printf(reading->why, ", did you mean %s?", nearest);
	else
		text_add_string(reading->why, ": `nsview caps` lists them");
	return -EINVAL;
}

static int read_caps(struct reading *reading)
{
	static const char suffix[] = " in userns";
	size_t length = strlen(reading->text);
	int bad_offset = 0;

	if (!caps_parse(reading->text, reading->view->facts->cap_last, &reading->literal->caps.mask,
			&bad_offset)) {
		reading->literal->kind = LITERAL_CAPS;
		reading->literal->caps.is_in_userns =
			length >= sizeof(suffix) - 1 &&
			!strcasecmp(reading->text + length - (sizeof(suffix) - 1), suffix);
		return 0;
	}
	if (reading->column->type != COLUMN_CAPS || is_match(reading->op) ||
	    !caps_is_count(reading->text))
		return caps_fails(reading, reading->text, (size_t)bad_offset);
	reading->literal->kind = LITERAL_CAPS_SHOWN;
	reading->literal->text.data = mem_copy(reading->text);
	reading->literal->text.length = length;
	return 0;
}

static int read_hex(struct reading *reading)
{
	const char *digits = reading->text;
	size_t length;

	if (!strncasecmp(digits, "0x", 2))
		digits += 2;
	length = strspn(digits, "0123456789abcdefABCDEF");
	if (!length || length > 16 || digits[length])
		return read_fails(reading, 0, "is compared with a mask of up to 16 hex digits");
	reading->literal->kind = LITERAL_CAPS;
	reading->literal->caps.mask = strtoull(digits, NULL, 16);
	return 0;
}

static int read_words(struct reading *reading)
{
	size_t length = strlen(reading->text);
	char *words = mem_copy(reading->text);

	reading->literal->kind = LITERAL_WORDS;
	reading->literal->text.data = words;
	reading->literal->text.length = length;
	for (size_t at = 0; at < length;) {
		size_t word = strcspn(reading->text + at, ",");

		if (domain_check(reading, words + at, word, at))
			return -EINVAL;
		words[at + word] = '\0';
		at += word + 1;
	}
	return 0;
}

static int read_ids(struct reading *reading)
{
	struct literal *literal = reading->literal;
	const char *at = reading->text;
	size_t capacity = 0;

	literal->kind = LITERAL_IDS;
	literal->ids.items = NULL;
	literal->ids.count = 0;
	for (;;) {
		char *end;
		unsigned long long id;

		if (!isdigit((unsigned char)*at))
			return read_fails(reading, (size_t)(at - reading->text),
					  "is compared with whole numbers");
		id = strtoull(at, &end, 10);
		if (id > UINT32_MAX || (*end && *end != ',' && *end != '/'))
			return read_fails(reading, (size_t)(at - reading->text),
					  "is compared with whole numbers below 2^32");
		mem_reserve_one(literal->ids.items, literal->ids.count, capacity);
		literal->ids.items[literal->ids.count++] = (uint32_t)id;
		if (!*end)
			return 0;
		at = end + 1;
	}
}

static int (*const readers[COLUMN_TYPES])(struct reading *) = {
	[COLUMN_TEXT] = read_text,       [COLUMN_NUMBER] = read_number,
	[COLUMN_UID] = read_uid,         [COLUMN_KIB] = read_size,
	[COLUMN_CPUS] = read_cpus,       [COLUMN_DECLARED] = read_caps,
	[COLUMN_PERCENT] = read_percent, [COLUMN_CPU_TIME] = read_duration,
	[COLUMN_START] = read_start,     [COLUMN_BOOL] = read_bool,
	[COLUMN_CAPS] = read_caps,       [COLUMN_CAP_NAMES] = read_caps,
	[COLUMN_HEX] = read_hex,         [COLUMN_WORDS] = read_words,
	[COLUMN_IDS] = read_ids,         [COLUMN_CHAIN] = read_ids,
};

/* Which operators a type takes: order for what lies on a line, ~ for text and sets. */
static bool type_has_order(enum column_type type)
{
	switch (type) {
	case COLUMN_TEXT:
	case COLUMN_NUMBER:
	case COLUMN_KIB:
	case COLUMN_CPUS:
	case COLUMN_PERCENT:
	case COLUMN_CPU_TIME:
	case COLUMN_START:
		return true;
	default:
		return false;
	}
}

static bool type_has_match(enum column_type type)
{
	switch (type) {
	case COLUMN_TEXT:
	case COLUMN_CAPS:
	case COLUMN_DECLARED:
	case COLUMN_CAP_NAMES:
	case COLUMN_HEX:
	case COLUMN_WORDS:
	case COLUMN_IDS:
	case COLUMN_CHAIN:
		return true;
	default:
		return false;
	}
}

static bool is_none(const struct column *column, const char *text)
{
	return !strcmp(text, "-") || (column->none && !strcmp(text, column->none));
}

int comparison_read(struct comparison *comparison, const struct comparison_text *text,
		    const struct view_context *view, struct text *why, size_t *bad_offset)
{
	const struct column *column = comparison->column;
	enum comparison_op op = comparison->op;
	struct reading reading = {
		&comparison->literal, column, op, text->data, view, why, bad_offset,
	};

	comparison->literal.kind = LITERAL_NONE;
	*bad_offset = 0;
	if (is_order(op) && !type_has_order(column->type))
		return read_fails(&reading, 0, "has no order: use = or !=");
	if (is_match(op) && !type_has_match(column->type))
		return read_fails(&reading, 0, "is no text and no set: use = != < <= > or >=");
	if (!text->is_quoted && !is_order(op) && !is_match(op) && is_none(column, text->data))
		return 0;
	return readers[column->type](&reading);
}

void comparison_free(struct comparison *comparison)
{
	struct literal *literal = &comparison->literal;

	switch (literal->kind) {
	case LITERAL_TEXT:
	case LITERAL_CAPS_SHOWN:
	case LITERAL_WORDS:
		free(literal->text.data);
		break;
	case LITERAL_IDS:
		free(literal->ids.items);
		break;
	case LITERAL_REGEX:
		regfree(&literal->regex);
		break;
	default:
		break;
	}
	literal->kind = LITERAL_NONE;
}
