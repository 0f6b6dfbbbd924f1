/* SPDX-License-Identifier: GPL-2.0-only */
/* A line of text and the keys that change it. */
#ifndef NSVIEW_CMD_TOP_LINE_H
#define NSVIEW_CMD_TOP_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#define TOP_LINE_MAX 4096 /* bytes */

enum line_change {
	LINE_UNCHANGED, /* not a key for it */
	LINE_OTHER_CURSOR,
	LINE_OTHER_TEXT,
};

/* text: UTF-8; *cursor: in bytes, between two characters. key: as screen_key has it. */
enum line_change top_line_key(struct text *text, size_t *cursor, uint32_t key);

#endif
