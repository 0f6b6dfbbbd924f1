/* SPDX-License-Identifier: GPL-2.0-only */
/* --at: a moment of a recording, as people write one. */
#ifndef NSVIEW_SOURCE_REPLAY_TIME_H
#define NSVIEW_SOURCE_REPLAY_TIME_H

#include <stdint.h>

struct text;
struct time_zone;

/*
 * word: RFC 3339, in the recording's time zone where it names none; HH:MM[:SS], the first such time
 * from the recording's start on; or +SECONDS after that. *at_ns: since the epoch. -EINVAL: none of
 * these.
 */
int replay_time_parse(const char *word, int64_t start_ns, const struct time_zone *zone,
		      int64_t *at_ns);

/* RFC 3339 in UTC, with as many digits as milliseconds take. */
void replay_time_add(struct text *out, int64_t at_ns);

#endif
