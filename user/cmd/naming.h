/* SPDX-License-Identifier: GPL-2.0-only */
/* What runtimes' state files call the containers of a model: all at once after a snapshot, and one
 * after the other as they come. */
#ifndef NSVIEW_CMD_NAMING_H
#define NSVIEW_CMD_NAMING_H

#include <stdbool.h>
#include <stdint.h>

struct app;
struct container;
struct model;
struct naming;

/* proc_fd: borrowed; -1: the files can tell nothing of the processes there are. */
struct naming *naming_new(const struct app *app, int proc_fd);
void naming_free(struct naming *naming); /* takes NULL */

/* Settles a snapshot's model with the names there are. What was said of another model is
 * forgotten: that one must be gone. */
void naming_settle(struct naming *naming, struct model *model);

typedef void (*naming_sink)(void *context, struct container *container, uint64_t now_ns);

/* One that has started: what is known of it at once is told, else it is looked for again, at
 * longer and longer intervals. True: it has its name now. */
bool naming_add(struct naming *naming, struct model *model, struct container *container,
		uint64_t now_ns);

/* It has ended: nobody looks for it any more, and what was said of it may be freed. */
void naming_drop(struct naming *naming, struct container *container);

/* Looks for those whose time has come; named gets each that has its name now. */
void naming_retry(struct naming *naming, struct model *model, uint64_t now_ns, naming_sink named,
		  void *context);

#endif
