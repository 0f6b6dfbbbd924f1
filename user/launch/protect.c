/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/protect.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"
#include "launch/mount.h"

/*
 * docker's lists. Without them root inside, which is root outside, would write the host's
 * core_pattern or sysrq-trigger: neither asks for a capability.
 */
static const char *const protect_readonly_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

static const char *const protect_masked_paths[] = {
	"/proc/asound",        "/proc/acpi",       "/proc/kcore",       "/proc/keys",
	"/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
	"/proc/scsi",          "/sys/firmware",
};

static const char *const protect_password_paths[] = {
	"/etc/shadow",
	"/etc/shadow-",
	"/etc/gshadow",
	"/etc/gshadow-",
};

/* A directory is hidden by an empty one, a file by /dev/null. */
static int protect_mask(const char *path)
{
	struct stat status;
	int r;

	if (lstat(path, &status))
		return 0;
	if (S_ISDIR(status.st_mode))
		r = mount("tmpfs", path, "tmpfs", MS_RDONLY, NULL);
	else
		r = mount("/dev/null", path, NULL, MS_BIND, NULL);
	return r ? log_fail(-errno, "hide the container's %s", path) : 0;
}

static int protect_make_readonly(int proc_fd, const char *path)
{
	int r;

	if (mount(path, path, NULL, MS_BIND | MS_REC, NULL))
		return errno == ENOENT
			       ? 0
			       : log_fail(-errno, "make the container's %s read-only", path);
	r = mount_restrict(proc_fd, path, MS_RDONLY);
	return r ? log_fail(r, "make the container's %s read-only", path) : 0;
}

int protect_system(int proc_fd)
{
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(protect_readonly_paths); i++)
		r = protect_make_readonly(proc_fd, protect_readonly_paths[i]);
	for (size_t i = 0; !r && i < ARRAY_SIZE(protect_masked_paths); i++)
		r = protect_mask(protect_masked_paths[i]);
	return r;
}

int protect_passwords(void)
{
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(protect_password_paths); i++)
		r = protect_mask(protect_password_paths[i]);
	return r;
}
