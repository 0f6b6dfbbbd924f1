/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/command.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/demo_image.h"
#include "cmd/demo_page.h"
#include "cmd/demo_scenes.h"
#include "cmd/demo_stage.h"
#include "cmd/demo_trial_scenes.h"
#include "cmd/demo_trials.h"
#include "cmd/print.h"
#include "launch/image.h"
#include "launch/launch.h"
#include "launch/spec.h"
#include "model/model.h"
#include "output/output.h"

#define DEMO_ARGS_MAX 4096
#define DEMO_KERNEL_MAX 128

static char *const demo_sleep[] = {(char[]){"sleep"}, (char[]){"60"}, NULL};
static char *const demo_uname[] = {(char[]){"uname"}, (char[]){"-r"}, NULL};

struct demo {
	struct stage stage;
	struct demo_image image;
	size_t scene; /* the number of the one being shown, from 1 */
	bool is_contradicted;
	int exit_code; /* not EXIT_DONE: it cannot go on, and why has been said */
};

static void demo_print(struct demo *demo, struct text *out)
{
	int exit_code = print_text(out);

	if (exit_code != EXIT_DONE)
		demo->exit_code = exit_code;
}

static void demo_add_title(struct demo *demo, struct text *out, const char *title)
{
	text_printf(out, "%zu. %s\n\n", ++demo->scene, title);
}

/* The end of a scene: what it says, and what its end means for the demo. */
static void demo_close_scene(struct demo *demo, enum stage_end end, struct text *out,
			     struct text *said)
{
	if (end == STAGE_FAILED)
		demo->exit_code = EXIT_FAILED;
	demo->is_contradicted |= end == STAGE_CONTRADICTED;
	if (end == STAGE_FAILED || end == STAGE_INTERRUPTED) {
		text_free(out);
	} else {
		if (said->length) {
			text_add_string(out, out->data[out->length - 2] == '\n' ? "" : "\n");
			page_add_paragraph(out, text_string(said));
		}
		demo_print(demo, out);
	}
	text_free(said);
}

/* What the table of these processes looks like. */
static int demo_add_rows(struct demo *demo, struct text *out, const char *const *keys,
			 const struct proc *const *procs, size_t count)
{
	static const char *const usual[SCENE_COLUMNS_MAX] = {
		"container", "user", "pid", "in-user", "in-pid", "caps", "command"};
	const struct column *columns[SCENE_COLUMNS_MAX];
	struct output_options options = {.columns = columns};
	autofree char *table = NULL;
	const char *nearest;
	size_t size = 0;
	FILE *stream;
	int r;

	if (!keys[0])
		keys = usual;
	for (size_t i = 0; i < SCENE_COLUMNS_MAX && keys[i]; i++)
		columns[options.columns_count++] = column_find(keys[i], &nearest);
	stream = open_memstream(&table, &size);
	if (!stream)
		return log_fail(-errno, "make the table");
	r = output_table.write(stream, &options, &demo->stage.session.view, procs, count);
	fclose(stream);
	if (r)
		return log_fail(r, "make the table");
	page_add_printed(out, table, size);
	return 0;
}

/* The process that a scene is about, and another one beside it: nsview's own where the scene
 * compares with the host, the container's first where that is not the first. */
static int demo_add_scene_rows(struct demo *demo, const struct scene *scene,
			       const struct proc *proc, struct text *out)
{
	const struct proc *procs[2];
	size_t count = 0;
	const struct proc *own = stage_find(&demo->stage, getpid());
	const struct stage_actor *actor = stage_actor(&demo->stage, scene->spec.name);
	const struct proc *first = actor ? stage_find(&demo->stage, actor->pid) : NULL;
	struct text command = {0};

	if (scene->shows_host_row && own) {
		procs[count++] = own;
		text_printf(&command, "nsview ps --pid %u,%u", own->task->tgid, proc->task->tgid);
	} else {
		text_printf(&command, "nsview ps --container %s", scene->spec.name);
	}
	if (scene->is_joined && first)
		procs[count++] = first;
	procs[count++] = proc;
	if (scene->columns[0])
		text_add_string(&command, " -o ");
	for (size_t i = 0; i < SCENE_COLUMNS_MAX && scene->columns[i]; i++)
		text_printf(&command, "%s%s", i ? "," : "", scene->columns[i]);
	page_add_command(out, text_string(&command));
	text_free(&command);
	return demo_add_rows(demo, out, scene->columns, procs, count);
}

static enum stage_end demo_judge(struct demo *demo, const struct scene *scene, struct text *out,
				 struct text *said)
{
	const struct view_context *view = &demo->stage.session.view;
	const struct proc *proc;

	if (session_snapshot(&demo->stage.session) != EXIT_DONE)
		return STAGE_FAILED;
	proc = stage_find(&demo->stage, demo->stage.actors[demo->stage.count - 1].pid);
	if (proc && demo_add_scene_rows(demo, scene, proc, out))
		return STAGE_FAILED;
	if (proc && scene_judge(scene, view, proc, said))
		return STAGE_SHOWN;
	text_clear(said);
	text_printf(said, "This was to show %s. What was read instead: ", scene->claim);
	if (proc)
		scene_describe(view, proc, said);
	else
		text_add_string(said, "no such process");
	text_add_char(said, '.');
	return STAGE_CONTRADICTED;
}

/* Another process for the container of that name. */
static enum stage_end demo_join(struct stage *stage, const char *name, struct text *out,
				struct text *said)
{
	const struct stage_actor *container = stage_actor(stage, name);
	struct stage_actor *actor = &stage->actors[stage->count];
	struct text note = {0};

	if (!container) {
		text_printf(said, "There is no container %s here that a process could join.", name);
		return STAGE_FORBIDDEN;
	}
	text_printf(&note, "(sleep 60 joins %s, as docker exec %s sleep 60 would)", name, name);
	page_add_printed(out, note.data, note.length);
	text_free(&note);
	if (launch_join(container->launch, demo_sleep, &actor->joined))
		return STAGE_FAILED;
	actor->pid = actor->joined.pid;
	stage->count++;
	return STAGE_SHOWN;
}

/* With the host's programs, because the image has none. */
static enum stage_end demo_add_image(struct demo *demo, struct spec *spec, struct text *out,
				     struct text *said)
{
	static const char note[] = "(demo.tar, made for this, says USER " DEMO_IMAGE_USER ")";
	const char *lack = image_find_lack();
	int r;

	if (lack) {
		text_printf(said, "It cannot be shown here: %s.", lack);
		return STAGE_FORBIDDEN;
	}
	r = demo_image_make(&demo->image);
	if (r) {
		text_printf(said, "This host does not allow it: an archive in memory: %s.",
			    strerror(-r));
		return STAGE_FORBIDDEN;
	}
	spec->volumes = demo->image.volumes;
	spec->volumes_count = demo->image.volumes_count;
	spec->image = "demo.tar";
	page_add_printed(out, note, strlen(note));
	page_add_run(out, spec, "sleep 60");
	spec->image = demo->image.path;
	return stage_add(&demo->stage, spec, said);
}

static void demo_show_scene(struct demo *demo, const struct scene *scene)
{
	struct text out = {0}, said = {0};
	struct spec spec = scene->spec;
	enum stage_end end;

	demo_add_title(demo, &out, scene->title);
	spec_use_own_stdio(&spec);
	spec.command = demo_sleep;
	if (scene->is_joined) {
		end = demo_join(&demo->stage, spec.name, &out, &said);
	} else if (scene->has_image) {
		end = demo_add_image(demo, &spec, &out, &said);
	} else {
		page_add_run(&out, &spec, "sleep 60");
		end = stage_add(&demo->stage, &spec, &said);
	}
	if (end == STAGE_SHOWN)
		end = demo_judge(demo, scene, &out, &said);
	demo_close_scene(demo, end, &out, &said);
}

/* What a container's command prints, its line end cut off. */
static enum stage_end demo_capture(char *const *command, char printed[DEMO_KERNEL_MAX],
				   struct text *said)
{
	struct launch *launch = NULL;
	struct spec spec = {.command = command};
	enum stage_end end;
	int pipe_fds[2];
	size_t length = 0;
	ssize_t got;

	if (pipe2(pipe_fds, O_CLOEXEC)) {
		log_fail(-errno, "make a pipe from the container");
		return STAGE_FAILED;
	}
	spec_use_own_stdio(&spec);
	spec.stdio[1] = pipe_fds[1];
	end = stage_launch(&spec, &launch, said);
	close(pipe_fds[1]);
	while (end == STAGE_SHOWN && length + 1 < DEMO_KERNEL_MAX && stage_await(pipe_fds[0], -1) &&
	       (got = read(pipe_fds[0], printed + length, DEMO_KERNEL_MAX - 1 - length)) > 0)
		length += got;
	/* First, or an interrupted command would complain of a pipe that nobody reads. */
	launch_free(launch);
	close(pipe_fds[0]);
	printed[length] = '\0';
	printed[strcspn(printed, "\n")] = '\0';
	return stage_is_interrupted() ? STAGE_INTERRUPTED : end;
}

/* The first scene is about what does not differ. */
static void demo_show_kernel(struct demo *demo)
{
	const char *outside = demo->stage.session.app->facts.release;
	struct text out = {0}, said = {0};
	char inside[DEMO_KERNEL_MAX];
	enum stage_end end;

	demo_add_title(demo, &out, "One kernel");
	page_add_command(&out, "uname -r");
	page_add_printed(&out, outside, strlen(outside));
	page_add_command(&out, "nsview run uname -r");
	end = demo_capture(demo_uname, inside, &said);
	if (end == STAGE_SHOWN) {
		bool is_one = !strcmp(inside, outside);

		page_add_printed(&out, inside, strlen(inside));
		text_printf(
			&said,
			is_one ? "Both times %s: a container brings programs of its own, never "
				 "a kernel. Its processes are processes of this host."
			       : "This was to show one kernel. What was read instead is not %s.",
			outside);
		end = is_one ? STAGE_SHOWN : STAGE_CONTRADICTED;
	}
	demo_close_scene(demo, end, &out, &said);
}

static void demo_show_trial(struct demo *demo, const struct trial_scene *scene)
{
	struct text out = {0}, said = {0};

	demo_add_title(demo, &out, scene->title);
	demo_close_scene(demo, trial_play(scene, &demo->stage, &out, &said), &out, &said);
}

static bool demo_may_the_same(const struct demo *demo, const struct proc *one,
			      const struct proc *other)
{
	const struct model *model = demo->stage.session.model;

	return one->task->caps[CAP_SET_EFFECTIVE] == other->task->caps[CAP_SET_EFFECTIVE] &&
	       proc_is_host_effective(one, model) == proc_is_host_effective(other, model);
}

/* How many are root inside, and what that may mean. */
static void demo_count_roots(const struct demo *demo, const struct proc *const *procs, size_t count,
			     struct text *said)
{
	const struct proc *roots[STAGE_ACTORS_MAX];
	size_t roots_count = 0, answers = 0;

	for (size_t i = 0; i < count; i++) {
		bool is_new = true;

		if (procs[i]->task->in_ids.euid)
			continue;
		for (size_t j = 0; j < roots_count && is_new; j++)
			is_new = !demo_may_the_same(demo, roots[j], procs[i]);
		answers += is_new;
		roots[roots_count++] = procs[i];
	}
	text_printf(
		said,
		"%zu of these %zu processes are root inside, with %zu different answers to what "
		"that may do here: USER and PID are what ps says on the host, IN-USER and "
		"IN-PID what ps says inside, CAPS what the process may really do.",
		roots_count, count, answers);
}

/* The containers are all still running: the last scene shows them as one list. */
static void demo_show_all(struct demo *demo)
{
	static const char *const usual[] = {NULL};
	const struct proc *procs[STAGE_ACTORS_MAX];
	struct text out = {0}, said = {0};
	size_t count = 0;
	enum stage_end end = STAGE_SHOWN;

	demo_add_title(demo, &out, "All of them, side by side");
	page_add_command(&out, "nsview ps --runtime nsview");
	if (session_snapshot(&demo->stage.session) != EXIT_DONE)
		end = STAGE_FAILED;
	for (size_t i = 0; end == STAGE_SHOWN && i < demo->stage.count; i++) {
		const struct proc *proc = stage_find(&demo->stage, demo->stage.actors[i].pid);

		if (proc)
			procs[count++] = proc;
	}
	if (end == STAGE_SHOWN && demo_add_rows(demo, &out, usual, procs, count))
		end = STAGE_FAILED;
	demo_count_roots(demo, procs, count, &said);
	demo_close_scene(demo, end, &out, &said);
}

static bool demo_goes_on(const struct demo *demo)
{
	return demo->exit_code == EXIT_DONE && !stage_is_interrupted();
}

static void demo_play(struct demo *demo)
{
	struct text out = {0};

	page_add_paragraph(&out, "Each scene starts a real container with the command it shows. "
				 "What stands below was read from the running kernel while it "
				 "ran.");
	demo_print(demo, &out);
	if (demo_goes_on(demo))
		demo_show_kernel(demo);
	for (size_t i = 0; i < demo_scenes_count && demo_goes_on(demo); i++)
		demo_show_scene(demo, &demo_scenes[i]);
	for (size_t i = 0; i < trial_scenes_count && demo_goes_on(demo); i++)
		demo_show_trial(demo, &trial_scenes[i]);
	if (demo_goes_on(demo))
		demo_show_all(demo);
}

static int demo_run(struct app *app, void *options, int argc, char **argv)
{
	const struct select_options everything = {0};
	struct demo demo = {.image.fd = -1};
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
	stage_interrupt_signals(&set);
	sigprocmask(SIG_BLOCK, &set, &old_mask);
	demo.exit_code = session_open(&demo.stage.session, app, &everything, DEMO_ARGS_MAX);
	if (demo.exit_code == EXIT_DONE)
		demo_play(&demo);
	stage_clear(&demo.stage);
	demo_image_free(&demo.image);
	session_close(&demo.stage.session);
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
