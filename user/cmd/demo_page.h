/* SPDX-License-Identifier: GPL-2.0-only */
/* How `nsview demo` lays out what it shows, 80 columns wide. */
#ifndef NSVIEW_CMD_DEMO_PAGE_H
#define NSVIEW_CMD_DEMO_PAGE_H

#include <stddef.h>

struct spec;
struct text;

/* Words, indented, broken where a line is full; an empty line follows. */
void page_add_paragraph(struct text *out, const char *paragraph);

/* As typed at a prompt. Where it is too long for one line it goes on in the next. */
void page_add_command(struct text *out, const char *command);

/* `nsview run` with the words of spec, and then the command as it is to be shown. */
void page_add_run(struct text *out, const struct spec *spec, const char *shown);

/* Lines that something else has printed, whatever is in them. */
void page_add_printed(struct text *out, const char *lines, size_t length);

#endif
