/* SPDX-License-Identifier: GPL-2.0-only */
/* What this machine is, read once at start, and what nsview itself may do on it. */
#ifndef NSVIEW_HOST_FACTS_H
#define NSVIEW_HOST_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"

struct time_zone;
struct tm;

/*
 * The host's own namespaces have fixed inodes (include/linux/proc_ns.h): cgroup since 4.6, time
 * since 5.6, the others since 3.8. mnt and net have not, on most kernels.
 */
enum ns_host_inode {
	NS_HOST_TIME = 0xEFFFFFFA,
	NS_HOST_CGROUP = 0xEFFFFFFB,
	NS_HOST_PID = 0xEFFFFFFC,
	NS_HOST_USER = 0xEFFFFFFD,
	NS_HOST_UTS = 0xEFFFFFFE,
	NS_HOST_IPC = 0xEFFFFFFF,
};

/* "mnt", "pid", ...: as in /proc/PID/ns, by enum ns_kind. */
extern const char *const ns_names[NS_KINDS];

struct facts {
	char hostname[65];
	char release[65]; /* uname -r */
	char machine[65]; /* uname -m */
	char boot_id[37]; /* /proc/sys/kernel/random/boot_id; "": unreadable */
	int cpus;         /* online */
	int cap_last;     /* /proc/sys/kernel/cap_last_cap, else found by prctl(PR_CAPBSET_READ) */
	uint64_t page_bytes;
	uint64_t memory_bytes;      /* MemTotal */
	uint64_t boot_now_ns;       /* the host's boot clock when the facts were read */
	uint64_t boot_offset_ns;    /* CLOCK_REALTIME - that */
	int64_t time_ns_offset_ns;  /* what nsview's own time namespace adds to the boot clock */
	uint32_t self_ns[NS_KINDS]; /* nsview's own namespaces; 0: unreadable */
	uint64_t cap_effective;     /* nsview's own */
	uint32_t euid;
	char proc_path[4096]; /* where the processes are read: /proc, or HOST_ROOT/proc */
	/* Of another machine, in a replay (borrowed); NULL and 0: the C library's, and /proc's. */
	const struct time_zone *zone;
	const char *zone_data; /* the same, as time_zone_parse takes it */
	size_t zone_length;
	int pid_digits; /* of kernel.pid_max */
};

/* Fills everything; what cannot be read stays 0. host_root: NULL or --host-root. */
void facts_read(struct facts *facts, const char *host_root);

/* Local time, and back. false: no year that fits. */
bool facts_local(const struct facts *facts, int64_t epoch, struct tm *local);
int64_t facts_epoch(const struct facts *facts, const struct tm *local);

/* Samples the clocks again (the offset moves with NTP and settimeofday). */
void facts_read_clock(struct facts *facts);

#define KERNEL_BTF_DIRECTORY "/sys/kernel/btf"
#define KERNEL_BTF KERNEL_BTF_DIRECTORY "/vmlinux" /* of the running kernel */

/* The kernel was built without BTF: it makes that directory only where it has some
 * (kernel/bpf/sysfs_btf.c, since 5.4). Tracepoints and iterators take no BPF program then. */
bool facts_kernel_lacks_btf(void);

#endif
