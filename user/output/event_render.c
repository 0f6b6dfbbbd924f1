/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of a line that event_block.c keeps: users, capabilities, container, namespaces. */
#include "output/event_private.h"

#include "base/mem.h"
#include "bpf/event.h"
#include "host/facts.h"
#include "host/passwd.h"
#include "host/runtime/runtime.h"
#include "model/model.h"
#include "view/column.h"
#include "view/container_fields.h"
#include "view/proc_fields.h"

static bool is_known(struct event_writer *writer, const struct event_subject *subject,
		     enum task_field field, uint64_t named)
{
	if (!(subject->unknown & FIELD_BIT(field)))
		return true;
	writer->unknown |= named;
	return false;
}

static void render_tty(struct event_writer *writer, const struct event_subject *subject)
{
	const struct task_identity *identity = subject->identity;

	if (!is_known(writer, subject, FIELD_TTY, AT_BIT(TTY)) ||
	    (!identity->tty_major && !identity->tty_minor))
		return;
	event_put(writer, ",\"tty\":{\"char_device\":{\"major\":");
	event_put_number(writer, identity->tty_major);
	event_put(writer, ",\"minor\":");
	event_put_number(writer, identity->tty_minor);
	event_put(writer, "}}");
}

void event_render_users(struct event_writer *writer, const struct event_subject *subject)
{
	const struct id_block *ids = &subject->identity->ids;

	if (is_known(writer, subject, FIELD_IDS, AT_BIT(IDS))) {
		event_put(writer, ",\"user\":");
		event_put_user(writer, ids->euid);
		event_put(writer, ",\"real_user\":");
		event_put_user(writer, ids->uid);
		event_put(writer, ",\"saved_user\":");
		event_put_user(writer, ids->suid);
		event_put(writer, ",\"group\":");
		event_put_id(writer, ids->egid);
		event_put(writer, ",\"real_group\":");
		event_put_id(writer, ids->gid);
		event_put(writer, ",\"saved_group\":");
		event_put_id(writer, ids->sgid);
	}
	render_tty(writer, subject);
}

void event_render_thread(struct event_writer *writer, const struct event_subject *subject)
{
	const __u64 *caps = subject->identity->caps;

	if (!is_known(writer, subject, FIELD_CAPS, AT_BIT(CAPS)))
		return;
	if (writer->level >= LEVEL_NO_NAMES) {
		writer->cut |= EVENT_CUT_CAPABILITIES;
		return;
	}
	event_put(writer, ",\"capabilities\":{\"effective\":");
	event_put_caps(writer, caps[CAP_SET_EFFECTIVE]);
	event_put(writer, ",\"permitted\":");
	event_put_caps(writer, caps[CAP_SET_PERMITTED]);
	event_put(writer, "}");
}

static void render_container_names(struct event_writer *writer, const struct container *container)
{
	event_put(writer, "\"name\":");
	event_put_quoted(writer, AT_CONTAINER_NAME, container->name, strlen(container->name));
	if (container->id[0])
		event_put_member(writer, "id", AT_CONTAINER_ID, container->id,
				 strlen(container->id));
	if (container->runtime)
		event_put_member(writer, "runtime", AT_RUNTIME, container->runtime,
				 strlen(container->runtime));
	else if (container->id[0]) /* which a runtime has given it, whichever that was */
		writer->unknown |= AT_BIT(RUNTIME);
}

static void render_container_declared(struct event_writer *writer,
				      const struct runtime_container *declared)
{
	if (declared->image) {
		event_put(writer, ",\"image\":{\"name\":");
		event_put_quoted(writer, AT_IMAGE, declared->image, strlen(declared->image));
		event_put(writer, "}");
	}
	event_put(writer, ",\"security_context\":{\"privileged\":");
	event_put_string(writer, declared->is_privileged ? "true}" : "false}");
}

static void render_pod(struct event_writer *writer, const struct runtime_container *declared)
{
	if (!declared->pod && !declared->pod_namespace)
		return;
	event_put(writer, ",\"orchestrator\":{\"type\":\"kubernetes\"");
	if (declared->pod_namespace)
		event_put_member(writer, "namespace", AT_POD, declared->pod_namespace,
				 strlen(declared->pod_namespace));
	if (declared->pod) {
		event_put(writer, ",\"resource\":{\"name\":");
		event_put_quoted(writer, AT_POD, declared->pod, strlen(declared->pod));
		event_put(writer, "}");
	}
	event_put(writer, "}");
}

void event_render_container(struct event_writer *writer, const struct event_subject *subject)
{
	const struct container *container = subject->container;

	if (!container)
		return;
	if (!strcmp(container->name, "?")) { /* there is one, and no telling which */
		writer->unknown |= AT_BIT(CONTAINER);
		return;
	}
	event_put(writer, ",\"container\":{");
	render_container_names(writer, container);
	if (container->declared)
		render_container_declared(writer, container->declared);
	else if (container->id[0]) /* its runtime has written down what for */
		writer->unknown |= AT_BIT(IMAGE) | AT_BIT(PRIVILEGED);
	event_put(writer, "}");
	if (container->declared)
		render_pod(writer, container->declared);
}

/* By the container's own names: those of its first process's root, unless it has left its mount
 * namespace (as in_user of ps). */
static void render_inside_user(struct event_writer *writer, const struct event_subject *subject,
			       const char *key, uint32_t uid)
{
	const struct view_context *view = writer->view;
	const struct container *container = subject->container;
	uint32_t mnt_ns = subject->identity->ns[NS_MNT];
	uint32_t pid = mnt_ns == container->ns[NS_MNT] ? container->first_pid : subject->tgid;
	const char *name = NULL;

	event_put_string(writer, key);
	event_put_number(writer, uid);
	event_put(writer, "\"");
	if (mnt_ns)
		name = passwd_container_name(view->users, view->proc_fd, pid, mnt_ns, uid);
	if (name)
		event_put_member(writer, "name", AT_INSIDE_NAME, name, strlen(name));
	event_put(writer, "}");
}

static void render_inside(struct event_writer *writer, const struct event_subject *subject)
{
	const struct id_block *ids = subject->in_ids;

	if (!subject->container || !is_known(writer, subject, FIELD_IN_IDS, AT_BIT(INSIDE)))
		return;
	render_inside_user(writer, subject, ",\"inside\":{\"user\":{\"id\":\"", ids->euid);
	render_inside_user(writer, subject, ",\"real_user\":{\"id\":\"", ids->uid);
	render_inside_user(writer, subject, ",\"saved_user\":{\"id\":\"", ids->suid);
	event_put(writer, ",\"group\":");
	event_put_id(writer, ids->egid);
	event_put(writer, ",\"real_group\":");
	event_put_id(writer, ids->gid);
	event_put(writer, "}");
}

static void render_ns(struct event_writer *writer, const struct event_subject *subject)
{
	const char *separator = ",\"ns\":{\"";
	bool is_open = false;

	for (int kind = 0; kind < NS_KINDS; kind++) {
		if (!is_known(writer, subject, FIELD_NS + kind, 1ULL << (AT_NS_MNT + kind)) ||
		    !subject->identity->ns[kind])
			continue;
		event_put_string(writer, separator);
		event_put_string(writer, proc_namespace_names[kind]);
		event_put(writer, "\":");
		event_put_number(writer, subject->identity->ns[kind]);
		separator = ",\"";
		is_open = true;
	}
	if (is_open)
		event_put(writer, "}");
}

static void render_shared(struct event_writer *writer, const struct event_subject *subject)
{
	const uint32_t *host_ns = model_host_ns(writer->view->model);
	const uint32_t *ns = subject->identity->ns;
	const char *separator = "\"";

	if (subject->identity->flags & TASK_ZOMBIE)
		return;
	for (int kind = 0; kind < NS_KINDS; kind++) {
		if (subject->unknown & FIELD_BIT(FIELD_NS + kind) || (ns[kind] && !host_ns[kind])) {
			writer->unknown |= AT_BIT(SHARED);
			return;
		}
	}
	event_put(writer, ",\"shared_with_host\":[");
	for (int kind = 0; kind < NS_KINDS; kind++) {
		if (!ns[kind] || ns[kind] != host_ns[kind])
			continue;
		event_put_string(writer, separator);
		event_put_string(writer, proc_namespace_names[kind]);
		event_put(writer, "\"");
		separator = ",\"";
	}
	event_put(writer, "]");
}

static void render_user_ns(struct event_writer *writer, const struct event_subject *subject)
{
	const struct task_identity *identity = subject->identity;

	if (!is_known(writer, subject, FIELD_USERNS, AT_BIT(USER_NS)) || !identity->ns[NS_USER])
		return;
	event_put(writer, ",\"user_ns\":{\"ino\":");
	event_put_number(writer, identity->ns[NS_USER]);
	event_put(writer, ",\"level\":");
	event_put_number(writer, identity->user_ns_level);
	event_put(writer, ",\"owner\":\"");
	event_put_number(writer, identity->user_ns_owner);
	event_put(writer, "\"}");
}

static void render_groups(struct event_writer *writer, const struct event_subject *subject)
{
	const struct task_identity *identity = subject->identity;

	if (!is_known(writer, subject, FIELD_GROUPS, AT_BIT(GROUPS)))
		return;
	/* A list without its end would be taken for the list. */
	if (identity->groups_total > identity->groups_kept) {
		writer->unknown |= AT_BIT(GROUPS);
		writer->cut |= EVENT_CUT_GROUPS;
		return;
	}
	event_put(writer, ",\"groups\":[");
	for (uint32_t i = 0; i < identity->groups_kept; i++) {
		event_put_string(writer, i ? ",\"" : "\"");
		event_put_number(writer, subject->groups[i]);
		event_put(writer, "\"");
	}
	event_put(writer, "]");
}

static void render_privileges(struct event_writer *writer, const struct event_subject *subject)
{
	const struct task_identity *identity = subject->identity;

	if (is_known(writer, subject, FIELD_SECUREBITS, AT_BIT(SECUREBITS))) {
		event_put(writer, ",\"securebits\":");
		event_put_number(writer, identity->securebits);
	}
	if (is_known(writer, subject, FIELD_NNP, AT_BIT(NO_NEW_PRIVS)))
		event_put_string(writer, identity->no_new_privs ? ",\"no_new_privs\":true"
								: ",\"no_new_privs\":false");
	if (identity->seccomp > 2)
		writer->unknown |= AT_BIT(SECCOMP);
	else if (is_known(writer, subject, FIELD_SECCOMP, AT_BIT(SECCOMP))) {
		event_put(writer, ",\"seccomp\":\"");
		event_put_string(writer, proc_seccomp_words[identity->seccomp]);
		event_put(writer, "\"");
	}
	if (is_known(writer, subject, FIELD_LOGINUID, AT_BIT(LOGIN)) &&
	    identity->loginuid != ID_UNSET) {
		event_put(writer, ",\"login_uid\":\"");
		event_put_number(writer, identity->loginuid);
		event_put(writer, "\"");
	}
	if (is_known(writer, subject, FIELD_SESSIONID, AT_BIT(SESSION)) &&
	    identity->sessionid != ID_UNSET) {
		event_put(writer, ",\"session_id\":");
		event_put_number(writer, identity->sessionid);
	}
}

/* Drift is the view's to judge: of the table's process, with the credentials of the event. */
static void render_drift(struct event_writer *writer, const struct event_subject *subject)
{
	struct task_record task;
	struct proc proc;

	if (!subject->proc) {
		writer->unknown |= AT_BIT(DRIFT);
		return;
	}
	if (!is_known(writer, subject, FIELD_CAPS, AT_BIT(DRIFT)))
		return;
	proc = *subject->proc;
	task = *subject->proc->task;
	task.identity = *subject->identity;
	proc.task = &task;
	proc.container = (struct container *)subject->container;
	event_put(writer, ",\"drift\":");
	event_put_caps(writer, proc_drift(writer->view, &proc));
}

void event_render_declared(struct event_writer *writer, const struct event_subject *subject)
{
	const struct container *container = subject->container;
	struct json json;

	if (!container)
		return;
	if (!container->declared) {
		/* An id was given by a runtime, which has written down what for. */
		if (container->id[0] || !strcmp(container->name, "?"))
			writer->unknown |= AT_BIT(DECLARED) | (subject->tgid ? AT_BIT(DRIFT) : 0);
		return;
	}
	if (writer->level < LEVEL_SHORT) {
		event_put(writer, ",\"declared\":");
		json_start(&json, writer->out);
		json_declared(&writer->values, &json, container->declared, JSON_ABSENT_LEFT_OUT);
		if (json.is_lossy)
			writer->lossy |= AT_BIT(DECLARED);
	} else {
		writer->cut |= EVENT_CUT_STRINGS;
	}
	if (subject->tgid)
		render_drift(writer, subject);
}

static void render_capabilities(struct event_writer *writer, const struct event_subject *subject)
{
	static const enum cap_set named[] = {CAP_SET_INHERITABLE, CAP_SET_BOUNDING,
					     CAP_SET_AMBIENT};
	const uint32_t *host_ns = model_host_ns(writer->view->model);
	uint32_t user_ns = subject->identity->ns[NS_USER];
	const char *separator = ",\"capabilities\":{\"";

	for (size_t i = 0; i < ARRAY_SIZE(named) && writer->level < LEVEL_NO_NAMES; i++) {
		event_put_string(writer, separator);
		event_put_string(writer, event_cap_sets[named[i]]);
		event_put(writer, "\":");
		event_put_caps(writer, subject->identity->caps[named[i]]);
		separator = ",\"";
	}
	for (int set = 0; set < CAP_SETS; set++) {
		event_put_string(writer, separator);
		event_put_string(writer, event_cap_sets[set]);
		event_put(writer, "_hex\":\"");
		text_add_hex(writer->out, subject->identity->caps[set], 16);
		event_put(writer, "\"");
		separator = ",\"";
	}
	if (subject->unknown & FIELD_BIT(FIELD_NS + NS_USER) || !host_ns[NS_USER] || !user_ns)
		writer->unknown |= AT_BIT(HOST_EFFECTIVE);
	else
		event_put_string(writer, user_ns == host_ns[NS_USER] ? ",\"host_effective\":true"
								     : ",\"host_effective\":false");
}

bool event_render_nsview(struct event_writer *writer, const struct event_subject *subject)
{
	const struct id_block *ids = &subject->identity->ids;

	render_inside(writer, subject);
	render_ns(writer, subject);
	render_shared(writer, subject);
	render_user_ns(writer, subject);
	if (!(subject->unknown & FIELD_BIT(FIELD_IDS))) {
		event_put(writer, ",\"fs_user\":");
		event_put_user(writer, ids->fsuid);
		event_put(writer, ",\"fs_group\":");
		event_put_id(writer, ids->fsgid);
	}
	render_groups(writer, subject);
	render_privileges(writer, subject);
	event_render_declared(writer, subject);
	if (subject->unknown & FIELD_BIT(FIELD_CAPS))
		return false;
	render_capabilities(writer, subject);
	return true;
}
