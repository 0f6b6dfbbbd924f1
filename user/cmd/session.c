/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/naming.h"
#include "cmd/replay.h"
#include "host/passwd.h"
#include "host/pid_ns.h"
#include "host/procfs.h"
#include "model/model.h"
#include "source/source.h"
#include "view/container_limits.h"

#define SELECT(field) offsetof(struct select_options, field)

const struct option select_option_table[] = {
	{.name = "container",
	 .letter = 'c',
	 .argument = "NAME",
	 .help = "only this container: name, id prefix or glob; repeatable",
	 .kind = OPTION_LIST,
	 .offset = SELECT(containers)},
	{.name = "containers",
	 .help = "only processes in containers",
	 .kind = OPTION_FLAG,
	 .offset = SELECT(only_containers)},
	{.name = "host",
	 .help = "only host processes",
	 .kind = OPTION_FLAG,
	 .offset = SELECT(only_host)},
	{.name = "pid",
	 .letter = 'p',
	 .argument = "PID,...",
	 .help = "only these pids, as the host numbers them",
	 .kind = OPTION_NUMBERS,
	 .offset = SELECT(pids)},
	{.name = "in-pid",
	 .argument = "PID,...",
	 .help = "only these pids, as their container numbers them",
	 .kind = OPTION_NUMBERS,
	 .offset = SELECT(in_pids)},
	{.name = "user",
	 .letter = 'u',
	 .argument = "USER",
	 .help = "only this effective user of the host, by name or uid; repeatable",
	 .kind = OPTION_LIST,
	 .offset = SELECT(users)},
	{.name = "in-user",
	 .argument = "USER",
	 .help = "only this effective user inside, by name or uid; repeatable",
	 .kind = OPTION_LIST,
	 .offset = SELECT(in_users)},
	{.name = "runtime",
	 .argument = "NAME",
	 .help = "only containers of this runtime (docker, podman, nsview, ...)",
	 .kind = OPTION_TEXT,
	 .offset = SELECT(runtime)},
	{.name = "image",
	 .argument = "GLOB",
	 .help = "only containers of this image, as it was asked for",
	 .kind = OPTION_TEXT,
	 .offset = SELECT(image)},
	{.name = "pod",
	 .argument = "NAME",
	 .help = "only containers of this Kubernetes pod: [NAMESPACE/]NAME",
	 .kind = OPTION_TEXT,
	 .offset = SELECT(pod)},
	{.name = "namespace",
	 .letter = 'n',
	 .argument = "NAME",
	 .help = "only containers of this Kubernetes namespace",
	 .kind = OPTION_TEXT,
	 .offset = SELECT(pod_namespace)},
	{.name = "filter",
	 .argument = "EXPR",
	 .help = "only where EXPR holds: 'euid=0 and eff~SYS_ADMIN and host-effective'",
	 .kind = OPTION_TEXT,
	 .offset = SELECT(filter)},
	{.name = "source",
	 .argument = "bpf|proc",
	 .help = "read the kernel, or /proc only; without it the best that is allowed",
	 .kind = OPTION_TEXT,
	 .offset = SELECT(source)},
	{.name = "replay",
	 .argument = "FILE",
	 .help = "as `nsview events --record FILE` saw it, instead of this machine",
	 .kind = OPTION_TEXT,
	 .offset = SELECT(replay)},
	{.name = "at",
	 .argument = "TIME",
	 .help = "with --replay, up to then: 06:14:31, 2026-11-21T06:14:31Z or +SECONDS",
	 .kind = OPTION_TEXT,
	 .offset = SELECT(at)},
	OPTIONS_END,
};

static int session_open_source(struct session *session, const struct select_options *options,
			       size_t args_max, bool will_listen)
{
	const struct source_ops *ops = NULL;
	struct source_options source_options = {
		.facts = &session->app->facts,
		.btf_path = session->app->btf_path,
		.args_max = args_max,
		.will_listen = will_listen,
	};
	struct text why = {0};
	int exit_code = EXIT_DONE;

	if (options->source) {
		ops = source_by_name(options->source);
		if (!ops) {
			log_error(0, "unknown source %s: there are bpf and proc", options->source);
			return EXIT_USAGE;
		}
	}
	if (source_open(ops, &source_options, &session->source, &why)) {
		log_error(0, "cannot read the processes: %s; `nsview doctor` tells more",
			  text_string(&why));
		exit_code = EXIT_IMPOSSIBLE;
	} else if (why.length) {
		log_note("%s: reading /proc instead, what it cannot tell is shown as ?; "
			 "`nsview doctor` tells more",
			 text_string(&why));
	}
	text_free(&why);
	return exit_code;
}

static int session_resolve_users(struct session *session, const struct option_list *users)
{
	if (!users->count)
		return EXIT_DONE;
	session->uids = mem_resize(NULL, users->count, sizeof(*session->uids));
	for (size_t i = 0; i < users->count; i++) {
		if (passwd_host_uid(session->view.users, users->items[i], &session->uids[i])) {
			log_error(0,
				  "%s has no user %s: --in-user selects by the names "
				  "inside containers",
				  session->replay ? "the recording" : "this host", users->items[i]);
			return EXIT_USAGE;
		}
	}
	session->selection.uids = session->uids;
	session->selection.uids_count = users->count;
	return EXIT_DONE;
}

static int session_select(struct session *session, const struct select_options *options)
{
	struct text complaint = {0};
	struct selection *selection = &session->selection;

	selection->containers = options->containers.items;
	selection->containers_count = options->containers.count;
	selection->pids = options->pids.items;
	selection->pids_count = options->pids.count;
	selection->in_pids = options->in_pids.items;
	selection->in_pids_count = options->in_pids.count;
	selection->in_users = options->in_users.items;
	selection->in_users_count = options->in_users.count;
	selection->runtime = options->runtime;
	selection->image = options->image;
	selection->pod = options->pod;
	selection->pod_namespace = options->pod_namespace;
	selection->only_containers = options->only_containers;
	selection->only_host = options->only_host;
	if (options->filter &&
	    filter_parse(options->filter, &session->view, &session->filter, &complaint)) {
		log_lines(text_string(&complaint));
		text_free(&complaint);
		return EXIT_USAGE;
	}
	selection->filter = session->filter;
	return session_resolve_users(session, &options->users);
}

/* -1: none, or one that numbers other processes than the source, which then would be looked up. */
static int session_open_proc(const struct session *session)
{
	const struct facts *facts = &session->app->facts;
	autoclose int proc_fd = procfs_open(facts->proc_path);

	if (proc_fd >= 0 && source_kind(session->source) == &bpf_source &&
	    pid_ns_of_proc(proc_fd, facts) != NS_HOST_PID)
		return -1;
	return steal_fd(&proc_fd);
}

static int session_open_replay(struct session *session, const struct select_options *options,
			       size_t args_max)
{
	int exit_code;

	if (options->source) {
		log_error(0, "--source says how to read this machine, and --replay reads a "
			     "recording: give one of them");
		return EXIT_USAGE;
	}
	exit_code = replay_open(session, options->replay, options->at, args_max);
	return exit_code == EXIT_DONE ? session_select(session, options) : exit_code;
}

static int session_open_as(struct session *session, struct app *app,
			   const struct select_options *options, size_t args_max, bool will_listen)
{
	int exit_code;

	*session = (struct session){.app = app, .view = {.facts = &app->facts, .proc_fd = -1}};
	session->view.users = passwd_new(app->host_root);
	session->view.scratch = mem_new(sizeof(*session->view.scratch));
	if (options->replay)
		return session_open_replay(session, options, args_max);
	if (options->at) {
		log_error(0, "--at is a moment of a recording: give its file with --replay");
		return EXIT_USAGE;
	}
	exit_code = session_select(session, options);
	if (exit_code == EXIT_DONE)
		exit_code = session_open_source(session, options, args_max, will_listen);
	if (exit_code != EXIT_DONE)
		return exit_code;
	session->view.proc_fd = session_open_proc(session);
	session->naming = naming_new(app, session->view.proc_fd);
	return EXIT_DONE;
}

int session_open(struct session *session, struct app *app, const struct select_options *options,
		 size_t args_max)
{
	return session_open_as(session, app, options, args_max, false);
}

int session_open_listening(struct session *session, struct app *app,
			   const struct select_options *options,
			   const struct listen_options *listen)
{
	struct text why = {0};
	int exit_code = session_open_as(session, app, options, listen->args_max, true);

	if (exit_code != EXIT_DONE)
		return exit_code;
	if (source_listen(session->source, listen, &why)) {
		log_error(0, "cannot listen to the kernel: %s; `nsview doctor` tells more",
			  text_string(&why));
		exit_code = EXIT_IMPOSSIBLE;
	}
	text_free(&why);
	return exit_code;
}

static int session_take_record(void *context, const struct record_header *record)
{
	return model_apply(context, record);
}

/* The last snapshot and what was read for it. */
static void session_forget(struct session *session)
{
	model_free(session->model);
	container_limits_free(session->view.limits);
	session->model = NULL;
	session->view.limits = NULL;
}

static int session_snapshot_replay(struct session *session)
{
	if (replay_snapshot(session))
		return EXIT_FAILED;
	replay_clock(session);
	model_settle(session->model, NULL, 0);
	replay_name(session);
	return EXIT_DONE;
}

int session_snapshot(struct session *session)
{
	int r;

	session_forget(session);
	session->model = model_new();
	session->view.model = session->model;
	if (session->replay)
		return session_snapshot_replay(session);
	facts_read_clock(&session->app->facts);
	r = source_snapshot(session->source, session_take_record, session->model);
	if (r) {
		log_fail(r, "read the processes through the %s source",
			 source_kind(session->source)->name);
		return EXIT_FAILED;
	}
	if (session->view.proc_fd >= 0)
		session->view.limits = container_limits_new(session->view.proc_fd);
	naming_settle(session->naming, session->model);
	return EXIT_DONE;
}

void session_close(struct session *session)
{
	if (session->app)
		session->app->facts.zone = NULL; /* the source's */
	source_close(session->source);
	filter_free(session->filter);
	session_forget(session);
	naming_free(session->naming);
	replay_free(session->replay);
	passwd_free(session->view.users);
	if (session->view.scratch)
		text_free(session->view.scratch);
	free(session->view.scratch);
	free(session->uids);
	if (session->view.proc_fd >= 0)
		close(session->view.proc_fd);
}
