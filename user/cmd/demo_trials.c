/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/demo_trials.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/demo_folder.h"
#include "cmd/demo_page.h"
#include "host/cgroup.h"
#include "host/cgroup_limits.h"
#include "host/procfs.h"
#include "host/procstat.h"
#include "launch/launch.h"

#define TRIAL_STATUS_MAX 8192
#define TRIAL_CPU_TRIES 3 /* seconds; a busy machine may not have half a CPU to give in each */
#define TRIAL_CPU_MS 1000
#define TRIAL_NS_PER_SECOND 1000000000ULL
#define TRIAL_IN_FOLDER "/data"

/* One of a scene, while it is played. */
struct trial_run {
	const struct trial *trial;
	struct stage *stage;
	struct launch *launch;
	struct spec spec; /* the launch's, with the next two */
	char *variable;
	char *volume;
	struct folder folder;
	int output_fd;
	int input_fd;
	struct trial_seen *seen;
};

static bool trial_read_limits(const struct launch *launch, struct cgroup_limits *limits)
{
	struct cgroup_tree *tree = cgroup_tree_read();
	autoclose int proc_fd = procfs_open("/proc");
	bool is_read = proc_fd >= 0 && !cgroup_limits_read(tree, proc_fd, launch_pid(launch),
							   launch_name(launch), limits);

	cgroup_tree_free(tree);
	return is_read;
}

static uint64_t trial_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * TRIAL_NS_PER_SECOND + now.tv_nsec;
}

unsigned int trial_cpu_percent(const struct trial_seen *seen)
{
	return seen->wall_ns ? (unsigned int)(seen->cpu_ns * 100 / seen->wall_ns) : 0;
}

static bool trial_is_half(const struct trial_seen *seen)
{
	unsigned int percent = trial_cpu_percent(seen);

	return percent >= TRIAL_CPU_LEAST && percent <= TRIAL_CPU_MOST;
}

/* What the kernel has accounted to its cgroup in a second. */
static void trial_measure_cpu(const struct launch *launch, struct trial_seen *seen)
{
	uint64_t started = trial_now_ns(), periods = 0, throttled = 0;
	struct cgroup_limits before = {0}, after = {0};

	launch_cpu_periods(launch, &periods, &throttled);
	if (!trial_read_limits(launch, &before) || !stage_await(-1, TRIAL_CPU_MS) ||
	    !trial_read_limits(launch, &after))
		return;
	seen->cpu_ns = after.facts[CGROUP_CPU_USAGE] - before.facts[CGROUP_CPU_USAGE];
	seen->wall_ns = trial_now_ns() - started;
	seen->cpu_limit_nano = after.facts[CGROUP_CPU_LIMIT];
	if (!launch_cpu_periods(launch, &seen->periods, &seen->throttled)) {
		seen->periods -= periods;
		seen->throttled -= throttled;
	}
}

/* A zombie still says who it was. */
static void trial_read_process(const struct launch *launch, struct trial_seen *seen)
{
	autoclose int proc_fd = procfs_open("/proc");
	struct text content = {0};
	struct procstatus status;

	seen->pid = launch_pid(launch);
	if (proc_fd >= 0 &&
	    procfs_read(proc_fd, seen->pid, "status", TRIAL_STATUS_MAX, &content) >= 0 &&
	    !procstat_parse_status(content.data, content.length, &status)) {
		seen->euid = status.ids.euid;
		memcpy(seen->caps, status.caps, sizeof(seen->caps));
		seen->is_known = true;
	}
	text_free(&content);
	launch_memory_limit(launch, &seen->memory_limit_bytes);
}

/* False: it was interrupted. */
static bool trial_read_output(int fd, struct trial_seen *seen)
{
	size_t length = 0;
	bool is_whole;
	ssize_t got;

	while ((is_whole = stage_await(fd, -1)) && length + 1 < sizeof(seen->printed) &&
	       (got = read(fd, seen->printed + length, sizeof(seen->printed) - 1 - length)) > 0)
		length += got;
	while (length && seen->printed[length - 1] == '\n')
		length--;
	seen->printed[length] = '\0';
	return is_whole;
}

/* Looks at it in a snapshot of its own, and then lets it go on. */
static enum stage_end trial_let_go(const struct trial_run *run, struct text *said)
{
	const struct proc *proc;

	if (session_snapshot(&run->stage->session))
		return STAGE_FAILED;
	proc = stage_find(run->stage, launch_pid(run->launch));
	if (!proc) {
		text_add_string(said, "It was not tried: its process could not be read.");
		return STAGE_CONTRADICTED;
	}
	if (!run->trial->may_go_on(run->stage, proc, said))
		return STAGE_CONTRADICTED;
	if (write(run->input_fd, "\n", 1) != 1) {
		log_fail(-errno, "let the container's command go on");
		return STAGE_FAILED;
	}
	return STAGE_SHOWN;
}

static enum stage_end trial_watch(struct trial_run *run, struct text *said)
{
	struct trial_seen *seen = run->seen;
	enum stage_end end = run->trial->may_go_on ? trial_let_go(run, said) : STAGE_SHOWN;

	if (end != STAGE_SHOWN)
		return end;
	if (run->trial->is_busy) {
		for (int i = 0; i < TRIAL_CPU_TRIES && !trial_is_half(seen); i++)
			trial_measure_cpu(run->launch, seen);
		trial_read_process(run->launch, seen);
		return stage_is_interrupted() ? STAGE_INTERRUPTED : STAGE_SHOWN;
	}
	if (!trial_read_output(run->output_fd, seen))
		return STAGE_INTERRUPTED;
	trial_read_process(run->launch, seen);
	seen->status = launch_wait(run->launch);
	seen->oom_kills = launch_oom_kills(run->launch);
	/* An interrupt was held back for the demo; launch_wait has taken it. */
	if (seen->status == 128 + SIGINT || seen->status == 128 + SIGTERM ||
	    seen->status == 128 + SIGHUP)
		raise(seen->status - 128);
	return STAGE_SHOWN;
}

static void trial_add_seen(const struct trial_run *run, struct text *out)
{
	const struct trial_seen *seen = run->seen;
	struct text line = {0};

	page_add_printed(out, seen->printed, strlen(seen->printed));
	if (run->trial->is_busy)
		text_printf(&line, "(%" PRIu64 " ms of CPU time in %" PRIu64 " ms)",
			    seen->cpu_ns / 1000000, seen->wall_ns / 1000000);
	else if (seen->status > 128)
		text_printf(&line, "(exit status %d: signal %d, %s)", seen->status,
			    seen->status - 128, strsignal(seen->status - 128));
	else
		text_printf(&line, "(exit status %d)", seen->status);
	page_add_printed(out, line.data, line.length);
	if (run->trial->has_folder && seen->has_owner) {
		text_clear(&line);
		text_printf(&line, "stat -c %%u %s/" FOLDER_FILE, run->folder.path);
		page_add_command(out, text_string(&line));
		text_clear(&line);
		text_printf(&line, "%u", seen->owner);
		page_add_printed(out, line.data, line.length);
	}
	text_free(&line);
}

/* pipes: its standard output, and its input. */
static enum stage_end trial_start(struct trial_run *run, int pipes[2][2], struct text *out,
				  struct text *said)
{
	const struct trial *trial = run->trial;
	const struct stage_actor *peer = trial->peer ? stage_actor(run->stage, trial->peer) : NULL;
	autofree char *shown = mem_printf(trial->shown, peer ? peer->pid : 0);
	struct spec *spec = &run->spec;

	*spec = trial->spec;
	spec->command = trial->command;
	run->variable = mem_printf("PEER=%d", peer ? peer->pid : 0);
	run->volume = mem_printf("%s:" TRIAL_IN_FOLDER, run->folder.path);
	if (peer) {
		spec->environment = (const char *const *)&run->variable;
		spec->environment_count = 1;
	}
	if (trial->has_folder) {
		spec->volumes = (const char *const *)&run->volume;
		spec->volumes_count = 1;
	}
	spec->keeps_stdin = trial->may_go_on;
	spec->stdio[0] = pipes[1][0];
	spec->stdio[1] = spec->stdio[2] = pipes[0][1];
	page_add_run(out, spec, shown);
	return stage_launch(spec, &run->launch, said);
}

static enum stage_end trial_run_in(struct trial_run *run, struct text *out, struct text *said)
{
	int pipes[2][2];
	enum stage_end end;

	if (pipe2(pipes[0], O_CLOEXEC)) {
		log_fail(-errno, "make a pipe from the container");
		return STAGE_FAILED;
	}
	if (pipe2(pipes[1], O_CLOEXEC)) {
		log_fail(-errno, "make a pipe to the container");
		close(pipes[0][0]);
		close(pipes[0][1]);
		return STAGE_FAILED;
	}
	end = trial_start(run, pipes, out, said);
	close(pipes[0][1]);
	close(pipes[1][0]);
	run->output_fd = pipes[0][0];
	run->input_fd = pipes[1][1];
	if (end == STAGE_SHOWN)
		end = trial_watch(run, said);
	/* Before its pipes go, so that it does not complain, and before the folder, so that this
	 * does not come back. */
	launch_free(run->launch);
	close(run->output_fd);
	close(run->input_fd);
	if (end == STAGE_SHOWN && run->trial->has_folder)
		run->seen->has_owner = !folder_owner(&run->folder, &run->seen->owner);
	if (end == STAGE_SHOWN)
		trial_add_seen(run, out);
	return end;
}

static bool trial_has_program(const char *program)
{
	static const char *const dirs[] = {"/usr/bin", "/bin", "/usr/sbin", "/sbin"};

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		autofree char *path = mem_printf("%s/%s", dirs[i], program);

		if (!access(path, X_OK))
			return true;
	}
	return false;
}

static enum stage_end trial_try(const struct trial *trial, struct stage *stage,
				struct trial_seen *seen, struct text *out, struct text *said)
{
	struct trial_run run = {.trial = trial, .stage = stage, .seen = seen};
	enum stage_end end;

	if (!trial_has_program(trial->program)) {
		text_printf(said, "This host does not have the program %s, which this takes.",
			    trial->program);
		return STAGE_FORBIDDEN;
	}
	if (trial->peer && !stage_actor(stage, trial->peer)) {
		text_printf(said, "There is no container %s here to try it on.", trial->peer);
		return STAGE_FORBIDDEN;
	}
	if (trial->has_folder) {
		int r = folder_make(&run.folder);

		if (r) {
			text_printf(said, "This host does not allow it: a directory in /tmp: %s.",
				    strerror(-r));
			return STAGE_FORBIDDEN;
		}
	}
	end = trial_run_in(&run, out, said);
	if (trial->has_folder)
		folder_remove(&run.folder);
	free(run.variable);
	free(run.volume);
	return end;
}

enum stage_end trial_play(const struct trial_scene *scene, struct stage *stage, struct text *out,
			  struct text *said)
{
	struct trial_seen seen[TRIAL_COUNT_MAX] = {0};

	for (size_t i = 0; i < TRIAL_COUNT_MAX && scene->trials[i].command; i++) {
		enum stage_end end = trial_try(&scene->trials[i], stage, &seen[i], out, said);

		if (end != STAGE_SHOWN)
			return end;
	}
	if (scene->judge(stage, seen, said))
		return STAGE_SHOWN;
	text_clear(said);
	text_printf(said, "This was to show %s. What was seen instead stands above.", scene->claim);
	return STAGE_CONTRADICTED;
}
