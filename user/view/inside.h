/* SPDX-License-Identifier: GPL-2.0-only */
/* What a ps inside a container reads besides the processes: from the machine, or in a replay from
 * what was recorded of it. */
#ifndef NSVIEW_VIEW_INSIDE_H
#define NSVIEW_VIEW_INSIDE_H

#include <stdint.h>

#include "base/text.h"
#include "bpf/event.h"

struct container;
struct insides; /* of the containers of a recording */
struct proc;
struct view_context;

struct inside_facts {
	int pid_digits;        /* of kernel.pid_max in the pid namespace */
	int zone_error;        /* the time zone could not be read: UTC is taken */
	int64_t boot_shift_ns; /* what the time namespace adds to the boot clock */
	struct text zone;      /* tzfile(5); empty: UTC */
	struct text uid_map;   /* of the user namespace; empty: not to be had */
};

/* root: whose namespaces they are. Free with inside_free. */
void inside_read(const struct view_context *view, const struct proc *root, uint32_t pid_ns,
		 struct inside_facts *facts);
void inside_free(struct inside_facts *facts);

struct insides *insides_new(void);
void insides_free(struct insides *insides); /* takes NULL */

/* A later record of a container takes the place of an earlier one. */
void insides_add(struct insides *insides, const struct inside_record *record);

#endif
