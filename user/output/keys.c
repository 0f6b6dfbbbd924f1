/* SPDX-License-Identifier: GPL-2.0-only */
#include "output/keys.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/mem.h"
#include "output/screen.h"

#define BUFFER_SIZE 1024
#define OWN_MAX 32
#define OWN_LENGTH_MAX 15
#define SEQUENCE_MAX 64 /* what is longer and has not ended is none */
#define ESCAPE 27
#define DELETE 127
#define BACKSPACE 8

struct keys {
	char buffer[BUFFER_SIZE];
	size_t start;
	size_t end;
	struct {
		char sequence[OWN_LENGTH_MAX + 1];
		uint32_t key;
	} own[OWN_MAX];
	size_t own_count;
};

/* ESC [ ... letter and ESC O letter: the same letters in both (ECMA-48 and xterm's ctlseqs). */
static const struct {
	char letter;
	uint32_t key;
} letters[] = {
	{'A', KEY_UP_ARROW},     {'B', KEY_DOWN_ARROW},   {'C', KEY_RIGHT_ARROW},
	{'D', KEY_LEFT_ARROW},   {'H', KEY_TO_START},     {'F', KEY_TO_END},
	{'M', KEY_RETURN},       {'P', KEY_FUNCTION + 1}, {'Q', KEY_FUNCTION + 2},
	{'R', KEY_FUNCTION + 3}, {'S', KEY_FUNCTION + 4},
};

/* ESC [ number ~: DEC's, with Home and End of xterm (1, 4) and of rxvt (7, 8). */
static const struct {
	unsigned int number;
	uint32_t key;
} numbers[] = {
	{1, KEY_TO_START},       {3, KEY_DELETE_RIGHT},   {4, KEY_TO_END},
	{5, KEY_PAGE_UP},        {6, KEY_PAGE_DOWN},      {7, KEY_TO_START},
	{8, KEY_TO_END},         {11, KEY_FUNCTION + 1},  {12, KEY_FUNCTION + 2},
	{13, KEY_FUNCTION + 3},  {14, KEY_FUNCTION + 4},  {15, KEY_FUNCTION + 5},
	{17, KEY_FUNCTION + 6},  {18, KEY_FUNCTION + 7},  {19, KEY_FUNCTION + 8},
	{20, KEY_FUNCTION + 9},  {21, KEY_FUNCTION + 10}, {23, KEY_FUNCTION + 11},
	{24, KEY_FUNCTION + 12},
};

struct keys *keys_new(void)
{
	return mem_new(sizeof(struct keys));
}

void keys_free(struct keys *keys)
{
	free(keys);
}

void keys_know(struct keys *keys, const char *sequence, uint32_t key)
{
	size_t length = sequence ? strlen(sequence) : 0;

	if (!length || length > OWN_LENGTH_MAX || keys->own_count == OWN_MAX)
		return;
	memcpy(keys->own[keys->own_count].sequence, sequence, length);
	keys->own[keys->own_count++].key = key;
}

void keys_add(struct keys *keys, const char *data, size_t length)
{
	if (keys->start) {
		memmove(keys->buffer, keys->buffer + keys->start, keys->end - keys->start);
		keys->end -= keys->start;
		keys->start = 0;
	}
	if (length > BUFFER_SIZE - keys->end)
		length = BUFFER_SIZE - keys->end;
	memcpy(keys->buffer + keys->end, data, length);
	keys->end += length;
}

/* A sequence of the terminal's own at data: its length. *is_partial: may become one. */
static size_t own_match(const struct keys *keys, const char *data, size_t length, uint32_t *key,
			bool *is_partial)
{
	for (size_t i = 0; i < keys->own_count; i++) {
		const char *sequence = keys->own[i].sequence;
		size_t whole = strlen(sequence);

		if (whole > length && !memcmp(sequence, data, length)) {
			*is_partial = true;
		} else if (whole <= length && !memcmp(sequence, data, whole)) {
			*key = keys->own[i].key;
			return whole;
		}
	}
	return 0;
}

static uint32_t letter_key(char letter)
{
	for (size_t i = 0; i < ARRAY_SIZE(letters); i++) {
		if (letters[i].letter == letter)
			return letters[i].key;
	}
	return 0;
}

static uint32_t number_key(unsigned int number)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (numbers[i].number == number)
			return numbers[i].key;
	}
	return 0;
}

/* ESC [ parameters letter: its length, 0 while its end has not come. Modifiers are not told. */
static size_t control_match(const char *data, size_t length, uint32_t *key)
{
	unsigned int number = 0;
	size_t at = 2;

	/* The console's F1 to F5: ESC [ [ A. */
	if (length > 2 && data[2] == '[') {
		if (length > 3 && data[3] >= 'A' && data[3] <= 'E')
			*key = KEY_FUNCTION + 1 + (uint32_t)(data[3] - 'A');
		return length > 3 ? 4 : 0;
	}
	for (; at < length && data[at] >= '0' && data[at] <= '9' && number < 1000; at++)
		number = 10 * number + (unsigned int)(data[at] - '0');
	while (at < length && data[at] >= 0x20 && data[at] < 0x40)
		at++;
	if (at == length)
		return 0;
	*key = data[at] == '~' ? number_key(number) : letter_key(data[at]);
	return at + 1;
}

/* What begins with ESC: its length; 0: more has to come. Its key is 0 where there is none. */
static size_t escape_match(const char *data, size_t length, uint32_t *key)
{
	if (length > 1 && data[1] == '[')
		return control_match(data, length, key);
	if (length > 2 && data[1] == 'O') {
		*key = letter_key(data[2]);
		return 3;
	}
	if (length < 2 || data[1] == 'O')
		return 0;
	/* The key itself, and another one right after it. */
	*key = KEY_ESCAPE;
	return 1;
}

static uint32_t control_key(unsigned char byte)
{
	switch (byte) {
	case '\r':
	case '\n':
		return KEY_RETURN;
	case '\t':
		return KEY_TABULATOR;
	case BACKSPACE:
	case DELETE:
		return KEY_DELETE_LEFT;
	case ESCAPE:
		return KEY_ESCAPE;
	default:
		return byte; /* 0, which no key of ours is, is none */
	}
}

/* One character of the locale: its length; 0: more has to come. */
static size_t character_match(const char *data, size_t length, uint32_t *key)
{
	mbstate_t state = {0};
	wchar_t character = 0;
	size_t size;

	if ((unsigned char)*data < ' ' || *data == DELETE) {
		*key = control_key((unsigned char)*data);
		return 1;
	}
	size = mbrtowc(&character, data, length, &state);
	if (size == (size_t)-2)
		return 0;
	if (size == (size_t)-1)
		return 1;
	if ((uint32_t)character < KEY_SCREEN)
		*key = (uint32_t)character;
	return size;
}

/* One key, or what is none: its length; 0: more has to come. */
static size_t key_match(const struct keys *keys, const char *data, size_t length, uint32_t *key)
{
	bool is_partial = false;
	size_t size = own_match(keys, data, length, key, &is_partial);

	if (size || is_partial)
		return size;
	return *data == ESCAPE ? escape_match(data, length, key)
			       : character_match(data, length, key);
}

uint32_t keys_next(struct keys *keys, bool is_all, bool *is_partial)
{
	*is_partial = false;
	while (keys->start < keys->end) {
		const char *data = keys->buffer + keys->start;
		size_t length = keys->end - keys->start;
		uint32_t key = 0;
		size_t size = key_match(keys, data, length, &key);

		if (!size && !is_all && length < SEQUENCE_MAX) {
			*is_partial = true;
			return 0;
		}
		if (!size) {
			key = (unsigned char)*data < ' ' ? control_key((unsigned char)*data) : 0;
			size = 1;
		}
		keys->start += size;
		if (key)
			return key;
	}
	return 0;
}

bool keys_has_more(const struct keys *keys)
{
	return keys->start < keys->end;
}
