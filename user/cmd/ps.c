/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/options.h"
#include "cmd/ps_inside.h"
#include "cmd/replay.h"
#include "cmd/session.h"
#include "output/output.h"
#include "view/tree.h"

#define ARGS_MAX (256 * 1024) /* of one process; ps itself stops at 128 KiB */
#define WIDTH_DEFAULT 80      /* of a terminal that does not tell */

struct ps_options {
	struct select_options select;
	struct option_list columns;
	struct option_list sort;
	const char *as_ps;
	const char *by;
	const char *inside;
	const char *both;
	bool is_every; /* -e */
	bool is_full;  /* -f */
	bool is_tree;
	bool is_wide;
	bool no_headers;
	bool as_json;
	bool as_ndjson;
	bool lists_columns;
};

#define PS(field) offsetof(struct ps_options, field)

static const struct option ps_option_table[] = {
	{.letter = 'o',
	 .argument = "COLUMNS",
	 .help = "show these, with commas between them; +COLUMNS adds to the usual ones",
	 .kind = OPTION_LIST,
	 .offset = PS(columns)},
	{.name = "sort",
	 .argument = "COLUMNS",
	 .help = "order by these; -COLUMN: largest first",
	 .kind = OPTION_LIST,
	 .offset = PS(sort)},
	{.name = "by",
	 .argument = "WHAT",
	 .help = "a row for each container, image, pod, user or runtime",
	 .kind = OPTION_TEXT,
	 .offset = PS(by)},
	{.name = "wide",
	 .help = "every column, nothing cut; so it is into a pipe and with -o too",
	 .kind = OPTION_FLAG,
	 .offset = PS(is_wide)},
	{.name = "no-headers",
	 .help = "the rows only",
	 .kind = OPTION_FLAG,
	 .offset = PS(no_headers)},
	{.name = "json",
	 .help = "a JSON array with everything that is known, an object a line",
	 .kind = OPTION_FLAG,
	 .offset = PS(as_json)},
	{.name = "ndjson",
	 .help = "the same objects, one a line, without the array",
	 .kind = OPTION_FLAG,
	 .offset = PS(as_ndjson)},
	{.name = "columns",
	 .help = "list the columns there are; with --json in JSON",
	 .kind = OPTION_FLAG,
	 .offset = PS(lists_columns)},
	{.letter = 'f',
	 .help = "the columns of ps -ef, with the container's beside them",
	 .kind = OPTION_FLAG,
	 .offset = PS(is_full)},
	{.letter = 'e',
	 .help = "every process, which is the rule here: for those who type -ef",
	 .kind = OPTION_FLAG,
	 .offset = PS(is_every)},
	{.name = "tree",
	 .help = "each process below its parent; a container's first ones begin a tree",
	 .kind = OPTION_FLAG,
	 .offset = PS(is_tree)},
	{.name = "inside",
	 .argument = "CONTAINER",
	 .help = "what ps aux (with -ef: ps -ef) would print inside; nothing is run there",
	 .kind = OPTION_TEXT,
	 .offset = PS(inside)},
	{.name = "both",
	 .argument = "CONTAINER",
	 .help = "the same, then those processes as the host has them, and who root in it is",
	 .kind = OPTION_TEXT,
	 .offset = PS(both)},
	{.letter = 'a',
	 .argument = "ux",
	 .help = "as fingers type it for ps: changes nothing, nor does the word aux",
	 .kind = OPTION_TEXT,
	 .offset = PS(as_ps)},
	{.kind = OPTION_INCLUDE, .include = select_option_table, .offset = PS(select)},
	OPTIONS_END,
};

struct column_list {
	const struct column **items;
	bool *is_descending; /* sort only */
	size_t count;
	size_t capacity;
};

static void column_list_insert(struct column_list *list, size_t at, const struct column *column,
			       bool is_descending)
{
	size_t moved = list->count - at;

	list->items = mem_resize(list->items, list->count + 1, sizeof(*list->items));
	list->is_descending =
		mem_resize(list->is_descending, list->count + 1, sizeof(*list->is_descending));
	memmove(list->items + at + 1, list->items + at, moved * sizeof(*list->items));
	memmove(list->is_descending + at + 1, list->is_descending + at,
		moved * sizeof(*list->is_descending));
	list->items[at] = column;
	list->is_descending[at] = is_descending;
	list->count++;
}

static void column_list_free(struct column_list *list)
{
	free(list->items);
	free(list->is_descending);
}

static const struct column *find_or_complain(const char *name)
{
	const char *nearest = NULL;
	const struct column *column = column_find(name, &nearest);

	if (!column && nearest)
		log_error(0, "no column is called %s: did you mean %s?", name, nearest);
	else if (!column)
		log_error(0, "no column is called %s: `nsview ps --columns` lists them", name);
	return column;
}

static void column_list_add_default(struct column_list *list, bool is_full)
{
	const char *const *keys = is_full ? proc_columns_full : proc_columns_default;
	const char *nearest;

	for (size_t i = 0; keys[i]; i++)
		column_list_insert(list, list->count,
				   is_full ? proc_columns_full_find(keys[i])
					   : column_find(keys[i], &nearest),
				   false);
}

/* -o. What is added stands before COMMAND, which has no end. */
static int read_columns(const struct option_list *options, bool is_full, struct column_list *list)
{
	size_t behind = 0;

	if (!options->count || options->items[0][0] == '+') {
		column_list_add_default(list, is_full);
		behind = 1;
	}
	for (size_t i = 0; i < options->count; i++) {
		autofree char *names = mem_copy(options->items[i]);
		char *rest = names;
		char *name;

		while ((name = strsep(&rest, ", ")) != NULL) {
			const struct column *column;

			if (*name == '+')
				name++;
			column = find_or_complain(name);
			if (!column)
				return -EINVAL;
			column_list_insert(list, list->count - behind, column, false);
		}
	}
	return 0;
}

/* --sort */
static int read_sort(const struct option_list *options, struct column_list *list)
{
	for (size_t i = 0; i < options->count; i++) {
		autofree char *names = mem_copy(options->items[i]);
		char *rest = names;
		char *name;

		while ((name = strsep(&rest, ", ")) != NULL) {
			bool is_descending = *name == '-';
			const struct column *column;

			if (*name == '-' || *name == '+')
				name++;
			column = find_or_complain(name);
			if (!column)
				return -EINVAL;
			column_list_insert(list, list->count, column, is_descending);
		}
	}
	return 0;
}

/* COLUMNS wins over the terminal's own answer, as in ps. */
static size_t terminal_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size = {0};
	uint32_t width = 0;

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (columns && !option_number(columns, &width) && width)
		return width;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	return WIDTH_DEFAULT;
}

static bool terminal_has_colour(void)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && term &&
	       strcmp(term, "dumb") != 0;
}

/* A reader that has gone wants no more, which is no failure. */
static int exit_code_of_write(int r)
{
	if (!r || r == -EPIPE)
		return EXIT_DONE;
	log_fail(r, "write to standard output");
	return EXIT_FAILED;
}

/* -aux, -ef, -eaf and -aef. */
static int check_as_ps(const struct ps_options *options)
{
	const char *as_ps = options->as_ps ? options->as_ps : "";
	bool has_every = options->is_every || !strcmp(as_ps, "ef");
	bool has_full = options->is_full || !strcmp(as_ps, "ef") || !strcmp(as_ps, "f");

	if (*as_ps && strcmp(as_ps, "ux") != 0 && strcmp(as_ps, "f") != 0 &&
	    strcmp(as_ps, "ef") != 0) {
		log_error(0, "unknown option -a%s: -aux is meant for those who know ps aux", as_ps);
		return -EINVAL;
	}
	if (has_every != has_full) {
		log_error(0, "-%s alone is no option here: did you mean -ef?",
			  has_every ? "e" : "f");
		return -EINVAL;
	}
	return 0;
}

static bool is_full(const struct ps_options *options)
{
	return options->is_full || (options->as_ps && strcmp(options->as_ps, "ux") != 0);
}

/* What ps itself would not know to do. */
static int check_inside(const struct ps_options *options)
{
	const char *name = options->both ? "both" : "inside";
	struct select_options select = options->select;
	const struct select_options nothing = {0};

	if (!options->inside && !options->both)
		return 0;
	if (options->inside && options->both) {
		log_error(0, "--both shows what --inside does and more: give one of them");
		return -EINVAL;
	}
	select.source = NULL;
	select.replay = NULL;
	select.at = NULL;
	if (options->columns.count || options->sort.count || options->is_tree || options->by ||
	    options->as_json || options->as_ndjson ||
	    memcmp(&select, &nothing, sizeof(select)) != 0) {
		log_error(0,
			  "--%s prints what ps aux would: with it go -ef, --wide, --no-headers, "
			  "--source and --replay only",
			  name);
		return -EINVAL;
	}
	return 0;
}

static int check_words(const struct ps_options *options, int argc, char **argv)
{
	enum group_way way;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "aux"))
			continue;
		log_error(0, "ps takes no word %s: -c selects a container, -p a pid, -u a user",
			  argv[i]);
		return -EINVAL;
	}
	if (options->by && group_way_find(options->by, &way)) {
		log_error(0, "ps has no --by %s: there are container, image, pod, user and runtime",
			  options->by);
		return -EINVAL;
	}
	if (options->by && (options->columns.count || options->sort.count || is_full(options) ||
			    options->is_tree)) {
		log_error(0, "--by has columns and an order of its own: leave %s out",
			  options->sort.count ? "--sort"
			  : options->is_tree  ? "--tree"
			  : is_full(options)  ? "-ef"
					      : "-o");
		return -EINVAL;
	}
	if (options->as_json && options->as_ndjson) {
		log_error(0, "--json and --ndjson are two formats: give one of them");
		return -EINVAL;
	}
	if (check_as_ps(options))
		return -EINVAL;
	return check_inside(options);
}

struct ps {
	const struct ps_options *options;
	struct session session;
	struct column_list columns;
	struct column_list sort;
};

static int ps_write(struct ps *ps, const struct query_result *result)
{
	const struct ps_options *options = ps->options;
	const struct output_format *format = &output_table;
	const struct output_options output = {
		.columns = ps->columns.items,
		.columns_count = ps->columns.count,
		.width = options->is_wide || options->columns.count ? 0 : terminal_width(),
		.has_colour = terminal_has_colour(),
		.no_headers = options->no_headers,
	};

	if (options->as_json)
		format = &output_json;
	else if (options->as_ndjson)
		format = &output_ndjson;
	return exit_code_of_write(
		format->write(stdout, &output, &ps->session.view, result->procs, result->count));
}

static int ps_write_groups(struct ps *ps, const struct query_result *result)
{
	const struct ps_options *options = ps->options;
	enum groups_format format = options->as_json     ? GROUPS_JSON
				    : options->as_ndjson ? GROUPS_NDJSON
							 : GROUPS_TABLE;
	struct groups *groups;
	enum group_way way;
	int r;

	group_way_find(options->by, &way);
	groups = groups_make(way, &ps->session.view, result->procs, result->count);
	r = output_groups(stdout, format, options->no_headers, &ps->session.view, groups, way);
	groups_free(groups);
	return exit_code_of_write(r);
}

static int ps_show(struct ps *ps)
{
	const struct query query = {
		.selection = ps->session.selection,
		.sort = ps->sort.items,
		.sort_descending = ps->sort.is_descending,
		.sort_count = ps->sort.count,
	};
	struct query_result result;
	struct text complaint = {0};
	int r = query_run(&query, &ps->session.view, &result, &complaint);
	struct tree *tree = NULL;
	int exit_code = EXIT_DONE;

	if (ps->options->is_tree)
		tree = tree_new(ps->session.model, result.procs, result.count);
	if (!ps->options->as_json && !ps->options->as_ndjson)
		ps->session.view.tree = tree;
	if (!r || result.count || ps->options->as_json)
		exit_code = ps->options->by ? ps_write_groups(ps, &result) : ps_write(ps, &result);
	ps->session.view.tree = NULL;
	tree_free(tree);
	if (r) {
		log_lines(text_string(&complaint));
		exit_code = EXIT_FAILED;
	}
	if (result.unknown)
		log_note("%zu more could be meant: what decides about them could not be read; "
			 "`nsview doctor` tells why",
			 result.unknown);
	free(result.procs);
	text_free(&complaint);
	return exit_code;
}

static int ps_show_inside(struct ps *ps)
{
	const struct ps_options *options = ps->options;
	const struct inside_options inside = {
		.container = options->both ? options->both : options->inside,
		.width = options->is_wide ? 0 : terminal_width(),
		.is_both = options->both,
		.is_full = is_full(options),
		.no_headers = options->no_headers,
		.is_terminal = isatty(STDOUT_FILENO),
	};

	return ps_inside(&ps->session, &inside);
}

/* Whether anything of what is asked for looks at the arguments, which are half of the work. */
static bool needs_args(const struct ps *ps)
{
	const struct ps_options *options = ps->options;
	const struct column_list *lists[] = {&ps->columns, &ps->sort};

	if (options->select.filter)
		return true;
	if (options->by)
		return false;
	if (options->inside || options->both || options->as_json || options->as_ndjson)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		for (size_t j = 0; j < lists[i]->count; j++) {
			const char *key = lists[i]->items[j]->key;

			if (!strcmp(key, "command") || !strcmp(key, "args"))
				return true;
		}
	}
	return false;
}

static int ps_run(struct app *app, void *target, int argc, char **argv)
{
	const struct ps_options *options = target;
	struct ps ps = {.options = options};
	int exit_code = EXIT_USAGE;

	if (check_words(options, argc, argv))
		return EXIT_USAGE;
	if (options->lists_columns)
		return exit_code_of_write(output_columns(stdout, options->as_json));
	if (!read_columns(&options->columns, is_full(options), &ps.columns) &&
	    !read_sort(&options->sort, &ps.sort)) {
		exit_code = session_open(&ps.session, app, &options->select,
					 needs_args(&ps) ? ARGS_MAX : 0);
		if (exit_code == EXIT_DONE)
			exit_code = session_snapshot(&ps.session);
		if (exit_code == EXIT_DONE && ps.session.replay)
			exit_code = replay_finish(&ps.session);
		if (exit_code == EXIT_DONE && (options->inside || options->both))
			exit_code = ps_show_inside(&ps);
		else if (exit_code == EXIT_DONE)
			exit_code = ps_show(&ps);
		session_close(&ps.session);
	}
	column_list_free(&ps.columns);
	column_list_free(&ps.sort);
	return exit_code;
}

const struct command ps_command = {
	.name = "ps",
	.usage = "[aux | -ef] [OPTIONS]",
	.summary = "every process, as the host and as its container see it",
	.details = "`-` does not apply, `?` could not be known. CAPS: the effective capabilities; "
		   "`in userns`\nafter them: they do not count on the host.",
	.example = "nsview ps --filter 'caps~SYS_ADMIN and host-effective' --sort -rss",
	.options = ps_option_table,
	.options_size = sizeof(struct ps_options),
	.run = ps_run,
};
