/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/demo_page.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"
#include "launch/spec.h"

#define PAGE_INDENT "   "
#define PAGE_WIDTH 79

struct page_style {
	const char *first; /* before the first line */
	const char *next;  /* before the others */
	const char *more;  /* at the end of a line that goes on in the next */
	bool has_quotes;   /* what stands in '' is one word */
};

static size_t page_word(const char *words, bool has_quotes)
{
	bool is_quoted = false;
	size_t length = 0;

	for (; words[length] && (is_quoted || words[length] != ' '); length++)
		is_quoted ^= has_quotes && words[length] == '\'';
	return length;
}

static void page_add_words(struct text *out, const char *words, const struct page_style *style)
{
	size_t start = strlen(style->first), column = start;

	text_add_string(out, style->first);
	while (*words) {
		size_t length = page_word(words, style->has_quotes);
		size_t width = PAGE_WIDTH - (words[length] ? strlen(style->more) : 0);

		if (column > start && column + 1 + text_width(words, length) > width) {
			text_printf(out, "%s\n%s", style->more, style->next);
			column = start = strlen(style->next);
		}
		if (column > start) {
			text_add_char(out, ' ');
			column++;
		}
		text_add(out, words, length);
		column += text_width(words, length);
		words += length + strspn(words + length, " ");
	}
	text_add_char(out, '\n');
}

void page_add_paragraph(struct text *out, const char *paragraph)
{
	static const struct page_style style = {PAGE_INDENT, PAGE_INDENT, "", false};

	page_add_words(out, paragraph, &style);
	text_add_char(out, '\n');
}

void page_add_command(struct text *out, const char *command)
{
	static const struct page_style style = {PAGE_INDENT "$ ", PAGE_INDENT "  ", " \\", true};

	page_add_words(out, command, &style);
}

static void page_add_option(struct text *out, const char *option, const char *value)
{
	if (value)
		text_printf(out, " %s %s", option, value);
}

void page_add_run(struct text *out, const struct spec *spec, const char *shown)
{
	struct text command = {0};

	text_add_string(&command, "nsview run");
	page_add_option(&command, "--name", spec->name);
	page_add_option(&command, "--user", spec->user);
	for (size_t i = 0; i < spec->cap_drop_count; i++)
		page_add_option(&command, "--cap-drop", spec->cap_drop[i]);
	for (size_t i = 0; i < spec->cap_add_count; i++)
		page_add_option(&command, "--cap-add", spec->cap_add[i]);
	page_add_option(&command, "--cpus", spec->cpus);
	page_add_option(&command, "--memory", spec->memory);
	page_add_option(&command, "--userns", spec->userns);
	if (spec->is_privileged)
		text_add_string(&command, " --privileged");
	for (size_t i = 0; i < spec->volumes_count; i++)
		page_add_option(&command, "-v", spec->volumes[i]);
	page_add_option(&command, "--image", spec->image);
	text_printf(&command, " %s", shown);
	page_add_command(out, text_string(&command));
	text_free(&command);
}

void page_add_printed(struct text *out, const char *lines, size_t length)
{
	const char *end = lines + length;

	while (lines < end) {
		const char *newline = memchr(lines, '\n', end - lines);
		size_t line = newline ? (size_t)(newline - lines) : (size_t)(end - lines);

		text_add_string(out, PAGE_INDENT);
		text_add_printable(out, lines, line);
		text_add_char(out, '\n');
		lines += line + 1;
	}
}
