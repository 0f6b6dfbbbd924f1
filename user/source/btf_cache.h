/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What loading needs to know of the running kernel, kept between runs: looking it up in the
 * kernel's own BTF is most of the time that `nsview ps` takes. One small file per kernel build,
 * architecture and object, in /var/cache/nsview (or NSVIEW_CACHE_DIR, unless privileges were
 * gained by exec), which must belong to the user nsview runs as and be writable by nobody else.
 * Whatever is wrong with it, the answer is only that there is nothing: the load is slower then.
 */
#ifndef NSVIEW_SOURCE_BTF_CACHE_H
#define NSVIEW_SOURCE_BTF_CACHE_H

#include <stddef.h>
#include <stdint.h>

struct btf_cache_entry {
	int fd;               /* of a file that begins with raw BTF; to be closed by the caller */
	uint32_t function_id; /* btf_small_make's */
};

/* object, size: the bytes of the object to be loaded. -ENOENT: nothing, or nothing sound. */
int btf_cache_read(const void *object, size_t object_size, struct btf_cache_entry *entry);

/* Stores BTF for the next run. Failing is no trouble of the caller's. */
void btf_cache_write(const void *object, size_t object_size, const void *btf, size_t btf_size,
		     uint32_t function_id);

#endif
