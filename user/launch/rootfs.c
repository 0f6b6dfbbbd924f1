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
#include "launch/inside.h"
#include "launch/mount.h"

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
 * docker's own list, in its order. No mount of the container lets a device be opened except
 * these nodes, which are the host's own: so CAP_MKNOD of the default set reaches no disk, though
 * no device cgroup stands in its way.
 */
static const struct rootfs_mount {
	const char *type;
	const char *path;
	const char *options;
	unsigned int attributes;
} rootfs_mounts[] = {
	{"proc", "proc", "", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC},
	{"tmpfs", "dev", "mode=755,size=65536k", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV},
	{"devpts", "dev/pts", "newinstance,ptmxmode=0666,mode=0620,gid=5",
	 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC},
	{"sysfs", "sys", "",
	 MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC},
	{"mqueue", "dev/mqueue", "", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC},
	{"tmpfs", "dev/shm", "mode=1777,size=65536k",
	 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC},
};

static const char *const rootfs_devices[] = {
	"dev/null", "dev/zero", "dev/full", "dev/random", "dev/urandom", "dev/tty",
};

static const struct rootfs_link {
	const char *path;
	const char *target;
} rootfs_links[] = {
	{"dev/fd", "/proc/self/fd"},       {"dev/stdin", "/proc/self/fd/0"},
	{"dev/stdout", "/proc/self/fd/1"}, {"dev/stderr", "/proc/self/fd/2"},
	{"dev/ptmx", "pts/ptmx"},
};

/*
 * docker's lists. Without them root inside, which is root outside, would write the host's
 * core_pattern or sysrq-trigger: neither asks for a capability.
 */
static const char *const rootfs_readonly_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

static const char *const rootfs_masked_paths[] = {
	"/proc/asound",        "/proc/acpi",       "/proc/kcore",       "/proc/keys",
	"/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
	"/proc/scsi",          "/sys/firmware",    "/etc/shadow",       "/etc/shadow-",
	"/etc/gshadow",        "/etc/gshadow-",
};

/* The tree that is being built, and what it is built from. */
struct rootfs {
	int host_fd; /* the root that nsview was started in */
	int root_fd;
	int proc_fd; /* the container's /proc */
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

static int rootfs_add_mounts(struct rootfs *rootfs)
{
	for (size_t i = 0; i < ARRAY_SIZE(rootfs_mounts); i++) {
		const struct rootfs_mount *row = &rootfs_mounts[i];
		autoclose int fd = mount_create(row->type, row->options, row->attributes);
		int r;

		if (fd == -ENODEV)
			continue; /* this kernel has no such filesystem (mqueue) */
		if (fd < 0)
			return log_fail(fd, "make a %s for the container's /%s", row->type,
					row->path);
		r = inside_make_dir(rootfs->root_fd, row->path, 0755);
		if (!r)
			r = mount_place(fd, rootfs->root_fd, row->path);
		if (r)
			return log_fail(r, "mount the container's /%s", row->path);
		if (!strcmp(row->path, "proc"))
			rootfs->proc_fd = steal_fd(&fd);
	}
	return 0;
}

static int rootfs_add_devices(const struct rootfs *rootfs)
{
	for (size_t i = 0; i < ARRAY_SIZE(rootfs_devices); i++) {
		int r = rootfs_add_tree(rootfs, rootfs_devices[i], false);

		if (r)
			return r;
	}
	for (size_t i = 0; i < ARRAY_SIZE(rootfs_links); i++) {
		if (symlinkat(rootfs_links[i].target, rootfs->root_fd, rootfs_links[i].path))
			return log_fail(-errno, "make the link /%s in the container",
					rootfs_links[i].path);
	}
	return 0;
}

static int rootfs_fill(struct rootfs *rootfs)
{
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(rootfs_dirs); i++) {
		const struct rootfs_dir *dir = &rootfs_dirs[i];

		if (mkdirat(rootfs->root_fd, dir->path, dir->mode))
			r = log_fail(-errno, "make the container's /%s", dir->path);
	}
	for (size_t i = 0; !r && i < ARRAY_SIZE(rootfs_host_paths); i++)
		r = rootfs_add_host_path(rootfs, rootfs_host_paths[i]);
	if (!r)
		r = rootfs_add_mounts(rootfs);
	return r ? r : rootfs_add_devices(rootfs);
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
	return 0;
}

/* A directory is hidden by an empty one, a file by /dev/null. */
static int rootfs_mask(const char *path)
{
	struct stat status;
	int r;

	if (lstat(path, &status))
		return 0;
	if (S_ISDIR(status.st_mode))
		r = mount("tmpfs", path, "tmpfs", MS_RDONLY | MS_NODEV, "size=0");
	else
		r = mount("/dev/null", path, NULL, MS_BIND, NULL);
	return r ? log_fail(-errno, "hide the container's %s", path) : 0;
}

static int rootfs_make_readonly(int proc_fd, const char *path)
{
	int r;

	if (mount(path, path, NULL, MS_BIND | MS_REC, NULL))
		return errno == ENOENT
			       ? 0
			       : log_fail(-errno, "make the container's %s read-only", path);
	r = mount_restrict(proc_fd, path, MS_RDONLY);
	return r ? log_fail(r, "make the container's %s read-only", path) : 0;
}

static int rootfs_protect(int proc_fd)
{
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(rootfs_host_paths); i++) {
		autofree char *path = mem_printf("/%s", rootfs_host_paths[i]);

		r = mount_restrict(proc_fd, path, MS_RDONLY | MS_NODEV);
		if (r)
			log_fail(r, "make the container's %s read-only", path);
	}
	for (size_t i = 0; !r && i < ARRAY_SIZE(rootfs_masked_paths); i++)
		r = rootfs_mask(rootfs_masked_paths[i]);
	for (size_t i = 0; !r && i < ARRAY_SIZE(rootfs_readonly_paths); i++)
		r = rootfs_make_readonly(proc_fd, rootfs_readonly_paths[i]);
	return r;
}

static int rootfs_build(struct rootfs *rootfs)
{
	int r;

	/* Nothing that is mounted here may come up on the host. */
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL))
		return log_fail(-errno, "part the container's mounts from the host's");
	rootfs->root_fd = mount_create("tmpfs", "mode=755", MOUNT_ATTR_NODEV);
	if (rootfs->root_fd < 0)
		return log_fail(rootfs->root_fd, "make a tmpfs for the container's root");
	/* On top of the real root: no directory of the host is needed, and none is covered. */
	if (move_mount(rootfs->root_fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH))
		return log_fail(-errno, "mount the container's root");
	umask(0);
	r = rootfs_fill(rootfs);
	umask(022);
	if (!r)
		r = rootfs_pivot(rootfs->root_fd);
	if (r)
		return r;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return log_fail(-errno, "make the container's mounts private");
	return rootfs_protect(rootfs->proc_fd);
}

int rootfs_enter(void)
{
	struct rootfs rootfs = {.host_fd = -1, .root_fd = -1, .proc_fd = -1};
	const int *fds[] = {&rootfs.host_fd, &rootfs.root_fd, &rootfs.proc_fd};
	int r = rootfs_leave_chroot(&rootfs);

	if (!r)
		r = rootfs_build(&rootfs);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
	}
	return r;
}
