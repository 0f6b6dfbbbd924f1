/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/vantage.h"

#include <string.h>

#include <linux/capability.h>

#include "base/mem.h"
#include "base/text.h"
#include "bpf/event.h"
#include "host/caps.h"
#include "host/facts.h"
#include "host/idmap.h"
#include "host/passwd.h"
#include "model/model.h"
#include "view/column.h"

/* What most of those who ask want to know whether root in it can do to the host. */
static const struct {
	int capability;
	const char *does;
} powers[] = {
	{CAP_SYS_BOOT, "reboot the host"},
	{CAP_SYS_ADMIN, "mount"},
	{CAP_SYS_MODULE, "load a module"},
};

/* All that root in it holds. */
struct might {
	uint64_t caps;
	bool is_root;    /* some process is root inside */
	bool is_unknown; /* one that is, or may be, could not be read */
};

static void add_name(struct text *out, const char *name)
{
	text_add_printable(out, name, strlen(name));
}

static void add_host_user(const struct vantage *inside, uint32_t uid, struct text *out)
{
	const char *name = passwd_host_name(inside->view->users, uid);

	if (name)
		add_name(out, name);
	else
		text_printf(out, "uid %u", uid);
}

/* The host's id of root inside. False: its map holds none. */
static bool root_outside(const struct vantage *inside, uint32_t *uid)
{
	for (uint32_t i = 0; i < inside->uids->count; i++) {
		if (inside->uids->extents[i].inside == 0) {
			*uid = inside->uids->extents[i].outside;
			return true;
		}
	}
	return false;
}

static void add_namespace(const struct vantage *inside, struct text *out)
{
	const struct task_record *root = inside->root->task;

	text_printf(out, "its own user namespace (%u", root->ns[NS_USER]);
	if (!(inside->root->unknown & FIELD_BIT(FIELD_USERNS))) {
		text_add_string(out, ", owner ");
		add_host_user(inside, root->user_ns_owner, out);
	}
	text_add_char(out, ')');
}

static void add_who(const struct vantage *inside, bool is_host_ns, struct text *out)
{
	const char *name = passwd_host_name(inside->view->users, 0);
	uint32_t uid;

	if (is_host_ns) {
		text_add_string(out, "root inside is ");
		add_name(out, name ? name : "uid 0");
		text_add_string(out, " on the host (no user namespace).");
	} else if (!inside->uids) {
		text_add_string(out,
				"Who root inside is on the host could not be read: the container"
				" has ");
		add_namespace(inside, out);
		text_add_char(out, '.');
	} else if (root_outside(inside, &uid)) {
		text_add_string(out, "root inside is ");
		add_host_user(inside, uid, out);
		if (passwd_host_name(inside->view->users, uid))
			text_printf(out, " (%u)", uid);
		text_add_string(out, " on the host: the container has ");
		add_namespace(inside, out);
		text_add_char(out, '.');
	} else {
		text_add_string(out, "Nobody can be root inside: the container has ");
		add_namespace(inside, out);
		text_add_string(out, ", whose map does not hold root.");
	}
}

static struct might might_of_root(const struct vantage *inside)
{
	struct might might = {0};

	for (size_t i = 0; i < inside->count; i++) {
		const struct proc *proc = inside->rows[i].proc;
		uint32_t uid;

		/* Where the pid namespace is shared, the host's processes are no part of it. */
		if (proc->container != inside->root->container ||
		    proc->task->flags & (TASK_KTHREAD | TASK_ZOMBIE))
			continue;
		if (!vantage_uid(inside, proc, &uid)) {
			might.is_unknown = true;
			continue;
		}
		if (uid)
			continue;
		might.is_root = true;
		if (proc->unknown & FIELD_BIT(FIELD_CAPS))
			might.is_unknown = true;
		else
			might.caps |= proc->task->caps[CAP_SET_EFFECTIVE];
	}
	return might;
}

/* "reboot the host (SYS_BOOT), mount (SYS_ADMIN) or load a module (SYS_MODULE)" */
static size_t add_powers(uint64_t caps, bool held, const char *last, struct text *out)
{
	size_t all = 0;
	size_t seen = 0;

	for (size_t i = 0; i < ARRAY_SIZE(powers); i++)
		all += (caps >> powers[i].capability & 1) == held;
	for (size_t i = 0; i < ARRAY_SIZE(powers) && out; i++) {
		if ((caps >> powers[i].capability & 1) != held)
			continue;
		if (seen++)
			text_add_string(out, seen == all ? last : ", ");
		text_printf(out, "%s (%s)", powers[i].does, caps_name(powers[i].capability));
	}
	return all;
}

static void add_host_powers(uint64_t caps, struct text *out)
{
	size_t can = add_powers(caps, true, NULL, NULL);

	text_add_string(out, ", and they count on the host:\nit ");
	if (can) {
		text_add_string(out, "can ");
		add_powers(caps, true, " and ", out);
	}
	if (can && can < ARRAY_SIZE(powers))
		text_add_string(out, "; it ");
	if (can < ARRAY_SIZE(powers)) {
		text_add_string(out, "cannot ");
		add_powers(caps, false, " or ", out);
	}
	text_add_char(out, '.');
}

static void add_caps(const struct vantage *inside, bool is_host_ns, struct text *out)
{
	struct might might = might_of_root(inside);
	int cap_last = inside->view->facts->cap_last;
	int count;

	if (might.is_unknown) {
		text_add_string(out, "What it may do could not be read of all its processes.");
		return;
	}
	if (!might.is_root) {
		text_add_string(out, "No process in it is root now.");
		return;
	}
	/* The words of a set end in "in userns" where it does not count: said here in full. */
	might.caps &= caps_full(cap_last);
	count = __builtin_popcountll(might.caps);
	if (!count) {
		text_add_string(out, "It has no capabilities.");
		return;
	}
	text_add_string(out, "It has ");
	caps_words(out, might.caps, cap_last, true);
	text_printf(out, ", %d of %d capabilities", count, cap_last + 1);
	if (is_host_ns)
		add_host_powers(might.caps, out);
	else
		text_add_string(out, ", and none of them counts on the host.");
}

static bool was_put(const struct vantage_row *row, const struct vantage *inside)
{
	return !row->ppid && row->pid != 1 && row->proc->container == inside->root->container &&
	       row->proc->task->ppid;
}

static void add_one_put(const struct vantage *inside, const struct vantage_row *row,
			struct text *out)
{
	const struct proc *parent = model_find(inside->view->model, row->proc->task->ppid);
	const char *runtime = row->proc->container ? row->proc->container->runtime : NULL;
	const char *comm = parent ? parent->task->comm : "";
	bool is_exec = runtime && !strcmp(runtime, "docker") &&
		       !strncmp(comm, "containerd-shim", COMM_SIZE);

	text_printf(out, "Pid %u was put there %s: its parent, %u", row->pid,
		    is_exec ? "by `docker exec`" : "from outside", row->proc->task->ppid);
	if (parent) {
		text_add_char(out, ' ');
		text_add_printable(out, comm, strnlen(comm, COMM_SIZE));
	}
	text_add_string(out, ", is outside, so its parent pid inside is 0.");
}

/* Who came in from outside; where the pid namespace is the host's, nothing tells. */
static void add_put(const struct vantage *inside, struct text *out)
{
	size_t more = 0;

	if (inside->pid_ns == NS_HOST_PID)
		return;
	for (size_t i = 0; i < inside->count; i++) {
		if (!was_put(&inside->rows[i], inside))
			continue;
		if (!more++) {
			text_add_char(out, '\n');
			add_one_put(inside, &inside->rows[i], out);
		}
	}
	if (more > 1)
		text_printf(out, " So it is for %zu more.", more - 1);
}

void vantage_explain(const struct vantage *inside, struct text *out)
{
	const struct task_record *root = inside->root->task;
	bool is_host_ns = root->ns[NS_USER] == model_host_ns(inside->view->model)[NS_USER];

	if (!root->ns[NS_USER]) {
		text_add_string(out, "Who root inside is on the host could not be read.\n");
		return;
	}
	add_who(inside, is_host_ns, out);
	text_add_char(out, is_host_ns ? ' ' : '\n');
	add_caps(inside, is_host_ns, out);
	add_put(inside, out);
	text_add_char(out, '\n');
}
