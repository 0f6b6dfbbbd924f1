/* SPDX-License-Identifier: GPL-2.0-only */
/* What nsview-static has instead of image.c: all that libarchive is linked with would be four times
 * the rest of it. */
#include "launch/image.h"

#include <errno.h>

#include "base/log.h"

const char *const image_absent =
	"this nsview was built without libarchive, which reads images: unpack the image and give "
	"--rootfs DIR, or use the nsview that `make` builds";

const char *image_find_lack(void)
{
	return image_absent;
}

int image_open(const char *path, struct image **image)
{
	(void)image;
	return log_error(-EOPNOTSUPP, "cannot use the image %s: %s", path, image_absent);
}

/* No image has ever been opened. */
void image_free(struct image *image)
{
	(void)image;
}

int image_unpack(const struct image *image, int root_fd)
{
	(void)image;
	(void)root_fd;
	return -EOPNOTSUPP;
}

int image_command(const struct image *image, char *const *words, char ***command)
{
	(void)image;
	(void)words;
	(void)command;
	return -EOPNOTSUPP;
}

const char **image_environment(const struct image *image, const char *const *words, size_t *count)
{
	(void)image;
	(void)words;
	*count = 0;
	return NULL;
}
