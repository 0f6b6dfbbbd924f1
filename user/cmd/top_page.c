/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages over the whole screen: the help, all about one row, and a container's own ps aux. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/top_private.h"
#include "model/model.h"
#include "output/canvas.h"
#include "output/procps.h"
#include "output/screen.h"
#include "view/vantage.h"

#define LINES_KEPT 2 /* of the last screen, when a page is turned; and those around the page */

void top_page_close(struct top *top)
{
	top->page.kind = TOP_NO_PAGE;
	top->page.first = 0;
}

/* The process that the page is about, if it is still there. */
static const struct proc *subject_proc(const struct top *top)
{
	const struct top_choice *subject = &top->page.subject;
	const struct proc *proc = subject->pid ? model_find(top->view.model, subject->pid) : NULL;

	return proc && proc->task->start_boot_ns == subject->start_boot_ns ? proc : NULL;
}

static const struct live_group *subject_group(const struct top *top)
{
	size_t count;
	const struct live_group *groups = live_groups(top->live, &count);

	for (size_t i = 0; i < count; i++) {
		if (groups[i].key == top->page.subject.key)
			return &groups[i];
	}
	return NULL;
}

static void make_inspect(struct top *top, struct top_page *page)
{
	const struct live_group *group = subject_group(top);
	const struct proc *proc = subject_proc(top);

	text_clear(&page->title);
	if (!page->subject.is_group)
		text_printf(&page->title, "process %u", page->subject.pid);
	else if (group && group->container)
		text_printf(&page->title, "container %s", group->container->name);
	else
		text_add_string(&page->title, group ? "the host" : "a container");
	if (page->subject.is_group && group)
		page_of_container(&page->page, &top->view, group->container);
	else if (!page->subject.is_group && proc)
		page_of_proc(&page->page, &top->view, proc);
	else if (page->page.count)
		text_add_string(&page->title, " - has ended; this is what it was");
	else
		page_add(&page->page, PAGE_PLAIN, "it has ended");
}

/* Line by line what procps would print. */
static void add_lines(struct page *page, char *lines)
{
	char *line;
	enum page_style style = PAGE_HEADING;

	while ((line = strsep(&lines, "\n"))) {
		if (!*line && !lines)
			break;
		page_add(page, style, "%s", line);
		style = PAGE_PLAIN;
	}
}

static void add_inside(struct top *top, struct page *page, const struct proc *first)
{
	const struct procps_options options = {
		.width = canvas_width(top->canvas),
		.is_terminal = true,
	};
	struct vantage inside;
	autofree char *written = NULL;
	size_t length = 0;
	FILE *stream = NULL;
	int r = vantage_open_inside(&inside, &top->view, first, first->task->ns[NS_PID]);

	if (!r)
		stream = open_memstream(&written, &length);
	if (stream) {
		r = procps_write(stream, &inside, &options);
		fclose(stream);
	}
	vantage_close(&inside);
	if (!stream || r)
		page_add(page, PAGE_WARN,
			 "cannot be shown from inside: its namespaces could not be read; "
			 "nsview doctor tells why");
	else
		add_lines(page, written);
}

static void make_inside(struct top *top, struct top_page *page)
{
	const struct live_group *group = subject_group(top);
	const struct container *container = group ? group->container : NULL;
	const struct proc *first =
		container ? model_find(top->view.model, container->first_pid) : NULL;

	if (!first) {
		page_clear(&page->page);
		page_add(&page->page, PAGE_PLAIN, "the container has ended");
		return;
	}
	text_clear(&page->title);
	text_printf(&page->title, "%s", container->name);
	if (container->runtime)
		text_printf(&page->title, " (%s%s%s)", container->runtime, group->image ? ", " : "",
			    group->image ? group->image : "");
	text_add_string(&page->title, " - as `ps aux` prints it inside");
	page_clear(&page->page);
	add_inside(top, &page->page, first);
}

void top_page_make(struct top *top)
{
	struct top_page *page = &top->page;

	if (page->kind == TOP_PAGE_INSPECT)
		make_inspect(top, page);
	else if (page->kind == TOP_PAGE_INSIDE)
		make_inside(top, page);
}

unsigned int top_page_open(struct top *top, enum top_page_kind kind)
{
	struct top_page *page = &top->page;
	const struct live_row *row = top_chosen(top);

	if (kind != TOP_PAGE_HELP && !row)
		return 0;
	if (kind == TOP_PAGE_INSIDE && !row->group->container) {
		top_say(top, "the host has no inside: ps aux shows it");
		return TOP_REDRAW;
	}
	page_clear(&page->page);
	page->kind = kind;
	page->first = 0;
	page->subject = top->choice;
	if (kind == TOP_PAGE_INSIDE)
		page->subject.key = row->group->key;
	if (kind == TOP_PAGE_HELP) {
		text_clear(&page->title);
		text_add_string(&page->title, "help");
		top_help(&page->page, top->help, top->help_count);
	}
	top_page_make(top);
	return TOP_REDRAW;
}

unsigned int top_page_key(struct top *top, uint32_t key)
{
	struct top_page *page = &top->page;
	size_t height = canvas_height(top->canvas);
	size_t turned = height > LINES_KEPT + 2 ? height - LINES_KEPT - 1 : 1;

	switch (key) {
	case KEY_UP_ARROW:
		page->first -= page->first > 0;
		break;
	case KEY_DOWN_ARROW:
		page->first++;
		break;
	case KEY_PAGE_UP:
		page->first -= page->first > turned ? turned : page->first;
		break;
	case KEY_PAGE_DOWN:
	case ' ':
		page->first += turned;
		break;
	case KEY_TO_START:
		page->first = 0;
		break;
	case KEY_TO_END:
		page->first = page->page.count;
		break;
	case KEY_ESCAPE:
	case KEY_RETURN:
	case KEY_DELETE_LEFT:
	case 'q':
	case 'i':
	case 'h':
	case '?':
	case KEY_FUNCTION + 1:
	case KEY_FUNCTION + 10:
		top_page_close(top);
		break;
	default:
		return 0;
	}
	return TOP_REDRAW;
}
