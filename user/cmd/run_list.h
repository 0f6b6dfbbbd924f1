/* SPDX-License-Identifier: GPL-2.0-only */
/* nsview run --list and --stop. Both return an exit code. */
#ifndef NSVIEW_CMD_RUN_LIST_H
#define NSVIEW_CMD_RUN_LIST_H

#include <stdbool.h>

int run_list(bool as_json);

/* name: a container's name or its whole id. */
int run_stop(const char *name);

#endif
