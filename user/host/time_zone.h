/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A container's local time, from its own /etc/localtime (tzfile(5), RFC 8536). The C library knows
 * one zone a process, and would read what a container wrote with less suspicion than it deserves.
 */
#ifndef NSVIEW_HOST_TIME_ZONE_H
#define NSVIEW_HOST_TIME_ZONE_H

#include <stddef.h>
#include <stdint.h>

struct text;
struct time_zone;
struct tm;

/* -EINVAL: not a zone. Free with time_zone_free, which takes NULL. */
int time_zone_parse(const char *data, size_t length, struct time_zone **zone);
void time_zone_free(struct time_zone *zone);

/*
 * The zone of a process's root, as the C library inside would have it: UTC (a NULL zone, 0
 * returned) where there is no such file or it is none. mnt_ns: the process's, or 0. Negative: it
 * could not be read, and nothing is known.
 */
int time_zone_read(int proc_fd, uint32_t pid, uint32_t mnt_ns, struct time_zone **zone);

/* The same as time_zone_parse takes it, appended; nothing: UTC. */
int time_zone_read_data(int proc_fd, uint32_t pid, uint32_t mnt_ns, struct text *tzif);

/*
 * The zone of this process, as its C library has it (TZ, else /etc/localtime), appended as
 * time_zone_parse takes it; what is none is UTC, as for the C library.
 */
void time_zone_own(struct text *tzif);

/* Seconds east of UTC; 0 for NULL. */
int32_t time_zone_offset(const struct time_zone *zone, int64_t epoch);

/* -EOVERFLOW: no year that fits. */
int time_zone_local(const struct time_zone *zone, int64_t epoch, struct tm *local);

/* Back again: mktime(3). A time that is left out in spring is the one as long after the switch. */
int64_t time_zone_epoch(const struct time_zone *zone, const struct tm *local);

#endif
