/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything about one process, or one container, in lines: what Enter shows in the live table.
 * Pid chain, users inside and outside, each capability with what it allows and whether it counts
 * on the host, namespaces against the host's, limits and use.
 */
#ifndef NSVIEW_VIEW_PAGE_H
#define NSVIEW_VIEW_PAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct container;
struct proc;
struct view_context;

enum page_style {
	PAGE_PLAIN,
	PAGE_HEADING,
	PAGE_DIM,
	PAGE_WARN, /* counts on the host */
	PAGE_STYLES,
};

/* Lines of raw text (a canvas makes it printable), ended by newlines in `text`; one style each. */
struct page {
	struct text text;
	struct page_line {
		size_t offset;
		size_t length; /* without the newline */
		enum page_style style;
	} * lines;
	size_t count;
	size_t capacity;
};

void page_add(struct page *page, enum page_style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void page_clear(struct page *page); /* keeps the memory */
void page_free(struct page *page);

/* Borrow view and proc for the call; the page is cleared first. */
void page_of_proc(struct page *page, const struct view_context *view, const struct proc *proc);
/* container NULL: the host. */
void page_of_container(struct page *page, const struct view_context *view,
		       const struct container *container);

#endif
