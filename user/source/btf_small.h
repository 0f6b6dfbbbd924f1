/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of a kernel's BTF that an object's relocations ask for: of the types that the object
 * names, the members that it names. Everything else may go, since libbpf asks for nothing more:
 * what the kernel lacks is lacking here too, so every bpf_core_*_exists answers the same.
 */
#ifndef NSVIEW_SOURCE_BTF_SMALL_H
#define NSVIEW_SOURCE_BTF_SMALL_H

#include <stddef.h>
#include <stdint.h>

struct btf;

/* Something whose type id is asked for too: what programs attach to. */
struct btf_wanted {
	const char *name; /* borrowed */
	uint32_t kind;    /* BTF_KIND_FUNC or BTF_KIND_TYPEDEF */
	uint32_t id;      /* 0: the kernel has none */
};

/* kernel: 100,000 types and a good 10 ms; object: the BTF of the object to be loaded. *small is
 * some kB, free with btf__free. wanted is sorted by this. */
int btf_small_make(const struct btf *kernel, const struct btf *object, struct btf_wanted *wanted,
		   size_t wanted_count, struct btf **small);

#endif
