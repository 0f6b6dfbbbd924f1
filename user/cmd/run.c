/* SPDX-License-Identifier: GPL-2.0-only */
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/options.h"
#include "cmd/print.h"
#include "cmd/run_list.h"
#include "launch/detach.h"
#include "launch/image.h"
#include "launch/launch.h"
#include "launch/spec.h"

struct run_options {
	struct spec spec; /* all but the lists, which are grown here first */
	struct option_list cap_add;
	struct option_list cap_drop;
	struct option_list volumes;
	struct option_list security_opts;
	struct option_list environment;
	bool is_detached;
	bool is_list;
	bool is_json;
	const char *stop;
	bool is_removed;
};

#define RUN_KILLED (128 + SIGKILL)
#define RUN_OPTION(kind_, field) .kind = (kind_), .offset = offsetof(struct run_options, field)

static const struct option run_option_table[] = {
	{.name = "name",
	 .argument = "NAME",
	 .help = "what ps shows as CONTAINER (default: its id)",
	 RUN_OPTION(OPTION_TEXT, spec.name)},
	{.name = "user",
	 .letter = 'u',
	 .argument = "UID[:GID]",
	 .help = "run COMMAND as this user of the container, a number or a name (default: root)",
	 RUN_OPTION(OPTION_TEXT, spec.user)},
	{.name = "cap-add",
	 .argument = "CAP",
	 .help = "add a capability to docker's default set: NAME, CAP_NAME or ALL",
	 RUN_OPTION(OPTION_LIST, cap_add)},
	{.name = "cap-drop",
	 .argument = "CAP",
	 .help = "take a capability away: NAME, CAP_NAME or ALL",
	 RUN_OPTION(OPTION_LIST, cap_drop)},
	{.name = "volume",
	 .letter = 'v',
	 .argument = "SRC:DST[:MODE]",
	 .help = "show the host's SRC at DST; MODE: ro, [r]shared, [r]slave, [r]private",
	 RUN_OPTION(OPTION_LIST, volumes)},
	{.name = "image",
	 .argument = "ARCHIVE",
	 .help = "the files and defaults of an image: what docker save wrote, or an OCI layout",
	 .absent = &image_absent,
	 RUN_OPTION(OPTION_TEXT, spec.image)},
	{.name = "rootfs",
	 .argument = "DIR",
	 .help = "the files are those of DIR, which stays as it is (default: this machine's programs)",
	 RUN_OPTION(OPTION_TEXT, spec.rootfs)},
	{.name = "read-only",
	 .help = "make the root read-only; volumes and /dev stay as they are",
	 RUN_OPTION(OPTION_FLAG, spec.is_read_only)},
	{.name = "privileged",
	 .help = "every capability that nsview has, no system call filter, nothing hidden",
	 RUN_OPTION(OPTION_FLAG, spec.is_privileged)},
	{.name = "security-opt",
	 .argument = "WORD",
	 .help = "no-new-privileges, or seccomp=unconfined; repeatable",
	 RUN_OPTION(OPTION_LIST, security_opts)},
	{.name = "cpus",
	 .argument = "NUMBER",
	 .help = "at most so many CPUs' time: .5, 2",
	 RUN_OPTION(OPTION_TEXT, spec.cpus)},
	{.name = "memory",
	 .letter = 'm',
	 .argument = "BYTES",
	 .help = "at most so much memory, and as much swap again: 500m, 2g",
	 RUN_OPTION(OPTION_TEXT, spec.memory)},
	{.name = "pids-limit",
	 .argument = "NUMBER",
	 .help = "at most so many processes and threads",
	 RUN_OPTION(OPTION_TEXT, spec.pids_limit)},
	{.name = "network",
	 .argument = "none|host",
	 .help = "only a loopback interface (default), or the host's network",
	 RUN_OPTION(OPTION_TEXT, spec.network)},
	{.name = "pid",
	 .argument = "host",
	 .help = "see and number processes as the host does",
	 RUN_OPTION(OPTION_TEXT, spec.pid)},
	{.name = "ipc",
	 .argument = "host",
	 .help = "the host's System V IPC and message queues",
	 RUN_OPTION(OPTION_TEXT, spec.ipc)},
	{.name = "uts",
	 .argument = "host",
	 .help = "the host's name",
	 RUN_OPTION(OPTION_TEXT, spec.uts)},
	{.name = "userns",
	 .argument = "host|auto",
	 .help = "the host's users (default as root), or users that are nobody on the host",
	 RUN_OPTION(OPTION_TEXT, spec.userns)},
	{.name = "env",
	 .letter = 'e',
	 .argument = "NAME[=VALUE]",
	 .help = "set a variable of COMMAND's environment; without a value, to nsview's own",
	 RUN_OPTION(OPTION_LIST, environment)},
	{.name = "workdir",
	 .letter = 'w',
	 .argument = "DIR",
	 .help = "start COMMAND in this directory of the container; made when it is not there",
	 RUN_OPTION(OPTION_TEXT, spec.workdir)},
	{.name = "hostname",
	 .argument = "NAME",
	 .help = "what the container calls itself (default: its id)",
	 RUN_OPTION(OPTION_TEXT, spec.hostname)},
	{.name = "interactive",
	 .letter = 'i',
	 .help = "let COMMAND read standard input (default: it reads /dev/null)",
	 RUN_OPTION(OPTION_FLAG, spec.keeps_stdin)},
	{.name = "tty",
	 .letter = 't',
	 .help = "give COMMAND a terminal of its own; with -i, type into it",
	 RUN_OPTION(OPTION_FLAG, spec.has_terminal)},
	{.name = "detach",
	 .letter = 'd',
	 .help = "print the container's name and return when COMMAND runs; it goes on",
	 RUN_OPTION(OPTION_FLAG, is_detached)},
	{.name = "rm",
	 .help = "accepted for habit's sake: nothing ever remains of a sample container",
	 RUN_OPTION(OPTION_FLAG, is_removed)},
	{.name = "list",
	 .help = "only list the containers that run",
	 RUN_OPTION(OPTION_FLAG, is_list)},
	{.name = "json", .help = "with --list: as JSON", RUN_OPTION(OPTION_FLAG, is_json)},
	{.name = "stop",
	 .argument = "NAME",
	 .help = "only stop this container: SIGTERM, after 10 seconds SIGKILL",
	 RUN_OPTION(OPTION_TEXT, stop)},
	OPTIONS_END,
};

static void run_take_lists(struct run_options *run)
{
	struct spec *spec = &run->spec;

	spec->cap_add = run->cap_add.items;
	spec->cap_add_count = run->cap_add.count;
	spec->cap_drop = run->cap_drop.items;
	spec->cap_drop_count = run->cap_drop.count;
	spec->volumes = run->volumes.items;
	spec->volumes_count = run->volumes.count;
	spec->security_opts = run->security_opts.items;
	spec->security_opts_count = run->security_opts.count;
	spec->environment = run->environment.items;
	spec->environment_count = run->environment.count;
}

static int run_detached(const struct spec *spec)
{
	struct detached detached;
	struct text out = {0};
	int exit_code;

	if (detach_start(spec, &detached, &exit_code))
		return exit_code;
	text_printf(&out, "%s\n", detached.name);
	exit_code = print_text(&out);
	if (exit_code != EXIT_DONE) {
		detach_cancel(&detached);
		return exit_code;
	}
	return detach_release(&detached) ? EXIT_FAILED : EXIT_DONE;
}

static int run_attached(const struct spec *spec)
{
	struct launch *launch = NULL;
	int exit_code;

	if (launch_start(spec, &launch, &exit_code))
		return exit_code;
	exit_code = launch_wait(launch);
	if (exit_code == RUN_KILLED && launch_oom_kills(launch))
		log_note("%s was killed: the container had no more memory than its limit",
			 spec->command[0]);
	launch_free(launch);
	return exit_code;
}

/* --list and --stop: about containers that run, and no COMMAND. */
static int run_others(const struct run_options *run, int argc, char **argv)
{
	if (argc > 1 || (run->is_list && run->stop)) {
		log_error(0, "run %s takes no %s: it starts nothing",
			  run->stop ? "--stop" : "--list", argc > 1 ? argv[1] : "--list");
		return EXIT_USAGE;
	}
	return run->stop ? run_stop(run->stop) : run_list(run->is_json);
}

static int run_main(struct app *app, void *options, int argc, char **argv)
{
	struct run_options *run = options;
	struct spec *spec = &run->spec;

	(void)app;
	if (run->is_list || run->stop)
		return run_others(run, argc, argv);
	if (argc < 2 && !spec->image) {
		log_error(0, "cannot run nothing: give a COMMAND, such as `nsview run sleep 60`");
		return EXIT_USAGE;
	}
	if (spec->keeps_stdin && spec->has_terminal && !run->is_detached && !isatty(STDIN_FILENO)) {
		log_error(0, "the input device is not a TTY: leave -t out when standard input is a "
			     "file or a pipe");
		return EXIT_FAILED;
	}
	/* Anybody else's is in a user namespace, and root's with --userns auto is refused. */
	if (spec->is_privileged && !geteuid() && !(spec->userns && strcmp(spec->userns, "host")))
		log_note("--privileged: root in this container is root of this machine");
	run_take_lists(run);
	spec_use_own_stdio(spec);
	spec->command = argv + 1;
	return run->is_detached ? run_detached(spec) : run_attached(spec);
}

const struct command run_command = {
	.name = "run",
	.usage = "[OPTIONS] [--] COMMAND [ARG...]",
	.summary = "run COMMAND in a sample container, with docker's words",
	.details =
		"COMMAND is one of this machine's own programs: its /usr, /etc and so on are there,\n"
		"read-only, and everything else is private and gone at the end. No image is needed.\n"
		"Exit status: COMMAND's own, 128+N when signal N ended it, 125 when nsview could not\n"
		"make the container, 126 when COMMAND cannot be executed, 127 when it is not there.",
	.example = "nsview run --name web --cap-drop ALL sleep 3600",
	.options = run_option_table,
	.options_size = sizeof(struct run_options),
	.stops_at_word = true,
	.run = run_main,
};
