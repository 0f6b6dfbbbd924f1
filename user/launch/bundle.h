/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The members of what holds an image: a tar file (docker save, an OCI layout in one file),
 * compressed or not, or a directory (an OCI layout). Members are found by name; a link among them
 * leads to another member and to nothing else. No program is executed to decompress.
 */
#ifndef NSVIEW_LAUNCH_BUNDLE_H
#define NSVIEW_LAUNCH_BUNDLE_H

#include <stddef.h>

struct archive;
struct bundle;
struct text;

/* What failed has been said. */
int bundle_open(const char *path, struct bundle **bundle);
void bundle_free(struct bundle *bundle);
const char *bundle_path(const struct bundle *bundle);

/* The content of a small member. -ENOENT: there is none, without a word; anything else has been
 * said. */
int bundle_read(struct bundle *bundle, const char *name, struct text *content);

/* A member that is a tar file itself. What failed has been said. */
struct bundle_layer;
int bundle_open_layer(struct bundle *bundle, const char *name, struct bundle_layer **layer);
struct archive *bundle_layer_archive(struct bundle_layer *layer); /* borrowed */
void bundle_close_layer(struct bundle_layer *layer);

/* In place, and only by the words: "./a//b/../c" is "a/c". -EINVAL: it is absolute or leads out. */
int bundle_clean_name(char *name);

#endif
