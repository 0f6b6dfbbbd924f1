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

/* "NET_ADMIN" for 12; "41" style digits for a number without a name. Static. */
const char *caps_name(int capability);
/* What it allows, in one line of plain words; NULL for a number without a name. */
const char *caps_meaning(int capability);
/* With or without CAP_, any case, or a number below 64. -ENOENT: no such capability; the nearest
 * name is stored in *nearest (static) when there is one worth naming. */
int caps_from_name(const char *name, int *capability, const char **nearest);

/*
 * CAPS by meaning: none, full, docker-default, podman-default, those with +X -Y (up to two
 * names, counts from three on), one or two names, `N caps`; ` in userns` where they do not count
 * on the host. The nearest named set is the one with the fewest differences.
 */
void caps_words(struct text *out, uint64_t set, int cap_last, bool is_host_effective);

/* The long form: every difference is named, so that caps_parse gives the set back. */
void caps_words_long(struct text *out, uint64_t set, int cap_last, bool is_host_effective);

/* Either form without counts, back to the mask. Also a comma- or space-separated list of names,
 * ALL, and hex with 0x. -EINVAL: not such words; *bad_offset says where. */
int caps_parse(const char *words, int cap_last, uint64_t *set, int *bad_offset);

#endif
