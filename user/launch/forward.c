/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/forward.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/procfs.h"

#define FORWARD_STATUS_MAX 8192
#define FORWARD_LOOKS 50 /* in 50 ms */
#define FORWARD_LOOK_NS 1000000

enum disposition {
	DISPOSITION_DEFAULT, /* neither caught nor ignored: the kernel drops it */
	DISPOSITION_BLOCKED, /* for now (a shell that forks), or because it waits for it (sigwait) */
	DISPOSITION_TAKEN,   /* its own business, and so is what could not be read */
};

void forward_signals(sigset_t *set)
{
	static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGTERM};

	sigemptyset(set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(set, signals[i]);
	for (int i = SIGRTMIN; i <= SIGRTMAX; i++)
		sigaddset(set, i);
	for (int i = 1; i <= SIGRTMAX; i++) {
		struct sigaction action;

		/* Blocked, as they have to be for a signalfd, ignored ones would come all the same. */
		if (!sigaction(i, NULL, &action) && action.sa_handler == SIG_IGN)
			sigdelset(set, i);
	}
}

static bool forward_mask_has(const char *status, const char *key, int signal_number)
{
	const char *line = strstr(status, key);

	return line && strtoull(line + strlen(key), NULL, 16) >> (signal_number - 1) & 1;
}

/* In sigwait(3) the kernel takes what is waited for out of SigBlk: only the call itself tells. */
static bool forward_is_awaited(int proc_fd, pid_t pid)
{
	struct text call = {0};
	bool is_awaited = procfs_read(proc_fd, pid, "syscall", FORWARD_STATUS_MAX, &call) >= 0 &&
			  strtol(text_string(&call), NULL, 10) == SYS_rt_sigtimedwait;

	text_free(&call);
	return is_awaited;
}

static enum disposition forward_look(int proc_fd, pid_t pid, int signal_number)
{
	enum disposition disposition = DISPOSITION_TAKEN;
	struct text status = {0};
	const char *string;

	if (procfs_read(proc_fd, pid, "status", FORWARD_STATUS_MAX, &status) >= 0) {
		string = text_string(&status);
		if (strstr(string, "\nSigCgt:") &&
		    !forward_mask_has(string, "\nSigCgt:", signal_number) &&
		    !forward_mask_has(string, "\nSigIgn:", signal_number))
			disposition = forward_mask_has(string, "\nSigBlk:", signal_number)
					      ? DISPOSITION_BLOCKED
					      : DISPOSITION_DEFAULT;
	}
	text_free(&status);
	if (disposition == DISPOSITION_DEFAULT && forward_is_awaited(proc_fd, pid))
		disposition = DISPOSITION_TAKEN;
	return disposition;
}

/* What stays blocked for so long is waited for; what a shell blocks while it forks is not. */
static bool forward_is_default(pid_t pid, int signal_number)
{
	const struct timespec pause = {.tv_nsec = FORWARD_LOOK_NS};
	autoclose int proc_fd = procfs_open("/proc");
	enum disposition disposition = DISPOSITION_BLOCKED;

	if (proc_fd < 0)
		return false;
	for (int i = 0; disposition == DISPOSITION_BLOCKED && i < FORWARD_LOOKS; i++) {
		if (i)
			nanosleep(&pause, NULL);
		disposition = forward_look(proc_fd, pid, signal_number);
	}
	return disposition == DISPOSITION_DEFAULT;
}

int forward_signal(pid_t pid, int pidfd, int signal_number)
{
	bool is_default = forward_is_default(pid, signal_number);

	syscall(SYS_pidfd_send_signal, pidfd, is_default ? SIGKILL : signal_number, NULL, 0);
	return is_default ? signal_number : 0;
}
