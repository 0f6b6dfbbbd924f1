/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/text.h"

#include <langinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/mem.h"

#define EIGHT_DIGITS 100000000
#define MARKS_MAX 4            /* combining marks on one character; the rest would flood the row */
#define DISTANCE_LENGTH_MAX 64 /* no word of ours is longer */

static const char digit_pairs[] = "0001020304050607080910111213141516171819"
				  "2021222324252627282930313233343536373839"
				  "4041424344454647484950515253545556575859"
				  "6061626364656667686970717273747576777879"
				  "8081828384858687888990919293949596979899";

static const char hex_digits[] = "0123456789abcdef";

/*
 * What can hide, reorder or delete what surrounds it: controls (Cc), and every character with
 * the properties Bidi_Control or Default_Ignorable_Code_Point (Unicode 15, which are stable
 * against later assignments), line and paragraph separator, and the interlinear annotations.
 */
static const struct {
	uint32_t first;
	uint32_t last;
} hidden_ranges[] = {
	{0x00, 0x1f},       {0x7f, 0x9f},       {0xad, 0xad},       {0x34f, 0x34f},
	{0x61c, 0x61c},     {0x115f, 0x1160},   {0x17b4, 0x17b5},   {0x180b, 0x180f},
	{0x200b, 0x200f},   {0x2028, 0x202e},   {0x2060, 0x206f},   {0x3164, 0x3164},
	{0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0},   {0xfff0, 0xfffb},
	{0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

void text_grow(struct text *text, size_t needed)
{
	size_t capacity = text->capacity ? text->capacity : 256;

	while (capacity < needed)
		capacity *= 2;
	text->data = mem_resize(text->data, capacity, 1);
	text->capacity = capacity;
}

void text_add(struct text *text, const char *data, size_t length)
{
	if (!length)
		return;
	memcpy(text_room(text, length), data, length);
	text->length += length;
}

void text_add_string(struct text *text, const char *string)
{
	text_add(text, string, strlen(string));
}

void text_add_char(struct text *text, char character)
{
	*text_room(text, 1) = character;
	text->length++;
}

/* The digits of `number` up to `end`; where they begin. */
static inline char *digits_before(char *end, uint32_t number)
{
	while (number >= 100) {
		end -= 2;
		memcpy(end, digit_pairs + 2 * (number % 100), 2);
		number /= 100;
	}
	if (number >= 10) {
		end -= 2;
		memcpy(end, digit_pairs + 2 * number, 2);
	} else {
		*--end = (char)('0' + number);
	}
	return end;
}

/* Exactly `count` of them; an even number. */
static inline char *pairs_before(char *end, uint32_t number, int count)
{
	for (; count; count -= 2, number /= 100) {
		end -= 2;
		memcpy(end, digit_pairs + 2 * (number % 100), 2);
	}
	return end;
}

char *text_put_unsigned(char *place, uint64_t number)
{
	/* Room behind them, so that a fixed number of bytes is copied, which takes no call. */
	char digits[2 * TEXT_DIGITS_MAX];
	char *end = digits + TEXT_DIGITS_MAX;
	char *first = end;

	/* Division of 32 bits is what costs least. */
	for (; number > UINT32_MAX; number /= EIGHT_DIGITS)
		first = pairs_before(first, (uint32_t)(number % EIGHT_DIGITS), 8);
	first = digits_before(first, (uint32_t)number);
	memcpy(place, first, TEXT_DIGITS_MAX);
	return place + (end - first);
}

void text_add_unsigned(struct text *text, uint64_t number)
{
	char *place = text_room(text, TEXT_DIGITS_MAX);

	text->length += (size_t)(text_put_unsigned(place, number) - place);
}

void text_add_number(struct text *text, int64_t number)
{
	if (number < 0)
		text_add_char(text, '-');
	text_add_unsigned(text, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

char *text_put_padded(char *place, uint64_t number, int digits)
{
	uint32_t small = (uint32_t)number;
	int left = digits;

	for (; left >= 2 && number > UINT32_MAX; number /= 100, small = (uint32_t)number) {
		left -= 2;
		memcpy(place + left, digit_pairs + 2 * (number % 100), 2);
	}
	for (; left >= 2; small /= 100) {
		left -= 2;
		memcpy(place + left, digit_pairs + 2 * (small % 100), 2);
	}
	if (left)
		*place = (char)('0' + small % 10);
	return place + digits;
}

void text_add_padded(struct text *text, uint64_t number, int digits)
{
	text_put_padded(text_room(text, (size_t)digits), number, digits);
	text->length += (size_t)digits;
}

void text_add_hex(struct text *text, uint64_t number, int digits)
{
	char *place = text_room(text, (size_t)digits);

	for (int i = digits; i-- > 0; number >>= 4)
		place[i] = hex_digits[number & 15];
	text->length += (size_t)digits;
}

void text_add_spaces(struct text *text, size_t count)
{
	if (!count)
		return;
	memset(text_room(text, count), ' ', count);
	text->length += count;
}

void text_printf(struct text *text, const char *format, ...)
{
	va_list arguments;
	va_list again;
	int length;

	va_start(arguments, format);
	va_copy(again, arguments);
	length = vsnprintf(NULL, 0, format, arguments);
	if (length > 0) {
		vsnprintf(text_room(text, (size_t)length + 1), (size_t)length + 1, format, again);
		text->length += (size_t)length;
	}
	va_end(again);
	va_end(arguments);
}

const char *text_string(struct text *text)
{
	*text_room(text, 1) = '\0';
	return text->data;
}

void text_clear(struct text *text)
{
	text->length = 0;
}

void text_free(struct text *text)
{
	free(text->data);
	*text = (struct text){0};
}

/*
 * RFC 3629 section 4 as a table of its first bytes: how many bytes follow, and the range of the
 * first of those, which is where overlong forms, surrogates and what is beyond U+10FFFF stop.
 */
static int utf8_following(unsigned char first, unsigned char *low, unsigned char *high)
{
	*low = 0x80;
	*high = 0xbf;
	if (first < 0xc2 || first > 0xf4)
		return -1;
	if (first < 0xe0)
		return 1;
	if (first < 0xf0) {
		if (first == 0xe0)
			*low = 0xa0;
		if (first == 0xed)
			*high = 0x9f;
		return 2;
	}
	if (first == 0xf0)
		*low = 0x90;
	if (first == 0xf4)
		*high = 0x8f;
	return 3;
}

size_t text_decode(const char *data, size_t length, uint32_t *codepoint)
{
	size_t good = text_decode_prefix(data, length, codepoint);

	return *codepoint == TEXT_NOT_UTF8 ? 0 : good;
}

size_t text_decode_prefix(const char *data, size_t length, uint32_t *codepoint)
{
	const unsigned char *bytes = (const unsigned char *)data;
	unsigned char low;
	unsigned char high;
	uint32_t value;
	int following;

	*codepoint = TEXT_NOT_UTF8;
	if (!length)
		return 0;
	if (bytes[0] < 0x80) {
		*codepoint = bytes[0];
		return 1;
	}
	following = utf8_following(bytes[0], &low, &high);
	if (following < 0)
		return 1;
	value = bytes[0] & (0x3fU >> following);
	for (int i = 1; i <= following; i++) {
		if ((size_t)i >= length || bytes[i] < low || bytes[i] > high)
			return (size_t)i;
		value = value << 6 | (bytes[i] & 0x3f);
		low = 0x80;
		high = 0xbf;
	}
	*codepoint = value;
	return (size_t)following + 1;
}

bool text_is_hidden(uint32_t codepoint)
{
	if (codepoint >= 0x20 && codepoint < 0x7f)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(hidden_ranges); i++) {
		if (codepoint <= hidden_ranges[i].last)
			return codepoint >= hidden_ranges[i].first;
	}
	return false;
}

static bool text_locale_is_utf8(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

static inline bool is_plain(char character)
{
	return (unsigned char)character >= 0x20 && (unsigned char)character < 0x7f;
}

static size_t text_plain_run(const char *data, size_t length)
{
	size_t run = 0;

	while (run < length && is_plain(data[run]))
		run++;
	return run;
}

static void text_add_escaped_byte(struct text *text, unsigned char byte)
{
	if (byte == '\n') {
		text_add(text, "\\n", 2);
	} else if (byte == '\t') {
		text_add(text, "\\t", 2);
	} else {
		text_add(text, "\\x", 2);
		text_add_hex(text, byte, 2);
	}
}

static void text_add_escaped(struct text *text, uint32_t codepoint)
{
	if (codepoint < 0x80) {
		text_add_escaped_byte(text, (unsigned char)codepoint);
		return;
	}
	text_add(text, "\\u{", 3);
	text_add_hex(text, codepoint, codepoint > 0xffff ? 6 : 4);
	text_add_char(text, '}');
}

/* One character that is not plain ASCII; returns its length. */
static size_t text_add_character(struct text *text, const char *data, size_t length, int *marks)
{
	uint32_t codepoint;
	size_t size = text_decode(data, length, &codepoint);
	int width;

	if (!size) {
		text_add_escaped_byte(text, (unsigned char)*data);
		*marks = 0;
		return 1;
	}
	width = text_is_hidden(codepoint) ? -1 : wcwidth((wchar_t)codepoint);
	*marks = width == 0 ? *marks + 1 : 0;
	if (width < 0 || *marks > MARKS_MAX || !text_locale_is_utf8())
		text_add_escaped(text, codepoint);
	else
		text_add(text, data, size);
	return size;
}

void text_add_printable(struct text *text, const char *data, size_t length)
{
	int marks = 0;

	while (length) {
		size_t run = text_plain_run(data, length);

		if (run) {
			text_add(text, data, run);
			marks = 0;
		} else {
			run = text_add_character(text, data, length, &marks);
		}
		data += run;
		length -= run;
	}
}

/* The character at data and the columns it takes: never below 0, since the text is printable. */
static size_t text_measure(const char *data, size_t length, size_t *width)
{
	uint32_t codepoint;
	size_t size;
	int columns;

	*width = 1;
	if (!(*data & 0x80))
		return 1;
	size = text_decode(data, length, &codepoint);
	if (!size)
		return 1;
	columns = wcwidth((wchar_t)codepoint);
	*width = columns < 0 ? 0 : (size_t)columns;
	return size;
}

static bool text_is_ascii(const char *data, size_t length)
{
	uint64_t word;

	for (; length >= sizeof(word); data += sizeof(word), length -= sizeof(word)) {
		memcpy(&word, data, sizeof(word));
		if (word & 0x8080808080808080ULL)
			return false;
	}
	for (; length; data++, length--) {
		if (*data & 0x80)
			return false;
	}
	return true;
}

size_t text_width(const char *data, size_t length)
{
	size_t total = 0;
	size_t width;
	size_t size;

	if (text_is_ascii(data, length))
		return length;
	for (; length; data += size, length -= size) {
		size = text_measure(data, length, &width);
		total += width;
	}
	return total;
}

size_t text_fit(const char *data, size_t length, size_t width)
{
	size_t offset = 0;
	size_t taken;
	size_t size;

	for (; offset < length; offset += size) {
		size = text_measure(data + offset, length - offset, &taken);
		if (taken > width)
			break;
		width -= taken;
	}
	return offset;
}

static unsigned char fold_case(char character)
{
	return (unsigned char)(character >= 'A' && character <= 'Z' ? character + 32 : character);
}

static size_t smallest(size_t one, size_t two, size_t three)
{
	size_t less = one < two ? one : two;

	return less < three ? less : three;
}

size_t text_distance(const char *one, const char *other)
{
	size_t row[DISTANCE_LENGTH_MAX + 1];
	size_t one_length = strlen(one);
	size_t other_length = strlen(other);

	if (one_length > DISTANCE_LENGTH_MAX || other_length > DISTANCE_LENGTH_MAX)
		return one_length > other_length ? one_length : other_length;
	for (size_t j = 0; j <= other_length; j++)
		row[j] = j;
	for (size_t i = 1; i <= one_length; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= other_length; j++) {
			size_t above = row[j];
			bool differs = fold_case(one[i - 1]) != fold_case(other[j - 1]);

			row[j] = smallest(above + 1, row[j - 1] + 1, diagonal + differs);
			diagonal = above;
		}
	}
	return row[other_length];
}
