/* SPDX-License-Identifier: GPL-2.0-only */
/* Where in an array the process with a pid stands. */
#ifndef NSVIEW_BASE_PID_INDEX_H
#define NSVIEW_BASE_PID_INDEX_H

#include <stddef.h>
#include <stdint.h>

#define PID_INDEX_NONE UINT32_MAX

/* Open addressing, at most half full. Zero-initialise; pid_index_free releases it. */
struct pid_index {
	struct pid_index_slot {
		uint32_t pid; /* 0: empty */
		uint32_t place;
	} * slots;
	size_t count;
	size_t capacity; /* a power of two, or 0 */
};

/* PID_INDEX_NONE: no such pid. */
uint32_t pid_index_find(const struct pid_index *index, uint32_t pid);

/* Puts it in, or gives it another place. pid: not 0. */
void pid_index_set(struct pid_index *index, uint32_t pid, uint32_t place);
void pid_index_remove(struct pid_index *index, uint32_t pid);
void pid_index_clear(struct pid_index *index); /* keeps its memory */
void pid_index_free(struct pid_index *index);

#endif
