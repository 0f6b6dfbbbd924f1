/* SPDX-License-Identifier: GPL-2.0-only */
/* Ownership in the type: what is declared with auto... is released when its scope ends. */
#ifndef NSVIEW_BASE_MEM_H
#define NSVIEW_BASE_MEM_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

static inline void mem_free_pointer(void *pointer)
{
	free(*(void **)pointer);
}

static inline void mem_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void mem_close_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

#define autofree __attribute__((cleanup(mem_free_pointer)))
#define autoclose __attribute__((cleanup(mem_close_fd)))
#define autofclose __attribute__((cleanup(mem_close_file)))

/* Gives the pointer (steal) or descriptor (steal_fd) away: its cleanup finds nothing. */
#define steal(pointer)                                   \
	({                                               \
		__typeof__(pointer) stolen_ = (pointer); \
		(pointer) = NULL;                        \
		stolen_;                                 \
	})

static inline int steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

/* Zeroed memory, never NULL: running out ends the program with one sentence and exit 1. */
void *mem_new(size_t size);
/* realloc to `count` elements of `size` bytes, never NULL; the new part is not zeroed. */
void *mem_resize(void *pointer, size_t count, size_t size);
char *mem_copy(const char *text);
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Makes room for one more element at the end of a growing array; doubles as it goes. */
#define mem_reserve_one(array, count, capacity)                                      \
	do {                                                                         \
		if ((count) == (capacity)) {                                         \
			(capacity) = (capacity) ? 2 * (capacity) : 16;               \
			(array) = mem_resize((array), (capacity), sizeof(*(array))); \
		}                                                                    \
	} while (0)

/* Many small pieces, released together. Zero-initialise. */
struct arena {
	struct arena_block *blocks;
};

/* 8-byte aligned, not zeroed, valid until arena_free. Never NULL. */
void *arena_take(struct arena *arena, size_t size);
char *arena_copy(struct arena *arena, const char *text, size_t length); /* adds a NUL */
void arena_free(struct arena *arena);

#endif
