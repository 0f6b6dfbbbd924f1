/* SPDX-License-Identifier: GPL-2.0-only */
/* A word the user types is one row of commands.c. */
#ifndef NSVIEW_CMD_COMMAND_H
#define NSVIEW_CMD_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "host/facts.h"

struct option;

/* cli.md's exit codes; `run` passes its child's on instead. */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_IMPOSSIBLE = 3, /* not possible here, or not completely enough to answer */
};

/* What every command gets. */
struct app {
	struct facts facts;
	const char *btf_path;  /* --btf */
	const char *host_root; /* --host-root */
};

struct command {
	const char *name;
	const char *usage;   /* what follows the name: "[OPTIONS] [--] COMMAND [ARG...]" */
	const char *summary; /* one line for the list of commands */
	const char *details; /* further lines of --help; NULL: none */
	const char *example; /* one line, without the "$ " */
	const struct option *options;
	size_t options_size; /* of the struct the options fill */
	bool stops_at_word;  /* run: the first word is the command's */
	/* argv[1..] are the words that were no options. Returns an exit code. */
	int (*run)(struct app *app, void *options, int argc, char **argv);
};

extern const struct command *const commands[];
extern const size_t commands_count;

/* Picks the command, parses, runs: main() after locale and signals. */
int command_main(int argc, char **argv);

extern const struct command top_command;
extern const struct command ps_command;
extern const struct command events_command;
extern const struct command run_command;
extern const struct command demo_command;
extern const struct command doctor_command;
extern const struct command caps_command;

#endif
