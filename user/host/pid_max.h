/* SPDX-License-Identifier: GPL-2.0-only */
/* How wide ps makes its PID columns: as many digits as kernel.pid_max has. */
#ifndef NSVIEW_HOST_PID_MAX_H
#define NSVIEW_HOST_PID_MAX_H

#include <stdbool.h>

/*
 * is_own: in nsview's own pid namespace. Since Linux 6.14 each one has its own pid_max, which only
 * those inside can read; another one's is taken for what a new one gets, which is tried out.
 */
int pid_max_digits(int proc_fd, bool is_own);

#endif
