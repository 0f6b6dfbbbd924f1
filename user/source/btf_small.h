/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of a kernel's BTF that an object's relocations ask for: of the types that the object
 * names, the members that it names. Everything else may go, since libbpf asks for nothing more:
 * what the kernel lacks is lacking here too, so every bpf_core_*_exists answers the same.
 */
#ifndef NSVIEW_SOURCE_BTF_SMALL_H
#define NSVIEW_SOURCE_BTF_SMALL_H

#include <stdint.h>

struct btf;

/* kernel: 100,000 types and a good 10 ms; object: the BTF of the object to be loaded. *small is
 * some kB, free with btf__free. *function_id: the type id of the kernel function `function`;
 * -ENOENT: there is none. */
int btf_small_make(const struct btf *kernel, const struct btf *object, const char *function,
		   struct btf **small, uint32_t *function_id);

#endif
