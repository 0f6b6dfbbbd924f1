/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

/* A suggestion further away than this is a guess, not help. */
#define SUGGEST_DISTANCE_MAX 3

/* One word of the command line on its way into the target. */
struct parse {
	const struct option *options;
	char *target;
	char **argv;
	int argc;
	int next; /* index of the word after the one being read */
};

struct option_match {
	const struct option *option;
	char *field;
};

static bool option_is_end(const struct option *option)
{
	return !option->name && !option->letter && !option->include;
}

static bool option_is_absent(const struct option *option)
{
	return option->absent && *option->absent;
}

/* Finds a row by name (length bytes) or letter, in the table and in those it includes. */
static bool option_find(const struct option *options, char *target, const char *name, size_t length,
			char letter, struct option_match *match)
{
	for (const struct option *option = options; !option_is_end(option); option++) {
		char *field = target + option->offset;

		if (option->kind == OPTION_INCLUDE) {
			if (option_find(option->include, field, name, length, letter, match))
				return true;
			continue;
		}
		if (name ? option->name && strlen(option->name) == length &&
				    !strncmp(option->name, name, length)
			 : option->letter == letter) {
			*match = (struct option_match){option, field};
			return true;
		}
	}
	return false;
}

static void option_nearest(const struct option *options, const char *name, const char **nearest,
			   size_t *distance)
{
	for (const struct option *option = options; !option_is_end(option); option++) {
		size_t here;

		if (option->kind == OPTION_INCLUDE) {
			option_nearest(option->include, name, nearest, distance);
			continue;
		}
		if (!option->name || option_is_absent(option))
			continue;
		here = text_distance(name, option->name);
		if (here < *distance) {
			*distance = here;
			*nearest = option->name;
		}
	}
}

static int option_unknown(const struct option *options, const char *word)
{
	size_t length = strcspn(word, "=");
	size_t distance = SUGGEST_DISTANCE_MAX + 1;
	autofree char *name = mem_printf("%.*s", (int)length, word);
	const char *nearest = NULL;

	if (!strncmp(name, "--", 2) && name[2])
		option_nearest(options, name + 2, &nearest, &distance);
	if (nearest)
		return log_error(-EINVAL, "unknown option %s: did you mean --%s?", name, nearest);
	return log_error(-EINVAL, "unknown option %s: --help lists those there are", name);
}

int option_number(const char *text, uint32_t *number)
{
	unsigned long long value = 0;

	if (!*text)
		return -EINVAL;
	for (const char *digit = text; *digit; digit++) {
		if (*digit < '0' || *digit > '9')
			return -EINVAL;
		value = value * 10 + (unsigned long long)(*digit - '0');
		if (value > UINT32_MAX)
			return -EINVAL;
	}
	*number = (uint32_t)value;
	return 0;
}

static int option_add_numbers(const struct option *option, struct option_numbers *numbers,
			      const char *value)
{
	autofree char *list = mem_copy(value);
	char *rest = list;
	char *word;

	while ((word = strsep(&rest, ",")) != NULL) {
		uint32_t number;

		if (option_number(word, &number))
			return log_error(
				-EINVAL,
				"--%s takes whole numbers with commas between them, not %s",
				option->name, value);
		mem_reserve_one(numbers->items, numbers->count, numbers->capacity);
		numbers->items[numbers->count++] = number;
	}
	return 0;
}

static int option_store(const struct option_match *match, const char *value)
{
	struct option_list *list;

	switch (match->option->kind) {
	case OPTION_FLAG:
		*(bool *)match->field = true;
		return 0;
	case OPTION_TEXT:
		*(const char **)match->field = value;
		return 0;
	case OPTION_LIST:
		list = (struct option_list *)match->field;
		mem_reserve_one(list->items, list->count, list->capacity);
		list->items[list->count++] = value;
		return 0;
	case OPTION_NUMBERS:
		return option_add_numbers(match->option, (struct option_numbers *)match->field,
					  value);
	case OPTION_INCLUDE:
		break;
	}
	return -EINVAL;
}

/* value: what stood in the same word, or NULL: then it is the next word. */
static int option_take(struct parse *parse, const struct option_match *match, const char *value)
{
	const struct option *option = match->option;

	if (option_is_absent(option))
		return log_error(-EINVAL, "there is no --%s here: %s", option->name,
				 *option->absent);
	if (option->kind != OPTION_FLAG && !value) {
		if (parse->next >= parse->argc)
			return log_error(-EINVAL, "%s%.*s needs a value: %s",
					 option->name ? "--" : "-", 64,
					 option->name ? option->name : (char[]){option->letter, 0},
					 option->argument);
		value = parse->argv[parse->next++];
	}
	return option_store(match, value);
}

static int option_parse_long(struct parse *parse, const char *word)
{
	size_t length = strcspn(word + 2, "=");
	const char *value = word[2 + length] ? word + 2 + length + 1 : NULL;
	struct option_match match;

	if (!option_find(parse->options, parse->target, word + 2, length, 0, &match))
		return option_unknown(parse->options, word);
	if (match.option->kind == OPTION_FLAG && value)
		return log_error(-EINVAL, "--%s takes no value, but was given %s",
				 match.option->name, value);
	return option_take(parse, &match, value);
}

static int option_parse_letters(struct parse *parse, const char *word)
{
	for (const char *letter = word + 1; *letter; letter++) {
		struct option_match match;
		const char *value = NULL;
		bool is_last;
		int r;

		if (!option_find(parse->options, parse->target, NULL, 0, *letter, &match))
			return option_unknown(parse->options, word);
		is_last = match.option->kind != OPTION_FLAG;
		if (is_last && letter[1])
			value = letter + 1 + (letter[1] == '=');
		r = option_take(parse, &match, value);
		if (r || is_last)
			return r;
	}
	return 0;
}

int options_parse(const struct option *options, void *target, bool stop_at_word, int *argc,
		  char **argv)
{
	struct parse parse = {options, target, argv, *argc, 1};
	int words = 1;

	while (parse.next < parse.argc) {
		char *word = argv[parse.next++];
		int r;

		if (!strcmp(word, "--"))
			break;
		if (word[0] != '-' || !word[1]) {
			if (stop_at_word) {
				parse.next--;
				break;
			}
			argv[words++] = word;
			continue;
		}
		r = word[1] == '-' ? option_parse_long(&parse, word)
				   : option_parse_letters(&parse, word);
		if (r)
			return r;
	}
	while (parse.next < parse.argc)
		argv[words++] = argv[parse.next++];
	if (words < *argc)
		argv[words] = NULL;
	*argc = words;
	return 0;
}

static size_t option_left_width(const struct option *option)
{
	size_t width = 0;

	if (option_is_absent(option))
		return 0;
	if (option->letter)
		width += 2;
	if (option->letter && option->name)
		width += 2;
	if (option->name)
		width += 2 + strlen(option->name);
	if (option->argument)
		width += 1 + strlen(option->argument);
	return width;
}

static size_t options_width(const struct option *options)
{
	size_t widest = 0;

	for (const struct option *option = options; !option_is_end(option); option++) {
		size_t width = option->kind == OPTION_INCLUDE ? options_width(option->include)
							      : option_left_width(option);

		if (width > widest)
			widest = width;
	}
	return widest;
}

static void options_help_lines(struct text *out, const struct option *options, size_t width)
{
	for (const struct option *option = options; !option_is_end(option); option++) {
		if (option->kind == OPTION_INCLUDE) {
			options_help_lines(out, option->include, width);
			continue;
		}
		if (option_is_absent(option))
			continue;
		text_add_string(out, "  ");
		if (option->letter)
			text_printf(out, "-%c%s", option->letter, option->name ? ", " : "");
		if (option->name)
			text_printf(out, "--%s", option->name);
		if (option->argument)
			text_printf(out, " %s", option->argument);
		text_add_spaces(out, width - option_left_width(option) + 2);
		text_printf(out, "%s\n", option->help);
	}
}

void options_help(struct text *out, const struct option *options)
{
	options_help_lines(out, options, options_width(options));
}

void options_free(const struct option *options, void *target)
{
	for (const struct option *option = options; !option_is_end(option); option++) {
		char *field = (char *)target + option->offset;

		if (option->kind == OPTION_INCLUDE)
			options_free(option->include, field);
		else if (option->kind == OPTION_LIST)
			free(((struct option_list *)field)->items);
		else if (option->kind == OPTION_NUMBERS)
			free(((struct option_numbers *)field)->items);
	}
}
