/* SPDX-License-Identifier: GPL-2.0-only */
/* What lives as long as the loaded object: maps, and values that user space sets before. */
#ifndef NSVIEW_MAPS_BPF_H
#define NSVIEW_MAPS_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#define CPUS_MAX 8192 /* NR_CPUS_RANGE_END of x86, the largest there is */

/* Possible CPUs; read-only, so the verifier walks loops over CPUs just as often as needed. */
const volatile unsigned int cpus_possible = 1; /* not u32: the skeleton repeats the type */

/*
 * Never written: it is a per-CPU allocation whose address on every CPU can be asked for, and so
 * tells how far each CPU's copy of any per-CPU object is from the object's own address.
 * (A __ksym for __per_cpu_offset would make libbpf read the whole kernel BTF.)
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} cpu_anchor SEC(".maps");

#endif
