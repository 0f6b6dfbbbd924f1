/* SPDX-License-Identifier: GPL-2.0-only */
/* Whose pids a /proc shows: that of another pid namespace numbers other processes. */
#ifndef NSVIEW_HOST_PID_NS_H
#define NSVIEW_HOST_PID_NS_H

#include <stdint.h>

struct facts;

/* The inode of the pid namespace of the procfs at proc_fd (procfs_open); NS_HOST_PID: the first
 * one. 0: not known. */
uint32_t pid_ns_of_proc(int proc_fd, const struct facts *facts);

#endif
