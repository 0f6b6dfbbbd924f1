/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One layer of an image, laid over those below it. The archive is hostile: no entry leads out of
 * the root, by its name, by a link or by a hard link, and no device node is made.
 */
#ifndef NSVIEW_LAUNCH_UNPACK_H
#define NSVIEW_LAUNCH_UNPACK_H

struct archive;

struct unpack {
	int root_fd; /* empty, or with the layers below: nothing is mounted in it */
	struct archive *archive;
	const char *name; /* for sentences, as "layer 2 of busybox.tar" */
};

/* Removes what the layer's whiteouts take from the layers below. What failed has been said. */
int unpack_whiteouts(const struct unpack *unpack);

/* Adds its files; reads the same archive anew. What failed has been said. */
int unpack_files(const struct unpack *unpack);

#endif
