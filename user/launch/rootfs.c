/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "launch/cgroupfs.h"
#include "launch/devices.h"
#include "launch/image.h"
#include "launch/inside.h"
#include "launch/mount.h"
#include "launch/overlay.h"
#include "launch/protect.h"
#include "launch/spec.h"

/*
 * What of the host a command needs to run. Where the host has a symbolic link (/bin on a merged
 * /usr), so has the container; what the host does not have is left out.
 */
static const char *const rootfs_host_paths[] = {
	"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc", "opt", "nix", "gnu",
};

static const struct rootfs_dir {
	const char *path;
	mode_t mode;
} rootfs_dirs[] = {
	{"dev", 0755},     {"proc", 0555},      {"sys", 0555},       {"tmp", 01777},
	{"run", 0755},     {"run/lock", 01777}, {"var", 0755},       {"var/tmp", 01777},
	{"var/lib", 0755}, {"var/log", 0755},   {"var/cache", 0755}, {"home", 0755},
	{"root", 0700},    {"mnt", 0755},       {"srv", 0755},
};

/*
 * docker's own list, in its order. What can be changed by --privileged stands in rootfs_attributes.
 * devices.h tells why there is a nodev where docker has none.
 */
static const struct rootfs_mount {
	const char *type;
	const char *path;
	const char *options;
	const char *plain_options; /* where those are refused; NULL: none */
	unsigned int attributes;
} rootfs_mounts[] = {
	{"proc", "proc", "", NULL, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC},
	{"tmpfs", "dev", "mode=755,size=65536k", NULL, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV},
	{"devpts", "dev/pts", "newinstance,ptmxmode=0666,mode=0620,gid=5",
	 "newinstance,ptmxmode=0666,mode=0620", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC},
	{"sysfs", "sys", "", NULL,
	 MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC},
	{"mqueue", "dev/mqueue", "", NULL,
	 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC},
	{"tmpfs", "dev/shm", "mode=1777,size=65536k", NULL,
	 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC},
};

/* The tree that is being built, and what it is built from. */
struct rootfs {
	const struct rootfs_plan *plan;
	int dir_fd;      /* of plan->dir */
	int *volume_fds; /* first of the sources, then of the copies of their mounts */
	int host_fd;     /* the root that nsview was started in */
	int root_fd;
	int proc_fd; /* the container's /proc */
	bool has_host_sys;
};

/* The same path on both sides. */
static int rootfs_add_tree(const struct rootfs *rootfs, const char *path, bool is_dir)
{
	autoclose int tree = mount_copy(rootfs->host_fd, path);
	int r;

	if (tree < 0)
		return log_fail(tree, "copy the mount of the host's /%s for the container", path);
	r = is_dir ? inside_make_dir(rootfs->root_fd, path, 0755)
		   : inside_make_file(rootfs->root_fd, path);
	if (!r)
		r = mount_place(tree, rootfs->root_fd, path);
	return r ? log_fail(r, "show the host's /%s in the container", path) : 0;
}

static int rootfs_add_host_path(const struct rootfs *rootfs, const char *name)
{
	char target[PATH_MAX];
	struct stat status;
	ssize_t length;

	if (fstatat(rootfs->host_fd, name, &status, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : log_fail(-errno, "look at the host's /%s", name);
	if (!S_ISLNK(status.st_mode))
		return rootfs_add_tree(rootfs, name, true);
	length = readlinkat(rootfs->host_fd, name, target, sizeof(target) - 1);
	if (length < 0)
		return log_fail(-errno, "read the host's link /%s", name);
	target[length] = '\0';
	if (symlinkat(target, rootfs->root_fd, name))
		return log_fail(-errno, "make the link /%s in the container", name);
	return 0;
}

/* Whether device nodes may be opened wherever they lie: all of them, or those that the cgroup lets
 * through. */
static bool rootfs_has_devices(const struct rootfs *rootfs)
{
	return rootfs->plan->is_open || rootfs->plan->has_device_guard;
}

static unsigned int rootfs_attributes(const struct rootfs *rootfs, const struct rootfs_mount *row)
{
	if (rootfs_has_devices(rootfs) && !strcmp(row->path, "dev"))
		return row->attributes & ~MOUNT_ATTR_NODEV;
	if (rootfs->plan->is_open && !strcmp(row->path, "sys"))
		return row->attributes & ~MOUNT_ATTR_RDONLY;
	return row->attributes;
}

/* What a user namespace may not mount anew because the namespace it shows is the host's, or what
 * the container shares with the host: the host's own. */
static bool rootfs_is_hosts(const struct rootfs *rootfs, const struct rootfs_mount *row, int error)
{
	if (!strcmp(row->path, "dev/shm"))
		return rootfs->plan->has_host_ipc;
	if (error != -EPERM)
		return false;
	if (!strcmp(row->path, "proc"))
		return rootfs->plan->has_host_pid;
	return !strcmp(row->path, "sys") || !strcmp(row->path, "dev/mqueue");
}

static int rootfs_make_mount(struct rootfs *rootfs, const struct rootfs_mount *row)
{
	unsigned int attributes = rootfs_attributes(rootfs, row);
	int fd = mount_create(row->type, row->options, attributes);

	/* A user namespace with one group in it has no group tty. */
	if (fd == -EINVAL && row->plain_options)
		fd = mount_create(row->type, row->plain_options, attributes);
	if (!rootfs_is_hosts(rootfs, row, fd))
		return fd;
	if (fd >= 0)
		close(fd);
	rootfs->has_host_sys |= !strcmp(row->path, "sys");
	fd = mount_copy(rootfs->host_fd, row->path);
	return fd == -ENOENT ? -ENODEV : fd; /* the host has none to share */
}

/* A link there would lead what is mounted, and with it what is protected below, elsewhere. */
static int rootfs_add_mount(struct rootfs *rootfs, const struct rootfs_mount *row)
{
	autoclose int fd = -1;
	int r = inside_check_plain(rootfs->root_fd, row->path);

	if (r == -ELOOP)
		return log_error(
			r,
			"cannot mount the container's /%s: its root has a symbolic link in "
			"that place; make it a directory",
			row->path);
	fd = rootfs_make_mount(rootfs, row);
	if (fd == -ENODEV)
		return 0; /* this kernel has no such filesystem (mqueue) */
	if (fd < 0)
		return log_fail(fd, "make a %s for the container's /%s", row->type, row->path);
	if (!r)
		r = inside_make_dir(rootfs->root_fd, row->path, 0755);
	if (!r)
		r = mount_place(fd, rootfs->root_fd, row->path);
	if (r)
		return log_fail(r, "mount the container's /%s", row->path);
	if (!strcmp(row->path, "proc"))
		rootfs->proc_fd = steal_fd(&fd);
	return 0;
}

static int rootfs_add_mounts(struct rootfs *rootfs)
{
	struct cgroupfs cgroupfs = {
		.host_fd = rootfs->host_fd,
		.root_fd = rootfs->root_fd,
		.is_writable = rootfs->plan->is_open,
	};
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(rootfs_mounts); i++)
		r = rootfs_add_mount(rootfs, &rootfs_mounts[i]);
	cgroupfs.proc_fd = rootfs->proc_fd;
	return r ? r : cgroupfs_mount(&cgroupfs);
}

/* The host's own programs. */
static int rootfs_add_host(const struct rootfs *rootfs)
{
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(rootfs_dirs); i++) {
		const struct rootfs_dir *dir = &rootfs_dirs[i];

		if (mkdirat(rootfs->root_fd, dir->path, dir->mode))
			r = log_fail(-errno, "make the container's /%s", dir->path);
	}
	for (size_t i = 0; !r && i < ARRAY_SIZE(rootfs_host_paths); i++)
		r = rootfs_add_host_path(rootfs, rootfs_host_paths[i]);
	return r;
}

/* Neither --rootfs nor --image. */
static bool rootfs_is_hosts_own(const struct rootfs_plan *plan)
{
	return !plan->dir && !plan->image;
}

/* While the root can still be written, and what is the host's in it no more. */
static int rootfs_make_directory(const struct rootfs *rootfs)
{
	const char *path = rootfs->plan->directory;
	int r = path ? inside_make_dir(rootfs->root_fd, path, 0755) : 0;

	return r ? log_fail(r, "make the container's %s to start in", path) : 0;
}

static enum devices_kind rootfs_devices(const struct rootfs *rootfs)
{
	if (rootfs->plan->is_open)
		return DEVICES_ALL;
	return rootfs->plan->has_device_guard ? DEVICES_MADE : DEVICES_MOUNTED;
}

static int rootfs_fill(struct rootfs *rootfs)
{
	int r = rootfs_is_hosts_own(rootfs->plan) ? rootfs_add_host(rootfs) : 0;

	if (!r)
		r = rootfs_add_mounts(rootfs);
	return r ? r : devices_add(rootfs->host_fd, rootfs->root_fd, rootfs_devices(rootfs));
}

/*
 * Keeps the root that nsview sees as host_fd, and goes to the real root of the mount namespace.
 * In a chroot these differ, and a root pivoted there would lie inside the host's tree: with
 * CAP_SYS_CHROOT, which is in the default set, a command would walk out of it by `..`.
 */
static int rootfs_leave_chroot(struct rootfs *rootfs)
{
	autoclose int self = syscall(SYS_pidfd_open, getpid(), 0);

	rootfs->host_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (self < 0 || rootfs->host_fd < 0 || setns(self, CLONE_NEWNS))
		return log_fail(-errno, "enter the container's mount namespace");
	return 0;
}

/* Had it not worked, `..` would lead to what still lies on top. */
static int rootfs_check_top(void)
{
	struct stat root, above;

	if (stat("/", &root) || stat("/..", &above))
		return log_fail(-errno, "look at the container's root");
	if (root.st_dev != above.st_dev || root.st_ino != above.st_ino)
		return log_error(-EXDEV, "cannot make the container's root the root: the host's is "
					 "still mounted above it");
	return 0;
}

/* The host's tree is let go of, with every mount in it: what the container sees is all there is. */
static int rootfs_pivot(int root_fd)
{
	if (fchdir(root_fd))
		return log_fail(-errno, "enter the container's root");
	/* Both in one place: the old root then lies on top of the new one, and is taken off. */
	if (syscall(SYS_pivot_root, ".", ".")) {
		/* An initramfs cannot be pivoted away. The container's root lies on top of it, which
		 * `..` does not get below. */
		if (errno != EINVAL || chroot("."))
			return log_fail(-errno, "make the container's root the root");
		return 0;
	}
	if (umount2(".", MNT_DETACH))
		return log_fail(-errno, "let go of the host's root");
	if (chdir("/"))
		return log_fail(-errno, "enter the container's root");
	return rootfs_check_top();
}

static int rootfs_restrict(int proc_fd, const char *path, unsigned long flags)
{
	int r = mount_restrict(proc_fd, path, flags);

	return r ? log_fail(r, "restrict the mounts of the container's %s", path) : 0;
}

static int rootfs_protect(const struct rootfs *rootfs)
{
	bool is_open = rootfs->plan->is_open, has_host = rootfs_is_hosts_own(rootfs->plan);
	int r = 0;

	for (size_t i = 0; !r && has_host && i < ARRAY_SIZE(rootfs_host_paths); i++) {
		autofree char *path = mem_printf("/%s", rootfs_host_paths[i]);

		r = rootfs_restrict(rootfs->proc_fd, path,
				    MS_RDONLY | (rootfs_has_devices(rootfs) ? 0 : MS_NODEV));
	}
	if (!r && rootfs->has_host_sys)
		r = rootfs_restrict(rootfs->proc_fd, "/sys",
				    MS_NOSUID | MS_NODEV | MS_NOEXEC | (is_open ? 0 : MS_RDONLY));
	if (!r && has_host)
		r = protect_passwords();
	return r || is_open ? r : protect_system(rootfs->proc_fd);
}

/* While names still mean what they mean to nsview's caller. */
static int rootfs_open_sources(struct rootfs *rootfs)
{
	const struct volumes *volumes = &rootfs->plan->volumes;
	const char *dir = rootfs->plan->dir;

	if (dir)
		rootfs->dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir && rootfs->dir_fd < 0)
		return log_fail(-errno, "use %s as the container's root", *dir ? dir : "''");
	for (size_t i = 0; i < volumes->count; i++) {
		rootfs->volume_fds[i] = volume_open(&volumes->items[i]);
		if (rootfs->volume_fds[i] < 0)
			return rootfs->volume_fds[i];
	}
	return 0;
}

/* Those that are to be shared with the host, or those that are not. */
static int rootfs_copy_volumes(const struct rootfs *rootfs, bool is_shared)
{
	const struct volumes *volumes = &rootfs->plan->volumes;

	for (size_t i = 0; i < volumes->count; i++) {
		const struct volume *volume = &volumes->items[i];
		int fd;

		if (!(volume->propagation & MS_SHARED) == is_shared)
			continue;
		fd = volume_copy(volume, rootfs->volume_fds[i]);
		if (fd < 0)
			return fd;
		close(rootfs->volume_fds[i]);
		rootfs->volume_fds[i] = fd;
	}
	return 0;
}

static int rootfs_mount_volumes(const struct rootfs *rootfs)
{
	const struct volumes *volumes = &rootfs->plan->volumes;
	int r = 0;

	for (size_t i = 0; !r && i < volumes->count; i++) {
		const struct volume_place place = {
			.tree_fd = rootfs->volume_fds[i],
			.proc_fd = rootfs->proc_fd,
			.has_devices = rootfs_has_devices(rootfs),
		};

		r = volume_mount(&volumes->items[i], &place);
	}
	return r;
}

static int rootfs_make_root(struct rootfs *rootfs)
{
	unsigned int attributes = rootfs_has_devices(rootfs) ? 0 : MOUNT_ATTR_NODEV;

	if (rootfs->plan->dir) {
		rootfs->root_fd = overlay_mount(rootfs->dir_fd, rootfs->plan->dir, attributes);
		return rootfs->root_fd < 0 ? rootfs->root_fd : 0;
	}
	rootfs->root_fd = mount_create("tmpfs", "mode=755", attributes);
	if (rootfs->root_fd < 0)
		return log_fail(rootfs->root_fd, "make a tmpfs for the container's root");
	/* On top of the real root: no directory of the host is needed, and none is covered. */
	if (move_mount(rootfs->root_fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH))
		return log_fail(-errno, "mount the container's root");
	return rootfs->plan->image ? image_unpack(rootfs->plan->image, rootfs->root_fd) : 0;
}

/* Until here this process sees the host's mounts, and the container's on top of them. */
static int rootfs_build(struct rootfs *rootfs)
{
	int r = rootfs_copy_volumes(rootfs, true);

	if (r)
		return r;
	/* Nothing that is mounted here may come up on the host. */
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL))
		return log_fail(-errno, "part the container's mounts from the host's");
	r = rootfs_copy_volumes(rootfs, false);
	if (!r)
		r = rootfs_make_root(rootfs);
	if (r)
		return r;
	umask(0);
	r = rootfs_fill(rootfs);
	umask(022);
	return r ? r : rootfs_pivot(rootfs->root_fd);
}

/* The root is the container's from here on: no name leads out of it. */
static int rootfs_finish(const struct rootfs *rootfs)
{
	int r;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return log_fail(-errno, "make the container's mounts private");
	r = rootfs_protect(rootfs);
	if (!r)
		r = rootfs_mount_volumes(rootfs);
	if (!r)
		r = rootfs_make_directory(rootfs);
	if (r || !rootfs->plan->is_read_only)
		return r;
	r = mount_restrict_one(rootfs->proc_fd, "/", MS_RDONLY);
	return r ? log_fail(r, "make the container's root read-only") : 0;
}

static void rootfs_close(struct rootfs *rootfs)
{
	const int fds[] = {rootfs->dir_fd, rootfs->host_fd, rootfs->root_fd, rootfs->proc_fd};

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	for (size_t i = 0; i < rootfs->plan->volumes.count; i++) {
		if (rootfs->volume_fds[i] >= 0)
			close(rootfs->volume_fds[i]);
	}
	free(rootfs->volume_fds);
}

int rootfs_enter(const struct rootfs_plan *plan)
{
	struct rootfs rootfs = {
		.plan = plan, .dir_fd = -1, .host_fd = -1, .root_fd = -1, .proc_fd = -1};
	int r;

	rootfs.volume_fds = mem_resize(NULL, plan->volumes.count + 1, sizeof(int));
	for (size_t i = 0; i < plan->volumes.count; i++)
		rootfs.volume_fds[i] = -1;
	r = rootfs_open_sources(&rootfs);
	if (!r)
		r = rootfs_leave_chroot(&rootfs);
	if (!r)
		r = rootfs_build(&rootfs);
	if (!r)
		r = rootfs_finish(&rootfs);
	rootfs_close(&rootfs);
	return r;
}

int rootfs_plan_read(const struct spec *spec, struct rootfs_plan *plan)
{
	int r = 0;

	plan->dir = spec->rootfs;
	plan->is_read_only = spec->is_read_only;
	for (size_t i = 0; !r && i < spec->volumes_count; i++)
		r = volumes_add(&plan->volumes, spec->volumes[i]);
	if (r || !spec->image)
		return r;
	if (spec->rootfs)
		return log_error(-EINVAL, "cannot have both --rootfs and --image: leave one out");
	return image_open(spec->image, &plan->image);
}

void rootfs_plan_free(struct rootfs_plan *plan)
{
	volumes_free(&plan->volumes);
	image_free(plan->image);
	memset(plan, 0, sizeof(*plan));
}
