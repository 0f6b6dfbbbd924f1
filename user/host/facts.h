/* SPDX-License-Identifier: GPL-2.0-only */
/* What this machine is, read once at start, and what nsview itself may do on it. */
#ifndef NSVIEW_HOST_FACTS_H
#define NSVIEW_HOST_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/event.h"

struct facts {
	char hostname[65];
	char release[65]; /* uname -r */
	char machine[65]; /* uname -m */
	int cpus;         /* online */
	int cap_last;     /* /proc/sys/kernel/cap_last_cap, else found by prctl(PR_CAPBSET_READ) */
	uint64_t page_bytes;
	uint64_t memory_bytes;      /* MemTotal */
	uint64_t boot_now_ns;       /* CLOCK_BOOTTIME when the facts were read */
	uint64_t boot_offset_ns;    /* CLOCK_REALTIME - CLOCK_BOOTTIME at that moment */
	uint32_t self_ns[NS_KINDS]; /* nsview's own namespaces; 0: unreadable */
	uint64_t cap_effective;     /* nsview's own */
	uint32_t euid;
	char proc_path[4096]; /* where the processes are read: /proc, or HOST_ROOT/proc */
};

/* Fills everything; what cannot be read stays 0. host_root: NULL or --host-root. */
void facts_read(struct facts *facts, const char *host_root);

/* Samples the clocks again (the offset moves with NTP and settimeofday). */
void facts_read_clock(struct facts *facts);

#endif
