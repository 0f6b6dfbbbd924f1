/* SPDX-License-Identifier: GPL-2.0-only */
/* --format text: a line for people. */
#include "output/event_private.h"

#include <sys/wait.h>

#include "base/mem.h"
#include "host/caps.h"
#include "host/facts.h"
#include "model/model.h"
#include "source/source.h"
#include "view/change_words.h"
#include "view/column.h"
#include "view/proc_fields.h"

static void add_who(struct event_writer *writer, const struct event_subject *subject)
{
	struct text *out = writer->out;
	const struct container *container = subject->container;

	text_add_char(out, ' ');
	if (container)
		text_add_printable(out, container->name, strlen(container->name));
	else
		text_add_char(out, '-');
	if (!subject->tgid)
		return;
	text_add_char(out, ' ');
	text_add_unsigned(out, subject->tgid);
	if (container && subject->chain) {
		text_add_char(out, '/');
		text_add_unsigned(out, subject->chain[subject->chain_count - 1].pid);
	}
	text_add_char(out, ' ');
	if (subject->unknown & FIELD_BIT(FIELD_IDS))
		text_add_char(out, '?');
	else
		change_add_user(out, writer->view, subject->identity->ids.euid);
}

static void add_label(struct event_writer *writer, const char *label)
{
	text_add(writer->out, "  ", 2);
	text_add_string(writer->out, label);
	text_add_char(writer->out, ' ');
}

static void add_user_change(struct event_writer *writer, const char *label, uint32_t before,
			    uint32_t after)
{
	if (before == after)
		return;
	add_label(writer, label);
	change_add_users(writer->out, writer->view, before, after);
}

static void add_number_change(struct event_writer *writer, const char *label, uint32_t before,
			      uint32_t after)
{
	if (before == after)
		return;
	add_label(writer, label);
	text_add_unsigned(writer->out, before);
	text_add_string(writer->out, " -> ");
	text_add_unsigned(writer->out, after);
}

static void add_word_change(struct event_writer *writer, const char *label, const char *before,
			    const char *after)
{
	if (!strcmp(before, after))
		return;
	add_label(writer, label);
	text_add_string(writer->out, before);
	text_add_string(writer->out, " -> ");
	text_add_string(writer->out, after);
}

static void add_ids(struct event_writer *writer, const struct id_block *before,
		    const struct id_block *after)
{
	add_user_change(writer, "user", before->euid, after->euid);
	add_user_change(writer, "real user", before->uid, after->uid);
	add_user_change(writer, "saved user", before->suid, after->suid);
	/* It follows the effective one unless somebody takes care that it does not. */
	if (after->fsuid != after->euid || before->fsuid != before->euid)
		add_user_change(writer, "file user", before->fsuid, after->fsuid);
	add_number_change(writer, "group", before->egid, after->egid);
	add_number_change(writer, "real group", before->gid, after->gid);
	add_number_change(writer, "saved group", before->sgid, after->sgid);
	if (after->fsgid != after->egid || before->fsgid != before->egid)
		add_number_change(writer, "file group", before->fsgid, after->fsgid);
}

static void add_group_list(struct text *out, const uint32_t *groups, uint32_t kept, uint32_t total)
{
	if (!kept)
		text_add_string(out, "none");
	for (uint32_t i = 0; i < kept; i++) {
		if (i)
			text_add_char(out, ',');
		text_add_unsigned(out, groups[i]);
	}
	if (total > kept)
		text_add_string(out, ",...");
}

static void add_groups(struct event_writer *writer, const struct event *event)
{
	const struct event_before *before = event->before;

	if (!(event->record->changed & CHANGE_GROUPS))
		return;
	add_label(writer, "groups");
	add_group_list(writer->out, event->before_groups, before->groups_kept,
		       before->groups_total);
	text_add_string(writer->out, " -> ");
	add_group_list(writer->out, event->groups, event->identity->groups_kept,
		       event->identity->groups_total);
}

static void add_caps_change(struct event_writer *writer, const char *label, uint64_t before,
			    uint64_t after, bool is_host_effective)
{
	add_label(writer, label);
	change_add_caps(writer->out, writer->view, before, after, is_host_effective);
}

/* The effective set is what counts; another is worth a word where it does not just follow. */
static void add_caps(struct event_writer *writer, const struct event *event)
{
	const __u64 *before = event->before->caps;
	const __u64 *after = event->identity->caps;
	bool is_host_effective =
		event->identity->ns[NS_USER] == model_host_ns(writer->view->model)[NS_USER];

	if (before[CAP_SET_EFFECTIVE] != after[CAP_SET_EFFECTIVE])
		add_caps_change(writer, "caps", before[CAP_SET_EFFECTIVE], after[CAP_SET_EFFECTIVE],
				is_host_effective);
	for (int set = 0; set < CAP_SETS; set++) {
		bool follows = before[set] == before[CAP_SET_EFFECTIVE] &&
			       after[set] == after[CAP_SET_EFFECTIVE];

		if (before[set] != after[set] && !follows)
			add_caps_change(writer, event_cap_sets[set], before[set], after[set],
					is_host_effective);
	}
}

static void add_namespace_change(struct event_writer *writer, const char *label, enum ns_kind kind,
				 uint32_t before, uint32_t after)
{
	if (before == after)
		return;
	add_label(writer, label);
	change_add_namespaces(writer->out, writer->view, kind, before, after);
}

static void add_children(struct event_writer *writer, const struct event_children *children)
{
	if (!children)
		return;
	if (children->pid_ns)
		add_namespace_change(writer, "children's ns", NS_PID, children->before_pid_ns,
				     children->pid_ns);
	if (children->time_ns)
		add_namespace_change(writer, "children's ns", NS_TIME, children->before_time_ns,
				     children->time_ns);
	if (children->map_ns) {
		add_label(writer, "map of user ns");
		change_add_namespace(writer->out, writer->view, NS_USER, children->map_ns);
	}
}

static void add_changes(struct event_writer *writer, const struct event *event)
{
	const struct event_before *before = event->before;
	const struct task_identity *after = event->identity;

	if (before && after) {
		add_ids(writer, &before->ids, &after->ids);
		add_groups(writer, event);
		add_caps(writer, event);
		add_number_change(writer, "securebits", before->securebits, after->securebits);
		add_word_change(writer, "no_new_privs", before->no_new_privs ? "on" : "off",
				after->no_new_privs ? "on" : "off");
		if (before->seccomp <= 2 && after->seccomp <= 2)
			add_word_change(writer, "seccomp", proc_seccomp_words[before->seccomp],
					proc_seccomp_words[after->seccomp]);
		for (int kind = 0; kind < NS_KINDS; kind++)
			add_namespace_change(writer, "ns", kind, before->ns[kind], after->ns[kind]);
	}
	add_children(writer, event->children);
}

/* Its words with spaces between them, or its name where there are none. */
static void add_command(struct event_writer *writer, const struct event_subject *subject)
{
	const char *comm = subject->identity->comm;

	text_add(writer->out, "  ", 2);
	if (!subject->args_length) {
		text_add_printable(writer->out, comm, strnlen(comm, COMM_SIZE));
		return;
	}
	change_add_args(writer->out, subject->args, subject->args_length);
	if (subject->is_args_cut)
		text_add_string(writer->out, "...");
}

static void add_exit(struct event_writer *writer, const struct event_exit *exit)
{
	if (WIFSIGNALED(exit->status)) {
		add_label(writer, "signal");
		text_add_unsigned(writer->out, (uint64_t)WTERMSIG(exit->status));
	} else {
		add_label(writer, "code");
		text_add_unsigned(writer->out, (uint64_t)WEXITSTATUS(exit->status));
	}
}

static void add_end(struct event_writer *writer, const struct event_record *record)
{
	const char *cause = change_cause_name(record->cause);
	const char *error = change_error_name(record->error);

	if (record->error) {
		add_label(writer, "refused:");
		if (error)
			text_add_string(writer->out, error);
		else
			text_add_number(writer->out, record->error);
	}
	if (cause) {
		text_add_string(writer->out, "  [");
		text_add_string(writer->out, cause);
		text_add_char(writer->out, ']');
	}
	if (record->flags & (EVENT_INFERRED | EVENT_REPAIR))
		text_add_string(writer->out, "  (inferred)");
}

/* Where they are not told as a change: what it may do is what one looks for in a new process. */
static void add_caps_now(struct event_writer *writer, const struct event_line *line,
			 const struct event_subject *subject)
{
	const struct task_identity *identity = subject->identity;
	const struct event_before *before = line->event ? line->event->before : NULL;
	uint64_t effective = identity->caps[CAP_SET_EFFECTIVE];

	if (subject->unknown & FIELD_BIT(FIELD_CAPS) ||
	    (before && before->caps[CAP_SET_EFFECTIVE] != effective))
		return;
	add_label(writer, "caps");
	caps_words(writer->out, effective, writer->view->facts->cap_last,
		   identity->ns[NS_USER] == model_host_ns(writer->view->model)[NS_USER]);
}

static void add_event(struct event_writer *writer, const struct event_line *line,
		      const struct event_subject *subject)
{
	const struct event *event = line->event;

	if (event->record->action == EVENT_FORK) {
		add_label(writer, "child of");
		text_add_unsigned(writer->out, event->record->ppid);
	}
	if (event->record->action == EVENT_FORK || event->exec) {
		add_command(writer, subject);
		add_caps_now(writer, line, subject);
	}
	if (event->exit && !(event->record->flags & EVENT_REPAIR))
		add_exit(writer, event->exit);
	if (event->cgroup) {
		text_add(writer->out, "  ", 2);
		text_add_printable(writer->out, event->cgroup_path, event->cgroup->length);
	}
	add_changes(writer, event);
	add_end(writer, event->record);
}

static void add_gap(struct event_writer *writer, const struct gap_record *gap)
{
	const char *hook = hook_name(gap->hook);

	text_add_string(writer->out, "  lost ");
	text_add_unsigned(writer->out, gap->last - gap->first + 1);
	text_add_string(writer->out, " events, ");
	text_add_unsigned(writer->out, gap->first);
	text_add_string(writer->out, " to ");
	text_add_unsigned(writer->out, gap->last);
	text_add_string(writer->out, ": ");
	text_add_string(writer->out, event_gap_reasons[gap->reason]);
	if (hook) {
		text_add_char(writer->out, ' ');
		text_add_string(writer->out, hook);
	}
}

static void add_container(struct event_writer *writer, const struct container *container)
{
	if (container->id[0]) {
		text_add(writer->out, "  ", 2);
		text_add_printable(writer->out, container->id, strlen(container->id));
	}
	if (container->runtime) {
		text_add(writer->out, "  ", 2);
		text_add_string(writer->out, container->runtime);
	}
}

static void add_time(struct event_writer *writer, uint64_t boot_ns)
{
	size_t start = writer->out->length;
	char *place;

	event_put_time(writer, &writer->seconds[0], boot_ns);
	/* Without the quotes, and nobody reads nanoseconds. */
	place = writer->out->data + start;
	memmove(place, place + 1, sizeof("2026-11-21T22:14:03.123456") - 1);
	writer->out->length = start + sizeof("2026-11-21T22:14:03.123456") - 1;
	text_add_char(writer->out, 'Z');
}

void event_put_words(struct event_writer *writer, const struct event_line *line)
{
	const char *action = event_actions[writer->word];
	struct event_subject subject;

	event_subject_read(line, &subject);
	add_time(writer, line->time_boot_ns);
	if (!line->gap && !line->info)
		add_who(writer, &subject);
	text_add_char(writer->out, ' ');
	text_add_string(writer->out, action);
	if (line->event)
		add_event(writer, line, &subject);
	if (line->kind == LINE_SNAPSHOT) {
		add_command(writer, &subject);
		add_caps_now(writer, line, &subject);
	}
	if (line->kind != LINE_EVENT && line->kind != LINE_SNAPSHOT && subject.container)
		add_container(writer, subject.container);
	if (line->kind == LINE_CONTAINER_STARTED)
		add_caps_now(writer, line, &subject);
	if (line->gap)
		add_gap(writer, line->gap);
	if (line->info) {
		text_add(writer->out, "  ", 2);
		text_add_printable(writer->out, record_info(line->info), line->info->length);
	}
}
