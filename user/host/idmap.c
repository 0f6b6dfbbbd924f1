/* SPDX-License-Identifier: GPL-2.0-only */
#include "host/idmap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/event.h"

#define LINE_BYTES 64 /* the kernel writes "%10u %10u %10u\n" */

static int extent_parse(const char *line, size_t length, struct idmap_extent *extent)
{
	char copy[LINE_BYTES];
	uint32_t *const fields[] = {&extent->inside, &extent->outside, &extent->length};
	char *at = copy;

	if (length >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, line, length);
	copy[length] = '\0';
	for (size_t i = 0; i < 3; i++) {
		char *end;
		unsigned long value = strtoul(at, &end, 10);

		if (end == at || value > UINT32_MAX)
			return -EINVAL;
		*fields[i] = (uint32_t)value;
		at = end;
	}
	return *at ? -EINVAL : 0;
}

int idmap_parse(const char *data, size_t length, struct idmap *map)
{
	const char *end = data + length;

	map->count = 0;
	while (data < end) {
		const char *newline = memchr(data, '\n', (size_t)(end - data));
		size_t line = (size_t)((newline ? newline : end) - data);

		if (map->count == IDMAP_EXTENTS_MAX ||
		    extent_parse(data, line, &map->extents[map->count]))
			return -EINVAL;
		map->count++;
		data += line + 1;
	}
	return 0;
}

uint32_t idmap_inside(const struct idmap *map, uint32_t outside)
{
	for (uint32_t i = 0; i < map->count; i++) {
		const struct idmap_extent *extent = &map->extents[i];

		if (outside - extent->outside < extent->length)
			return extent->inside + (outside - extent->outside);
	}
	return ID_OVERFLOW;
}

bool idmap_is_identity(const struct idmap *map)
{
	return map->count == 1 && !map->extents[0].inside && !map->extents[0].outside &&
	       map->extents[0].length == UINT32_MAX;
}

bool idmap_is_partly_hidden(const struct idmap *map)
{
	for (uint32_t i = 0; i < map->count; i++) {
		if (map->extents[i].outside == IDMAP_NOBODY)
			return true;
	}
	return false;
}
