/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command line as tables. An option is one row, and the row is also its line of --help: what
 * is not in a table is neither accepted nor promised.
 */
#ifndef NSVIEW_CMD_OPTIONS_H
#define NSVIEW_CMD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text;

enum option_kind {
	OPTION_FLAG,    /* bool */
	OPTION_TEXT,    /* const char * */
	OPTION_LIST,    /* struct option_list: repeatable */
	OPTION_NUMBERS, /* struct option_numbers: 1,2,3 and repeatable */
	OPTION_INCLUDE, /* another table, its fields at this offset */
};

/* Zero means not given. options_free releases both arrays. */
struct option_list {
	const char **items; /* the texts are borrowed from argv */
	size_t count;
	size_t capacity;
};

struct option_numbers {
	uint32_t *items;
	size_t count;
	size_t capacity;
};

struct option {
	const char *name;     /* "container" for --container; NULL: only the letter */
	const char *argument; /* "NAME" in --help; NULL for a flag */
	const char *help;
	const struct option *include;
	size_t offset; /* of the field in the command's options struct */
	enum option_kind kind;
	char letter; /* 'c' for -c; 0: none */
	/* Where it points to a sentence (without a full stop), this build does not have the
	 * option: it is not in --help, and refused with that sentence. NULL: all builds have it. */
	const char *const *absent;
};

#define OPTIONS_END \
	{           \
		0   \
	}

/*
 * Reads argv[1..] into target (zeroed by the caller). Long names may be given as --name=value or
 * --name value, letters as -cVALUE, -c VALUE or bundled. What is no option ends up in argv[1..]
 * in order, *argc says how many; with stop_at_word, the first such word ends the options (run).
 * `--` always does. -EINVAL: said in one sentence that names the word and the nearest right one.
 */
int options_parse(const struct option *options, void *target, bool stop_at_word, int *argc,
		  char **argv);

/* The lines of --help, aligned. */
void options_help(struct text *out, const struct option *options);

void options_free(const struct option *options, void *target);

/* A whole decimal number below 2^32. -EINVAL otherwise. */
int option_number(const char *text, uint32_t *number);

#endif
