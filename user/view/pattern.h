/* SPDX-License-Identifier: GPL-2.0-only */
/* Regular expressions that cost no more than they should. Private to view/. */
#ifndef NSVIEW_VIEW_PATTERN_H
#define NSVIEW_VIEW_PATTERN_H

#include <regex.h>

struct text;

/*
 * regcomp for a POSIX extended expression, for matching only. -EINVAL: why is a clause. Refused
 * beyond what regcomp refuses: back references, which POSIX does not have here either, and
 * repetitions of repetitions that multiply beyond any use.
 */
int pattern_compile(regex_t *regex, const char *pattern, struct text *why);

#endif
