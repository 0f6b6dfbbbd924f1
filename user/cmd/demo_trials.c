/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/demo_trials.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "host/cgroup.h"
#include "host/cgroup_limits.h"
#include "host/procfs.h"
#include "launch/launch.h"
#include "launch/spec.h"

#define TRIAL_INDENT "   "
#define TRIAL_PRINTED_MAX 512
#define TRIAL_KILLED (128 + SIGKILL)
#define TRIAL_CPU_TRIES 3 /* seconds; a busy machine may not have half a CPU to give in each */
#define TRIAL_NS_PER_SECOND 1000000000ULL

#define SHELL(script) ((char *const[]){(char[]){"sh"}, (char[]){"-c"}, (char[]){script}, NULL})

#define BIND_80                                                                            \
	"perl -MIO::Socket::INET -e 'IO::Socket::INET->new(LocalPort => 80, Listen => 1) " \
	"or die \"port 80: $!\\n\"; print \"port 80: bound\\n\"'"
#define TAKE_128M "perl -e '$x = \"x\" x (128 << 20); print \"had it\\n\"'"

const struct trial_scene trial_scenes[] = {
	{.title = "What that root cannot do",
	 .trials = {{.options = "",
		     .shown = "hostname elsewhere",
		     .program = "hostname",
		     .command = SHELL("hostname elsewhere 2>&1"),
		     .end = TRIAL_FAILS},
		    {.options = "",
		     .shown = "mount -t tmpfs none /mnt",
		     .program = "mount",
		     .command = SHELL("mount -t tmpfs none /mnt 2>&1"),
		     .end = TRIAL_FAILS},
		    {.options = "",
		     .shown = "kill",
		     .program = "sh",
		     .has_peer = true,
		     .command = SHELL("kill -0 $PEER 2>&1"),
		     .end = TRIAL_FAILS}},
	 .claim = "root that can neither rename its host nor mount, nor signal another container",
	 .said = "All three were tried by root. The kernel refused the first two: they take SYS_ADMIN, "
		 "which is not in the default set. The third is the pid of the container plain on the "
		 "host, and means nobody in here."},
	{.title = "Root again, with the capability",
	 .trials = {{.options = "--cap-add SYS_ADMIN ",
		     .cap_add = "SYS_ADMIN",
		     .shown = "sh -c 'hostname elsewhere && hostname'",
		     .program = "hostname",
		     .command = SHELL("hostname elsewhere 2>&1 && hostname 2>&1"),
		     .end = TRIAL_WORKS}},
	 .claim = "a host name that changes inside with SYS_ADMIN",
	 .said = "With SYS_ADMIN it may, and its name changes for itself alone: the host's is another "
		 "namespace's. SYS_ADMIN allows much more than that; it is not a small word."},
	{.title = "Only what is needed: port 80",
	 .trials = {{.options = "--cap-drop ALL --cap-add NET_BIND_SERVICE ",
		     .cap_drop = "ALL",
		     .cap_add = "NET_BIND_SERVICE",
		     .shown = "perl ...",
		     .program = "perl",
		     .command = SHELL(BIND_80 " 2>&1"),
		     .end = TRIAL_WORKS},
		    {.options = "--cap-drop ALL --cap-add NET_BIND_SERVICE --user 1000 ",
		     .cap_drop = "ALL",
		     .cap_add = "NET_BIND_SERVICE",
		     .user = "1000",
		     .shown = "perl ...",
		     .program = "perl",
		     .command = SHELL(BIND_80 " 2>&1"),
		     .end = TRIAL_FAILS}},
	 .claim = "port 80 bound by root with NET_BIND_SERVICE, and not by user 1000",
	 .said = "One capability is enough for root. User 1000 was refused: --cap-add widens what a "
		 "process may get (the bounding set), but only root is given it at execve; docker sets "
		 "no ambient capabilities."},
	{.title = "Half a CPU",
	 .trials = {{.options = "--cpus .5 ",
		     .cpus = ".5",
		     .shown = "sh -c 'while :; do :; done'",
		     .program = "sh",
		     .command = SHELL("while :; do :; done"),
		     .end = TRIAL_HALF_A_CPU}},
	 .claim = "a loop without end that gets 45 to 55 % of one CPU",
	 .said = "The loop wants all it can get, and the kernel stops it for half of each tenth of a "
		 "second."},
	{.title = "64 MiB of memory",
	 .trials = {{.options = "--memory 64m ",
		     .memory = "64m",
		     .shown = "perl ...",
		     .program = "perl",
		     .command = SHELL("exec " TAKE_128M),
		     .end = TRIAL_OUT_OF_MEMORY}},
	 .claim = "a process killed for taking twice its container's memory",
	 .said = "Nothing was refused: the kernel gave memory until the limit, and then killed the "
		 "process (OOM). The rest of the machine did not notice."},
};
const size_t trial_scenes_count = ARRAY_SIZE(trial_scenes);

struct trial_seen {
	char printed[TRIAL_PRINTED_MAX];
	int status;
	bool is_out_of_memory;
	int cpu_percent; /* -1: could not be read */
};

static uint64_t trial_cpu_ns(const struct launch *launch)
{
	struct cgroup_tree *tree = cgroup_tree_read();
	autoclose int proc_fd = procfs_open("/proc");
	struct cgroup_limits limits = {0};
	uint64_t used = UINT64_MAX;

	if (tree && proc_fd >= 0 &&
	    !cgroup_limits_read(tree, proc_fd, launch_pid(launch), launch_name(launch), &limits) &&
	    !(limits.unknown >> CGROUP_CPU_USAGE & 1))
		used = limits.facts[CGROUP_CPU_USAGE];
	cgroup_tree_free(tree);
	return used;
}

static uint64_t trial_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * TRIAL_NS_PER_SECOND + now.tv_nsec;
}

/* What the kernel has accounted to its cgroup in a second. */
static int trial_measure_cpu(const struct launch *launch)
{
	const struct timespec second = {.tv_sec = 1};
	uint64_t started = trial_now_ns(), before = trial_cpu_ns(launch), after;

	if (before == UINT64_MAX)
		return -1;
	nanosleep(&second, NULL);
	after = trial_cpu_ns(launch);
	return after == UINT64_MAX ? -1
				   : (int)((after - before) * 100 / (trial_now_ns() - started));
}

static bool trial_is_half(int percent)
{
	return percent >= 45 && percent <= 55;
}

static void trial_read(int fd, struct trial_seen *seen)
{
	size_t length = 0;
	ssize_t got;

	while (length + 1 < sizeof(seen->printed) &&
	       (got = read(fd, seen->printed + length, sizeof(seen->printed) - 1 - length)) > 0)
		length += got;
	while (length && seen->printed[length - 1] == '\n')
		length--;
	seen->printed[length] = '\0';
}

static int trial_run(const struct trial *trial, pid_t peer, struct trial_seen *seen)
{
	autofree char *variable = mem_printf("PEER=%d", peer);
	struct launch *launch = NULL;
	struct spec spec;
	int pipe_fds[2], exit_code, r;

	if (pipe2(pipe_fds, O_CLOEXEC))
		return log_fail(-errno, "make a pipe from the container");
	spec_defaults(&spec);
	spec.user = trial->user;
	spec.cap_add = &trial->cap_add;
	spec.cap_add_count = trial->cap_add ? 1 : 0;
	spec.cap_drop = &trial->cap_drop;
	spec.cap_drop_count = trial->cap_drop ? 1 : 0;
	spec.cpus = trial->cpus;
	spec.memory = trial->memory;
	spec.command = trial->command;
	spec.environment = (const char *const *)&variable;
	spec.environment_count = trial->has_peer ? 1 : 0;
	spec.stdio[1] = spec.stdio[2] = pipe_fds[1];
	r = launch_start(&spec, &launch, &exit_code);
	close(pipe_fds[1]);
	if (!r && trial->end == TRIAL_HALF_A_CPU) {
		for (int i = 0; i < TRIAL_CPU_TRIES && !trial_is_half(seen->cpu_percent); i++)
			seen->cpu_percent = trial_measure_cpu(launch);
	} else if (!r) {
		trial_read(pipe_fds[0], seen);
		seen->status = launch_wait(launch);
		seen->is_out_of_memory = launch_oom_kills(launch);
		/* An interrupt was held back for the demo; launch_wait has taken it. */
		if (seen->status == 128 + SIGINT || seen->status == 128 + SIGTERM ||
		    seen->status == 128 + SIGHUP)
			raise(seen->status - 128);
	}
	close(pipe_fds[0]);
	launch_free(launch);
	return r;
}

static bool trial_is_as_claimed(const struct trial *trial, const struct trial_seen *seen)
{
	switch (trial->end) {
	case TRIAL_WORKS:
		return !seen->status;
	case TRIAL_FAILS:
		return seen->status > 0 && seen->status < 126;
	case TRIAL_OUT_OF_MEMORY:
		return seen->status == TRIAL_KILLED && seen->is_out_of_memory;
	case TRIAL_HALF_A_CPU:
		return trial_is_half(seen->cpu_percent);
	}
	return false;
}

static void trial_add_seen(const struct trial *trial, const struct trial_seen *seen,
			   struct text *out)
{
	if (seen->printed[0]) {
		text_add_string(out, TRIAL_INDENT);
		for (const char *line = seen->printed; *line;) {
			size_t length = strcspn(line, "\n");

			text_add_printable(out, line, length);
			line += length + (line[length] == '\n');
			text_add_string(out, *line ? "\n" TRIAL_INDENT : "\n");
		}
	}
	if (trial->end == TRIAL_HALF_A_CPU)
		text_printf(out, TRIAL_INDENT "(in one second: %d %% of one CPU)\n",
			    seen->cpu_percent);
	else if (seen->status > 128)
		text_printf(out, TRIAL_INDENT "(exit status %d: signal %d%s)\n", seen->status,
			    seen->status - 128, seen->is_out_of_memory ? ", out of memory" : "");
	else
		text_printf(out, TRIAL_INDENT "(exit status %d)\n", seen->status);
}

/* NULL: it is there. */
static const char *trial_lacks(const struct trial *trial)
{
	static const char *const dirs[] = {"/usr/bin", "/bin", "/usr/sbin", "/sbin"};

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		autofree char *path = mem_printf("%s/%s", dirs[i], trial->program);

		if (!access(path, X_OK))
			return NULL;
	}
	return trial->program;
}

bool trial_play(const struct trial_scene *scene, pid_t peer, struct text *out, struct text *said)
{
	bool is_as_claimed = true;

	for (size_t i = 0; i < TRIAL_COUNT_MAX && scene->trials[i].command; i++) {
		const struct trial *trial = &scene->trials[i];
		struct trial_seen seen = {.cpu_percent = -1};

		if (trial_lacks(trial)) {
			text_printf(said,
				    "This host does not have the program %s, which this "
				    "takes.",
				    trial->program);
			return true;
		}
		text_printf(out, TRIAL_INDENT "$ nsview run %s%s", trial->options, trial->shown);
		if (trial->has_peer)
			text_printf(out, " %d", peer);
		text_add_char(out, '\n');
		if (trial_run(trial, peer, &seen)) {
			text_printf(said, "The container could not be made here.");
			return false;
		}
		trial_add_seen(trial, &seen, out);
		if (trial->end == TRIAL_HALF_A_CPU && seen.cpu_percent < 0) {
			text_add_char(out, '\n');
			text_add_string(said, "This host has no cpu controller that could be had "
					      "for it.");
			return true;
		}
		if (trial->end == TRIAL_HALF_A_CPU && seen.cpu_percent < 45) {
			text_add_char(out, '\n');
			text_add_string(said, "No more than its half, and less than that: this "
					      "machine is too busy to show where the limit is.");
			return true;
		}
		is_as_claimed &= trial_is_as_claimed(trial, &seen);
	}
	text_add_char(out, '\n');
	if (is_as_claimed)
		text_add_string(said, scene->said);
	else
		text_printf(said, "This was to show %s. What was seen instead stands above.",
			    scene->claim);
	return is_as_claimed;
}
