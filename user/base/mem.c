/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#define ARENA_BLOCK_BYTES (256 * 1024)

struct arena_block {
	struct arena_block *next;
	size_t used;
	size_t size;
	char data[];
};

/* Nothing useful can be done without memory, and nothing here may need any to say so. */
static _Noreturn void mem_exhausted(void)
{
	static const char sentence[] =
		"nsview: cannot go on: out of memory; close something or raise the memory limit\n";

	(void)!write(STDERR_FILENO, sentence, sizeof(sentence) - 1);
	_exit(1);
}

void *mem_new(size_t size)
{
	void *pointer = calloc(1, size ? size : 1);

	if (!pointer)
		mem_exhausted();
	return pointer;
}

void *mem_resize(void *pointer, size_t count, size_t size)
{
	void *resized = reallocarray(pointer, count ? count : 1, size);

	if (!resized)
		mem_exhausted();
	return resized;
}

char *mem_copy(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		mem_exhausted();
	return copy;
}

char *mem_printf(const char *format, ...)
{
	char *text = NULL;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0)
		mem_exhausted();
	return text;
}

void *arena_take(struct arena *arena, size_t size)
{
	struct arena_block *block = arena->blocks;
	void *taken;

	size = (size + 7) & ~(size_t)7;
	if (!block || block->size - block->used < size) {
		size_t room = size > ARENA_BLOCK_BYTES ? size : ARENA_BLOCK_BYTES;

		block = mem_resize(NULL, 1, sizeof(*block) + room);
		block->next = arena->blocks;
		block->used = 0;
		block->size = room;
		arena->blocks = block;
	}
	taken = block->data + block->used;
	block->used += size;
	return taken;
}

char *arena_copy(struct arena *arena, const char *text, size_t length)
{
	char *copy = arena_take(arena, length + 1);

	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

void arena_free(struct arena *arena)
{
	struct arena_block *next;

	for (struct arena_block *block = arena->blocks; block; block = next) {
		next = block->next;
		free(block);
	}
	arena->blocks = NULL;
}
