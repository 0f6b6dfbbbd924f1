/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "launch/inside.h"
#include "launch/libarchive.h"

#define BUNDLE_SMALL_BYTES (4u << 20) /* of a manifest or configuration; a usual one has 10 KiB */
#define BUNDLE_BLOCK 65536
#define BUNDLE_LINKS 8 /* followed in a row */

struct bundle {
	char *path;
	int fd;
	bool is_dir;
};

struct bundle_layer {
	struct archive *outer; /* NULL: fd is the member itself */
	struct archive *archive;
	int fd;
	char block[BUNDLE_BLOCK];
};

int bundle_clean_name(char *name)
{
	autofree char *copy = mem_copy(name);
	char *rest = NULL, *end = name;

	if (name[0] == '/')
		return -EINVAL;
	for (char *word = strtok_r(copy, "/", &rest); word; word = strtok_r(NULL, "/", &rest)) {
		size_t length = strlen(word);

		if (!strcmp(word, "."))
			continue;
		if (!strcmp(word, "..")) {
			if (end == name)
				return -EINVAL;
			while (end > name && *--end != '/')
				;
			continue;
		}
		if (end > name)
			*end++ = '/';
		memcpy(end, word, length);
		end += length;
	}
	*end = '\0';
	return 0;
}

static int bundle_fail(const struct bundle *bundle, struct archive *archive)
{
	const char *reason = archive ? libarchive.error_string(archive) : NULL;

	return log_error(-EBADMSG, "cannot read the image %s: %s", bundle->path,
			 reason ? reason : "it is damaged");
}

/* tar alone, and only what the library decompresses by itself. */
static struct archive *bundle_new_reader(void)
{
	struct archive *archive = libarchive.read_new();

	if (!archive)
		return NULL;
	libarchive.read_support_format_tar(archive);
	libarchive.read_support_filter_gzip(archive);
	libarchive.read_support_filter_bzip2(archive);
	libarchive.read_support_filter_xz(archive);
	libarchive.read_support_filter_zstd(archive);
	return archive;
}

/* From its beginning. What failed has been said. */
static int bundle_start(const struct bundle *bundle, struct archive **archive)
{
	struct archive *reader = bundle_new_reader();

	if (!reader)
		return log_fail(-ENOMEM, "read the image %s", bundle->path);
	if (lseek(bundle->fd, 0, SEEK_SET) < 0 ||
	    libarchive.read_open_fd(reader, bundle->fd, BUNDLE_BLOCK) != ARCHIVE_OK) {
		bundle_fail(bundle, reader);
		libarchive.read_free(reader);
		return -EBADMSG;
	}
	*archive = reader;
	return 0;
}

static bool bundle_is_member(struct archive_entry *entry, const char *name)
{
	const char *path = libarchive.entry_pathname(entry);
	autofree char *clean = path ? mem_copy(path) : NULL;

	return clean && !bundle_clean_name(clean) && !strcmp(clean, name);
}

/* Where a link leads, from the root of the archive. NULL: the member is no link. */
static char *bundle_link_target(struct archive_entry *entry, const char *name)
{
	const char *hard = libarchive.entry_hardlink(entry);
	const char *soft = libarchive.entry_symlink(entry);
	const char *slash = strrchr(name, '/');

	if (hard)
		return mem_copy(hard);
	if (!soft)
		return NULL;
	if (soft[0] == '/' || !slash)
		return mem_copy(soft);
	return mem_printf("%.*s/%s", (int)(slash - name), name, soft);
}

/*
 * Leaves *archive at the data of the member. *target is set instead when it is a link, and owned.
 * -ENOENT without a word.
 */
static int bundle_seek(const struct bundle *bundle, const char *name, struct archive **archive,
		       char **target)
{
	struct archive_entry *entry;
	struct archive *reader = NULL;
	int status, r = bundle_start(bundle, &reader);

	if (r)
		return r;
	while ((status = libarchive.read_next_header(reader, &entry)) == ARCHIVE_OK ||
	       status == ARCHIVE_WARN) {
		if (!bundle_is_member(entry, name))
			continue;
		*target = bundle_link_target(entry, name);
		if (!*target && libarchive.entry_filetype(entry) == AE_IFREG) {
			*archive = reader;
			return 0;
		}
		libarchive.read_free(reader);
		return *target ? 0 : -ENOENT;
	}
	r = status == ARCHIVE_EOF ? -ENOENT : bundle_fail(bundle, reader);
	libarchive.read_free(reader);
	return r;
}

static int bundle_find(const struct bundle *bundle, const char *name, struct archive **archive)
{
	autofree char *current = mem_copy(name);

	for (int i = 0; i < BUNDLE_LINKS; i++) {
		char *target = NULL;
		int r = bundle_clean_name(current);

		if (!r)
			r = bundle_seek(bundle, current, archive, &target);
		if (r == -EINVAL)
			return -ENOENT;
		if (r || !target)
			return r;
		free(current);
		current = target;
	}
	return -ENOENT;
}

/* In a directory. -ENOENT without a word. */
static int bundle_open_file(const struct bundle *bundle, const char *name)
{
	autoclose int fd = inside_open(bundle->fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	struct stat status;

	if (fd == -ENOENT || (fd >= 0 && (fstat(fd, &status) || !S_ISREG(status.st_mode))))
		return -ENOENT;
	return fd < 0 ? log_fail(fd, "open %s of the image %s", name, bundle->path) : steal_fd(&fd);
}

int bundle_open(const char *path, struct bundle **bundle)
{
	autoclose int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct bundle *made;
	const char *lack;
	struct stat status;

	if (fd < 0 || fstat(fd, &status))
		return log_fail(-errno, "open the image %s", *path ? path : "''");
	if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
		return log_error(-EINVAL,
				 "cannot read the image %s: it is neither a file nor a directory",
				 path);
	lack = libarchive_load();
	if (lack)
		return log_error(-EOPNOTSUPP, "cannot read the image %s: %s", path, lack);
	made = mem_new(sizeof(*made));
	made->path = mem_copy(path);
	made->is_dir = S_ISDIR(status.st_mode);
	made->fd = steal_fd(&fd);
	*bundle = made;
	return 0;
}

void bundle_free(struct bundle *bundle)
{
	if (!bundle)
		return;
	close(bundle->fd);
	free(bundle->path);
	free(bundle);
}

const char *bundle_path(const struct bundle *bundle)
{
	return bundle->path;
}

static ssize_t bundle_read_some(struct archive *archive, int fd, char *block, size_t size)
{
	return archive ? libarchive.read_data(archive, block, size) : read(fd, block, size);
}

static int bundle_read_all(const struct bundle *bundle, const char *name, struct archive *archive,
			   int fd, struct text *content)
{
	autofree char *block = mem_new(BUNDLE_BLOCK);
	ssize_t got;

	while ((got = bundle_read_some(archive, fd, block, BUNDLE_BLOCK)) > 0) {
		text_add(content, block, got);
		if (content->length > BUNDLE_SMALL_BYTES)
			return log_error(-EFBIG,
					 "cannot read the image %s: its %s is larger than 4 MiB",
					 bundle->path, name);
	}
	return got < 0 ? bundle_fail(bundle, archive) : 0;
}

int bundle_read(struct bundle *bundle, const char *name, struct text *content)
{
	struct archive *archive = NULL;
	autoclose int fd = -1;
	int r = 0;

	if (bundle->is_dir) {
		fd = bundle_open_file(bundle, name);
		r = fd < 0 ? fd : 0;
	} else {
		r = bundle_find(bundle, name, &archive);
	}
	if (!r)
		r = bundle_read_all(bundle, name, archive, fd, content);
	libarchive.read_free(archive);
	return r;
}

static la_ssize_t bundle_layer_read(struct archive *archive, void *context, const void **block)
{
	struct bundle_layer *layer = context;
	ssize_t got = bundle_read_some(layer->outer, layer->fd, layer->block, BUNDLE_BLOCK);

	*block = layer->block;
	if (got < 0)
		libarchive.set_error(archive, EIO, "the archive around it is damaged");
	return got;
}

int bundle_open_layer(struct bundle *bundle, const char *name, struct bundle_layer **layer)
{
	struct bundle_layer *made = mem_new(sizeof(*made));
	int r = 0;

	made->fd = -1;
	if (bundle->is_dir) {
		made->fd = bundle_open_file(bundle, name);
		r = made->fd < 0 ? made->fd : 0;
	} else {
		r = bundle_find(bundle, name, &made->outer);
	}
	if (r == -ENOENT)
		log_error(r, "cannot read the image %s: its layer %s is not in it", bundle->path,
			  name);
	if (!r) {
		made->archive = bundle_new_reader();
		if (!made->archive || libarchive.read_open(made->archive, made, NULL,
							   bundle_layer_read, NULL) != ARCHIVE_OK)
			r = log_error(-EBADMSG, "cannot read the image %s: its layer %s: %s",
				      bundle->path, name,
				      made->archive ? libarchive.error_string(made->archive)
						    : strerror(ENOMEM));
	}
	if (r) {
		bundle_close_layer(made);
		return r;
	}
	*layer = made;
	return 0;
}

struct archive *bundle_layer_archive(struct bundle_layer *layer)
{
	return layer->archive;
}

void bundle_close_layer(struct bundle_layer *layer)
{
	if (!layer)
		return;
	libarchive.read_free(layer->archive);
	libarchive.read_free(layer->outer);
	if (layer->fd >= 0)
		close(layer->fd);
	free(layer);
}
