/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "launch/mount.h"

static const char *const overlay_dirs[] = {"lower", "upper", "work"};

static int overlay_fail(int error, const char *name)
{
	return log_fail(error, "lay a root over %s that keeps it unchanged", name);
}

/* The directories that the overlay is made of, below fd. */
static int overlay_prepare(int fd, int dir_fd, int tree_fd)
{
	struct stat status;

	/* The root inside has the mode and owner of upper, not of lower. */
	if (fstat(dir_fd, &status))
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(overlay_dirs); i++) {
		if (mkdirat(fd, overlay_dirs[i], 0755))
			return -errno;
	}
	/* An owner that a user namespace does not map cannot be had. */
	if (fchownat(fd, "upper", status.st_uid, status.st_gid, 0) && errno != EINVAL &&
	    errno != EPERM)
		return -errno;
	if (fchmodat(fd, "upper", status.st_mode & 07777, 0))
		return -errno;
	return mount_place(tree_fd, fd, "lower");
}

int overlay_mount(int dir_fd, const char *name, unsigned int attributes)
{
	autoclose int fd = mount_create("tmpfs", "mode=755", MOUNT_ATTR_NODEV);
	autoclose int tree = -1, overlay = -1;
	int r;

	if (fd < 0)
		return overlay_fail(fd, name);
	/* First, because a copy of / would have on top of it what is mounted there next. */
	tree = open_tree(dir_fd, "",
			 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH);
	if (tree < 0)
		return overlay_fail(-errno, name);
	/* An overlay takes its directories only from what is mounted. */
	if (move_mount(fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH))
		return overlay_fail(-errno, name);
	r = overlay_prepare(fd, dir_fd, tree);
	if (r)
		return overlay_fail(r, name);
	/* By names that need no escaping, whatever the directory is called. */
	if (fchdir(fd))
		return overlay_fail(-errno, name);
	overlay = mount_create("overlay", "lowerdir=lower,upperdir=upper,workdir=work", attributes);
	if (overlay == -EPERM)
		return log_error(
			-EPERM,
			"cannot use %s as the container's root: before Linux 5.11 no user "
			"namespace may have an overlay, which would keep it unchanged; start "
			"nsview run as root without --userns, or leave --rootfs out",
			name);
	if (overlay == -ENODEV)
		return log_error(
			-ENODEV,
			"cannot use %s as the container's root: this kernel has no "
			"overlayfs, which would keep it unchanged; load the module overlay, "
			"or leave --rootfs out",
			name);
	if (overlay < 0)
		return overlay_fail(overlay, name);
	/* It has what it needs. Left between the host's root and the new one, the tmpfs would be
	 * what is let go of instead of the host's root. */
	if (umount2(".", MNT_DETACH) ||
	    move_mount(overlay, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH))
		return overlay_fail(-errno, name);
	return steal_fd(&overlay);
}
