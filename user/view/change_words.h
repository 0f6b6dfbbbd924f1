/* SPDX-License-Identifier: GPL-2.0-only */
/* The words in which a change of credentials or namespaces is told, to whomever: the event stream
 * and the live table's pane. What they append is printable. */
#ifndef NSVIEW_VIEW_CHANGE_WORDS_H
#define NSVIEW_VIEW_CHANGE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"

struct text;
struct view_context;

/* "exec-setuid", ...; NULL for CAUSE_NONE. */
const char *change_cause_name(enum event_cause cause);
/* "EPERM"; NULL: a number without a name here. */
const char *change_error_name(int error);

/* By the host's name, or the number. */
void change_add_user(struct text *out, const struct view_context *view, uint32_t uid);
/* "root -> www-data" */
void change_add_users(struct text *out, const struct view_context *view, uint32_t before,
		      uint32_t after);
/* "full -> none" */
void change_add_caps(struct text *out, const struct view_context *view, uint64_t before,
		     uint64_t after, bool is_host_effective);
/* "host", the inode, or "none". */
void change_add_namespace(struct text *out, const struct view_context *view, enum ns_kind kind,
			  uint32_t inode);
/* "mnt host -> 4026532567" */
void change_add_namespaces(struct text *out, const struct view_context *view, enum ns_kind kind,
			   uint32_t before, uint32_t after);

/* NUL-separated arguments with blanks between them. */
void change_add_args(struct text *out, const char *args, size_t length);

#endif
