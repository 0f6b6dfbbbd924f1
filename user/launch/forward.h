/* SPDX-License-Identifier: GPL-2.0-only */
/* Signals that nsview gets while its container runs are the command's. */
#ifndef NSVIEW_LAUNCH_FORWARD_H
#define NSVIEW_LAUNCH_FORWARD_H

#include <signal.h>
#include <sys/types.h>

/* Those that are passed on, unless nsview was told to ignore them (nohup). The default action of
 * each is to end the process. */
void forward_signals(sigset_t *set);

/*
 * Passes one on to the pid 1 of a namespace (both its pid and its pidfd, as this process has
 * them). The kernel protects such a process from every signal that it does not catch, so that
 * Ctrl-C would do nothing to `nsview run sleep 60`. Anywhere else the default action would have
 * ended it: so it is killed. Returns the signal if that was done, else 0.
 */
int forward_signal(pid_t pid, int pidfd, int signal_number);

#endif
