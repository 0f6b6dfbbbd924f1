/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
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
#include "launch/forward.h"
#include "launch/init.h"
#include "launch/keeper.h"
#include "launch/ns.h"
#include "launch/privilege.h"
#include "launch/spec.h"
#include "launch/state.h"

#define LAUNCH_ID_BYTES 6
#define LAUNCH_LOOKS 100 /* in 20 ms at most: not having ended one kind of race is no failure */
#define LAUNCH_LOOK_NS 200000

struct launch {
	const struct spec *spec;
	struct init init;
	struct keeper_task keeper_task;
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
	if (error == -EPERM)
		return log_error(error,
				 "cannot make the container's namespaces: not permitted to this "
				 "user; start nsview run as root, for example with sudo");
	if (error == -ENOSPC)
		return log_error(error,
				 "cannot make the container's namespaces: one of the limits in "
				 "/proc/sys/user/max_*_namespaces is reached; raise it");
	return log_fail(error, "make the container's namespaces");
}

static int launch_clone(struct launch *launch)
{
	struct clone_args args = {
		.flags = ns_clone_flags() | CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
		.pidfd = (uintptr_t)&launch->pidfd,
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
	};
	r = keeper_start(&launch->keeper_task, launch->go_fd, &launch->keeper, &launch->life_fd);
	return r ? log_fail(r, "start the process that clears up after the container") : 0;
}

static int launch_publish(struct launch *launch)
{
	const struct state state = {
		.spec = launch->spec,
		.name = launch_name(launch),
		.id = launch->id,
		.capabilities = launch->init.capabilities,
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

/* Lets the container go on, and returns when COMMAND has been executed or cannot be. */
static int launch_go(struct launch *launch)
{
	struct init_report report = {0};
	size_t length = 0;
	ssize_t got;

	if (write(launch->go_fd, "", 1) != 1)
		return log_fail(-errno, "start the container");
	while (length < sizeof(report)) {
		got = read(launch->report_fd, (char *)&report + length, sizeof(report) - length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		length += got;
	}
	if (length != sizeof(report)) {
		launch_await_image(launch);
		return 0;
	}
	launch->exit_code = report.exit_code;
	return log_error(-ECANCELED, "%.*s", (int)sizeof(report.sentence), report.sentence);
}

static void launch_hold_signals(struct launch *launch)
{
	sigset_t set;

	forward_signals(&set);
	sigprocmask(SIG_BLOCK, &set, &launch->old_mask);
	launch->has_old_mask = true;
	/* Ignored (an inherited habit of some callers), children would vanish unreaped. */
	signal(SIGCHLD, SIG_DFL);
}

static int launch_try(struct launch *launch)
{
	const struct spec *spec = launch->spec;
	int cap_last = privilege_cap_last();
	uint64_t grantable = privilege_grantable(cap_last);
	int r = spec->name ? spec_check_name(spec->name) : 0;

	if (!r)
		r = spec_capabilities(spec, cap_last, &launch->init.capabilities);
	if (!r)
		r = grantable & (1ULL << CAP_SYS_ADMIN) ? 0 : launch_refused(-EPERM);
	if (!r)
		r = spec_check_grantable(launch->init.capabilities, grantable);
	if (!r)
		r = rootfs_plan_read(spec, &launch->init.rootfs);
	if (!r)
		r = launch_make_id(launch);
	if (r)
		return r;
	launch->init.hostname = launch->id;
	launch->state_dir = state_open_dir();
	if (launch->state_dir < 0)
		return launch->state_dir;
	r = launch_make_pipes(launch);
	if (r)
		return r;
	launch_hold_signals(launch);
	/*
	 * The order leaves no moment at which a kill -9 of nsview leaves anything: until the last
	 * step the container only waits, and goes when nsview does; the keeper is there before
	 * there is anything else to clear up.
	 */
	r = launch_clone(launch);
	if (!r)
		r = launch_keep(launch);
	if (!r)
		r = launch_publish(launch);
	return r ? r : launch_go(launch);
}

int launch_start(const struct spec *spec, struct launch **launch, int *exit_code)
{
	struct launch *made = mem_new(sizeof(*made));
	int r;

	made->spec = spec;
	made->init = (struct init){.spec = spec, .go_fd = -1, .report_fd = -1};
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

int launch_wait(struct launch *launch)
{
	autoclose int signals = -1;
	struct pollfd polled[2] = {{.fd = launch->pidfd, .events = POLLIN}, {.events = POLLIN}};
	int ended_by = 0, status;
	sigset_t set;

	forward_signals(&set);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	polled[1].fd = signals;
	while (!polled[0].revents) {
		struct signalfd_siginfo info;

		if (poll(polled, 2, -1) < 0 && errno != EINTR)
			break;
		if (!polled[0].revents && polled[1].revents &&
		    read(signals, &info, sizeof(info)) == sizeof(info) && !ended_by)
			ended_by = forward_signal(launch->pid, launch->pidfd, info.ssi_signo);
	}
	status = launch_reap(launch);
	return ended_by && status == 128 + SIGKILL ? 128 + ended_by : status;
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
	rootfs_plan_free(&launch->init.rootfs);
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
