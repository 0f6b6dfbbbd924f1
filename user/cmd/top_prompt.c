/* SPDX-License-Identifier: GPL-2.0-only */
/* The line that is typed below the table: what to search, to filter, to sort by, where to write to. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/options.h"
#include "cmd/top_line.h"
#include "cmd/top_private.h"
#include "host/passwd.h"
#include "output/screen.h"
#include "view/column.h"
#include "view/query.h"

struct top_prompt_kind {
	const char *label;
	bool is_question; /* the first key is the answer */
	/* Enter: enum top_flag; it closes the prompt, or complains and leaves it open. */
	unsigned int (*enter)(struct top *top);
	unsigned int (*change)(struct top *top); /* another text; NULL: nothing happens yet */
	unsigned int (*again)(struct top *top);  /* the key that opened it */
	unsigned int (*leave)(struct top *top);  /* Esc; NULL: nothing to take back */
};

static const char *typed(struct top *top)
{
	return text_string(&top->editor.text);
}

void top_prompt_close(struct top *top)
{
	struct top_editor *editor = &top->editor;

	editor->kind = NULL;
	free(editor->subject);
	editor->subject = NULL;
	text_clear(&editor->text);
	text_clear(&editor->complaint);
}

static unsigned int prompt_open(struct top *top, const struct top_prompt_kind *kind,
				const char *text)
{
	struct top_editor *editor = &top->editor;

	top_prompt_close(top);
	editor->kind = kind;
	if (text)
		text_add_string(&editor->text, text);
	editor->cursor = editor->text.length;
	return TOP_REDRAW;
}

static unsigned int complain(struct top *top, size_t at, const char *format, const char *word)
{
	struct top_editor *editor = &top->editor;

	text_clear(&editor->complaint);
	text_printf(&editor->complaint, format, word);
	editor->complaint_at = at;
	return TOP_REDRAW;
}

static void string_set(char **string, const char *text)
{
	free(*string);
	*string = text && *text ? mem_copy(text) : NULL;
}

/* Search: each key already finds. */

#define NOTHING_FOUND "no row that is open has \"%s\" in it"

static unsigned int search_change(struct top *top)
{
	top->choice = top->editor.origin;
	top_choose_again(top);
	string_set(&top->search, typed(top));
	top->editor.is_vain = top->search && !top_find(top, false, false);
	return top->editor.is_vain ? complain(top, SIZE_MAX, NOTHING_FOUND, typed(top))
				   : TOP_REDRAW;
}

static unsigned int search_enter(struct top *top)
{
	if (top->editor.is_vain)
		top_say(top, NOTHING_FOUND, top->search);
	top_prompt_close(top);
	return TOP_REDRAW;
}

static unsigned int search_again(struct top *top)
{
	if (top->search)
		top_find(top, false, true);
	return TOP_REDRAW;
}

unsigned int top_prompt_search_on(struct top *top, bool is_backward)
{
	if (!top->search)
		top_say(top, "nothing to search for yet: / asks");
	else if (!top_find(top, is_backward, true))
		top_say(top, NOTHING_FOUND, top->search);
	return TOP_REDRAW;
}

static unsigned int search_leave(struct top *top)
{
	top->choice = top->editor.origin;
	top_choose_again(top);
	return TOP_REDRAW;
}

static const struct top_prompt_kind search_prompt = {
	.label = "Search: ",
	.enter = search_enter,
	.change = search_change,
	.again = search_again,
	.leave = search_leave,
};

unsigned int top_prompt_search(struct top *top)
{
	top->editor.origin = top->choice;
	top->editor.is_vain = false;
	return prompt_open(top, &search_prompt, NULL);
}

/* Filter: --filter's own grammar. */

/* The caret's column, below an expression that is shown with two blanks before it, as a place in the
 * expression. */
static size_t complaint_place(const char *expression, const char *complaint)
{
	const char *caret = strrchr(complaint, '\n');
	size_t column = caret ? strlen(caret) - strlen("\n  ^") : 0;
	struct text shown = {0};
	size_t at = 0;

	while (expression[at]) {
		text_clear(&shown);
		text_add_printable(&shown, expression, at);
		if (text_width(shown.data, shown.length) >= column)
			break;
		at++;
	}
	text_free(&shown);
	return at;
}

int top_filter_set(struct top *top, const char *expression, struct text *complaint, size_t *at)
{
	struct filter *filter = NULL;

	if (expression && expression[strspn(expression, " \t")] &&
	    filter_parse(expression, &top->view, &filter, complaint)) {
		*at = complaint_place(expression, text_string(complaint));
		return -EINVAL;
	}
	filter_free(top->filter);
	top->filter = filter;
	top->settings.filter = filter;
	string_set(&top->filter_text, filter ? expression : NULL);
	return 0;
}

static unsigned int filter_enter(struct top *top)
{
	struct text complaint = {0};
	size_t at = SIZE_MAX;
	unsigned int flags = TOP_REDRAW;

	if (top_filter_set(top, typed(top), &complaint, &at)) {
		const char *all = text_string(&complaint);
		autofree char *sentence = mem_printf("%.*s", (int)strcspn(all, "\n"), all);

		complain(top, at, "%s", sentence);
		top->editor.cursor = at;
	} else {
		top_prompt_close(top);
		flags |= TOP_RESORT;
	}
	text_free(&complaint);
	return flags;
}

static const struct top_prompt_kind filter_prompt = {.label = "Filter: ", .enter = filter_enter};

unsigned int top_prompt_filter(struct top *top)
{
	return prompt_open(top, &filter_prompt, top->filter_text);
}

/* Sort: any column of ps, with - for the largest first. */

static unsigned int sort_enter(struct top *top)
{
	const char *word = typed(top);
	const char *nearest = NULL;
	const struct column *column = NULL;
	bool is_reversed = *word == '-';

	word += *word == '-' || *word == '+';
	if (*word) {
		column = column_find(word, &nearest);
		if (!column && nearest)
			return complain(top, 0, "no column is called so: did you mean %s?",
					nearest);
		if (!column)
			return complain(top, 0,
					"no column is called %s: nsview ps --columns "
					"lists them",
					word);
	}
	top->settings.sort = column;
	top->settings.is_reversed = is_reversed;
	top_prompt_close(top);
	return TOP_REDRAW | TOP_RESORT;
}

static const struct top_prompt_kind sort_prompt = {
	.label = "Sort by column (-COLUMN: largest first; none: as ps): ",
	.enter = sort_enter,
};

unsigned int top_prompt_sort(struct top *top)
{
	const struct column *column = top->settings.sort;
	autofree char *text =
		column ? mem_printf("%s%s", top->settings.is_reversed ? "-" : "", column->key)
		       : NULL;

	return prompt_open(top, &sort_prompt, text);
}

/* User: the effective one on the host, as -u has it. */

static unsigned int user_enter(struct top *top)
{
	const char *name = typed(top);

	if (*name && passwd_host_uid(top->view.users, name, &top->settings.uid))
		return complain(top, 0, "the host has no user %s", name);
	top->settings.has_user = *name;
	top_prompt_close(top);
	return TOP_REDRAW | TOP_RESORT;
}

static const struct top_prompt_kind user_prompt = {
	.label = "User (name or uid on the host; none: all): ",
	.enter = user_enter,
};

unsigned int top_prompt_user(struct top *top)
{
	const char *name = top->settings.has_user
				   ? passwd_host_name(top->view.users, top->settings.uid)
				   : NULL;
	autofree char *number = top->settings.has_user ? mem_printf("%u", top->settings.uid) : NULL;

	return prompt_open(top, &user_prompt, name ? name : number);
}

/* Write. */

static unsigned int write_end(struct top *top, const char *path, int r)
{
	if (r)
		top_say(top, "cannot write %s: %s%s", path, strerror(-r),
			r == -EACCES ? " (nsview keeps no right to write where its user may not)"
				     : "");
	else
		top_say(top, "written to %s", path);
	top_prompt_close(top);
	return TOP_REDRAW;
}

static unsigned int replace_enter(struct top *top)
{
	autofree char *path = mem_copy(top->editor.subject);

	return write_end(top, path, top_write(top, path, true));
}

static const struct top_prompt_kind replace_prompt = {
	.label = "Replace it? y/n ",
	.is_question = true,
	.enter = replace_enter,
};

static unsigned int write_enter(struct top *top)
{
	autofree char *path = mem_copy(typed(top));
	int r;

	if (!*path) {
		top_prompt_close(top);
		return TOP_REDRAW;
	}
	r = top_write(top, path, false);
	if (r != -EEXIST)
		return write_end(top, path, r);
	prompt_open(top, &replace_prompt, NULL);
	top->editor.subject = mem_copy(path);
	return complain(top, SIZE_MAX, "%s is there already", path);
}

static const struct top_prompt_kind write_prompt = {
	.label = "Write to (.json: JSON): ",
	.enter = write_enter,
};

unsigned int top_prompt_write(struct top *top)
{
	autofree char *path = top_write_path(top);

	return prompt_open(top, &write_prompt, path);
}

/* Keys. */

static bool is_again(const struct top_editor *editor, uint32_t key)
{
	return editor->kind->again && key == KEY_FUNCTION + 3;
}

unsigned int top_prompt_key(struct top *top, uint32_t key)
{
	struct top_editor *editor = &top->editor;
	unsigned int flags = TOP_REDRAW;
	enum line_change change;

	if (editor->kind->is_question && (key == 'y' || key == 'Y'))
		return editor->kind->enter(top);
	if (key == KEY_ESCAPE || editor->kind->is_question) {
		if (editor->kind->leave)
			flags |= editor->kind->leave(top);
		top_prompt_close(top);
		return flags;
	}
	if (key == KEY_RETURN)
		return editor->kind->enter(top);
	if (is_again(editor, key))
		return editor->kind->again(top);
	change = top_line_key(&editor->text, &editor->cursor, key);
	if (change == LINE_OTHER_TEXT) {
		text_clear(&editor->complaint);
		if (editor->kind->change)
			flags |= editor->kind->change(top);
	}
	return flags;
}

void top_prompt_fill(struct top *top, struct top_prompt *prompt)
{
	struct top_editor *editor = &top->editor;

	*prompt = (struct top_prompt){
		.label = editor->kind->label,
		.text = typed(top),
		.cursor = editor->cursor,
		.complaint = editor->complaint.length ? text_string(&editor->complaint) : NULL,
		.complaint_at = editor->complaint_at,
	};
}
