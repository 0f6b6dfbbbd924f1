/* SPDX-License-Identifier: GPL-2.0-only */
/* What belongs into the container's new namespaces. */
#ifndef NSVIEW_LAUNCH_NS_H
#define NSVIEW_LAUNCH_NS_H

#include <stdint.h>

/*
 * In the new process; namespaces: CLONE_NEW*, those that it was made with. The host name, the
 * loopback interface, and the cgroup namespace, which comes only now: its root is the cgroup that
 * the process is in at that moment. What failed has been said.
 */
int ns_set_up(uint64_t namespaces, const char *hostname);

#endif
