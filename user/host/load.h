/* SPDX-License-Identifier: GPL-2.0-only */
/* How busy this machine is, from one look to the next: Documentation/filesystems/proc.rst. */
#ifndef NSVIEW_HOST_LOAD_H
#define NSVIEW_HOST_LOAD_H

#include <stddef.h>
#include <stdint.h>

/* Zero-initialise. What could not be read is 0. */
struct load {
	uint64_t
		busy_ticks; /* of all CPUs, since the boot; idle and waiting for I/O are not busy */
	uint64_t all_ticks;
	uint64_t memory_bytes;
	uint64_t memory_used_bytes; /* MemTotal - MemAvailable, as free(1) has it */
	uint64_t uptime_s;
};

/* proc_path: facts.proc_path. */
void load_read(const char *proc_path, struct load *load);

/* Of all CPUs together, 0 to 100, between two looks; below 0: not known. */
double load_cpu_percent(const struct load *before, const struct load *now);

/* What the files hold: -EINVAL: nothing of that kind, and load is untouched. */
int load_parse_stat(const char *text, struct load *load);
int load_parse_meminfo(const char *text, struct load *load);
int load_parse_uptime(const char *text, struct load *load);

#endif
