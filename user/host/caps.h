/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Capabilities by name and by meaning. A set is a mask, bit n = capability n of
 * linux/capability.h; names are libcap's, in capitals, without CAP_.
 */
#ifndef NSVIEW_HOST_CAPS_H
#define NSVIEW_HOST_CAPS_H

#include <stdbool.h>
#include <stdint.h>

struct text;

#define CAPS_DOCKER_DEFAULT 0x00000000a80425fbULL /* 14: docker, containerd and CRI alike */
#define CAPS_PODMAN_DEFAULT 0x00000000800405fbULL /* 11 */

/* Every capability that a kernel with this cap_last_cap knows. */
uint64_t caps_full(int cap_last);

/* How many capabilities of linux/capability.h have a name here. */
extern const int caps_named;

/* "NET_ADMIN" for 12; "41" style digits for a number without a name. Static. */
const char *caps_name(int capability);
/* What it allows, in one line of plain words; NULL for a number without a name. */
const char *caps_meaning(int capability);
/* With or without CAP_, any case, or a number below 64. -ENOENT: no such capability; the nearest
 * name is stored in *nearest (static, may be NULL) when there is one worth naming, else NULL. */
int caps_from_name(const char *name, int *capability, const char **nearest);

/*
 * CAPS by meaning, what fits first:
 *   none                      no capability; never with a suffix, there is nothing to count
 *   full, docker-default, podman-default
 *   NET_RAW, KILL NET_RAW     one or two capabilities
 *   docker-default +X -Y      near the named set with the fewest differences: at most 8, and
 *                             fewer than the set has members. Up to two are named, from three
 *                             on each side is a count: docker-default +3 -1
 *   5 caps                    far from every named set
 * and ` in userns` where they do not count on the host. A capability without a name is its number
 * (+41): counts never go that high.
 */
void caps_words(struct text *out, uint64_t set, int cap_last, bool is_host_effective);

/* The long form: each difference, or else each member, is named; caps_parse gives the set back. */
void caps_words_long(struct text *out, uint64_t set, int cap_last, bool is_host_effective);

/*
 * Either form without counts, back to the mask: named sets, names, numbers, ALL and 0x masks, with
 * + or without a sign they add, with - they take away; separated by spaces or commas, any case; a
 * final `in userns` is read over. -EINVAL: not such words; *bad_offset (may be NULL) says where.
 */
int caps_parse(const char *words, int cap_last, uint64_t *set, int *bad_offset);

#endif
