/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/ps_inside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/print.h"
#include "cmd/session.h"
#include "host/runtime/runtime.h"
#include "model/model.h"
#include "output/procps.h"
#include "view/vantage.h"

/* "plain (docker, ubuntu)" */
static void add_title(struct text *out, const struct container *container, uint32_t pid)
{
	const struct runtime_container *declared = container ? container->declared : NULL;

	if (!container) {
		text_printf(out, "pid %u of the host", pid);
		return;
	}
	text_add_printable(out, container->name, strlen(container->name));
	if (!container->runtime)
		return;
	text_printf(out, " (%s", container->runtime);
	if (declared && declared->image) {
		text_add_string(out, ", ");
		text_add_printable(out, declared->image, strlen(declared->image));
	}
	text_add_char(out, ')');
}

static int write_block(const struct vantage *vantage, const struct inside_options *options)
{
	const struct procps_options procps = {
		.width = options->width,
		.is_full = options->is_full,
		.no_headers = options->no_headers,
		.is_terminal = options->is_terminal,
	};
	int r = procps_write(stdout, vantage, &procps);

	if (r && r != -EPIPE)
		log_fail(r, "write to standard output");
	return r;
}

static int write_text(struct text *text)
{
	return print_text(text) == EXIT_DONE ? 0 : -EIO;
}

static int write_both(const struct vantage *inside, const struct container *container,
		      const struct inside_options *options)
{
	const char *shown = options->is_full ? "ps -ef" : "ps aux";
	struct vantage host;
	struct text text = {0};
	int r = 0;

	if (!options->no_headers) {
		add_title(&text, container, inside->root->task->tgid);
		text_printf(&text, " - as `%s` prints it inside\n", shown);
		r = write_text(&text);
	}
	if (!r)
		r = write_block(inside, options);
	if (!r && !options->no_headers) {
		const char *name = inside->view->facts->hostname;

		text_add_char(&text, '\n');
		text_add_printable(&text, name, strlen(name));
		text_printf(&text,
			    " - the same processes in the same order, as `%s` prints them on the "
			    "host\n",
			    shown);
		r = write_text(&text);
	}
	vantage_open_host(&host, inside);
	if (!r)
		r = write_block(&host, options);
	vantage_close(&host);
	if (!r && !options->no_headers) {
		text_add_char(&text, '\n');
		vantage_explain(inside, &text);
		r = write_text(&text);
	}
	return r;
}

static int show(const struct session *session, const struct container *container,
		const struct proc *proc, const struct inside_options *options)
{
	struct vantage inside;
	int r = vantage_open_inside(&inside, &session->view, proc, proc->task->ns[NS_PID]);

	if (r) {
		log_error(0,
			  "cannot show %s from inside: its namespaces could not be read; "
			  "`nsview doctor` tells why",
			  options->container);
		vantage_close(&inside);
		return EXIT_IMPOSSIBLE;
	}
	if (inside.zone_error)
		log_note("the time zone of %s could not be read: START is in UTC",
			 options->container);
	r = options->is_both ? write_both(&inside, container, options)
			     : write_block(&inside, options);
	vantage_close(&inside);
	return !r || r == -EPIPE ? EXIT_DONE : EXIT_FAILED;
}

int ps_inside(struct session *session, const struct inside_options *options)
{
	const struct container *container = NULL;
	const struct proc *proc = NULL;
	struct text complaint = {0};
	int exit_code = EXIT_FAILED;

	if (query_container(&session->view, options->container, &container, &proc, &complaint))
		log_lines(text_string(&complaint));
	else
		exit_code = show(session, container, proc, options);
	text_free(&complaint);
	return exit_code;
}
