/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/options.h"

struct inner {
	bool quick;
};

struct target {
	bool wide;
	const char *sort;
	struct option_list containers;
	struct option_numbers pids;
	struct inner inner;
};

static const struct option inner_table[] = {
	{.name = "quick", .letter = 'q', .help = "be quick", .kind = OPTION_FLAG},
	OPTIONS_END,
};

static const struct option table[] = {
	{.name = "wide",
	 .letter = 'w',
	 .help = "cut nothing",
	 .kind = OPTION_FLAG,
	 .offset = offsetof(struct target, wide)},
	{.name = "sort",
	 .argument = "COLS",
	 .help = "order",
	 .kind = OPTION_TEXT,
	 .offset = offsetof(struct target, sort)},
	{.name = "container",
	 .letter = 'c',
	 .argument = "NAME",
	 .help = "only this container",
	 .kind = OPTION_LIST,
	 .offset = offsetof(struct target, containers)},
	{.name = "pid",
	 .letter = 'p',
	 .argument = "PID,...",
	 .help = "only these",
	 .kind = OPTION_NUMBERS,
	 .offset = offsetof(struct target, pids)},
	{.kind = OPTION_INCLUDE, .include = inner_table, .offset = offsetof(struct target, inner)},
	OPTIONS_END,
};

static char said[512];

static void remember(void *context, const char *sentence)
{
	(void)context;
	snprintf(said, sizeof(said), "%s", sentence);
}

/* Splits line at spaces into argv[1..] and parses it. */
static int parse(const char *line, bool stop_at_word, struct target *target, int *argc, char **argv)
{
	static char words[512];
	char *rest = words;
	char *word;

	memset(target, 0, sizeof(*target));
	said[0] = '\0';
	snprintf(words, sizeof(words), "%s", line);
	*argc = 1;
	while ((word = strsep(&rest, " ")) != NULL)
		argv[(*argc)++] = word;
	argv[*argc] = NULL;
	return options_parse(table, target, stop_at_word, argc, argv);
}

static void long_and_short_forms_mean_the_same(void **state)
{
	static const char *const lines[] = {
		"--container web -w -p 1,22 -q",
		"--container=web --wide --pid=1,22 --quick",
		"-c web -wq -p1,22",
		"-cweb -w --pid 1 --pid 22 -q",
		"-wqcweb -p=1,22",
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct target target;
		char *argv[16];
		int argc;

		assert_int_equal(parse(lines[i], false, &target, &argc, argv), 0);
		assert_int_equal(argc, 1);
		assert_true(target.wide && target.inner.quick);
		assert_int_equal(target.containers.count, 1);
		assert_string_equal(target.containers.items[0], "web");
		assert_int_equal(target.pids.count, 2);
		assert_int_equal(target.pids.items[1], 22);
		options_free(table, &target);
	}
}

static void words_stay_in_order_and_double_dash_ends_options(void **state)
{
	struct target target;
	char *argv[16];
	int argc;
	(void)state;

	assert_int_equal(parse("one -w two -- --sort", false, &target, &argc, argv), 0);
	assert_int_equal(argc, 4);
	assert_string_equal(argv[1], "one");
	assert_string_equal(argv[2], "two");
	assert_string_equal(argv[3], "--sort");
	assert_null(argv[4]);
	assert_null(target.sort);
}

static void first_word_ends_options_for_run(void **state)
{
	struct target target;
	char *argv[16];
	int argc;
	(void)state;

	assert_int_equal(parse("-w sleep -c 5", true, &target, &argc, argv), 0);
	assert_int_equal(argc, 4);
	assert_string_equal(argv[1], "sleep");
	assert_string_equal(argv[2], "-c");
	assert_int_equal(target.containers.count, 0);
}

static void wrong_words_are_named_with_the_nearest_right_one(void **state)
{
	static const struct {
		const char *line;
		const char *part;
	} cases[] = {
		{"--contaner web", "did you mean --container?"},
		{"--xyzzy", "unknown option --xyzzy"},
		{"-z", "unknown option -z"},
		{"--wide=yes", "--wide takes no value"},
		{"--sort", "--sort needs a value: COLS"},
		{"-c", "--container needs a value: NAME"},
		{"-p 1,,2", "whole numbers"},
		{"-p 4294967296", "whole numbers"},
		{"-p -1", "whole numbers"},
		{"--pid=", "whole numbers"},
	};
	(void)state;

	log_set_sink(remember, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct target target;
		char *argv[16];
		int argc;

		assert_int_not_equal(parse(cases[i].line, false, &target, &argc, argv), 0);
		assert_non_null(strstr(said, cases[i].part));
		options_free(table, &target);
	}
	log_set_sink(NULL, NULL);
}

static void help_has_a_line_for_every_option(void **state)
{
	struct text out = {0};
	(void)state;

	options_help(&out, table);
	assert_string_equal(text_string(&out), "  -w, --wide            cut nothing\n"
					       "  --sort COLS           order\n"
					       "  -c, --container NAME  only this container\n"
					       "  -p, --pid PID,...     only these\n"
					       "  -q, --quick           be quick\n");
	text_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_and_short_forms_mean_the_same),
		cmocka_unit_test(words_stay_in_order_and_double_dash_ends_options),
		cmocka_unit_test(first_word_ends_options_for_run),
		cmocka_unit_test(wrong_words_are_named_with_the_nearest_right_one),
		cmocka_unit_test(help_has_a_line_for_every_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
