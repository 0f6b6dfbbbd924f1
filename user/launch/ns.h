/* SPDX-License-Identifier: GPL-2.0-only */
/* The container's namespaces, and what belongs into new ones. */
#ifndef NSVIEW_LAUNCH_NS_H
#define NSVIEW_LAUNCH_NS_H

#include <stdint.h>

/* CLONE_NEW* for clone3(2). The cgroup namespace comes later: its root is the cgroup that the
 * process is in at that moment. */
uint64_t ns_clone_flags(void);

/* In the new process: the cgroup namespace, the host name, the loopback interface. What failed
 * has been said. */
int ns_set_up(const char *hostname);

#endif
