/* SPDX-License-Identifier: GPL-2.0-only */
/* A growing string, and what has to be known about bytes before a terminal may see them. */
#ifndef NSVIEW_BASE_TEXT_H
#define NSVIEW_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialise; text_free when done. data is not NUL-terminated: text_string makes it so. */
struct text {
	char *data;
	size_t length;
	size_t capacity;
};

/* Makes the room at least `needed` bytes in all. */
void text_grow(struct text *text, size_t needed);

/* Room for `length` more bytes; their place. The caller writes them and moves text->length. */
static inline char *text_room(struct text *text, size_t length)
{
	if (text->capacity - text->length < length)
		text_grow(text, text->length + length);
	return text->data + text->length;
}

/* Writes the digits of number at a place that has TEXT_DIGITS_MAX bytes; where they end. */
#define TEXT_DIGITS_MAX 20
char *text_put_unsigned(char *place, uint64_t number);
/* The last `digits` of them, zero-filled. */
char *text_put_padded(char *place, uint64_t number, int digits);

void text_add(struct text *text, const char *data, size_t length);
void text_add_string(struct text *text, const char *string);
void text_add_char(struct text *text, char character);
void text_add_number(struct text *text, int64_t number);
void text_add_unsigned(struct text *text, uint64_t number);
void text_add_padded(struct text *text, uint64_t number,
		     int digits);                                  /* zero-filled, its last ones */
void text_add_hex(struct text *text, uint64_t number, int digits); /* the same, lower case */
void text_add_spaces(struct text *text, size_t count);
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *text_string(struct text *text); /* borrowed, valid until the next change */
void text_clear(struct text *text);         /* keeps the memory */
void text_free(struct text *text);

/*
 * Reads one UTF-8 character (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF).
 * Returns its length in bytes and stores it, or 0 when the bytes at data are not UTF-8.
 */
size_t text_decode(const char *data, size_t length, uint32_t *codepoint);

/*
 * The same, but where the bytes are not UTF-8 *codepoint becomes TEXT_NOT_UTF8 and the result is
 * how many of them one U+FFFD stands for (the longest start of a character, else one byte).
 */
#define TEXT_NOT_UTF8 UINT32_MAX
size_t text_decode_prefix(const char *data, size_t length, uint32_t *codepoint);

/* Whether it can hide, reorder or delete its surroundings: controls, bidirectional marks,
 * invisible formatting characters, line separators. Never to be written as it is. */
bool text_is_hidden(uint32_t codepoint);

/*
 * Appends data so that a terminal shows it and does nothing else: control characters, bytes that
 * are not UTF-8, bidirectional and invisible formatting characters become \n, \t, \xHH or
 * \u{HHHH}, and so do combining marks after the fourth on one character; a backslash stays.
 * Outside a UTF-8 locale, everything beyond ASCII is escaped.
 */
void text_add_printable(struct text *text, const char *data, size_t length);

/* Columns that printable text takes on a terminal (wcwidth of each character; its own table
 * is the C library's, so setlocale must have been called). */
size_t text_width(const char *data, size_t length);

/* The longest prefix of printable text, in bytes, that takes at most `width` columns. */
size_t text_fit(const char *data, size_t length, size_t width);

/* Levenshtein distance, for "did you mean". Case is ignored. */
size_t text_distance(const char *one, const char *other);

#endif
