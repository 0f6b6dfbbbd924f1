/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/command.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/options.h"

#ifndef NSVIEW_VERSION
#define NSVIEW_VERSION "0.1.0"
#endif

const struct command *const commands[] = {
	&top_command,  &ps_command,   &events_command, &run_command,
	&demo_command, &caps_command, &doctor_command,
};
const size_t commands_count = ARRAY_SIZE(commands);

/* What stands before or after every command. */
struct global_options {
	bool wants_help;
	bool wants_version;
	const char *btf_path;
	const char *host_root;
};

static const struct option global_option_table[] = {
	{.name = "btf",
	 .argument = "FILE",
	 .help = "the kernel's BTF, where the kernel has none itself",
	 .kind = OPTION_TEXT,
	 .offset = offsetof(struct global_options, btf_path)},
	{.name = "host-root",
	 .argument = "DIR",
	 .help = "where the host's / is, when nsview itself runs in a container",
	 .kind = OPTION_TEXT,
	 .offset = offsetof(struct global_options, host_root)},
	{.name = "version",
	 .help = "print the version",
	 .kind = OPTION_FLAG,
	 .offset = offsetof(struct global_options, wants_version)},
	{.name = "help",
	 .letter = 'h',
	 .help = "print this",
	 .kind = OPTION_FLAG,
	 .offset = offsetof(struct global_options, wants_help)},
	OPTIONS_END,
};

static const struct command *command_find(const char *word)
{
	for (size_t i = 0; i < commands_count; i++) {
		if (!strcmp(commands[i]->name, word))
			return commands[i];
	}
	return NULL;
}

static int command_unknown(const char *word)
{
	const char *nearest = NULL;
	size_t distance = SIZE_MAX;

	for (size_t i = 0; i < commands_count; i++) {
		size_t here = text_distance(word, commands[i]->name);

		if (here < distance) {
			distance = here;
			nearest = commands[i]->name;
		}
	}
	if (distance <= 2)
		log_error(0, "unknown command %s: did you mean %s?", word, nearest);
	else
		log_error(0, "unknown command %s: nsview --help lists those there are", word);
	return EXIT_USAGE;
}

static int text_print(struct text *text)
{
	int r = fwrite(text->data, 1, text->length, stdout) == text->length && !fflush(stdout)
			? EXIT_DONE
			: EXIT_FAILED;

	text_free(text);
	return r;
}

static int print_version(void)
{
	struct text out = {0};

	text_add_string(&out, "nsview " NSVIEW_VERSION "\n");
	return text_print(&out);
}

static int help_overview(void)
{
	struct text out = {0};

	text_add_string(&out, "usage: nsview [COMMAND] [OPTIONS]\n\n"
			      "Shows every process as the host and as its container see it, with "
			      "what it may really do.\n\n");
	for (size_t i = 0; i < commands_count; i++)
		text_printf(&out, "  %-8s%s\n", commands[i]->name, commands[i]->summary);
	text_add_string(
		&out,
		"\nWithout a command: top on a terminal, ps otherwise. Every command has its own --help.\n\n");
	options_help(&out, global_option_table);
	return text_print(&out);
}

static int help_command(const struct command *command)
{
	struct text out = {0};

	text_printf(&out, "usage: nsview %s %s\n\n%s\n", command->name, command->usage,
		    command->summary);
	if (command->details)
		text_printf(&out, "\n%s\n", command->details);
	text_add_char(&out, '\n');
	if (command->options)
		options_help(&out, command->options);
	options_help(&out, global_option_table);
	text_printf(&out, "\nexample:\n  $ %s\n", command->example);
	return text_print(&out);
}

/* What is meant when no command is named: a live table where one can be shown. */
static const struct command *command_usual(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) ? &top_command : &ps_command;
}

/* A command's own options and the global ones, seen as one table. */
static int command_run(const struct command *command, bool is_named, struct global_options *global,
		       int argc, char **argv)
{
	static const struct option no_options[] = {OPTIONS_END};
	size_t global_at = (command->options_size + 15) & ~(size_t)15;
	autofree char *target = mem_new(global_at + sizeof(*global));
	const struct option table[] = {
		{.kind = OPTION_INCLUDE,
		 .include = command->options ? command->options : no_options},
		{.kind = OPTION_INCLUDE, .include = global_option_table, .offset = global_at},
		OPTIONS_END,
	};
	struct app app = {0};
	int exit_code = EXIT_USAGE;

	memcpy(target + global_at, global, sizeof(*global));
	if (options_parse(table, target, command->stops_at_word, &argc, argv))
		goto out;
	memcpy(global, target + global_at, sizeof(*global));
	if (global->wants_version) {
		exit_code = print_version();
	} else if (global->wants_help) {
		exit_code = is_named ? help_command(command) : help_overview();
	} else {
		app.btf_path = global->btf_path;
		app.host_root = global->host_root;
		facts_read(&app.facts, app.host_root);
		exit_code = command->run(&app, target, argc, argv);
	}
out:
	options_free(table, target);
	return exit_code;
}

/* 0: not a global option; else how many words it takes. */
static int global_words(const char *word)
{
	static const char *const alone[] = {"--version", "--help", "-h"};
	static const char *const with_value[] = {"--btf", "--host-root"};

	for (size_t i = 0; i < ARRAY_SIZE(alone); i++) {
		if (!strcmp(word, alone[i]))
			return 1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(with_value); i++) {
		size_t length = strlen(with_value[i]);

		if (!strncmp(word, with_value[i], length) && (!word[length] || word[length] == '='))
			return word[length] ? 1 : 2;
	}
	return 0;
}

/* The index of the command's word, argc when there is none: only global options, with their values, may
 * stand before it. After another option no command comes. */
static int command_word(int argc, char **argv)
{
	int i = 1;

	while (i < argc && global_words(argv[i]))
		i += global_words(argv[i]);
	return i < argc && (argv[i][0] != '-' || !argv[i][1]) ? i : argc;
}

int command_main(int argc, char **argv)
{
	struct global_options global = {0};
	int word = command_word(argc, argv);
	const struct command *command;
	int before = word;

	if (word >= argc)
		return command_run(command_usual(), false, &global, argc, argv);
	if (!strcmp(argv[word], "aux")) /* as fingers type it */
		return command_run(&ps_command, false, &global, argc, argv);
	command = command_find(argv[word]);
	if (!command)
		return command_unknown(argv[word]);
	if (options_parse(global_option_table, &global, true, &before, argv))
		return EXIT_USAGE;
	return command_run(command, true, &global, argc - word, argv + word);
}
