/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/change_line.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/caps.h"
#include "host/facts.h"
#include "host/runtime/runtime.h"
#include "model/model.h"
#include "view/change_words.h"
#include "view/column.h"
#include "view/proc_fields.h"

#define NS_PER_S 1000000000ULL
#define REPEAT_NS NS_PER_S

static void take_name(char name[CHANGE_NAME_BYTES], const char *from)
{
	size_t length = from ? strnlen(from, CHANGE_NAME_BYTES - 1) : 0;

	if (length)
		memcpy(name, from, length);
	name[length] = '\0';
}

static void take_container(struct change_line *line, const struct change_source *source)
{
	const struct container *container = source->container;
	const struct runtime_container *declared = container ? container->declared : NULL;

	take_name(line->container, container ? container->name : NULL);
	take_name(line->runtime, container ? container->runtime : NULL);
	take_name(line->image, declared ? declared->image : NULL);
	line->has_declared = declared != NULL;
	line->declared_caps = declared ? declared->caps : 0;
	if (!container)
		return;
	line->is_first = container->first_pid == line->tgid;
	if (source->time_boot_ns > container->start_boot_ns)
		line->age_ns = source->time_boot_ns - container->start_boot_ns;
	if (line->tgid)
		return;
	line->tgid = container->first_pid;
	line->start_boot_ns = container->start_boot_ns;
}

static void take_proc(struct change_line *line, const struct proc *proc,
		      const struct container *container)
{
	line->tgid = proc->task->tgid;
	line->start_boot_ns = proc->task->start_boot_ns;
	line->in_pid = container ? proc_in_pid(proc) : 0;
	memcpy(line->comm, proc->task->comm, COMM_SIZE);
	line->has_identity = !(proc->unknown & FIELD_BIT(FIELD_CAPS));
	line->after = proc->task->identity;
}

static void take_args(struct change_line *line, const struct event *event)
{
	size_t length = event->exec->args_length;

	line->is_args_cut = length > CHANGE_ARGS_BYTES || event->exec->args_total > length;
	line->args_length = (uint32_t)(length < CHANGE_ARGS_BYTES ? length : CHANGE_ARGS_BYTES);
	memcpy(line->args, event->args, line->args_length);
}

static void take_event(struct change_line *line, const struct event *event,
		       const struct container *container)
{
	line->record = *event->record;
	line->tgid = event->record->tgid;
	line->start_boot_ns = event->record->start_boot_ns;
	if (event->identity) {
		line->has_identity = true;
		line->after = *event->identity;
		memcpy(line->comm, event->identity->comm, COMM_SIZE);
	}
	if (event->chain && container)
		line->in_pid = event->chain[event->record->chain_count - 1].pid;
	if (event->before) {
		line->has_before = event->identity != NULL;
		line->before = *event->before;
	}
	if (event->children) {
		line->has_children = true;
		line->children = *event->children;
	}
	if (event->exec)
		take_args(line, event);
}

bool change_is_entering(const struct change_source *source)
{
	const struct proc *proc = source->proc;

	if (!source->container || !proc)
		return false;
	if (source->parent)
		return source->parent->container != source->container;
	return !(proc->unknown & FIELD_BIT(FIELD_IN_PARENT)) && !proc->task->in_ppid;
}

static void take_parent(struct change_line *line, const struct change_source *source)
{
	const struct proc *parent = source->parent;

	line->is_entering = change_is_entering(source);
	if (!parent)
		return;
	line->parent_pid = parent->task->tgid;
	memcpy(line->parent_comm, parent->task->comm, COMM_SIZE);
}

void change_line_take(struct change_line *line, const struct change_source *source)
{
	*line = (struct change_line){
		.kind = source->kind,
		.time_boot_ns = source->time_boot_ns,
		.lost = source->lost,
		.times = 1,
	};
	if (source->proc)
		take_proc(line, source->proc, source->container);
	if (source->event)
		take_event(line, source->event, source->container);
	take_parent(line, source);
	take_container(line, source);
}

bool change_line_repeats(const struct change_line *line, const struct change_source *source)
{
	const struct event_record *last = &line->record;
	const struct event_record *record = source->event ? source->event->record : NULL;

	return record && record->action != EVENT_EXEC && last->tid == record->tid &&
	       last->tgid == record->tgid && last->start_boot_ns == record->start_boot_ns &&
	       last->action == record->action && last->cause == record->cause &&
	       last->error == record->error && line->kind == source->kind &&
	       source->time_boot_ns < line->time_boot_ns + REPEAT_NS;
}

void change_line_merge(struct change_line *line, const struct change_source *source)
{
	struct change_line first = *line;

	change_line_take(line, source);
	line->times = first.times + 1;
	line->record.changed |= first.record.changed;
	if (first.has_before)
		line->before = first.before;
}

static bool is_of_one_process(const struct change_line *one, const struct change_line *other)
{
	return one->tgid == other->tgid && one->start_boot_ns == other->start_boot_ns;
}

bool change_line_tells(const struct change_line *later, const struct change_line *earlier)
{
	switch (earlier->kind) {
	case PANE_CAPS:
	case PANE_USER:
	case PANE_NS:
	case PANE_PRIVILEGES:
		return later->kind == PANE_EXEC && later->is_entering &&
		       is_of_one_process(later, earlier);
	case PANE_STARTED:
		return later->kind == PANE_ENDED && !later->runtime[0] &&
		       !strcmp(later->container, earlier->container);
	default:
		return false;
	}
}

static void add_comm(struct text *out, const char comm[COMM_SIZE])
{
	text_add(out, comm, strnlen(comm, COMM_SIZE));
}

void change_line_who(const struct change_line *line, struct text *out)
{
	if (!line->comm[0]) {
		text_add_char(out, '-');
		return;
	}
	text_add_unsigned(out, line->tgid);
	if (line->in_pid)
		text_printf(out, "/%u ", line->in_pid);
	else
		text_add_string(out, "/- ");
	add_comm(out, line->comm);
}

/* One phrase of a line: they are separated by "; ". */
static void phrase_begin(struct text *out)
{
	if (out->length)
		text_add_string(out, "; ");
}

static bool is_host_effective(const struct change_line *line, const struct view_context *view)
{
	return line->after.ns[NS_USER] == model_host_ns(view->model)[NS_USER];
}

/* The effective user, and another one or the group only where that stays. */
static void add_ids(const struct change_line *line, const struct view_context *view,
		    struct text *out)
{
	const struct id_block *before = &line->before.ids;
	const struct id_block *after = &line->after.ids;
	const struct {
		const char *label;
		uint32_t before;
		uint32_t after;
	} users[] = {
		{"", before->euid, after->euid},
		{"real user ", before->uid, after->uid},
		{"saved user ", before->suid, after->suid},
		{"file user ", before->fsuid, after->fsuid},
	};

	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		if (users[i].before == users[i].after)
			continue;
		phrase_begin(out);
		text_add_string(out, users[i].label);
		change_add_users(out, view, users[i].before, users[i].after);
		return;
	}
	if (before->egid != after->egid || before->gid != after->gid) {
		phrase_begin(out);
		text_printf(out, "group %u -> %u",
			    before->egid != after->egid ? before->egid : before->gid,
			    before->egid != after->egid ? after->egid : after->gid);
	}
	if (line->record.changed & CHANGE_GROUPS) {
		phrase_begin(out);
		text_printf(out, "%u -> %u supplementary groups", line->before.groups_total,
			    line->after.groups_total);
	}
}

/* "none -> full in userns 4026532711 (owner project)" */
static void add_user_namespace(const struct change_line *line, const struct view_context *view,
			       struct text *out)
{
	int cap_last = view->facts->cap_last;

	phrase_begin(out);
	caps_words(out, line->before.caps[CAP_SET_EFFECTIVE], cap_last, true);
	text_add_string(out, " -> ");
	caps_words(out, line->after.caps[CAP_SET_EFFECTIVE], cap_last, true);
	if (is_host_effective(line, view)) {
		text_add_string(out, " in the host's userns");
		return;
	}
	text_printf(out, " in userns %u (owner ", line->after.ns[NS_USER]);
	change_add_user(out, view, line->after.user_ns_owner);
	text_add_char(out, ')');
}

static void add_caps(const struct change_line *line, const struct view_context *view,
		     struct text *out)
{
	static const char *const labels[CAP_SETS] = {"inheritable ", "permitted ", "", "bounding ",
						     "ambient "};
	/* Where the effective ones stay, another set is worth a phrase. */
	static const uint8_t order[] = {CAP_SET_EFFECTIVE, CAP_SET_PERMITTED, CAP_SET_BOUNDING,
					CAP_SET_AMBIENT, CAP_SET_INHERITABLE};

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		uint64_t before = line->before.caps[order[i]];
		uint64_t after = line->after.caps[order[i]];

		if (before == after)
			continue;
		phrase_begin(out);
		text_add_string(out, labels[order[i]]);
		change_add_caps(out, view, before, after, is_host_effective(line, view));
		return;
	}
}

static void add_namespaces(const struct change_line *line, const struct view_context *view,
			   struct text *out)
{
	for (int kind = 0; kind < NS_KINDS; kind++) {
		if (kind == NS_USER || line->before.ns[kind] == line->after.ns[kind])
			continue;
		phrase_begin(out);
		change_add_namespaces(out, view, kind, line->before.ns[kind], line->after.ns[kind]);
	}
}

static void add_restrictions(const struct change_line *line, struct text *out)
{
	const struct event_before *before = &line->before;
	const struct task_identity *after = &line->after;

	if (before->securebits != after->securebits) {
		phrase_begin(out);
		text_printf(out, "securebits %u -> %u", before->securebits, after->securebits);
	}
	if (before->no_new_privs != after->no_new_privs) {
		phrase_begin(out);
		text_add_string(out, after->no_new_privs ? "no_new_privs off -> on"
							 : "no_new_privs on -> off");
	}
	if (before->seccomp != after->seccomp && before->seccomp <= 2 && after->seccomp <= 2) {
		phrase_begin(out);
		text_printf(out, "seccomp %s -> %s", proc_seccomp_words[before->seccomp],
			    proc_seccomp_words[after->seccomp]);
	}
}

static void add_children(const struct change_line *line, const struct view_context *view,
			 struct text *out)
{
	const struct event_children *children = &line->children;

	if (children->pid_ns) {
		phrase_begin(out);
		text_add_string(out, "children's ");
		change_add_namespaces(out, view, NS_PID, children->before_pid_ns, children->pid_ns);
	}
	if (children->time_ns) {
		phrase_begin(out);
		text_add_string(out, "children's ");
		change_add_namespaces(out, view, NS_TIME, children->before_time_ns,
				      children->time_ns);
	}
	if (children->map_ns) {
		phrase_begin(out);
		text_add_string(out, "map of userns ");
		change_add_namespace(out, view, NS_USER, children->map_ns);
	}
}

static void add_changes(const struct change_line *line, const struct view_context *view,
			struct text *out)
{
	if (line->has_before) {
		add_ids(line, view, out);
		if (line->before.ns[NS_USER] != line->after.ns[NS_USER])
			add_user_namespace(line, view, out);
		else
			add_caps(line, view, out);
		add_restrictions(line, out);
		add_namespaces(line, view, out);
	}
	if (line->has_children)
		add_children(line, view, out);
}

static void add_times(const struct change_line *line, struct text *out)
{
	if (line->times > 1)
		text_printf(out, ", %llu times", (unsigned long long)line->times);
}

static void add_cause(const struct change_line *line, struct text *out)
{
	const char *cause = change_cause_name(line->record.cause);

	if (cause) {
		phrase_begin(out);
		text_printf(out, "cause %s", cause);
	}
	if (line->record.flags & (EVENT_INFERRED | EVENT_REPAIR))
		text_add_string(out, " (inferred)");
	add_times(line, out);
}

static void add_parent(const struct change_line *line, struct text *out)
{
	if (!line->parent_pid)
		return;
	text_printf(out, " from %u ", line->parent_pid);
	add_comm(out, line->parent_comm);
}

static void add_steps(const struct change_line *line, struct text *out)
{
	if (line->steps)
		text_printf(out, "; after %llu %s on its way", (unsigned long long)line->steps,
			    line->steps == 1 ? "change" : "changes");
}

static void add_exec(const struct change_line *line, const struct view_context *view,
		     struct text *out)
{
	add_changes(line, view, out);
	if (!out->length && line->has_identity) {
		text_add_string(out, "as ");
		change_add_user(out, view, line->after.ids.euid);
		text_add_string(out, " with ");
		caps_words(out, line->after.caps[CAP_SET_EFFECTIVE], view->facts->cap_last,
			   is_host_effective(line, view));
	}
	add_cause(line, out);
	if (line->is_entering) {
		phrase_begin(out);
		text_printf(out, "%s %s", line->is_first ? "first of" : "joined", line->container);
		add_parent(line, out);
		if (!line->is_first && line->has_identity)
			text_printf(out, "; parent inside: %u", line->after.in_ppid);
	}
	if (line->args_length) {
		phrase_begin(out);
		change_add_args(out, line->args, line->args_length);
		if (line->is_args_cut)
			text_add_string(out, "...");
	}
	add_steps(line, out);
}

static void add_refused(const struct change_line *line, struct text *out)
{
	const char *cause = change_cause_name(line->record.cause);
	const char *error = change_error_name(line->record.error);

	if (cause)
		text_printf(out, "%s ", cause);
	text_add_string(out, "refused: ");
	if (error)
		text_add_string(out, error);
	else
		text_add_number(out, line->record.error);
	add_times(line, out);
}

static void add_container(const struct change_line *line, const struct view_context *view,
			  struct text *out)
{
	if (line->runtime[0])
		text_add_string(out, line->runtime);
	if (line->image[0]) {
		phrase_begin(out);
		text_printf(out, "image %s", line->image);
	}
	if (line->has_declared) {
		phrase_begin(out);
		text_add_string(out, "declares ");
		caps_words(out, line->declared_caps, view->facts->cap_last, true);
	}
	if (line->parent_pid) {
		phrase_begin(out);
		text_add_string(out, "made");
		add_parent(line, out);
	}
	if (!out->length)
		text_add_string(out, "by no runtime that is known here");
}

void change_line_text(const struct change_line *line, const struct view_context *view,
		      struct text *out)
{
	switch (line->kind) {
	case PANE_EXEC:
		add_exec(line, view, out);
		return;
	case PANE_CAPS:
	case PANE_USER:
	case PANE_USERNS:
	case PANE_NS:
	case PANE_PRIVILEGES:
		add_changes(line, view, out);
		if (!out->length && line->times > 1)
			text_add_string(out, "as it was before");
		add_cause(line, out);
		return;
	case PANE_REFUSED:
		add_refused(line, out);
		return;
	case PANE_STARTED:
	case PANE_NAMED:
		add_container(line, view, out);
		return;
	case PANE_ENDED:
		text_printf(out, "after %.1f s", (double)line->age_ns / (double)NS_PER_S);
		return;
	case PANE_LOST:
		text_printf(out, "%llu %s missing here", (unsigned long long)line->lost,
			    line->lost == 1 ? "event is" : "events are");
		return;
	case PANE_KINDS:
		return;
	}
}

bool change_line_is_loud(const struct change_line *line, const struct view_context *view)
{
	uint64_t gained =
		line->after.caps[CAP_SET_EFFECTIVE] & ~line->before.caps[CAP_SET_EFFECTIVE];

	if (line->kind == PANE_LOST || line->kind == PANE_REFUSED ||
	    line->record.cause == CAUSE_UNEXPLAINED)
		return true;
	return line->has_before && gained && is_host_effective(line, view);
}
