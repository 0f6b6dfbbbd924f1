/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef NSVIEW_CMD_PRINT_H
#define NSVIEW_CMD_PRINT_H

struct text;

/* Writes text to standard output and releases it. An exit code; a full disk has been said, a
 * reader that has gone wants no more, which is no failure. */
int print_text(struct text *text);

#endif
