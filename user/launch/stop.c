/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "host/procfs.h"
#include "host/runtime/nsview_state.h"
#include "launch/forward.h"
#include "launch/stale.h"

#define STOP_PATIENCE_MS 10000 /* docker's */
#define STOP_LOOKS 500         /* in 5 seconds: a keeper needs a few milliseconds */
#define STOP_LOOK_NS 10000000

/* The process that the state file means, and no later one with its pid: looked at again once it
 * is held. -ESRCH: it has gone. */
static int stop_open(const struct nsview_state *state)
{
	autoclose int proc_fd = procfs_open("/proc");
	autoclose int pidfd = syscall(SYS_pidfd_open, state->pid, 0);
	uint64_t ticks;
	int r;

	if (proc_fd < 0 || pidfd < 0)
		return proc_fd < 0 ? proc_fd : -errno;
	r = nsview_state_start_ticks(proc_fd, state->pid, &ticks);
	if (!r && ticks != state->start_ticks)
		r = -ESRCH;
	return r ? r : steal_fd(&pidfd);
}

static bool stop_has_ended(int pidfd, int timeout_ms)
{
	struct pollfd end = {.fd = pidfd, .events = POLLIN};

	return poll(&end, 1, timeout_ms) > 0;
}

static int stop_signal(const struct nsview_state *state, int pidfd)
{
	if (syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) && errno != ESRCH)
		return log_fail(-errno, "stop the container %s", state->name);
	if (state->pid_ns)
		forward_signal(state->pid, pidfd, SIGTERM);
	else
		syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0);
	if (stop_has_ended(pidfd, STOP_PATIENCE_MS))
		return 0;
	syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
	stop_has_ended(pidfd, -1);
	return 0;
}

/* The state file is the last that the keeper removes. Where that was killed too, it is done here. */
static void stop_await_clear(const struct nsview_state *state)
{
	const struct timespec pause = {.tv_nsec = STOP_LOOK_NS};
	autofree char *path = nsview_state_path();
	autofree char *file = mem_printf("%s" NSVIEW_STATE_SUFFIX, state->name);
	autoclose int dir_fd = nsview_state_open(path);
	struct stat status;

	for (int i = 0; dir_fd >= 0 && i < STOP_LOOKS; i++) {
		if (fstatat(dir_fd, file, &status, AT_SYMLINK_NOFOLLOW))
			return;
		nanosleep(&pause, NULL);
	}
	if (dir_fd >= 0)
		stale_clear(dir_fd, state);
}

int stop_container(const struct nsview_state *state)
{
	autoclose int pidfd = stop_open(state);
	int r = pidfd < 0 ? pidfd : stop_signal(state, pidfd);

	if (pidfd < 0 && r != -ESRCH)
		return log_fail(r, "stop the container %s", state->name);
	if (r == -ESRCH || !r)
		stop_await_clear(state);
	return r == -ESRCH ? 0 : r;
}
