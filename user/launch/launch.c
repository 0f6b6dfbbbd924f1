/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "host/procfs.h"
#include "launch/cgroup.h"
#include "launch/forward.h"
#include "launch/image.h"
#include "launch/init.h"
#include "launch/join.h"
#include "launch/keeper.h"
#include "launch/rights.h"
#include "launch/spec.h"
#include "launch/stale.h"
#include "launch/state.h"
#include "launch/terminal.h"

#define LAUNCH_ID_BYTES 6
#define LAUNCH_LOOKS 100 /* in 20 ms at most: not having ended one kind of race is no failure */
#define LAUNCH_LOOK_NS 200000

struct launch {
	const struct spec *spec;
	struct rights rights;
	struct cgroup *cgroup;  /* NULL: not looked for yet */
	struct spec image_spec; /* the same with what the image says; its two arrays are owned */
	struct init init;
	struct keeper_task keeper_task;
	struct terminal *terminal; /* NULL: none */
	char id[2 * LAUNCH_ID_BYTES + 1];
	pid_t pid; /* 0: not started, or reaped */
	pid_t keeper;
	int pidfd;
	int go_fd;     /* our end of init.go_fd */
	int report_fd; /* our end of init.report_fd */
	int life_fd;
	int state_dir;
	int exit_code;
	sigset_t old_mask;
	bool has_old_mask;
	bool has_device_guard;
	char host_name[65];
};

static int launch_make_id(struct launch *launch)
{
	uint8_t bytes[LAUNCH_ID_BYTES];
	struct text id = {0};

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return log_fail(-errno, "get random bytes for the container's id");
	for (size_t i = 0; i < sizeof(bytes); i++)
		text_add_hex(&id, bytes[i], 2);
	memcpy(launch->id, text_string(&id), sizeof(launch->id));
	text_free(&id);
	return 0;
}

static int launch_make_pipes(struct launch *launch)
{
	int go[2], report[2];

	if (pipe2(go, O_CLOEXEC))
		return log_fail(-errno, "make a pipe to the container");
	launch->init.go_fd = go[0];
	launch->go_fd = go[1];
	if (pipe2(report, O_CLOEXEC))
		return log_fail(-errno, "make a pipe from the container");
	launch->report_fd = report[0];
	launch->init.report_fd = report[1];
	return 0;
}

static int launch_refused(int error)
{
	if (error == -EPERM && !geteuid())
		return log_error(error,
				 "cannot make the container's namespaces: this system refuses them "
				 "to root too, as the kernel refuses user namespaces in a chroot, "
				 "and a container's filter any");
	if (error == -EPERM)
		return log_error(error,
				 "cannot make the container's namespaces: this system does not "
				 "permit it to this user; start nsview run as root, for example "
				 "with sudo");
	if (error == -EAGAIN)
		return log_error(error,
				 "cannot make the container: no more processes are allowed here; "
				 "end some, or raise `ulimit -u` or the pids limit of this cgroup");
	if (error == -ENOSPC)
		return log_error(error,
				 "cannot make the container's namespaces: one of the limits in "
				 "/proc/sys/user/max_*_namespaces is reached; raise it");
	return log_fail(error, "make the container's namespaces");
}

static int launch_clone(struct launch *launch)
{
	/* The kernel writes it even when it then fails. */
	int pidfd = -1;
	struct clone_args args = {
		.flags = launch->rights.namespaces | CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
		.pidfd = (uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	pid_t pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid < 0)
		return launch_refused(-errno);
	if (pid == 0) {
		/* Or it would wait for the end of its own copies. */
		close(launch->go_fd);
		close(launch->report_fd);
		init_main(&launch->init);
	}
	launch->pid = pid;
	launch->pidfd = pidfd;
	close(launch->init.go_fd);
	close(launch->init.report_fd);
	launch->init.go_fd = launch->init.report_fd = -1;
	return 0;
}

static int launch_keep(struct launch *launch)
{
	int r;

	launch->keeper_task = (struct keeper_task){
		.pidfd = launch->pidfd,
		.state_dir = launch->state_dir,
		.name = launch_name(launch),
		.id = launch->id,
		.cgroup = launch->cgroup,
	};
	terminal_mode_read(launch->terminal, &launch->keeper_task.terminal);
	r = keeper_start(&launch->keeper_task, launch->go_fd, &launch->keeper, &launch->life_fd);
	return r ? log_fail(r, "start the process that clears up after the container") : 0;
}

static int launch_limit(struct launch *launch)
{
	int r = cgroup_make(launch->cgroup, &launch->rights.limits, launch->pid);

	/* A user namespace opens no device that was not given to it, whatever nodes it has. */
	if (!r && !launch->spec->is_privileged && !rights_has_own(&launch->rights, CLONE_NEWUSER))
		launch->has_device_guard = cgroup_guard_devices(launch->cgroup);
	/* In a pid namespace of its own, all of it dies with its first process. */
	if (r || rights_has_own(&launch->rights, CLONE_NEWPID) || cgroup_is_made(launch->cgroup))
		return r;
	return log_error(-EPERM,
			 "cannot give the container --pid host: no cgroup can be made for it, "
			 "and nothing else would tell its processes from the host's at its end");
}

static int launch_publish(struct launch *launch)
{
	const struct image *image = launch->init.rootfs.image;
	const struct state state = {
		.spec = launch->spec,
		.name = launch_name(launch),
		.id = launch->id,
		.image = image && image->name ? image->name : launch->spec->image,
		.rights = &launch->rights,
		.volumes = &launch->init.rootfs.volumes,
		.pid = launch->pid,
	};

	return state_write(launch->state_dir, &state);
}

/*
 * The report pipe ends early in execve, before the new program has its arguments: whoever looks
 * at the process then sees half of it. Until they are there /proc/PID/cmdline is empty.
 */
static void launch_await_image(const struct launch *launch)
{
	const struct timespec pause = {.tv_nsec = LAUNCH_LOOK_NS};
	autoclose int proc_fd = procfs_open("/proc");
	struct text arguments = {0};

	for (int i = 0; proc_fd >= 0 && i < LAUNCH_LOOKS && !arguments.length; i++) {
		if (i)
			nanosleep(&pause, NULL);
		if (procfs_read(proc_fd, launch->pid, "cmdline", 1, &arguments) < 0)
			break;
	}
	text_free(&arguments);
}

/* False: that was the last, or part of one. */
static bool launch_read_report(const struct launch *launch, struct init_report *report)
{
	size_t length = 0;
	ssize_t got;

	while (length < sizeof(*report)) {
		got = read(launch->report_fd, (char *)report + length, sizeof(*report) - length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		length += got;
	}
	return length == sizeof(*report);
}

/* Before COMMAND, which thus has not run at all. */
static int launch_died(const struct launch *launch)
{
	if (launch->cgroup && cgroup_oom_kills(launch->cgroup))
		return log_error(
			-ENOMEM,
			"cannot make the container: it needs more memory than its limit, to "
			"which the files of an image count; give it more with --memory");
	return log_error(-ECANCELED, "cannot make the container: its first process was killed");
}

/* Lets the container go on, and returns when COMMAND has been executed or cannot be. */
static int launch_go(struct launch *launch)
{
	struct init_report report = {0};
	const char go = launch->has_device_guard ? INIT_GO_GUARDED : INIT_GO;
	bool is_ready = false;

	if (write(launch->go_fd, &go, 1) != 1)
		return log_fail(-errno, "start the container");
	while (launch_read_report(launch, &report)) {
		if (report.exit_code) {
			launch->exit_code = report.exit_code;
			return log_error(-ECANCELED, "%.*s", (int)sizeof(report.sentence),
					 report.sentence);
		}
		is_ready = true;
	}
	if (!is_ready)
		return launch_died(launch);
	launch_await_image(launch);
	return 0;
}

/* A new size of nsview's own terminal is of interest where COMMAND has one. */
static void launch_signals(const struct launch *launch, sigset_t *set)
{
	forward_signals(set);
	if (launch->terminal)
		sigaddset(set, SIGWINCH);
}

static void launch_hold_signals(struct launch *launch)
{
	sigset_t set;

	launch_signals(launch, &set);
	sigprocmask(SIG_BLOCK, &set, &launch->old_mask);
	launch->has_old_mask = true;
	/* Ignored (an inherited habit of some callers), children would vanish unreaped. */
	signal(SIGCHLD, SIG_DFL);
}

/* What the user said goes before what the image says. */
static int launch_read_image(struct launch *launch)
{
	const struct image *image = launch->init.rootfs.image;
	const struct spec *words = launch->spec;
	struct spec *spec = &launch->image_spec;
	char **command = NULL;
	int r;

	if (!image)
		return 0;
	r = image_command(image, words->command, &command);
	if (r)
		return r;
	*spec = *words;
	spec->command = command;
	spec->environment = image_environment(image, words->environment, &spec->environment_count);
	if (!spec->user)
		spec->user = image->user;
	if (!spec->workdir)
		spec->workdir = image->directory;
	launch->spec = launch->init.spec = spec;
	return 0;
}

static int launch_plan_files(struct launch *launch)
{
	struct rootfs_plan *plan = &launch->init.rootfs;
	int r;

	plan->is_open = launch->spec->is_privileged;
	plan->has_host_pid = !rights_has_own(&launch->rights, CLONE_NEWPID);
	plan->has_host_ipc = !rights_has_own(&launch->rights, CLONE_NEWIPC);
	r = rootfs_plan_read(launch->spec, plan);
	if (!r)
		r = launch_read_image(launch);
	plan->directory = launch->spec->workdir;
	return r;
}

/* As docker has it: what shares the host's network also goes by the host's name. */
static void launch_choose_hostname(struct launch *launch)
{
	bool is_hosts = !rights_has_own(&launch->rights, CLONE_NEWNET);

	launch->init.hostname = launch->id;
	if (launch->spec->hostname)
		launch->init.hostname = launch->spec->hostname;
	else if (is_hosts && !gethostname(launch->host_name, sizeof(launch->host_name) - 1))
		launch->init.hostname = launch->host_name;
}

static int launch_try(struct launch *launch)
{
	const struct spec *spec = launch->spec;
	int r = spec->name ? spec_check_name(spec->name) : 0;

	if (!r)
		r = spec_check_places(spec);
	if (!r)
		r = rights_read(spec, &launch->rights);
	if (!r)
		r = launch_plan_files(launch);
	if (!r)
		r = launch_make_id(launch);
	if (r)
		return r;
	launch_choose_hostname(launch);
	launch->cgroup = cgroup_find(launch->id);
	launch->state_dir = state_open_dir();
	if (launch->state_dir < 0)
		return launch->state_dir;
	stale_sweep(launch->state_dir, launch->cgroup);
	r = launch_make_pipes(launch);
	if (!r)
		r = terminal_open(launch->spec, &launch->terminal);
	if (r)
		return r;
	launch->init.terminal = launch->terminal;
	launch_hold_signals(launch);
	/*
	 * The order leaves no moment at which a kill -9 of nsview leaves anything: until the last
	 * step the container only waits, and goes when nsview does; the keeper is there before
	 * there is anything else to clear up.
	 */
	r = launch_clone(launch);
	if (!r)
		r = launch_keep(launch);
	if (!r && rights_has_own(&launch->rights, CLONE_NEWUSER))
		r = userns_map(&launch->rights.userns, launch->pid);
	if (!r)
		r = launch_limit(launch);
	if (!r)
		r = launch_publish(launch);
	if (!r)
		r = launch_go(launch);
	return r ? r : terminal_start(launch->terminal);
}

int launch_start(const struct spec *spec, struct launch **launch, int *exit_code)
{
	struct launch *made = mem_new(sizeof(*made));
	int r;

	made->spec = spec;
	made->init = (struct init){
		.spec = spec, .rights = &made->rights, .join_fd = -1, .go_fd = -1, .report_fd = -1};
	made->pidfd = made->go_fd = made->report_fd = made->life_fd = made->state_dir = -1;
	made->exit_code = LAUNCH_EXIT_FAILED;
	r = launch_try(made);
	if (r) {
		*exit_code = made->exit_code;
		launch_free(made);
		return r;
	}
	*launch = made;
	return 0;
}

pid_t launch_pid(const struct launch *launch)
{
	return launch->pid;
}

const char *launch_name(const struct launch *launch)
{
	return launch->spec->name ? launch->spec->name : launch->id;
}

static int launch_reap(struct launch *launch)
{
	int status = 0;

	while (waitpid(launch->pid, &status, 0) < 0) {
		if (errno != EINTR)
			return LAUNCH_EXIT_FAILED;
	}
	launch->pid = 0;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* With the host's pids it is no pid 1, and no signal is kept from it. */
static int launch_forward(const struct launch *launch, int signal_number)
{
	if (rights_has_own(&launch->rights, CLONE_NEWPID))
		return forward_signal(launch->pid, launch->pidfd, signal_number);
	syscall(SYS_pidfd_send_signal, launch->pidfd, signal_number, NULL, 0);
	return 0;
}

int launch_wait(struct launch *launch)
{
	autoclose int signals = -1;
	struct pollfd polled[2 + TERMINAL_POLLED] = {{.fd = launch->pidfd, .events = POLLIN},
						     {.events = POLLIN}};
	int ended_by = 0, status;
	sigset_t set;

	launch_signals(launch, &set);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	polled[1].fd = signals;
	while (!polled[0].revents) {
		struct signalfd_siginfo info;

		terminal_poll(launch->terminal, polled + 2);
		if (poll(polled, ARRAY_SIZE(polled), -1) < 0 && errno != EINTR)
			break;
		terminal_move(launch->terminal, polled + 2);
		if (polled[0].revents || !polled[1].revents ||
		    read(signals, &info, sizeof(info)) != sizeof(info))
			continue;
		if (info.ssi_signo == SIGWINCH)
			terminal_resize(launch->terminal);
		else if (!ended_by)
			ended_by = launch_forward(launch, info.ssi_signo);
	}
	terminal_finish(launch->terminal, ended_by ? -1 : signals);
	status = launch_reap(launch);
	return ended_by && status == 128 + SIGKILL ? 128 + ended_by : status;
}

int launch_join(const struct launch *launch, char *const *command, struct joined *joined)
{
	struct spec spec = *launch->spec;
	struct init init = launch->init;
	const struct join_task task = {
		.init = &init,
		.cgroup = launch->cgroup,
		.pidfd = launch->pidfd,
	};

	spec.command = command;
	init.spec = &spec;
	return join_start(&task, joined);
}

int launch_memory_limit(const struct launch *launch, uint64_t *bytes)
{
	return cgroup_memory_limit(launch->cgroup, bytes);
}

uint64_t launch_oom_kills(const struct launch *launch)
{
	return cgroup_oom_kills(launch->cgroup);
}

int launch_cpu_periods(const struct launch *launch, uint64_t *periods, uint64_t *throttled)
{
	return cgroup_cpu_periods(launch->cgroup, periods, throttled);
}

static void launch_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

void launch_free(struct launch *launch)
{
	if (!launch)
		return;
	if (launch->pidfd >= 0)
		keeper_finish(&launch->keeper_task, launch->keeper, launch->life_fd);
	if (launch->pid > 0)
		launch_reap(launch);
	terminal_free(launch->terminal);
	rootfs_plan_free(&launch->init.rootfs);
	free((void *)launch->image_spec.command);
	free((void *)launch->image_spec.environment);
	cgroup_free(launch->cgroup);
	rights_free(&launch->rights);
	launch_close(launch->init.go_fd);
	launch_close(launch->init.report_fd);
	launch_close(launch->go_fd);
	launch_close(launch->report_fd);
	launch_close(launch->pidfd);
	launch_close(launch->state_dir);
	if (launch->has_old_mask)
		sigprocmask(SIG_SETMASK, &launch->old_mask, NULL);
	free(launch);
}
