/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a container has left whose nsview and keeper were both killed with -9: its state file, and
 * its cgroup with whatever may still run in it.
 */
#ifndef NSVIEW_LAUNCH_STALE_H
#define NSVIEW_LAUNCH_STALE_H

struct cgroup;
struct nsview_state;

/* Of all whose process has gone. dir_fd: state_open_dir's; cgroup: any, for where they lie. */
void stale_sweep(int dir_fd, const struct cgroup *cgroup);

/* Of one, whose process has gone. */
void stale_clear(int dir_fd, const struct nsview_state *state);

#endif
