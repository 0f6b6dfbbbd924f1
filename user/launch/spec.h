/* SPDX-License-Identifier: GPL-2.0-only */
/* What a sample container is to be: filled from docker's words, carried out by launch.h. */
#ifndef NSVIEW_LAUNCH_SPEC_H
#define NSVIEW_LAUNCH_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialise, then spec_defaults. Strings are borrowed from the command line. */
struct spec {
	const char *name; /* NULL: one is made, like docker's short ids */
	const char *user; /* --user as typed: UID[:GID] or a name of the container's passwd */
	const char *const *cap_add; /* as typed */
	size_t cap_add_count;
	const char *const *cap_drop;
	size_t cap_drop_count;
	char *const *command; /* NULL-terminated */
};

#endif
