/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/demo_image.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "launch/libarchive.h"

#define IMAGE_STRING_(number) #number
#define IMAGE_STRING(number) IMAGE_STRING_(number)
#define IMAGE_ID IMAGE_STRING(DEMO_IMAGE_UID)
#define IMAGE_LAYER "layer.tar"
#define IMAGE_CONFIG "config.json"
#define IMAGE_LAYER_MAX 65536

static const char image_passwd[] =
	"root:x:0:0:root:/:/bin/sh\n" DEMO_IMAGE_USER ":x:" IMAGE_ID ":" IMAGE_ID "::/:/bin/sh\n";
static const char image_group[] = "root:x:0:\n" DEMO_IMAGE_USER ":x:" IMAGE_ID ":\n";
static const char image_config[] = "{\"config\":{\"User\":\"" DEMO_IMAGE_USER "\"}}";
static const char image_manifest[] =
	"[{\"Config\":\"" IMAGE_CONFIG "\",\"RepoTags\":[\"" DEMO_IMAGE_TAG
	"\"],\"Layers\":[\"" IMAGE_LAYER "\"]}]";

/* Where programs and what they are linked with lie. On most machines all but the first are links
 * into it, which the image then has too. */
static const struct image_place {
	const char *path;
	const char *volume;
} image_places[DEMO_IMAGE_VOLUMES] = {
	{"/usr", "/usr:/usr:ro"}, {"/bin", "/bin:/bin:ro"},       {"/sbin", "/sbin:/sbin:ro"},
	{"/lib", "/lib:/lib:ro"}, {"/lib64", "/lib64:/lib64:ro"},
};

static int image_add(struct archive *archive, const char *name, const char *data, size_t size)
{
	struct archive_entry *entry = libarchive.entry_new();
	int r;

	libarchive.entry_set_pathname(entry, name);
	libarchive.entry_set_mode(entry, S_IFREG | 0644);
	libarchive.entry_set_size(entry, (int64_t)size);
	r = libarchive.write_header(archive, entry);
	if (r == ARCHIVE_OK && libarchive.write_data(archive, data, size) != (ssize_t)size)
		r = ARCHIVE_FATAL;
	libarchive.entry_free(entry);
	return r;
}

static int image_add_link(struct archive *archive, const char *path)
{
	char target[PATH_MAX];
	ssize_t length = readlink(path, target, sizeof(target) - 1);
	struct archive_entry *entry;
	int r;

	if (length < 0)
		return ARCHIVE_OK;
	target[length] = '\0';
	entry = libarchive.entry_new();
	libarchive.entry_set_pathname(entry, path + 1);
	libarchive.entry_set_mode(entry, S_IFLNK | 0777);
	libarchive.entry_set_symlink(entry, target);
	r = libarchive.write_header(archive, entry);
	libarchive.entry_free(entry);
	return r;
}

static struct archive *image_start(void)
{
	struct archive *archive = libarchive.write_new();

	libarchive.write_set_format_ustar(archive);
	libarchive.write_set_bytes_in_last_block(archive, 1);
	return archive;
}

static int image_finish(struct archive *archive, int r)
{
	if (r == ARCHIVE_OK)
		r = libarchive.write_close(archive);
	libarchive.write_free(archive);
	return r == ARCHIVE_OK ? 0 : -EIO;
}

static int image_write_layer(char layer[IMAGE_LAYER_MAX], size_t *size)
{
	struct archive *archive = image_start();
	int r = libarchive.write_open_memory(archive, layer, IMAGE_LAYER_MAX, size);

	if (r == ARCHIVE_OK)
		r = image_add(archive, "etc/passwd", image_passwd, strlen(image_passwd));
	if (r == ARCHIVE_OK)
		r = image_add(archive, "etc/group", image_group, strlen(image_group));
	for (size_t i = 0; r == ARCHIVE_OK && i < ARRAY_SIZE(image_places); i++)
		r = image_add_link(archive, image_places[i].path);
	return image_finish(archive, r);
}

static int image_write(int fd)
{
	autofree char *layer = mem_new(IMAGE_LAYER_MAX);
	size_t size = 0;
	struct archive *archive;
	int r = image_write_layer(layer, &size);

	if (r)
		return r;
	archive = image_start();
	r = libarchive.write_open_fd(archive, fd);
	if (r == ARCHIVE_OK)
		r = image_add(archive, IMAGE_CONFIG, image_config, strlen(image_config));
	if (r == ARCHIVE_OK)
		r = image_add(archive, IMAGE_LAYER, layer, size);
	if (r == ARCHIVE_OK)
		r = image_add(archive, "manifest.json", image_manifest, strlen(image_manifest));
	return image_finish(archive, r);
}

int demo_image_make(struct demo_image *image)
{
	autoclose int fd = memfd_create("nsview-demo", MFD_CLOEXEC);
	int r = fd < 0 ? -errno : image_write(fd);

	if (r)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(image_places); i++) {
		struct stat status;

		if (!lstat(image_places[i].path, &status) && S_ISDIR(status.st_mode))
			image->volumes[image->volumes_count++] = image_places[i].volume;
	}
	image->fd = steal_fd(&fd);
	snprintf(image->path, sizeof(image->path), "/proc/self/fd/%d", image->fd);
	return 0;
}

void demo_image_free(const struct demo_image *image)
{
	if (image->fd >= 0)
		close(image->fd);
}
