/* SPDX-License-Identifier: GPL-2.0-only */
/* What a terminal sends, as keys: characters, and the sequences of those that have none. */
#ifndef NSVIEW_OUTPUT_KEYS_H
#define NSVIEW_OUTPUT_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct keys;

struct keys *keys_new(void);
void keys_free(struct keys *keys); /* takes NULL */

/* This terminal's own sequence for a key, besides what nearly all send. NULL or "": it has none. */
void keys_know(struct keys *keys, const char *sequence, uint32_t key);

/* What has come in. What there is no room for, since nobody takes keys, is dropped. */
void keys_add(struct keys *keys, const char *data, size_t length);

/* The next key (screen.h), 0: none. *is_partial: what is there may be the beginning of a sequence;
 * when nothing more comes, is_all makes keys of it. Sequences of no key that we know are skipped. */
uint32_t keys_next(struct keys *keys, bool is_all, bool *is_partial);

/* Whether keys_next has something to look at. */
bool keys_has_more(const struct keys *keys);

#endif
