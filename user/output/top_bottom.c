/* SPDX-License-Identifier: GPL-2.0-only */
/* The last line: what is typed, what is said, or which keys there are. */
#include <stdio.h>
#include <string.h>

#include "output/top_parts.h"

#define KEYS_GAP 2
#define KEY_MAX 16

/* The first of its keys, or both where they are two signs: "F4", "+/-". */
static size_t key_name(const struct top_key_help *key, char name[KEY_MAX])
{
	size_t length = strcspn(key->keys, " ");

	if (length == 1 && strlen(key->keys) == 3)
		return (size_t)snprintf(name, KEY_MAX, "%c/%c", key->keys[0], key->keys[2]);
	length = top_min(length, KEY_MAX - 1);
	memcpy(name, key->keys, length);
	return length;
}

/* "F4 Filter" */
static size_t key_width(const struct top_key_help *key)
{
	char name[KEY_MAX];

	return key_name(key, name) + 1 + strlen(key->brief);
}

static size_t key_draw(struct canvas *canvas, size_t y, size_t x, const struct top_key_help *key)
{
	char name[KEY_MAX];
	size_t length = key_name(key, name);

	canvas_put(canvas, y, x, SIZE_MAX, STYLE_KEY, name, length);
	canvas_put(canvas, y, x + length + 1, SIZE_MAX, STYLE_PLAIN, key->brief,
		   strlen(key->brief));
	return x + length + 1 + strlen(key->brief) + KEYS_GAP;
}

/* The last one, which leads out, has its place; of the others, the first ones that fit. */
static void keys_draw(struct canvas *canvas, const struct top_frame *frame)
{
	const struct top_key_help *last = NULL;
	size_t width = canvas_width(canvas);
	size_t y = canvas_height(canvas) - 1;
	size_t x = 0;

	for (size_t i = 0; i < frame->keys_count; i++) {
		if (frame->keys[i].brief)
			last = &frame->keys[i];
	}
	if (!last)
		return;
	for (const struct top_key_help *key = frame->keys; key < last; key++) {
		if (!key->brief)
			continue;
		if (x + key_width(key) + KEYS_GAP + key_width(last) > width)
			break;
		x = key_draw(canvas, y, x, key);
	}
	key_draw(canvas, y, x, last);
}

/* What is wrong, at an arrow to where: "       v no column is called uid2". One that fits neither
 * behind the arrow nor before it stands above. */
static void complaint_draw(struct canvas *canvas, const struct top_prompt *prompt, size_t place)
{
	size_t width = canvas_width(canvas);
	size_t height = canvas_height(canvas);
	struct text line = {0};
	size_t y = height - 2;
	size_t x = 0;
	size_t needed;

	if (height < 2)
		return;
	text_add_printable(&line, prompt->complaint, strlen(prompt->complaint));
	needed = text_width(line.data, line.length);
	canvas_blank(canvas, y);
	if (place < width) {
		canvas_put(canvas, y, place, 1, STYLE_ALARM, "v", 1);
		if (place + 2 + needed <= width || height < 3)
			x = place + 2;
		else if (place > needed)
			x = place - needed - 1;
		else
			canvas_blank(canvas, --y);
	}
	canvas_put(canvas, y, x, SIZE_MAX, STYLE_ALARM, line.data, line.length);
	text_free(&line);
}

/* The columns that the first bytes of what is typed take, as a canvas shows it. */
static size_t typed_width(const char *typed, size_t bytes)
{
	struct text shown = {0};
	size_t width;

	text_add_printable(&shown, typed, bytes);
	width = text_width(shown.data, shown.length);
	text_free(&shown);
	return width;
}

/* Typed text that is longer than its line is shown around the cursor. */
void top_prompt_draw(struct canvas *canvas, const struct top_prompt *prompt)
{
	size_t width = canvas_width(canvas);
	size_t y = canvas_height(canvas) - 1;
	size_t label = width > 2 * strlen(prompt->label) ? strlen(prompt->label) : 0;
	size_t length = strlen(prompt->text);
	size_t cursor = top_min(prompt->cursor, length);
	size_t start = 0;
	uint32_t codepoint;
	size_t place = SIZE_MAX;

	while (start < cursor && label + typed_width(prompt->text + start, cursor - start) >= width)
		start += top_max(1, text_decode(prompt->text + start, length - start, &codepoint));
	start = top_min(start, cursor); /* in the middle of a character it would be beyond */
	canvas_blank(canvas, y);
	canvas_put(canvas, y, 0, label, STYLE_KEY, prompt->label, label);
	canvas_put(canvas, y, label, SIZE_MAX, STYLE_PLAIN, prompt->text + start, length - start);
	canvas_cursor_set(canvas, y, label + typed_width(prompt->text + start, cursor - start),
			  true);
	if (!prompt->complaint)
		return;
	if (prompt->complaint_at <= length && prompt->complaint_at >= start)
		place = label + typed_width(prompt->text + start, prompt->complaint_at - start);
	complaint_draw(canvas, prompt, place);
}

void top_bottom_draw(struct canvas *canvas, const struct top_frame *frame)
{
	size_t y = canvas_height(canvas) - 1;

	if (frame->prompt.label) {
		top_prompt_draw(canvas, &frame->prompt);
	} else if (frame->message) {
		canvas_blank(canvas, y);
		canvas_put(canvas, y, 0, SIZE_MAX, STYLE_BOLD, frame->message,
			   strlen(frame->message));
	} else {
		keys_draw(canvas, frame);
	}
}
