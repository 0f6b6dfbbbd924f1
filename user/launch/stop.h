/* SPDX-License-Identifier: GPL-2.0-only */
/* Ends a sample container that another nsview has started. */
#ifndef NSVIEW_LAUNCH_STOP_H
#define NSVIEW_LAUNCH_STOP_H

struct nsview_state;

/*
 * SIGTERM, after 10 seconds SIGKILL; at once where SIGTERM would do nothing (forward.h). Returns
 * when it has gone and all of it has been cleared away. What failed has been said.
 */
int stop_container(const struct nsview_state *state);

#endif
