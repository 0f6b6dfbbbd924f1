/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/json.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

#define NS_PER_SECOND 1000000000ULL
#define SECONDS_PER_DAY 86400ULL
#define REAL_DECIMALS_MAX 9
#define REAL_EXACT_MAX 9007199254740992.0 /* 2^53: up to here scaling by 10^n stays an integer */

/* What a byte needs: 0 nothing, 'u' a look at the character, else the letter after a backslash. */
static const char escapes[256] = {
	['\b'] = 'b',          ['\t'] = 't', ['\n'] = 'n',          ['\f'] = 'f',
	['\r'] = 'r',          ['"'] = '"',  ['\\'] = '\\',         [0x7f] = 'u',
	[0x00 ... 0x07] = 'u', [0x0b] = 'u', [0x0e ... 0x1f] = 'u', [0x80 ... 0xff] = 'u',
};

static inline void json_begin_value(struct json *json)
{
	if (json->needs_comma)
		text_add_char(json->out, ',');
	json->needs_comma = true;
}

void json_start(struct json *json, struct text *out)
{
	*json = (struct json){.out = out};
}

static void json_open(struct json *json, char bracket)
{
	json_begin_value(json);
	text_add_char(json->out, bracket);
	json->needs_comma = false;
}

static void json_close(struct json *json, char bracket)
{
	text_add_char(json->out, bracket);
	json->needs_comma = true;
}

void json_object_open(struct json *json)
{
	json_open(json, '{');
}

void json_object_close(struct json *json)
{
	json_close(json, '}');
}

void json_array_open(struct json *json)
{
	json_open(json, '[');
}

void json_array_close(struct json *json)
{
	json_close(json, ']');
}

void json_key(struct json *json, const char *key)
{
	json_begin_value(json);
	text_add_char(json->out, '"');
	text_add_string(json->out, key);
	text_add(json->out, "\":", 2);
	json->needs_comma = false;
}

static void json_add_utf16(struct json *json, uint32_t unit)
{
	text_add(json->out, "\\u", 2);
	text_add_hex(json->out, unit, 4);
}

static void json_add_escaped(struct json *json, uint32_t codepoint)
{
	if (codepoint > 0xffff) {
		json_add_utf16(json, 0xd800 + ((codepoint - 0x10000) >> 10));
		json_add_utf16(json, 0xdc00 + ((codepoint - 0x10000) & 0x3ff));
	} else {
		json_add_utf16(json, codepoint);
	}
}

/*
 * A character that is not plain. What could act on a terminal is escaped here too, since JSON is
 * read there as well and \u loses nothing.
 */
static size_t json_add_character(struct json *json, const char *data, size_t length)
{
	uint32_t codepoint;
	size_t size = text_decode_prefix(data, length, &codepoint);

	if (codepoint == TEXT_NOT_UTF8) {
		text_add(json->out, "\xef\xbf\xbd", 3);
		json->is_lossy = true;
	} else if (text_is_hidden(codepoint)) {
		json_add_escaped(json, codepoint);
	} else {
		text_add(json->out, data, size);
	}
	return size;
}

typedef signed char bytes_8 __attribute__((vector_size(8)));
typedef signed char bytes_16 __attribute__((vector_size(16)));

/* As signed bytes, those from 0x80 on are below 0x20 too. */
#define BYTES_THAT_NEED_MORE(bytes) \
	(((bytes) < 0x20) | ((bytes) == '"') | ((bytes) == '\\') | ((bytes) == 0x7f))

static inline bool is_plain_8(const char *data)
{
	bytes_8 bytes;
	uint64_t hits;

	memcpy(&bytes, data, sizeof(bytes));
	bytes = BYTES_THAT_NEED_MORE(bytes);
	memcpy(&hits, &bytes, sizeof(hits));
	return !hits;
}

static inline bool is_plain_16(const char *data)
{
	bytes_16 bytes;
	uint64_t hits[2];

	memcpy(&bytes, data, sizeof(bytes));
	bytes = BYTES_THAT_NEED_MORE(bytes);
	memcpy(hits, &bytes, sizeof(hits));
	return !(hits[0] | hits[1]);
}

/* Whether what 16 at a time leave at the end needs nothing; some of it is looked at twice. */
static inline bool is_end_plain(const char *data, size_t length)
{
	char both[8];

	if (length >= 16)
		return is_plain_16(data + length - 16);
	if (length >= 8)
		return is_plain_8(data) && is_plain_8(data + length - 8);
	if (length < 4)
		return false;
	memcpy(both, data, 4);
	memcpy(both + 4, data + length - 4, 4);
	return is_plain_8(both);
}

size_t json_plain_run(const char *data, size_t length)
{
	size_t run = 0;

	while (run + sizeof(bytes_16) <= length && is_plain_16(data + run))
		run += sizeof(bytes_16);
	if (length - run < sizeof(bytes_16) && is_end_plain(data, length))
		return length;
	while (run < length && !escapes[(unsigned char)data[run]])
		run++;
	return run;
}

void json_string(struct json *json, const char *data, size_t length)
{
	json_begin_value(json);
	text_add_char(json->out, '"');
	while (length) {
		size_t run = json_plain_run(data, length);

		text_add(json->out, data, run);
		data += run;
		length -= run;
		if (!length)
			break;
		if (escapes[(unsigned char)*data] == 'u') {
			run = json_add_character(json, data, length);
		} else {
			text_add_char(json->out, '\\');
			text_add_char(json->out, escapes[(unsigned char)*data]);
			run = 1;
		}
		data += run;
		length -= run;
	}
	text_add_char(json->out, '"');
}

void json_raw(struct json *json, const char *data, size_t length)
{
	json_begin_value(json);
	text_add(json->out, data, length);
}

void json_number(struct json *json, int64_t number)
{
	json_begin_value(json);
	text_add_number(json->out, number);
}

void json_unsigned(struct json *json, uint64_t number)
{
	json_begin_value(json);
	text_add_unsigned(json->out, number);
}

void json_real(struct json *json, double number, int decimals)
{
	static const uint32_t powers[REAL_DECIMALS_MAX + 1] = {
		1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};
	uint64_t scaled;
	double large;

	if (!isfinite(number)) {
		json_null(json);
		return;
	}
	if (decimals > REAL_DECIMALS_MAX)
		decimals = REAL_DECIMALS_MAX;
	json_begin_value(json);
	large = fabs(number) * powers[decimals];
	if (large >= REAL_EXACT_MAX) {
		text_printf(json->out, "%.*e", 16, number);
		return;
	}
	scaled = (uint64_t)(large + 0.5);
	if (number < 0 && scaled)
		text_add_char(json->out, '-');
	text_add_unsigned(json->out, scaled / powers[decimals]);
	if (decimals) {
		text_add_char(json->out, '.');
		text_add_padded(json->out, scaled % powers[decimals], decimals);
	}
}

void json_boolean(struct json *json, bool value)
{
	json_begin_value(json);
	text_add_string(json->out, value ? "true" : "false");
}

void json_null(struct json *json)
{
	json_begin_value(json);
	text_add(json->out, "null", 4);
}

void json_hex(struct json *json, uint64_t number)
{
	json_begin_value(json);
	text_add_char(json->out, '"');
	text_add_hex(json->out, number, 16);
	text_add_char(json->out, '"');
}

/*
 * The Gregorian calendar, counted in years that begin on March 1st so that the leap day is the
 * last one: day 0 of that count is 719,468 days before 1970. gmtime_r does the same through the
 * time zone machinery and takes its lock.
 */
static void json_add_date(struct text *out, uint64_t days_since_epoch)
{
	uint64_t days = days_since_epoch + 719468;
	uint64_t era = days / 146097;
	uint64_t day_of_era = days % 146097;
	uint64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	uint64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	uint64_t month_from_march = (5 * day_of_year + 2) / 153;
	uint64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;

	text_add_padded(out, era * 400 + year_of_era + (month <= 2), 4);
	text_add_char(out, '-');
	text_add_padded(out, month, 2);
	text_add_char(out, '-');
	text_add_padded(out, day_of_year - (153 * month_from_march + 2) / 5 + 1, 2);
}

void json_time(struct json *json, uint64_t epoch_ns)
{
	uint64_t seconds = epoch_ns / NS_PER_SECOND;
	uint64_t of_day = seconds % SECONDS_PER_DAY;
	struct text *out = json->out;

	json_begin_value(json);
	text_add_char(out, '"');
	json_add_date(out, seconds / SECONDS_PER_DAY);
	text_add_char(out, 'T');
	text_add_padded(out, of_day / 3600, 2);
	text_add_char(out, ':');
	text_add_padded(out, of_day / 60 % 60, 2);
	text_add_char(out, ':');
	text_add_padded(out, of_day % 60, 2);
	text_add_char(out, '.');
	text_add_padded(out, epoch_ns % NS_PER_SECOND, 9);
	text_add(out, "Z\"", 2);
}
