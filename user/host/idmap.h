/* SPDX-License-Identifier: GPL-2.0-only */
/* The uid_map or gid_map of a user namespace, from /proc/PID/{uid,gid}_map. */
#ifndef NSVIEW_HOST_IDMAP_H
#define NSVIEW_HOST_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IDMAP_EXTENTS_MAX 340   /* UID_GID_MAP_MAX_EXTENTS, include/linux/user_namespace.h */
#define IDMAP_NOBODY UINT32_MAX /* an outer id that the reader's own namespace does not hold */

struct idmap {
	uint32_t count; /* 0: nothing is mapped (yet) */
	struct idmap_extent {
		uint32_t inside;
		uint32_t outside; /* as the reader's user namespace numbers them */
		uint32_t length;
	} extents[IDMAP_EXTENTS_MAX];
};

/* -EINVAL: not the text of a map. */
int idmap_parse(const char *data, size_t length, struct idmap *map);

/* The id inside, or ID_OVERFLOW where the map does not hold it, as the kernel shows it. */
uint32_t idmap_inside(const struct idmap *map, uint32_t outside);

/* Every id is itself, as in the host's own user namespace. */
bool idmap_is_identity(const struct idmap *map);

/* An extent starts at an id that the reader's namespace does not hold: not to be translated. */
bool idmap_is_partly_hidden(const struct idmap *map);

#endif
