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

#define BTF_IDS_MAX 96

/* The id of what a program of the object attaches to. */
struct btf_id {
	uint64_t program; /* btf_cache_program of its name; 0: the end of the ids */
	uint32_t id;      /* 0: the kernel has no such thing */
	uint32_t pad;
};

struct btf_cache_entry {
	int fd; /* of a file that begins with raw BTF; to be closed by the caller */
	struct btf_id ids[BTF_IDS_MAX];
};

/* object, size: the bytes of the object to be loaded. -ENOENT: nothing, or nothing sound. */
int btf_cache_read(const void *object, size_t object_size, struct btf_cache_entry *entry);

/* Stores BTF, and the entry's ids, for the next run. Failing is no trouble of the caller's. */
void btf_cache_write(const void *object, size_t object_size, const void *btf, size_t btf_size,
		     const struct btf_cache_entry *entry);

uint64_t btf_cache_program(const char *name);

/* 0: the kernel has no such thing, or the object no such program. */
uint32_t btf_cache_id(const struct btf_cache_entry *entry, const char *program);

#endif
