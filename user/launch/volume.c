/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "launch/inside.h"
#include "launch/mount.h"

#define VOLUME_PROPAGATION (MS_SHARED | MS_SLAVE | MS_PRIVATE)

static const struct volume_word {
	const char *word;
	unsigned long propagation; /* 0: ro or rw */
} volume_words[] = {
	{"ro", 0},
	{"rw", 0},
	{"shared", MS_SHARED},
	{"rshared", MS_SHARED | MS_REC},
	{"slave", MS_SLAVE},
	{"rslave", MS_SLAVE | MS_REC},
	{"private", MS_PRIVATE},
	{"rprivate", MS_PRIVATE | MS_REC},
};

static const struct volume_word *volume_find_word(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(volume_words); i++) {
		if (!strcmp(word, volume_words[i].word))
			return &volume_words[i];
	}
	return NULL;
}

/* At most one word of each kind, as docker has it. */
static int volume_read_mode(const char *words, const char *mode, struct volume *volume)
{
	autofree char *copy = mem_copy(mode);
	char *rest = NULL;
	bool has_access = false, has_propagation = false;

	volume->propagation = MS_PRIVATE | MS_REC;
	for (char *word = strtok_r(copy, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		const struct volume_word *known = volume_find_word(word);
		bool *has = known && known->propagation ? &has_propagation : &has_access;

		if (!known)
			return log_error(-EINVAL,
					 "cannot mount %s: unknown mode %s; it is ro or rw, and "
					 "[r]shared, [r]slave or [r]private",
					 words, word);
		if (*has)
			return log_error(-EINVAL, "cannot mount %s: %s contradicts the word before",
					 words, word);
		*has = true;
		if (known->propagation)
			volume->propagation = known->propagation;
		else
			volume->is_read_only = !strcmp(word, "ro");
	}
	return 0;
}

/* In place, and only by the words: "/x/../data/." is /data, whatever is at /x. */
static void volume_clean_path(char *path)
{
	autofree char *copy = mem_copy(path);
	char *rest = NULL, *end = path;

	for (char *name = strtok_r(copy, "/", &rest); name; name = strtok_r(NULL, "/", &rest)) {
		if (!strcmp(name, "."))
			continue;
		if (!strcmp(name, "..")) {
			while (end > path && *--end != '/')
				;
			continue;
		}
		*end++ = '/';
		memcpy(end, name, strlen(name));
		end += strlen(name);
	}
	*end = '\0';
}

static int volume_check_target(const char *words, char *target)
{
	if (target[0] != '/')
		return log_error(-EINVAL,
				 "cannot mount %s: the path in the container has to begin with /",
				 words);
	volume_clean_path(target);
	if (!*target)
		return log_error(-EINVAL,
				 "cannot mount %s: the container's / is what it is; see "
				 "--rootfs",
				 words);
	if (!strcmp(target, "/proc") || !strncmp(target, "/proc/", 6))
		return log_error(-EINVAL, "cannot mount %s: nothing can be mounted in /proc",
				 words);
	return 0;
}

static int volume_read(const char *words, struct volume *volume)
{
	const char *first = strchr(words, ':');
	const char *second = first ? strchr(first + 1, ':') : NULL;
	const char *end = second ? second : words + strlen(words);

	if (!first || first == words || first + 1 == end || (second && strchr(second + 1, ':')))
		return log_error(-EINVAL,
				 "cannot mount %s: -v takes SRC:DST or SRC:DST:MODE, such as "
				 "/srv/web:/data:ro",
				 *words ? words : "''");
	volume->source = mem_printf("%.*s", (int)(first - words), words);
	volume->target = mem_printf("%.*s", (int)(end - first - 1), first + 1);
	if (volume->source[0] != '/')
		return log_error(-EINVAL,
				 "cannot mount %s: there are no named volumes here, and a path on "
				 "the host has to begin with /",
				 words);
	if (volume_check_target(words, volume->target))
		return -EINVAL;
	return volume_read_mode(words, second ? second + 1 : "", volume);
}

int volumes_add(struct volumes *volumes, const char *words)
{
	struct volume *volume;
	int r;

	mem_reserve_one(volumes->items, volumes->count, volumes->capacity);
	volume = &volumes->items[volumes->count++];
	memset(volume, 0, sizeof(*volume));
	r = volume_read(words, volume);
	for (size_t i = 0; !r && i + 1 < volumes->count; i++) {
		if (!strcmp(volumes->items[i].target, volume->target))
			r = log_error(-EINVAL,
				      "cannot mount %s: something else is to be mounted on %s",
				      words, volume->target);
	}
	return r;
}

void volumes_free(struct volumes *volumes)
{
	for (size_t i = 0; i < volumes->count; i++) {
		free(volumes->items[i].source);
		free(volumes->items[i].target);
	}
	free(volumes->items);
	memset(volumes, 0, sizeof(*volumes));
}

int volume_open(const struct volume *volume)
{
	int fd = open(volume->source, O_PATH | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return log_error(-ENOENT,
				 "cannot mount %s: there is no such file or directory on the host; "
				 "docker would make a directory and leave it there",
				 volume->source);
	return fd < 0 ? log_fail(-errno, "mount %s", volume->source) : fd;
}

int volume_copy(const struct volume *volume, int source_fd)
{
	int fd = open_tree(source_fd, "",
			   OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH);

	return fd < 0 ? log_fail(-errno, "copy the mount of %s for the container", volume->source)
		      : fd;
}

static int volume_fail(const struct volume *volume, int error)
{
	return log_fail(error, "mount %s on the container's %s", volume->source, volume->target);
}

/* The mount point, made when missing: an O_PATH descriptor. */
static int volume_open_target(const struct volume *volume, int root_fd, bool is_dir)
{
	int fd = inside_open(root_fd, volume->target, O_PATH);
	int r;

	if (fd != -ENOENT)
		return fd < 0 ? volume_fail(volume, fd) : fd;
	r = is_dir ? inside_make_dir(root_fd, volume->target, 0755)
		   : inside_make_file(root_fd, volume->target);
	if (r == -EROFS)
		return log_error(r,
				 "cannot mount %s on the container's %s: that is not there, and "
				 "cannot be made, because what is around it is the host's own and "
				 "read-only",
				 volume->source, volume->target);
	if (r)
		return volume_fail(volume, r);
	fd = inside_open(root_fd, volume->target, O_PATH);
	return fd < 0 ? volume_fail(volume, fd) : fd;
}

static int volume_check_types(const struct volume *volume, int target_fd, bool is_dir)
{
	struct statfs system;
	struct stat status;

	if (fstat(target_fd, &status) || fstatfs(target_fd, &system))
		return volume_fail(volume, -errno);
	/* The words said nothing of /proc, but a symbolic link may lead there. */
	if (system.f_type == PROC_SUPER_MAGIC)
		return log_error(-EINVAL,
				 "cannot mount %s on the container's %s: nothing can be mounted in "
				 "/proc",
				 volume->source, volume->target);
	if (S_ISDIR(status.st_mode) != is_dir)
		return log_error(
			-ENOTDIR,
			"cannot mount %s on the container's %s: one is a directory and the "
			"other is not",
			volume->source, volume->target);
	return 0;
}

/* A mount that nobody shares has nothing to propagate: docker refuses it too. */
static int volume_set_propagation(const struct volume *volume, int proc_fd, const char *path)
{
	unsigned long wanted = volume->propagation & VOLUME_PROPAGATION;
	unsigned long found = 0;
	int r = mount_propagation(proc_fd, path, &found);

	if (!r && wanted == MS_SHARED && !(found & MS_SHARED))
		return log_error(-EINVAL,
				 "cannot mount %s shared: it lies on a mount that is not shared "
				 "itself, or not with this user; see mount --make-shared",
				 volume->source);
	if (!r && wanted == MS_SLAVE && !found)
		return log_error(-EINVAL,
				 "cannot mount %s as a slave: it lies on a mount that is neither "
				 "shared nor a slave itself; see mount --make-shared",
				 volume->source);
	if (!r && mount(NULL, path, NULL, volume->propagation, NULL))
		r = -errno;
	return r ? volume_fail(volume, r) : 0;
}

int volume_mount(const struct volume *volume, const struct volume_place *place)
{
	autoclose int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	autoclose int target_fd = -1;
	autofree char *link = NULL;
	char path[PATH_MAX];
	struct stat status;
	ssize_t length;
	int r;

	if (root_fd < 0 || fstat(place->tree_fd, &status))
		return volume_fail(volume, -errno);
	target_fd = volume_open_target(volume, root_fd, S_ISDIR(status.st_mode));
	if (target_fd < 0)
		return target_fd;
	r = volume_check_types(volume, target_fd, S_ISDIR(status.st_mode));
	if (r)
		return r;
	link = mem_printf("self/fd/%d", target_fd);
	length = readlinkat(place->proc_fd, link, path, sizeof(path) - 1);
	if (length < 0)
		return volume_fail(volume, -errno);
	path[length] = '\0';
	if (move_mount(place->tree_fd, "", target_fd, "",
		       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH))
		return volume_fail(volume, -errno);
	r = volume_set_propagation(volume, place->proc_fd, path);
	if (r)
		return r;
	r = mount_restrict(place->proc_fd, path,
			   (volume->is_read_only ? MS_RDONLY : 0) |
				   (place->has_devices ? 0 : MS_NODEV));
	return r ? volume_fail(volume, r) : 0;
}
