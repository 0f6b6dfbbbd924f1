/* SPDX-License-Identifier: GPL-2.0-only */
/* The page of a process. */
#include <stdio.h>
#include <string.h>

#include <linux/securebits.h>

#include "base/mem.h"
#include "bpf/event.h"
#include "host/caps.h"
#include "host/facts.h"
#include "host/passwd.h"
#include "host/runtime/runtime.h"
#include "model/model.h"
#include "view/column.h"
#include "view/container_fields.h"
#include "view/page_private.h"

/* An argument vector may have hundreds of thousands. */
#define ARGS_SHOWN 500
#define COMMAND_COLUMNS 230 /* four lines */

static void add_title(struct page_maker *maker)
{
	const struct proc *proc = maker->proc;
	const struct container *container = proc->container;
	int comm_length = (int)strnlen(proc->task->comm, COMM_SIZE);

	if (!container) {
		page_add_heading(maker->page, "%.*s, process %u of the host", comm_length,
				 proc->task->comm, proc->task->tgid);
		return;
	}
	page_add_heading(maker->page, "%.*s, process %u on the host, %u in %s", comm_length,
			 proc->task->comm, proc->task->tgid, proc_in_pid(proc), container->name);
	page_add_fact(maker->page, PAGE_PLAIN, "container", "%s  %s  %s", container->name,
		      container->runtime ? container->runtime : "",
		      container->declared && container->declared->image ? container->declared->image
									: "");
}

static void add_start(struct page_maker *maker)
{
	struct text words = {0};

	if (maker->proc->unknown & FIELD_BIT(FIELD_START))
		text_add_char(&words, '?');
	else
		page_put_time(&words, maker->view, maker->proc->task->start_boot_ns);
	page_add_fact(maker->page, PAGE_PLAIN, "started", "%s", text_string(&words));
	text_free(&words);
}

static void add_parent(struct page_maker *maker)
{
	const struct proc *proc = maker->proc;
	const struct proc *parent = model_find(maker->view->model, proc->task->ppid);
	struct text words = {0};

	if (proc->unknown & FIELD_BIT(FIELD_PARENT))
		text_add_char(&words, '?');
	else if (!proc->task->ppid)
		text_add_string(&words, "none");
	else
		text_add_unsigned(&words, proc->task->ppid);
	if (parent)
		text_printf(&words, " %.*s", (int)strnlen(parent->task->comm, COMM_SIZE),
			    parent->task->comm);
	if (proc->container && !(proc->unknown & FIELD_BIT(FIELD_IN_PARENT))) {
		if (proc->task->in_ppid)
			text_printf(&words, " (%u inside)", proc->task->in_ppid);
		else
			text_add_string(&words, " (outside: its parent inside is 0)");
	}
	page_add_fact(maker->page, PAGE_PLAIN, "parent", "%s", text_string(&words));
	text_free(&words);
}

/* Its arguments stand below, one by one. */
static void add_command(struct page_maker *maker)
{
	const char *command = page_cell(maker, "command");
	size_t length = strlen(command);
	size_t fits = text_fit(command, length, COMMAND_COLUMNS);

	page_add_fact(maker->page, PAGE_PLAIN, "command", "%.*s%s", (int)fits, command,
		      fits < length ? "..." : "");
}

static void add_what(struct page_maker *maker)
{
	struct text words = {0};

	add_title(maker);
	add_command(maker);
	page_add_cell(maker, "program", "exe");
	page_add_cell(maker, "directory", "cwd");
	add_start(maker);
	add_parent(maker);
	text_printf(&words, "%s, ", page_cell(maker, "stat"));
	text_printf(&words, "threads %s, ", page_cell(maker, "threads"));
	text_printf(&words, "nice %s, ", page_cell(maker, "ni"));
	text_printf(&words, "terminal %s", page_cell(maker, "tty"));
	page_add_fact(maker->page, PAGE_PLAIN, "state", "%s", text_string(&words));
	text_clear(&words);
	text_printf(&words, "%s %% on average, ", page_cell(maker, "cpu"));
	text_printf(&words, "TIME %s", page_cell(maker, "time"));
	page_add_fact(maker->page, PAGE_PLAIN, "CPU", "%s", text_string(&words));
	text_clear(&words);
	text_printf(&words, "%s KiB resident, ", page_cell(maker, "rss"));
	text_printf(&words, "%s KiB virtual", page_cell(maker, "vsz"));
	page_add_fact(maker->page, PAGE_PLAIN, "memory", "%s", text_string(&words));
	text_free(&words);
}

static void add_chain(struct page_maker *maker)
{
	const struct proc *proc = maker->proc;
	uint32_t host = model_host_ns(maker->view->model)[NS_PID];

	page_add_heading(maker->page, "Process ids, from the host inwards");
	page_add(maker->page, PAGE_DIM, "  %-16s %s", "pid", "pid namespace");
	for (int level = 0; level < proc->task->chain_count; level++) {
		const struct pid_level *at = &proc->chain[level];
		const char *whose = "";
		char shown[32] = "?"; /* of a zombie /proc tells the pids alone */

		if (at->ns)
			snprintf(shown, sizeof(shown), "%u", at->ns);
		if (at->ns && at->ns == host)
			whose = "the host's";
		else if (at->ns && proc->container && at->ns == proc->container->ns[NS_PID])
			whose = "the container's";
		page_add(maker->page, PAGE_PLAIN, "  %-16u %-10s  %s", at->pid, shown, whose);
	}
	if (proc->unknown & FIELD_BIT(FIELD_CHAIN))
		page_add(maker->page, PAGE_PLAIN, "  ?");
}

struct id_row {
	const char *label;
	size_t uid; /* offset in struct id_block */
	size_t gid;
};

static const struct id_row id_rows[] = {
	{"real", offsetof(struct id_block, uid), offsetof(struct id_block, gid)},
	{"effective", offsetof(struct id_block, euid), offsetof(struct id_block, egid)},
	{"saved", offsetof(struct id_block, suid), offsetof(struct id_block, sgid)},
	{"file system", offsetof(struct id_block, fsuid), offsetof(struct id_block, fsgid)},
};

static uint32_t id_at(const struct id_block *ids, size_t offset)
{
	return *(const uint32_t *)((const char *)ids + offset);
}

static void put_host_user(struct page_maker *maker, struct text *out, size_t offset)
{
	uint32_t uid = id_at(&maker->proc->task->ids, offset);

	if (maker->proc->unknown & FIELD_BIT(FIELD_IDS))
		text_add_char(out, '?');
	else
		page_put_user(out, uid, passwd_host_name(maker->view->users, uid));
}

static void put_in_user(struct page_maker *maker, struct text *out, size_t offset)
{
	const struct proc *proc = maker->proc;
	uint32_t uid = id_at(&proc->task->in_ids, offset);

	if (!proc->container)
		text_add_char(out, '-');
	else if (proc->unknown & FIELD_BIT(FIELD_IN_IDS))
		text_add_char(out, '?');
	else
		page_put_user(out, uid, proc_in_user_name(maker->view, proc, uid));
}

static void add_user(struct page_maker *maker, const struct id_row *row)
{
	const struct proc *proc = maker->proc;
	struct text host = {0};
	struct text inside = {0};
	char group[64] = "?";
	bool is_host_root = proc->container && !(proc->unknown & FIELD_BIT(FIELD_IDS)) &&
			    !id_at(&proc->task->ids, row->uid);

	put_host_user(maker, &host, row->uid);
	put_in_user(maker, &inside, row->uid);
	if (!(proc->unknown & FIELD_BIT(FIELD_IDS))) {
		int length =
			snprintf(group, sizeof(group), "%u", id_at(&proc->task->ids, row->gid));

		if (proc->container && !(proc->unknown & FIELD_BIT(FIELD_IN_IDS)))
			snprintf(group + length, sizeof(group) - (size_t)length, ", inside %u",
				 id_at(&proc->task->in_ids, row->gid));
	}
	page_add(maker->page, is_host_root ? PAGE_WARN : PAGE_PLAIN, "  %-16s %-18s %-18s %s",
		 row->label, text_string(&host), text_string(&inside), group);
	text_free(&host);
	text_free(&inside);
}

static void add_users(struct page_maker *maker)
{
	page_add_heading(maker->page, "Users");
	page_add(maker->page, PAGE_DIM, "  %-16s %-18s %-18s %s", "", "on the host", "inside",
		 "group");
	for (size_t i = 0; i < ARRAY_SIZE(id_rows); i++)
		add_user(maker, &id_rows[i]);
	page_add_cell(maker, "groups", "groups");
}

static void read_power(struct page_maker *maker, struct page_power *power, struct text *userns)
{
	const struct proc *proc = maker->proc;

	*power = (struct page_power){
		.effective = proc->task->caps[CAP_SET_EFFECTIVE],
		.permitted = proc->task->caps[CAP_SET_PERMITTED],
		.is_unknown = proc->unknown & FIELD_BIT(FIELD_CAPS),
	};
	power->reach = page_reach(maker, userns);
	power->userns = text_string(userns);
	if (proc->container && proc->container->declared) {
		power->declared = proc->container->declared;
		power->drift = proc_drift(maker->view, proc);
	}
}

static void add_other_set(struct page_maker *maker, const char *label, enum cap_set set,
			  const char *means)
{
	int cap_last = maker->view->facts->cap_last;
	uint64_t caps = maker->proc->task->caps[set] & caps_full(cap_last);
	struct text words = {0};

	caps_words(&words, caps, cap_last, true);
	page_add_fact(maker->page, PAGE_PLAIN, label, "%s%s", text_string(&words),
		      caps ? means : "");
	text_free(&words);
}

static void add_capabilities(struct page_maker *maker, const struct page_power *power)
{
	page_add_power(maker, power);
	if (power->is_unknown)
		return;
	add_other_set(maker, "inheritable", CAP_SET_INHERITABLE,
		      ": what a program's file may ask for");
	add_other_set(maker, "ambient", CAP_SET_AMBIENT, ": kept by any program that it starts");
	add_other_set(maker, "bounding", CAP_SET_BOUNDING,
		      maker->proc->task->no_new_privs
			      ? ": cannot be gained, since no_new_privs is on"
			      : ": the most that a program with setuid or file capabilities gains");
}

static void add_declared(struct page_maker *maker, const struct page_power *power)
{
	const struct proc *proc = maker->proc;
	const uint64_t needed = FIELD_BIT(FIELD_NNP) | FIELD_BIT(FIELD_SECCOMP);
	struct page_now now = {
		.power = *power,
		.has_new_privs = !proc->task->no_new_privs,
		.has_no_seccomp = !proc->task->seccomp,
		.is_unknown = proc->unknown & needed,
	};
	autofree char *user = NULL;

	if (!proc->container)
		return;
	if (!page_shared(maker->view, proc, &now.shares_host))
		now.is_unknown = true;
	user = mem_copy(page_cell(maker, "in-user"));
	now.user = user;
	page_add_declared(maker, &now);
}

/* linux/securebits.h */
static const struct {
	uint32_t bit;
	const char *name;
} securebits[] = {
	{SECBIT_NOROOT, "noroot"},
	{SECBIT_NOROOT_LOCKED, "noroot-locked"},
	{SECBIT_NO_SETUID_FIXUP, "no-setuid-fixup"},
	{SECBIT_NO_SETUID_FIXUP_LOCKED, "no-setuid-fixup-locked"},
	{SECBIT_KEEP_CAPS, "keep-caps"},
	{SECBIT_KEEP_CAPS_LOCKED, "keep-caps-locked"},
	{SECBIT_NO_CAP_AMBIENT_RAISE, "no-cap-ambient-raise"},
	{SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED, "no-cap-ambient-raise-locked"},
};

static void add_securebits(struct page_maker *maker)
{
	uint32_t bits = maker->proc->task->securebits;
	struct text words = {0};

	if (maker->proc->unknown & FIELD_BIT(FIELD_SECUREBITS))
		text_add_char(&words, '?');
	else
		text_add_unsigned(&words, bits);
	for (size_t i = 0; i < ARRAY_SIZE(securebits); i++) {
		if (bits & securebits[i].bit)
			text_printf(&words, " %s", securebits[i].name);
	}
	page_add_fact(maker->page, PAGE_PLAIN, "securebits", "%s", text_string(&words));
	text_free(&words);
}

static void add_confinement(struct page_maker *maker)
{
	const struct proc *proc = maker->proc;
	bool is_open = !(proc->unknown & FIELD_BIT(FIELD_SECCOMP)) && !proc->task->seccomp;

	page_add_heading(maker->page, "Confinement");
	page_add_cell(maker, "no_new_privs", "nnp");
	page_add_fact(maker->page, is_open && proc->container ? PAGE_WARN : PAGE_PLAIN, "seccomp",
		      "%s", page_cell(maker, "seccomp"));
	add_securebits(maker);
	page_add_cell(maker, "login user", "loginuid");
	page_add_cell(maker, "audit session", "session");
	page_add_cell(maker, "cgroup", "cgroup");
	if (proc->container)
		page_add_cell(maker, "surface", "surface");
}

static void add_args(struct page_maker *maker)
{
	const struct proc *proc = maker->proc;
	const char *at = proc->args;
	const char *end = at + proc->args_length;
	size_t count = 0;

	if (!at)
		return;
	page_add_heading(maker->page, "Arguments");
	for (; at < end && count < ARGS_SHOWN; count++) {
		size_t length = strnlen(at, (size_t)(end - at));
		char label[16];

		snprintf(label, sizeof(label), "%zu", count);
		page_add_fact(maker->page, PAGE_PLAIN, label, "%.*s", (int)length, at);
		at += length + 1;
	}
	if (at < end || proc->args_cut)
		page_add(maker->page, PAGE_DIM, "  ... and more");
}

void page_of_proc(struct page *page, const struct view_context *view, const struct proc *proc)
{
	struct page_maker maker = {.page = page, .view = view, .proc = proc};
	struct page_power power;
	struct text userns = {0};

	page_clear(page);
	add_what(&maker);
	add_chain(&maker);
	add_users(&maker);
	read_power(&maker, &power, &userns);
	add_capabilities(&maker, &power);
	add_declared(&maker, &power);
	page_add_namespaces(&maker);
	add_confinement(&maker);
	if (proc->container)
		page_add_limits(&maker, proc->container);
	add_args(&maker);
	text_free(&userns);
	text_free(&maker.cell);
}
