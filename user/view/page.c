/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/page.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "host/facts.h"
#include "view/column.h"
#include "view/page_private.h"

#define LABEL_COLUMNS 16
#define NS_PER_SECOND 1000000000ULL

static void text_add_format(struct text *out, const char *format, va_list args)
{
	char *raw = NULL;

	if (vasprintf(&raw, format, args) < 0)
		return;
	text_add_printable(out, raw, strlen(raw));
	free(raw);
}

/* What stands in page->text from `offset` on is the next line. */
static void line_end(struct page *page, enum page_style style, size_t offset)
{
	mem_reserve_one(page->lines, page->count, page->capacity);
	page->lines[page->count++] = (struct page_line){
		.offset = offset,
		.length = page->text.length - offset,
		.style = style,
	};
	text_add_char(&page->text, '\n');
}

void page_add(struct page *page, enum page_style style, const char *format, ...)
{
	size_t offset = page->text.length;
	va_list args;

	va_start(args, format);
	text_add_format(&page->text, format, args);
	va_end(args);
	line_end(page, style, offset);
}

/* How much of the text goes on this line: up to a space, if there is one not too far from the end. */
static size_t line_fit(const char *data, size_t length, size_t columns)
{
	size_t fits = text_fit(data, length, columns);
	size_t at = fits;

	if (fits == length)
		return length;
	while (at > fits / 2 && data[at] != ' ')
		at--;
	if (at > fits / 2)
		return at;
	return fits ? fits : 1;
}

void page_add_fact(struct page *page, enum page_style style, const char *label, const char *format,
		   ...)
{
	struct text value = {0};
	size_t done = 0;
	va_list args;

	va_start(args, format);
	text_add_format(&value, format, args);
	va_end(args);
	do {
		const char *data = value.length ? value.data + done : "";
		size_t offset = page->text.length;
		size_t fits =
			line_fit(data, value.length - done, PAGE_COLUMNS - 2 - LABEL_COLUMNS - 1);

		text_printf(&page->text, "  %-*s ", LABEL_COLUMNS, done ? "" : label);
		text_add(&page->text, data, fits);
		line_end(page, style, offset);
		done += fits;
		while (done < value.length && value.data[done] == ' ')
			done++;
	} while (done < value.length);
	text_free(&value);
}

void page_add_heading(struct page *page, const char *format, ...)
{
	size_t offset;
	va_list args;

	if (page->count)
		page_add(page, PAGE_PLAIN, "%s", "");
	offset = page->text.length;
	va_start(args, format);
	text_add_format(&page->text, format, args);
	va_end(args);
	line_end(page, PAGE_HEADING, offset);
}

void page_clear(struct page *page)
{
	text_clear(&page->text);
	page->count = 0;
}

void page_free(struct page *page)
{
	text_free(&page->text);
	free(page->lines);
	*page = (struct page){0};
}

const char *page_cell(struct page_maker *maker, const char *key)
{
	const char *nearest;
	const struct column *column = column_find(key, &nearest);
	struct value value;

	text_clear(&maker->cell);
	column_get(column, maker->view, maker->proc, &value);
	cell_format(&maker->cell, column, &value, maker->view);
	return text_string(&maker->cell);
}

void page_add_cell(struct page_maker *maker, const char *label, const char *key)
{
	page_add_fact(maker->page, PAGE_PLAIN, label, "%s", page_cell(maker, key));
}

void page_put_duration(struct text *out, uint64_t ns)
{
	uint64_t seconds = ns / NS_PER_SECOND;

	if (seconds < 60)
		text_printf(out, "%u s", (unsigned int)seconds);
	else if (seconds < 3600)
		text_printf(out, "%u min %u s", (unsigned int)(seconds / 60),
			    (unsigned int)(seconds % 60));
	else if (seconds < 86400)
		text_printf(out, "%u h %u min", (unsigned int)(seconds / 3600),
			    (unsigned int)(seconds / 60 % 60));
	else
		text_printf(out, "%u d %u h", (unsigned int)(seconds / 86400),
			    (unsigned int)(seconds / 3600 % 24));
}

void page_put_size(struct text *out, uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	double size = (double)bytes / 1024;
	size_t unit = 0;

	while (size >= 1000 && unit < sizeof(units) - 2) {
		size /= 1024;
		unit++;
	}
	text_printf(out, size < 10 && unit ? "%.1f%c" : "%.0f%c", size, units[unit]);
}

void page_put_time(struct text *out, const struct view_context *view, uint64_t boot_ns)
{
	int64_t epoch = (int64_t)((boot_ns + view->facts->boot_offset_ns) / NS_PER_SECOND);
	uint64_t now = view->facts->boot_now_ns;
	struct tm local;
	char shown[32];

	if (!facts_local(view->facts, epoch, &local)) {
		text_add_char(out, '?');
		return;
	}
	text_add(out, shown, strftime(shown, sizeof(shown), "%Y-%m-%d %H:%M:%S", &local));
	text_add_string(out, ", ");
	page_put_duration(out, now > boot_ns ? now - boot_ns : 0);
	text_add_string(out, " ago");
}

void page_put_user(struct text *out, uint32_t uid, const char *name)
{
	text_add_unsigned(out, uid);
	if (name)
		text_printf(out, " (%s)", name);
}
