/* SPDX-License-Identifier: GPL-2.0-only */
/* How much a container may use: docker's words, as numbers. */
#ifndef NSVIEW_LAUNCH_LIMITS_H
#define NSVIEW_LAUNCH_LIMITS_H

#include <stdint.h>

#define LIMITS_PERIOD_US 100000 /* of the CPU quota: docker's, and the kernel's default */

/* 0: no limit. */
struct limits {
	uint64_t nano_cpus; /* billionths of a CPU, as docker keeps them */
	uint64_t memory_bytes;
	uint64_t pids; /* threads too: that is what the kernel counts */
};

/*
 * words as typed, cpus_online what the machine has. docker's units: a decimal number of CPUs with
 * at most nine places, from 0.01 to cpus_online; a number of bytes with b, k, m, g, t or p (powers
 * of 1024, "kb" and "kib" too), at least 6m; a number of pids, -1 for no limit. 0 is no limit.
 * -EINVAL, -ERANGE have been said.
 */
int limits_read_cpus(const char *words, int cpus_online, uint64_t *nano_cpus);
int limits_read_memory(const char *words, uint64_t *bytes);
int limits_read_pids(const char *words, uint64_t *pids);

/* Microseconds of CPU time that it may take in each LIMITS_PERIOD_US. */
uint64_t limits_quota_us(uint64_t nano_cpus);

#endif
