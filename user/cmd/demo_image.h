/* SPDX-License-Identifier: GPL-2.0-only */
/* An image made on the fly, as `docker save` would write it. */
#ifndef NSVIEW_CMD_DEMO_IMAGE_H
#define NSVIEW_CMD_DEMO_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#define DEMO_IMAGE_TAG "nsview-demo:latest"
#define DEMO_IMAGE_USER "web" /* what the image says, and what its own /etc/passwd says of that */
#define DEMO_IMAGE_UID 4711

#define DEMO_IMAGE_VOLUMES 5

/* It has users and no programs: these are the host's, by -v. */
struct demo_image {
	int fd; /* the archive, in memory; -1: it has not been made */
	char path[32];
	const char *volumes[DEMO_IMAGE_VOLUMES]; /* static */
	size_t volumes_count;
};

/* After image_find_lack has found none. -errno without a word. */
int demo_image_make(struct demo_image *image);
void demo_image_free(const struct demo_image *image);

#endif
