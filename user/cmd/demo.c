/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/command.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/demo_scenes.h"
#include "cmd/demo_trials.h"
#include "cmd/print.h"
#include "cmd/session.h"
#include "host/caps.h"
#include "launch/launch.h"
#include "launch/privilege.h"
#include "launch/spec.h"
#include "model/model.h"
#include "output/output.h"

#define DEMO_INDENT "   "
#define DEMO_WIDTH 79
#define DEMO_ARGS_MAX 4096
#define DEMO_SCENES_MAX 16

static char *const demo_sleep[] = {(char[]){"sleep"}, (char[]){"60"}, NULL};
static char *const demo_uname[] = {(char[]){"uname"}, (char[]){"-r"}, NULL};

struct demo {
	struct session session;
	struct launch *launches[DEMO_SCENES_MAX]; /* of the scenes; NULL: could not be started */
	pid_t pids[DEMO_SCENES_MAX];
	size_t count;
	size_t scene; /* the number of the one being shown, from 1 */
	bool is_contradicted;
	int exit_code; /* not EXIT_DONE: it cannot go on, and why has been said */
};

/* The process that nsview itself knows by this pid: not the host's number where nsview runs in a
 * pid namespace. */
static const struct proc *demo_find(const struct demo *demo, pid_t pid)
{
	uint32_t own_ns = demo->session.app->facts.self_ns[NS_PID];
	size_t count;
	struct proc *procs = model_procs(demo->session.model, &count);

	for (size_t i = 0; i < count; i++) {
		for (size_t level = 0; level < procs[i].task->chain_count; level++) {
			const struct pid_level *known = &procs[i].chain[level];

			if (known->ns == own_ns && known->pid == (uint32_t)pid)
				return &procs[i];
		}
	}
	return NULL;
}

static void demo_interrupt_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
}

/* They are held back while the demo runs: it ends at the next step, with nothing left behind. */
static bool demo_is_interrupted(void)
{
	sigset_t set, pending;

	demo_interrupt_signals(&set);
	return !sigpending(&pending) &&
	       (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1 ||
		sigismember(&pending, SIGHUP) == 1);
}

static void demo_print(struct demo *demo, struct text *out)
{
	int exit_code = print_text(out);

	if (exit_code != EXIT_DONE)
		demo->exit_code = exit_code;
}

/* Words of one paragraph, indented and broken at DEMO_WIDTH. */
static void demo_add_paragraph(struct text *out, const char *paragraph)
{
	size_t column = 0;

	while (*paragraph) {
		size_t length = strcspn(paragraph, " ");

		if (column && column + 1 + text_width(paragraph, length) > DEMO_WIDTH) {
			text_add_char(out, '\n');
			column = 0;
		}
		if (column) {
			text_add_char(out, ' ');
			column++;
		} else {
			text_add_string(out, DEMO_INDENT);
			column = strlen(DEMO_INDENT);
		}
		text_add(out, paragraph, length);
		column += text_width(paragraph, length);
		paragraph += length + strspn(paragraph + length, " ");
	}
	text_add_string(out, "\n\n");
}

static void demo_add_title(struct demo *demo, struct text *out, const char *title)
{
	text_printf(out, "%zu. %s\n\n", ++demo->scene, title);
}

static void demo_add_command(struct text *out, const char *command)
{
	text_printf(out, DEMO_INDENT "$ %s\n", command);
}

/* What the table of these processes looks like, with an indent before each line. */
static int demo_add_rows(struct demo *demo, struct text *out, const struct proc *const *procs,
			 size_t count)
{
	static const char *const keys[] = {"container", "user", "pid",    "in-user",
					   "in-pid",    "caps", "command"};
	const struct column *columns[ARRAY_SIZE(keys)];
	const struct output_options options = {.columns = columns,
					       .columns_count = ARRAY_SIZE(keys)};
	autofree char *table = NULL;
	size_t size = 0;
	const char *nearest;
	FILE *stream;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		columns[i] = column_find(keys[i], &nearest);
	stream = open_memstream(&table, &size);
	if (!stream)
		return log_fail(-errno, "make the table");
	r = output_table.write(stream, &options, &demo->session.view, procs, count);
	fclose(stream);
	if (r)
		return log_fail(r, "make the table");
	for (char *line = table; line < table + size;) {
		char *end = memchr(line, '\n', table + size - line);
		size_t length = end ? (size_t)(end - line) : (size_t)(table + size - line);

		text_add_string(out, DEMO_INDENT);
		text_add(out, line, length);
		text_add_char(out, '\n');
		line += length + 1;
	}
	text_add_char(out, '\n');
	return 0;
}

/* Whether nsview has what the container is to get. Else says which it lacks, as part of the demo:
 * the other scenes can still be shown. */
static bool demo_can_give(const struct spec *spec, struct text *out)
{
	int cap_last = privilege_cap_last();
	struct text lacking = {0};
	uint64_t set = 0;

	if (spec_capabilities(spec, cap_last, &set))
		return false;
	set &= ~privilege_grantable(cap_last);
	if (!set)
		return true;
	text_add_string(&lacking, "This host does not allow it: nsview itself was not given");
	for (int i = 0; i <= cap_last; i++) {
		if (set >> i & 1)
			text_printf(&lacking, " %s", caps_name(i));
	}
	text_add_string(&lacking, " here, and nobody can pass on what he lacks.");
	demo_add_paragraph(out, text_string(&lacking));
	text_free(&lacking);
	return false;
}

static void demo_add_run(struct text *out, const struct scene *scene)
{
	struct text command = {0};

	text_printf(&command, "nsview run --name %s", scene->name);
	if (scene->user)
		text_printf(&command, " --user %s", scene->user);
	if (scene->cap_add)
		text_printf(&command, " --cap-add %s", scene->cap_add);
	if (scene->cap_drop)
		text_printf(&command, " --cap-drop %s", scene->cap_drop);
	if (scene->userns)
		text_printf(&command, " --userns %s", scene->userns);
	if (scene->is_privileged)
		text_add_string(&command, " --privileged");
	text_add_string(&command, " sleep 60");
	demo_add_command(out, text_string(&command));
	text_free(&command);
}

/* The container's process, and nsview's own where the scene compares with the host. */
static void demo_show_rows(struct demo *demo, const struct scene *scene, const struct proc *proc,
			   struct text *out)
{
	const struct proc *procs[2];
	size_t count = 0;
	struct text command = {0};
	const struct proc *own = demo_find(demo, getpid());

	if (scene->shows_host_row && own) {
		procs[count++] = own;
		text_printf(&command, "nsview ps --pid %u,%u", own->task->tgid, proc->task->tgid);
	} else {
		text_printf(&command, "nsview ps --container %s", scene->name);
	}
	procs[count++] = proc;
	demo_add_command(out, text_string(&command));
	text_free(&command);
	if (demo_add_rows(demo, out, procs, count))
		demo->exit_code = EXIT_FAILED;
}

static void demo_judge(struct demo *demo, const struct scene *scene, const struct proc *proc,
		       struct text *out)
{
	struct text said = {0};

	if (!proc || !scene_judge(scene, &demo->session.view, proc, &said)) {
		demo->is_contradicted = true;
		text_clear(&said);
		text_printf(&said, "This was to show %s. What was read instead: ", scene->claim);
		if (proc)
			scene_describe(&demo->session.view, proc, &said);
		else
			text_add_string(&said, "no such process");
		text_add_char(&said, '.');
	}
	demo_add_paragraph(out, text_string(&said));
	text_free(&said);
}

static void demo_show_scene(struct demo *demo, const struct scene *scene)
{
	struct text out = {0};
	struct spec spec;
	const struct proc *proc;
	int exit_code;

	demo_add_title(demo, &out, scene->title);
	demo_add_run(&out, scene);
	spec_defaults(&spec);
	spec.name = scene->name;
	spec.user = scene->user;
	spec.cap_add = &scene->cap_add;
	spec.cap_add_count = scene->cap_add ? 1 : 0;
	spec.cap_drop = &scene->cap_drop;
	spec.cap_drop_count = scene->cap_drop ? 1 : 0;
	spec.userns = scene->userns;
	spec.is_privileged = scene->is_privileged;
	spec.command = demo_sleep;
	if (!demo_can_give(&spec, &out)) {
		demo_print(demo, &out);
		return;
	}
	if (launch_start(&spec, &demo->launches[demo->count], &exit_code)) {
		demo->exit_code = EXIT_FAILED;
		text_free(&out);
		return;
	}
	demo->pids[demo->count] = launch_pid(demo->launches[demo->count]);
	demo->exit_code = session_snapshot(&demo->session);
	if (demo->exit_code == EXIT_DONE) {
		proc = demo_find(demo, demo->pids[demo->count++]);
		if (proc)
			demo_show_rows(demo, scene, proc, &out);
		demo_judge(demo, scene, proc, &out);
	}
	demo_print(demo, &out);
}

/* What a container's command prints, its line end cut off; -errno has been said. */
static int demo_capture(char *const *command, char *printed, size_t size)
{
	struct launch *launch = NULL;
	struct spec spec;
	int pipe_fds[2], exit_code, r;
	size_t length = 0;
	ssize_t got;

	if (pipe2(pipe_fds, O_CLOEXEC))
		return log_fail(-errno, "make a pipe from the container");
	spec_defaults(&spec);
	spec.command = command;
	spec.stdio[1] = pipe_fds[1];
	r = launch_start(&spec, &launch, &exit_code);
	close(pipe_fds[1]);
	while (!r && length + 1 < size &&
	       (got = read(pipe_fds[0], printed + length, size - 1 - length)) > 0)
		length += got;
	close(pipe_fds[0]);
	launch_free(launch);
	printed[length] = '\0';
	printed[strcspn(printed, "\n")] = '\0';
	return r;
}

/* The first scene is about what does not differ. */
static void demo_show_kernel(struct demo *demo)
{
	const char *outside = demo->session.app->facts.release;
	struct text out = {0}, said = {0};
	char inside[128];

	demo_add_title(demo, &out, "One kernel");
	if (demo_capture(demo_uname, inside, sizeof(inside))) {
		demo->exit_code = EXIT_FAILED;
		text_free(&out);
		return;
	}
	demo_add_command(&out, "uname -r");
	text_printf(&out, DEMO_INDENT "%s\n", outside);
	demo_add_command(&out, "nsview run uname -r");
	text_add_string(&out, DEMO_INDENT);
	text_add_printable(&out, inside, strlen(inside));
	text_add_string(&out, "\n\n");
	if (!strcmp(inside, outside)) {
		text_printf(&said,
			    "Both times %s: a container brings programs of its own, never a "
			    "kernel. Its processes are processes of this host.",
			    outside);
	} else {
		demo->is_contradicted = true;
		text_printf(&said,
			    "This was to show one kernel. What was read instead: %s on the "
			    "host and ",
			    outside);
		text_add_printable(&said, inside, strlen(inside));
		text_add_string(&said, " inside.");
	}
	demo_add_paragraph(&out, text_string(&said));
	text_free(&said);
	demo_print(demo, &out);
}

static void demo_show_trial(struct demo *demo, const struct trial_scene *scene)
{
	struct text out = {0}, said = {0};

	demo_add_title(demo, &out, scene->title);
	demo->is_contradicted |= !trial_play(scene, demo->pids[0], &out, &said);
	demo_add_paragraph(&out, text_string(&said));
	text_free(&said);
	demo_print(demo, &out);
}

/* The containers are all still running: the last scene shows them as one list. */
static void demo_show_all(struct demo *demo)
{
	const struct proc *procs[DEMO_SCENES_MAX];
	struct text out = {0};
	size_t count = 0;

	demo_add_title(demo, &out, "All of them, side by side");
	demo_add_command(&out, "nsview ps --runtime nsview");
	for (size_t i = 0; i < demo->count; i++) {
		const struct proc *proc = demo_find(demo, demo->pids[i]);

		if (proc)
			procs[count++] = proc;
	}
	if (demo_add_rows(demo, &out, procs, count))
		demo->exit_code = EXIT_FAILED;
	demo_add_paragraph(&out, "USER and PID are what ps says on the host, IN-USER and IN-PID "
				 "what ps says inside, CAPS what the process may really do.");
	demo_print(demo, &out);
}

static void demo_play(struct demo *demo)
{
	struct text out = {0};

	demo_add_paragraph(&out,
			   "Each scene starts a real container with the command it shows. What "
			   "stands below was read from the running kernel while it ran.");
	demo_print(demo, &out);
	if (demo->exit_code == EXIT_DONE)
		demo_show_kernel(demo);
	for (size_t i = 0; i < demo_scenes_count; i++) {
		if (demo->exit_code != EXIT_DONE || demo_is_interrupted())
			return;
		demo_show_scene(demo, &demo_scenes[i]);
	}
	for (size_t i = 0; i < trial_scenes_count; i++) {
		if (demo->exit_code != EXIT_DONE || demo_is_interrupted())
			return;
		demo_show_trial(demo, &trial_scenes[i]);
	}
	if (demo->exit_code == EXIT_DONE && !demo_is_interrupted())
		demo_show_all(demo);
}

static int demo_run(struct app *app, void *options, int argc, char **argv)
{
	const struct select_options everything = {0};
	struct demo demo = {0};
	sigset_t set, old_mask;

	(void)options;
	if (argc > 1) {
		log_error(0, "demo takes no word %s: it shows all its scenes", argv[1]);
		return EXIT_USAGE;
	}
	if (!(app->facts.cap_effective >> CAP_SYS_ADMIN & 1)) {
		log_error(0, "cannot make the demo's containers: that takes root (CAP_SYS_ADMIN); "
			     "try `sudo nsview demo`, and see `nsview doctor`");
		return EXIT_IMPOSSIBLE;
	}
	demo_interrupt_signals(&set);
	sigprocmask(SIG_BLOCK, &set, &old_mask);
	demo.exit_code = session_open(&demo.session, app, &everything, DEMO_ARGS_MAX);
	if (demo.exit_code == EXIT_DONE)
		demo_play(&demo);
	for (size_t i = 0; i < ARRAY_SIZE(demo.launches); i++)
		launch_free(demo.launches[i]);
	session_close(&demo.session);
	/* An interrupt that was held back ends nsview here, as the shell expects it to. */
	sigprocmask(SIG_SETMASK, &old_mask, NULL);
	if (demo.exit_code == EXIT_DONE && demo.is_contradicted)
		return EXIT_FAILED;
	return demo.exit_code;
}

const struct command demo_command = {
	.name = "demo",
	.usage = "",
	.summary = "what containers are, shown live on this machine",
	.details =
		"Starts sample containers, shows each as the host and as it sees itself, and\n"
		"ends them. Takes root and a few seconds; nothing is downloaded and nothing stays.\n"
		"Exit status 1: something was not as a scene claims; it says what was seen.",
	.example = "nsview demo",
	.run = demo_run,
};
