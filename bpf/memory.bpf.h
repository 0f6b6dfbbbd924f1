/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Resident memory, to the page. Since 6.2 it is counted per CPU, and the global count lags
 * behind by up to 32 pages times the CPUs; /proc/PID/status adds the parts up (82241a83cd15).
 */
#ifndef NSVIEW_MEMORY_BPF_H
#define NSVIEW_MEMORY_BPF_H

#include "kernel.bpf.h"
#include "maps.bpf.h"

/* include/linux/mm_types_task.h; the third one counts swap. */
#define MM_FILE 0
#define MM_ANON 1
#define MM_SHMEM 3
#define MM_KINDS 4

struct memory_counts {
	s64 kinds[MM_KINDS];
};

/* Filled by memory_prepare: what each CPU adds to a per-CPU address. */
static u64 memory_cpu_offsets[CPUS_MAX];

static __always_inline u64 memory_anchor_base(void)
{
	struct bpf_array *anchor = (void *)&cpu_anchor;
	u64 address = 0;

	/* The verifier knows the map only as an opaque pointer; read back from the stack
	 * it is a number, and a number may be looked through. */
	bpf_probe_read_kernel(&address, sizeof(address), &anchor);
	anchor = (void *)address;
	return (u64)BPF_CORE_READ(anchor, pptrs[0]);
}

/* bpf_map_lookup_percpu_elem came in 5.19, per-CPU memory counters in 6.2. */
static __always_inline void memory_prepare(void)
{
	u64 base, zero_at;
	u32 zero = 0, cpu;
	void *there;

	if (!kernel_has_percpu_rss())
		return;
	base = memory_anchor_base();
	for (cpu = 0; cpu < cpus_possible && cpu < CPUS_MAX; cpu++) {
		there = bpf_map_lookup_percpu_elem(&cpu_anchor, &zero, cpu);
		if (!there)
			return;
		bpf_probe_read_kernel(&zero_at, sizeof(zero_at), &there);
		memory_cpu_offsets[cpu] = zero_at - base;
	}
}

static __always_inline void memory_add_one(struct memory_counts *counts, u32 kind, u64 address)
{
	__s32 part = 0;

	bpf_probe_read_kernel(&part, sizeof(part), (void *)address);
	counts->kinds[kind] += part;
}

/* The four counters of an mm lie side by side since 6.7 (percpu_counter_init_many). */
static __always_inline void memory_add_all(struct memory_counts *counts, u64 address)
{
	__s32 parts[MM_KINDS] = {};

	bpf_probe_read_kernel(parts, sizeof(parts), (void *)address);
	counts->kinds[MM_FILE] += parts[MM_FILE];
	counts->kinds[MM_ANON] += parts[MM_ANON];
	counts->kinds[MM_SHMEM] += parts[MM_SHMEM];
}

static __always_inline void memory_add_cpus(struct memory_counts *counts, struct mm_struct *mm)
{
	u64 file = (u64)BPF_CORE_READ(mm, rss_stat[MM_FILE].counters);
	u64 anon = (u64)BPF_CORE_READ(mm, rss_stat[MM_ANON].counters);
	u64 shmem = (u64)BPF_CORE_READ(mm, rss_stat[MM_SHMEM].counters);
	bool is_one_block = anon == file + 4 * MM_ANON && shmem == file + 4 * MM_SHMEM;
	u32 cpu;

	for (cpu = 0; cpu < cpus_possible && cpu < CPUS_MAX; cpu++) {
		u64 offset = memory_cpu_offsets[cpu];

		if (is_one_block) {
			memory_add_all(counts, file + offset);
			continue;
		}
		memory_add_one(counts, MM_FILE, file + offset);
		memory_add_one(counts, MM_ANON, anon + offset);
		memory_add_one(counts, MM_SHMEM, shmem + offset);
	}
}

static __always_inline u64 memory_positive(s64 count)
{
	return count > 0 ? count : 0;
}

static __always_inline u64 memory_resident_pages(struct mm_struct *mm)
{
	struct memory_counts counts = {};

	if (kernel_has_atomic_rss()) {
		struct mm_struct___6_1 *old = (void *)mm;

		counts.kinds[MM_FILE] = BPF_CORE_READ(old, rss_stat.count[MM_FILE].counter);
		counts.kinds[MM_ANON] = BPF_CORE_READ(old, rss_stat.count[MM_ANON].counter);
		counts.kinds[MM_SHMEM] = BPF_CORE_READ(old, rss_stat.count[MM_SHMEM].counter);
	} else {
		counts.kinds[MM_FILE] = BPF_CORE_READ(mm, rss_stat[MM_FILE].count);
		counts.kinds[MM_ANON] = BPF_CORE_READ(mm, rss_stat[MM_ANON].count);
		counts.kinds[MM_SHMEM] = BPF_CORE_READ(mm, rss_stat[MM_SHMEM].count);
	}
	if (kernel_has_percpu_rss())
		memory_add_cpus(&counts, mm);
	return memory_positive(counts.kinds[MM_FILE]) + memory_positive(counts.kinds[MM_ANON]) +
	       memory_positive(counts.kinds[MM_SHMEM]);
}

#endif
