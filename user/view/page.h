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
	PAGE_WARN, /* power on the host, more than was declared, the host's own namespace */
	PAGE_STYLES,
};

/* The columns that a page's longer texts are broken at: 80, and a margin. */
#define PAGE_COLUMNS 78

/* Printable lines, which making printable once more leaves as they are, ended by newlines in `text`;
 * one style each. Zero-initialise; page_free releases it. */
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

/* One line; what it is given may be raw, a newline in it does not end it. */
void page_add(struct page *page, enum page_style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* A label and a text that goes on below itself where it is longer than the page is wide. */
void page_add_fact(struct page *page, enum page_style style, const char *label, const char *format,
		   ...) __attribute__((format(printf, 4, 5)));
/* An empty line, unless it is the first, and a heading. */
void page_add_heading(struct page *page, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void page_clear(struct page *page); /* keeps the memory */
void page_free(struct page *page);

/* Borrow view and proc for the call; the page is cleared first. */
void page_of_proc(struct page *page, const struct view_context *view, const struct proc *proc);
/* container NULL: the host. */
void page_of_container(struct page *page, const struct view_context *view,
		       const struct container *container);

#endif
