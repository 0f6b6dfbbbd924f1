/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/privilege.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "host/caps.h"

/* capget and capset by themselves: libcap knows no numbers beyond those of its build. */
static int privilege_capset(uint64_t effective, uint64_t permitted)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{.effective = (uint32_t)effective, .permitted = (uint32_t)permitted},
		{.effective = effective >> 32, .permitted = permitted >> 32},
	};

	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

static uint64_t privilege_permitted(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	if (syscall(SYS_capget, &header, data))
		return 0;
	return data[0].permitted | (uint64_t)data[1].permitted << 32;
}

int privilege_cap_last(void)
{
	int capability = 0;

	while (capability < 63 && prctl(PR_CAPBSET_READ, capability + 1, 0, 0, 0) >= 0)
		capability++;
	return capability;
}

uint64_t privilege_grantable(int cap_last)
{
	uint64_t bounding = 0;

	for (int i = 0; i <= cap_last; i++) {
		if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
			bounding |= 1ULL << i;
	}
	return bounding & privilege_permitted();
}

static int privilege_bound(uint64_t capabilities)
{
	int cap_last = privilege_cap_last();

	for (int i = 0; i <= cap_last; i++) {
		if (capabilities & (1ULL << i) || !prctl(PR_CAPBSET_READ, i, 0, 0, 0))
			continue;
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0))
			return log_fail(-errno, "drop %s from the bounding set", caps_name(i));
	}
	return 0;
}

static int privilege_no_id(const char *what, unsigned int id)
{
	if (errno != EINVAL)
		return log_fail(-errno, "become %s %u", what, id);
	return log_error(
		-EINVAL,
		"cannot become %s %u: the container's user namespace has no such id; give "
		"yourself a line in /etc/subuid and /etc/subgid, and install newuidmap, or "
		"start nsview run as root",
		what, id);
}

int privilege_apply(const struct privilege *privilege)
{
	uint64_t own = privilege->uid ? 0 : privilege->capabilities;
	int r = privilege_bound(privilege->capabilities);

	if (r)
		return r;
	if (!privilege->keeps_groups && setgroups(privilege->groups_count, privilege->groups))
		return log_fail(-errno, "set %zu supplementary groups", privilege->groups_count);
	if (setresgid(privilege->gid, privilege->gid, privilege->gid))
		return privilege_no_id("group", privilege->gid);
	/* Inherited securebits (keep-caps, no-root) would give root another set at execve. */
	if (prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) && prctl(PR_SET_SECUREBITS, 0, 0, 0, 0))
		return log_fail(-errno, "clear the securebits that nsview was started with");
	if (setresuid(privilege->uid, privilege->uid, privilege->uid))
		return privilege_no_id("user", privilege->uid);
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) && errno != EINVAL)
		return log_fail(-errno, "clear the ambient capabilities");
	r = privilege_capset(own, own);
	return r ? log_fail(r, "set the capabilities") : 0;
}
