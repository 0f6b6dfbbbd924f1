/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/top_line.h"

#include <stdbool.h>
#include <string.h>

#include "output/screen.h"

#define CONTROL(letter) ((letter) - '@')

/* The bytes of a code point, at most 4. */
static size_t encode(uint32_t codepoint, char bytes[4])
{
	if (codepoint < 0x80) {
		bytes[0] = (char)codepoint;
		return 1;
	}
	if (codepoint < 0x800) {
		bytes[0] = (char)(0xC0 | codepoint >> 6);
		bytes[1] = (char)(0x80 | (codepoint & 0x3F));
		return 2;
	}
	if (codepoint < 0x10000) {
		bytes[0] = (char)(0xE0 | codepoint >> 12);
		bytes[1] = (char)(0x80 | (codepoint >> 6 & 0x3F));
		bytes[2] = (char)(0x80 | (codepoint & 0x3F));
		return 3;
	}
	bytes[0] = (char)(0xF0 | codepoint >> 18);
	bytes[1] = (char)(0x80 | (codepoint >> 12 & 0x3F));
	bytes[2] = (char)(0x80 | (codepoint >> 6 & 0x3F));
	bytes[3] = (char)(0x80 | (codepoint & 0x3F));
	return 4;
}

static bool is_within(char byte)
{
	return ((unsigned char)byte & 0xC0) == 0x80;
}

static size_t before(const struct text *text, size_t at)
{
	if (at)
		at--;
	while (at && is_within(text->data[at]))
		at--;
	return at;
}

static size_t after(const struct text *text, size_t at)
{
	if (at < text->length)
		at++;
	while (at < text->length && is_within(text->data[at]))
		at++;
	return at;
}

static size_t word_before(const struct text *text, size_t at)
{
	while (at && text->data[at - 1] == ' ')
		at--;
	while (at && text->data[at - 1] != ' ')
		at--;
	return at;
}

static enum line_change cut(struct text *text, size_t *cursor, size_t from, size_t to)
{
	memmove(text->data + from, text->data + to, text->length - to);
	text->length -= to - from;
	*cursor = from;
	return LINE_OTHER_TEXT;
}

static enum line_change insert(struct text *text, size_t *cursor, uint32_t codepoint)
{
	char bytes[4];
	size_t length = encode(codepoint, bytes);

	if (text->length + length > TOP_LINE_MAX)
		return LINE_UNCHANGED;
	text_room(text, length);
	memmove(text->data + *cursor + length, text->data + *cursor, text->length - *cursor);
	memcpy(text->data + *cursor, bytes, length);
	text->length += length;
	*cursor += length;
	return LINE_OTHER_TEXT;
}

static enum line_change move(size_t *cursor, size_t to)
{
	*cursor = to;
	return LINE_OTHER_CURSOR;
}

enum line_change top_line_key(struct text *text, size_t *cursor, uint32_t key)
{
	switch (key) {
	case KEY_LEFT_ARROW:
	case CONTROL('B'):
		return move(cursor, before(text, *cursor));
	case KEY_RIGHT_ARROW:
	case CONTROL('F'):
		return move(cursor, after(text, *cursor));
	case KEY_TO_START:
	case CONTROL('A'):
		return move(cursor, 0);
	case KEY_TO_END:
	case CONTROL('E'):
		return move(cursor, text->length);
	case KEY_DELETE_LEFT:
		return *cursor ? cut(text, cursor, before(text, *cursor), *cursor) : LINE_UNCHANGED;
	case KEY_DELETE_RIGHT:
	case CONTROL('D'):
		return *cursor < text->length ? cut(text, cursor, *cursor, after(text, *cursor))
					      : LINE_UNCHANGED;
	case CONTROL('U'):
		return *cursor ? cut(text, cursor, 0, *cursor) : LINE_UNCHANGED;
	case CONTROL('K'):
		return *cursor < text->length ? cut(text, cursor, *cursor, text->length)
					      : LINE_UNCHANGED;
	case CONTROL('W'):
		return *cursor ? cut(text, cursor, word_before(text, *cursor), *cursor)
			       : LINE_UNCHANGED;
	default:
		return key >= ' ' && key != 0x7F && key < KEY_SCREEN ? insert(text, cursor, key)
								     : LINE_UNCHANGED;
	}
}
