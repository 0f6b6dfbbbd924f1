/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "launch/inside.h"

/* What /proc/self/mountinfo calls them, and mount(2) takes back. */
static const struct mount_flag {
	const char *word;
	unsigned long flag;
} mount_flags[] = {
	{"ro", MS_RDONLY},         {"nosuid", MS_NOSUID},           {"nodev", MS_NODEV},
	{"noexec", MS_NOEXEC},     {"noatime", MS_NOATIME},         {"nodiratime", MS_NODIRATIME},
	{"relatime", MS_RELATIME}, {"nosymfollow", MS_NOSYMFOLLOW},
};

/* options is changed. */
static int mount_configure(int fd, char *options)
{
	char *rest = NULL;

	for (char *word = strtok_r(options, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		char *value = strchr(word, '=');
		int r;

		if (value)
			*value++ = '\0';
		if (value)
			r = fsconfig(fd, FSCONFIG_SET_STRING, word, value, 0);
		else
			r = fsconfig(fd, FSCONFIG_SET_FLAG, word, NULL, 0);
		if (r)
			return -errno;
	}
	return fsconfig(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) ? -errno : 0;
}

int mount_create(const char *type, const char *options, unsigned int attributes)
{
	autoclose int fd = fsopen(type, FSOPEN_CLOEXEC);
	autofree char *words = mem_copy(options);
	int r;

	if (fd < 0)
		return -errno;
	/* Without a source /proc/mounts would say "none". */
	if (fsconfig(fd, FSCONFIG_SET_STRING, "source", type, 0))
		return -errno;
	r = mount_configure(fd, words);
	if (r)
		return r;
	r = fsmount(fd, FSMOUNT_CLOEXEC, attributes);
	return r < 0 ? -errno : r;
}

int mount_copy(int root_fd, const char *path)
{
	autoclose int source = inside_open(root_fd, path, O_PATH);
	int fd;

	if (source < 0)
		return source;
	fd = open_tree(source, "",
		       OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH);
	return fd < 0 ? -errno : fd;
}

int mount_place(int mount_fd, int root_fd, const char *path)
{
	autoclose int target = inside_open(root_fd, path, O_PATH);

	if (target < 0)
		return target;
	if (move_mount(mount_fd, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH))
		return -errno;
	return 0;
}

/* mountinfo writes space, tab, newline and backslash as three octal digits. */
static void mount_unescape(char *path)
{
	char *out = path;

	for (const char *in = path; *in; out++) {
		if (in[0] == '\\' && in[1] && in[2] && in[3]) {
			*out = (in[1] - '0') << 6 | (in[2] - '0') << 3 | (in[3] - '0');
			in += 4;
		} else {
			*out = *in++;
		}
	}
	*out = '\0';
}

static bool mount_is_below(const char *path, const char *prefix)
{
	size_t length = strlen(prefix);

	return !strncmp(path, prefix, length) && (!path[length] || path[length] == '/');
}

/* words is changed. */
static unsigned long mount_flags_read(char *words)
{
	unsigned long flags = 0;
	char *rest = NULL;

	for (char *word = strtok_r(words, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		for (size_t i = 0; i < ARRAY_SIZE(mount_flags); i++) {
			if (!strcmp(word, mount_flags[i].word))
				flags |= mount_flags[i].flag;
		}
	}
	return flags;
}

/* One line: "36 35 98:0 /root /mount/point rw,noatime master:1 - ext3 /dev/root rw". */
static int mount_restrict_line(char *line, const char *path, bool is_one, unsigned long flags)
{
	char *rest = NULL, *field = strtok_r(line, " ", &rest);

	for (int i = 0; field && i < 4; i++)
		field = strtok_r(NULL, " ", &rest);
	if (!field)
		return -EINVAL;
	mount_unescape(field);
	if (is_one ? strcmp(field, path) : !mount_is_below(field, path))
		return 0;
	flags |= mount_flags_read(strtok_r(NULL, " ", &rest));
	/* ENOENT: another mount hides this one, and the name leads past it. */
	if (mount(NULL, field, NULL, MS_REMOUNT | MS_BIND | flags, NULL) && errno != ENOENT)
		return -errno;
	return 0;
}

static FILE *mount_open_list(int proc_fd)
{
	autoclose int fd = openat(proc_fd, "self/mountinfo", O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

	if (file)
		steal_fd(&fd);
	return file;
}

static int mount_restrict_lines(int proc_fd, const char *path, bool is_one, unsigned long flags)
{
	autofclose FILE *file = mount_open_list(proc_fd);
	autofree char *line = NULL;
	size_t capacity = 0;
	int r = 0;

	if (!file)
		return -errno;
	/* In the order of mounting: of those stacked on one name, the visible one comes last. */
	while (!r && getline(&line, &capacity, file) > 0)
		r = mount_restrict_line(line, path, is_one, flags);
	return r;
}

int mount_restrict(int proc_fd, const char *path, unsigned long flags)
{
	return mount_restrict_lines(proc_fd, path, false, flags);
}

int mount_restrict_one(int proc_fd, const char *path, unsigned long flags)
{
	return mount_restrict_lines(proc_fd, path, true, flags);
}

/* False: the line is another mount's. */
static bool mount_read_tags(char *line, const char *path, unsigned long *found)
{
	char *rest = NULL, *field = strtok_r(line, " ", &rest);

	for (int i = 0; field && i < 4; i++)
		field = strtok_r(NULL, " ", &rest);
	if (!field)
		return false;
	mount_unescape(field);
	if (strcmp(field, path))
		return false;
	*found = 0;
	for (strtok_r(NULL, " ", &rest); field && strcmp(field, "-");
	     field = strtok_r(NULL, " ", &rest)) {
		if (!strncmp(field, "shared:", 7))
			*found |= MS_SHARED;
		else if (!strncmp(field, "master:", 7))
			*found |= MS_SLAVE;
	}
	return true;
}

int mount_propagation(int proc_fd, const char *path, unsigned long *found)
{
	autofclose FILE *file = mount_open_list(proc_fd);
	autofree char *line = NULL;
	size_t capacity = 0;
	bool is_there = false;

	if (!file)
		return -errno;
	while (getline(&line, &capacity, file) > 0)
		is_there |= mount_read_tags(line, path, found);
	return is_there ? 0 : -ENOENT;
}
