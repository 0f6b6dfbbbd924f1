/* SPDX-License-Identifier: GPL-2.0-only */
/* What nsview-static has instead of demo_image.c: see launch/image_absent.c. */
#include <errno.h>

#include "cmd/demo_image.h"

int demo_image_make(struct demo_image *image)
{
	(void)image;
	return -EOPNOTSUPP;
}

void demo_image_free(const struct demo_image *image)
{
	(void)image;
}
