/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/unpack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "launch/inside.h"
#include "launch/libarchive.h"

#define UNPACK_DEPTH 256 /* of directories, when they are removed */
#define UNPACK_WHITEOUT ".wh."
#define UNPACK_OPAQUE ".wh..wh..opq"
#define UNPACK_CAPABILITY "security.capability"

/* One entry: where it belongs. */
struct unpack_place {
	char path[PATH_MAX]; /* from the root, clean; "" is the root itself */
	const char *name;    /* the last part of it */
	int parent_fd;
};

static int unpack_refuse(const struct unpack *unpack, const char *path, const char *why)
{
	return log_error(-EINVAL, "cannot unpack %s: its entry %s %s", unpack->name, path, why);
}

static int unpack_fail(const struct unpack *unpack, const char *path, int error)
{
	if (error == -ENOSPC)
		return log_error(error,
				 "cannot unpack %s: no room for %s; an image may take half of this "
				 "machine's memory",
				 unpack->name, path);
	return log_fail(error, "unpack %s: its entry %s", unpack->name, path);
}

/* "./usr//bin/" is "usr/bin". A name with `..`, or that begins with /, is refused: none of the
 * programs that write layers makes one. */
static int unpack_clean(const struct unpack *unpack, const char *name, char *path)
{
	const char *word = name;
	char *end = path;

	if (name[0] == '/')
		return unpack_refuse(unpack, name, "has an absolute name");
	while (*word) {
		size_t length = strcspn(word, "/");

		if (length == 2 && !strncmp(word, "..", 2))
			return unpack_refuse(unpack, name, "has `..` in its name");
		if (end - path + length + 2 > PATH_MAX)
			return unpack_refuse(unpack, "with a name of over 4096 bytes",
					     "is no file");
		if (length && !(length == 1 && *word == '.')) {
			if (end > path)
				*end++ = '/';
			memcpy(end, word, length);
			end += length;
		}
		word += length;
		word += strspn(word, "/");
	}
	*end = '\0';
	return 0;
}

/* parent_fd is left at -1. */
static int unpack_locate(const struct unpack *unpack, const char *name, struct unpack_place *place)
{
	const char *slash;
	int r;

	place->parent_fd = -1;
	if (!name)
		return unpack_refuse(unpack, "without a name", "is no file");
	r = unpack_clean(unpack, name, place->path);
	if (r)
		return r;
	slash = strrchr(place->path, '/');
	place->name = slash ? slash + 1 : place->path;
	return 0;
}

/* The directory around it, every link resolved inside the root. */
static int unpack_open_parent(const struct unpack *unpack, struct unpack_place *place, bool is_made)
{
	autofree char *parent = mem_printf("%.*s", (int)(place->name - place->path), place->path);
	int r = 0;

	if (is_made && *parent)
		r = inside_make_dir(unpack->root_fd, parent, 0755);
	if (r)
		return r;
	place->parent_fd =
		inside_open(unpack->root_fd, *parent ? parent : ".", O_PATH | O_DIRECTORY);
	return place->parent_fd < 0 ? place->parent_fd : 0;
}

static int unpack_remove(int parent_fd, const char *name, int depth);

/* Takes the descriptor. */
static int unpack_clear(int fd, int depth)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int r = 0;

	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while (!r && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			r = unpack_remove(dirfd(dir), entry->d_name, depth);
	}
	closedir(dir);
	return r;
}

/* Whatever it is, with all below it; not there is well, too. */
static int unpack_remove(int parent_fd, const char *name, int depth)
{
	int fd, r;

	if (!unlinkat(parent_fd, name, 0) || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	if (depth == 0)
		return -ELOOP;
	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = unpack_clear(fd, depth - 1);
	if (!r && unlinkat(parent_fd, name, AT_REMOVEDIR))
		r = -errno;
	return r;
}

static bool unpack_is_whiteout(const struct unpack_place *place)
{
	return !strncmp(place->name, UNPACK_WHITEOUT, strlen(UNPACK_WHITEOUT));
}

static int unpack_white_out(const struct unpack *unpack, struct unpack_place *place)
{
	const char *name = place->name + strlen(UNPACK_WHITEOUT);
	int fd, r;

	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return unpack_refuse(unpack, place->path, "would remove what is no file");
	r = unpack_open_parent(unpack, place, false);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (!r && !strcmp(place->name, UNPACK_OPAQUE)) {
		fd = openat(place->parent_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = fd < 0 ? -errno : unpack_clear(fd, UNPACK_DEPTH);
	} else if (!r && strncmp(name, UNPACK_WHITEOUT, strlen(UNPACK_WHITEOUT))) {
		/* The rest of .wh..wh.* is what aufs left for itself. */
		r = unpack_remove(place->parent_fd, name, UNPACK_DEPTH);
	}
	return r ? unpack_fail(unpack, place->path, r) : 0;
}

/* An id that a user namespace does not map stays nsview's own. */
static int unpack_set_owner(const struct unpack_place *place, struct archive_entry *entry)
{
	if (fchownat(place->parent_fd, place->name, libarchive.entry_uid(entry),
		     libarchive.entry_gid(entry), AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) &&
	    errno != EINVAL && errno != EPERM)
		return -errno;
	return 0;
}

/* The mode after the owner, because chown(2) takes setuid away. */
static int unpack_finish(const struct unpack_place *place, struct archive_entry *entry, int fd)
{
	const struct timespec times[2] = {
		{.tv_sec = libarchive.entry_mtime(entry),
		 .tv_nsec = libarchive.entry_mtime_nsec(entry)},
		{.tv_sec = libarchive.entry_mtime(entry),
		 .tv_nsec = libarchive.entry_mtime_nsec(entry)},
	};
	int r = unpack_set_owner(place, entry);

	if (!r && fchmod(fd, libarchive.entry_perm(entry)))
		r = -errno;
	futimens(fd, times);
	return r;
}

/* What a file may do by itself belongs to it; all other attributes do not matter in a sample. */
static void unpack_set_capability(struct archive_entry *entry, int fd)
{
	const char *name;
	const void *value;
	size_t size;

	libarchive.entry_xattr_reset(entry);
	while (libarchive.entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
		if (name && !strcmp(name, UNPACK_CAPABILITY))
			fsetxattr(fd, UNPACK_CAPABILITY, value, size, 0);
	}
}

static int unpack_write(int fd, const char *block, size_t size, off_t offset)
{
	while (size > 0) {
		ssize_t put = pwrite(fd, block, size, offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return put < 0 ? -errno : -ENOSPC;
		block += put;
		size -= put;
		offset += put;
	}
	return 0;
}

static int unpack_file(const struct unpack *unpack, const struct unpack_place *place,
		       struct archive_entry *entry)
{
	autoclose int fd = openat(place->parent_fd, place->name,
				  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	const void *block;
	size_t size;
	off_t offset;
	int status, r = fd < 0 ? -errno : 0;

	while (!r && (status = libarchive.read_data_block(unpack->archive, &block, &size,
							  &offset)) != ARCHIVE_EOF) {
		if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
			return -EBADMSG;
		r = unpack_write(fd, block, size, offset);
	}
	/* A sparse file may end in a hole. */
	if (!r && ftruncate(fd, libarchive.entry_size(entry)))
		r = -errno;
	if (!r)
		r = unpack_finish(place, entry, fd);
	if (!r)
		unpack_set_capability(entry, fd);
	return r;
}

static int unpack_dir(const struct unpack_place *place, struct archive_entry *entry)
{
	autoclose int fd = -1;

	if (mkdirat(place->parent_fd, place->name, 0700) && errno != EEXIST)
		return -errno;
	fd = openat(place->parent_fd, place->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : unpack_finish(place, entry, fd);
}

static int unpack_symlink(const struct unpack_place *place, struct archive_entry *entry)
{
	const char *target = libarchive.entry_symlink(entry);

	if (!target || symlinkat(target, place->parent_fd, place->name))
		return target ? -errno : -EBADMSG;
	return unpack_set_owner(place, entry);
}

/* To a file of the same root: the target is resolved in there, and its last part not at all. */
static int unpack_hard_link(const struct unpack *unpack, const struct unpack_place *place,
			    const char *name)
{
	struct unpack_place target;
	struct stat status;
	int r = unpack_locate(unpack, name, &target);

	if (r)
		return r;
	/* A link to itself: the file that is there is meant. */
	if (!strcmp(target.path, place->path))
		return 0;
	r = unpack_open_parent(unpack, &target, false);
	if (!r && (fstatat(target.parent_fd, target.name, &status, AT_SYMLINK_NOFOLLOW) ||
		   S_ISDIR(status.st_mode)))
		r = -ENOENT;
	if (!r)
		r = unpack_remove(place->parent_fd, place->name, UNPACK_DEPTH);
	if (!r && linkat(target.parent_fd, target.name, place->parent_fd, place->name, 0))
		r = -errno;
	if (target.parent_fd >= 0)
		close(target.parent_fd);
	if (r == -ENOENT)
		return unpack_refuse(unpack, place->path,
				     "is a hard link to a file that is not there");
	return r ? unpack_fail(unpack, place->path, r) : 0;
}

/* What is in the way goes, unless a directory meets a directory. */
static int unpack_make_room(const struct unpack_place *place, bool is_dir)
{
	struct stat status;

	if (is_dir && !fstatat(place->parent_fd, place->name, &status, AT_SYMLINK_NOFOLLOW) &&
	    S_ISDIR(status.st_mode))
		return 0;
	return unpack_remove(place->parent_fd, place->name, UNPACK_DEPTH);
}

static int unpack_node(const struct unpack *unpack, const struct unpack_place *place,
		       struct archive_entry *entry)
{
	int type = libarchive.entry_filetype(entry);
	int r = unpack_make_room(place, type == AE_IFDIR);

	if (r)
		return r;
	switch (type) {
	case AE_IFREG:
		return unpack_file(unpack, place, entry);
	case AE_IFDIR:
		return unpack_dir(place, entry);
	case AE_IFLNK:
		return unpack_symlink(place, entry);
	case AE_IFIFO:
		if (mkfifoat(place->parent_fd, place->name, libarchive.entry_perm(entry)))
			return -errno;
		return unpack_set_owner(place, entry);
	default:
		return 0; /* a socket, which nobody listens to */
	}
}

/* The container's /dev is its own, whatever an image has in that place. */
static bool unpack_is_device(struct archive_entry *entry)
{
	int type = libarchive.entry_filetype(entry);

	return type == AE_IFCHR || type == AE_IFBLK;
}

static int unpack_root(const struct unpack *unpack, struct archive_entry *entry)
{
	autoclose int fd = openat(unpack->root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct unpack_place root = {.parent_fd = unpack->root_fd, .name = ""};

	if (libarchive.entry_filetype(entry) != AE_IFDIR)
		return unpack_refuse(unpack, "'.'", "is the root, and no directory");
	return fd < 0 ? -errno : unpack_finish(&root, entry, fd);
}

static int unpack_add(const struct unpack *unpack, struct unpack_place *place,
		      struct archive_entry *entry)
{
	const char *link = libarchive.entry_hardlink(entry);
	int r;

	if (!*place->path)
		return unpack_root(unpack, entry);
	if (unpack_is_device(entry)) {
		if (!strncmp(place->path, "dev/", 4))
			return 0;
		return unpack_refuse(unpack, place->path, "is a device node outside /dev");
	}
	r = unpack_open_parent(unpack, place, true);
	if (r)
		return unpack_fail(unpack, place->path, r);
	if (link)
		return unpack_hard_link(unpack, place, link);
	r = unpack_node(unpack, place, entry);
	if (r == -EBADMSG)
		return log_error(r, "cannot unpack %s: its entry %s is damaged: %s", unpack->name,
				 place->path, libarchive.error_string(unpack->archive));
	return r ? unpack_fail(unpack, place->path, r) : 0;
}

static int unpack_each(const struct unpack *unpack, bool is_whiteouts)
{
	struct archive_entry *entry;
	int status, r = 0;

	while (!r &&
	       (status = libarchive.read_next_header(unpack->archive, &entry)) != ARCHIVE_EOF) {
		struct unpack_place place;

		if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
			return log_error(-EBADMSG, "cannot unpack %s: %s", unpack->name,
					 libarchive.error_string(unpack->archive));
		r = unpack_locate(unpack, libarchive.entry_pathname(entry), &place);
		if (r)
			return r;
		if (unpack_is_whiteout(&place) && is_whiteouts)
			r = unpack_white_out(unpack, &place);
		else if (!unpack_is_whiteout(&place) && !is_whiteouts)
			r = unpack_add(unpack, &place, entry);
		if (place.parent_fd >= 0)
			close(place.parent_fd);
	}
	return r;
}

int unpack_whiteouts(const struct unpack *unpack)
{
	return unpack_each(unpack, true);
}

int unpack_files(const struct unpack *unpack)
{
	return unpack_each(unpack, false);
}
