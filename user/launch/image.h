/* SPDX-License-Identifier: GPL-2.0-only */
/* --image ARCHIVE: what `docker save` writes, or an OCI layout in a file or directory. */
#ifndef NSVIEW_LAUNCH_IMAGE_H
#define NSVIEW_LAUNCH_IMAGE_H

#include <stddef.h>

struct bundle;

/* Zero-initialise. Each entry and the array are owned; NULL-terminated once there is one. */
struct image_list {
	char **items;
	size_t count;
	size_t capacity;
};

struct image {
	struct bundle *bundle;
	char *name;               /* as it was tagged; NULL: it was not */
	struct image_list layers; /* members of the bundle, the lowest first */
	/* What its author wants COMMAND to have; NULL or empty where that is nothing. */
	char *user;
	char *directory;
	struct image_list environment; /* NAME=VALUE */
	struct image_list entrypoint;
	struct image_list command;
};

/* NULL; or why this build can use no image at all, one sentence without a full stop: then
 * image_open fails with that sentence. */
extern const char *const image_absent;

/* NULL; or why this build on this machine can use none, in the same words as image_open. */
const char *image_find_lack(void);

/* Reads what describes it, no layer yet. What failed has been said. */
int image_open(const char *path, struct image **image);
void image_free(struct image *image);

/* Its files, into an empty directory in which nothing is mounted. What failed has been said. */
int image_unpack(const struct image *image, int root_fd);

/* As docker: ENTRYPOINT, then the words given, or else its CMD. NULL-terminated; the array is
 * owned, its strings are not. -EINVAL, no command at all, has been said. */
int image_command(const struct image *image, char *const *words, char ***command);

/* -e's words after the image's own. The array is owned, its strings are not. */
const char **image_environment(const struct image *image, const char *const *words, size_t *count);

#endif
