/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/ns.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

static int ns_loopback_up(void)
{
	autoclose int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_name = "lo"};

	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request))
		return -errno;
	request.ifr_flags |= IFF_UP;
	return ioctl(fd, SIOCSIFFLAGS, &request) ? -errno : 0;
}

int ns_set_up(uint64_t namespaces, const char *hostname)
{
	int r;

	if (unshare(CLONE_NEWCGROUP))
		return log_fail(-errno, "make a cgroup namespace");
	if (namespaces & CLONE_NEWUTS && sethostname(hostname, strlen(hostname)))
		return log_fail(-errno, "set the host name %s", hostname);
	r = namespaces & CLONE_NEWNET ? ns_loopback_up() : 0;
	return r ? log_fail(r, "bring the loopback interface up") : 0;
}
