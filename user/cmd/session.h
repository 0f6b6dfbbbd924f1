/* SPDX-License-Identifier: GPL-2.0-only */
/* What every command that shows processes does first: a source, a snapshot, a settled model. */
#ifndef NSVIEW_CMD_SESSION_H
#define NSVIEW_CMD_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "cmd/options.h"
#include "view/column.h"
#include "view/query.h"

struct app;
struct listen_options;
struct model;
struct naming;
struct replay;
struct source;

/* The selecting options of ps, top, events, audit and inspect, as typed. */
struct select_options {
	struct option_list containers;
	bool only_containers;
	bool only_host;
	struct option_numbers pids;
	struct option_numbers in_pids;
	struct option_list users;
	struct option_list in_users;
	const char *runtime;
	const char *image;
	const char *pod;
	const char *pod_namespace;
	const char *filter;
	const char *source;
	const char *replay;
	const char *at;
};
extern const struct option select_option_table[];

struct session {
	struct app *app;
	struct source *source;
	struct replay *replay; /* --replay: nothing is asked of this machine; NULL: live */
	struct model *model;
	struct naming *naming;
	struct view_context view;
	struct filter *filter;
	struct selection selection; /* arrays borrowed from the options and uids below */
	uint32_t *uids;
};

/*
 * Opens the source that the options name (or the best there is; a fall-back is said in one line
 * on stderr). Returns an exit code; whatever went wrong has been said. session_close takes a
 * half-open session.
 */
int session_open(struct session *session, struct app *app, const struct select_options *options,
		 size_t args_max);
/* The same, and listens: from then on source_poll has events. */
int session_open_listening(struct session *session, struct app *app,
			   const struct select_options *options,
			   const struct listen_options *listen);
int session_snapshot(struct session *session);
void session_close(struct session *session);

#endif
