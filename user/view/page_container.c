/* SPDX-License-Identifier: GPL-2.0-only */
/* The page of a container, and of the host. */
#include <stdio.h>
#include <string.h>

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
#include "view/vantage.h"

#define ROWS_SHOWN 500
#define SENTENCE_COLUMNS (PAGE_COLUMNS - 2)

/* One effective user, as the host and as the container numbers it. */
struct page_user {
	uint32_t uid;
	uint32_t in_uid;
	bool is_in_unknown;
	size_t procs;
	const struct proc *first;
};

/* All processes of a container, or those of the host. */
struct crowd {
	const struct proc **procs;
	size_t count;
	size_t capacity;
	size_t kthreads;
	size_t full; /* with every capability on the host */
	uint64_t threads;
	uint64_t rss_pages;
	struct page_user *users;
	size_t users_count;
	size_t users_capacity;
	uint64_t effective[REACH_UNKNOWN + 1];
	uint64_t permitted[REACH_UNKNOWN + 1];
	struct page_now now;
};

static void crowd_free(struct crowd *crowd)
{
	free(crowd->procs);
	free(crowd->users);
}

static void crowd_add_user(struct crowd *crowd, const struct proc *proc)
{
	const struct task_record *task = proc->task;
	struct page_user user = {
		.uid = task->ids.euid,
		.in_uid = task->in_ids.euid,
		.is_in_unknown = proc->unknown & FIELD_BIT(FIELD_IN_IDS),
		.procs = 1,
		.first = proc,
	};

	if (proc->unknown & FIELD_BIT(FIELD_IDS))
		return;
	for (size_t i = 0; i < crowd->users_count; i++) {
		struct page_user *known = &crowd->users[i];

		if (known->uid == user.uid && known->in_uid == user.in_uid &&
		    known->is_in_unknown == user.is_in_unknown) {
			known->procs++;
			return;
		}
	}
	mem_reserve_one(crowd->users, crowd->users_count, crowd->users_capacity);
	crowd->users[crowd->users_count++] = user;
}

/* What any of them may do: a zombie may nothing any more. */
static void crowd_add_power(struct crowd *crowd, const struct page_maker *maker,
			    const struct proc *proc)
{
	const struct task_record *task = proc->task;
	const uint64_t needed =
		FIELD_BIT(FIELD_NNP) | FIELD_BIT(FIELD_SECCOMP) | FIELD_BIT(FIELD_CAPS);
	uint64_t all = caps_full(maker->view->facts->cap_last);
	enum caps_reach reach = proc_reach(maker->view, proc);

	if (task->flags & TASK_ZOMBIE)
		return;
	if (proc->unknown & needed || !page_shared(maker->view, proc, &crowd->now.shares_host))
		crowd->now.is_unknown = true;
	if (proc->unknown & FIELD_BIT(FIELD_CAPS)) {
		crowd->now.power.is_unknown = true;
		return;
	}
	crowd->effective[reach] |= task->caps[CAP_SET_EFFECTIVE];
	crowd->permitted[reach] |= task->caps[CAP_SET_PERMITTED];
	if (reach == REACH_HOST && (task->caps[CAP_SET_EFFECTIVE] & all) == all)
		crowd->full++;
	crowd->now.has_new_privs |= !task->no_new_privs;
	crowd->now.has_no_seccomp |= !task->seccomp;
	if (proc->container && proc->container->declared)
		crowd->now.power.drift |= proc_drift(maker->view, proc);
}

/* Those that count on the host, if any do: as ps --by has them. */
static void crowd_choose_reach(struct crowd *crowd)
{
	enum caps_reach reach = REACH_HOST;

	while (reach < REACH_UNKNOWN && !crowd->effective[reach] && !crowd->permitted[reach])
		reach++;
	crowd->now.power.reach = reach;
	crowd->now.power.effective = crowd->effective[reach];
	crowd->now.power.permitted = crowd->permitted[reach];
}

static void crowd_read(struct crowd *crowd, struct page_maker *maker,
		       const struct container *container)
{
	size_t count;
	const struct proc *procs = model_procs(maker->view->model, &count);

	for (size_t i = 0; i < count; i++) {
		const struct proc *proc = &procs[i];

		if (proc->container != container)
			continue;
		if (proc->task->flags & TASK_KTHREAD) {
			crowd->kthreads++;
			continue;
		}
		mem_reserve_one(crowd->procs, crowd->count, crowd->capacity);
		crowd->procs[crowd->count++] = proc;
		crowd->threads += proc->task->threads;
		crowd->rss_pages += proc->task->rss_pages;
		crowd_add_user(crowd, proc);
		crowd_add_power(crowd, maker, proc);
	}
	crowd_choose_reach(crowd);
	crowd->now.power.declared = container ? container->declared : NULL;
}

static void add_users(struct page_maker *maker, const struct crowd *crowd)
{
	page_add_heading(maker->page, "Effective users");
	page_add(maker->page, PAGE_DIM, "  %9s   %-24s %s", "processes", "on the host", "inside");
	for (size_t i = 0; i < crowd->users_count && i < ROWS_SHOWN; i++) {
		const struct page_user *user = &crowd->users[i];
		bool has_inside = user->first->container != NULL;
		struct text host = {0};
		struct text inside = {0};

		page_put_user(&host, user->uid, passwd_host_name(maker->view->users, user->uid));
		if (!has_inside)
			text_add_char(&inside, '-');
		else if (user->is_in_unknown)
			text_add_char(&inside, '?');
		else
			page_put_user(&inside, user->in_uid,
				      proc_in_user_name(maker->view, user->first, user->in_uid));
		page_add(maker->page, has_inside && !user->uid ? PAGE_WARN : PAGE_PLAIN,
			 "  %9zu   %-24s %s", user->procs, text_string(&host),
			 text_string(&inside));
		text_free(&host);
		text_free(&inside);
	}
}

static void add_crowd_size(struct page_maker *maker, const struct crowd *crowd)
{
	struct text size = {0};

	page_put_size(&size, crowd->rss_pages * maker->view->facts->page_bytes);
	page_add_fact(maker->page, PAGE_PLAIN, "processes",
		      "%zu, with %llu thread%s and %s of resident memory together", crowd->count,
		      (unsigned long long)crowd->threads, crowd->threads == 1 ? "" : "s",
		      text_string(&size));
	text_free(&size);
}

static void add_optional(struct page_maker *maker, const char *label, const char *text)
{
	if (text && text[0])
		page_add_fact(maker->page, PAGE_PLAIN, label, "%s", text);
}

static void add_identity(struct page_maker *maker, const struct container *container,
			 const struct crowd *crowd)
{
	const struct runtime_container *declared = container->declared;
	struct text started = {0};

	page_add_heading(maker->page, "Container %s", container->name);
	page_add_fact(maker->page, PAGE_PLAIN, "runtime", "%s",
		      container->runtime ? container->runtime
		      : container->id[0] ? "?"
					 : "-");
	add_optional(maker, "id", container->id);
	if (declared) {
		add_optional(maker, "image", declared->image);
		add_optional(maker, "pod", declared->pod);
		add_optional(maker, "pod namespace", declared->pod_namespace);
	}
	page_put_time(&started, maker->view, container->start_boot_ns);
	page_add_fact(maker->page, PAGE_PLAIN, "began", "%s", text_string(&started));
	text_free(&started);
	if (maker->proc) {
		page_add_fact(maker->page, PAGE_PLAIN, "first process", "%u, inside %u: %s",
			      maker->proc->task->tgid, proc_in_pid(maker->proc),
			      page_cell(maker, "command"));
		page_add_cell(maker, "cgroup", "cgroup");
	}
	add_crowd_size(maker, crowd);
}

/* Sentences, each line of them broken where the page ends. */
static void add_sentences(struct page_maker *maker, const char *text)
{
	while (*text) {
		size_t line = strcspn(text, "\n");
		size_t fits = text_fit(text, line, SENTENCE_COLUMNS);

		while (fits < line && fits > 1 && text[fits] != ' ')
			fits--;
		page_add(maker->page, PAGE_PLAIN, "  %.*s", (int)fits, text);
		text += fits;
		while (*text == ' ' || *text == '\n')
			text++;
	}
}

static void add_explanation(struct page_maker *maker)
{
	const struct proc *root = maker->proc;
	struct vantage inside;
	struct text words = {0};

	if (!root || vantage_open_inside(&inside, maker->view, root, root->task->ns[NS_PID]))
		return;
	vantage_explain(&inside, &words);
	page_add_heading(maker->page, "Root inside");
	add_sentences(maker, text_string(&words));
	text_free(&words);
	vantage_close(&inside);
}

static void add_procs(struct page_maker *maker, const struct crowd *crowd)
{
	struct text line = {0};

	page_add_heading(maker->page, "Processes");
	page_add(maker->page, PAGE_DIM, "  %8s %7s %-12s %-26s %s", "PID", "IN-PID", "USER", "CAPS",
		 "COMMAND");
	for (size_t i = 0; i < crowd->count && i < ROWS_SHOWN; i++) {
		maker->proc = crowd->procs[i];
		text_clear(&line);
		text_printf(&line, "  %8s", page_cell(maker, "pid"));
		text_printf(&line, " %7s", page_cell(maker, "in-pid"));
		text_printf(&line, " %-12s", page_cell(maker, "user"));
		text_printf(&line, " %-26s", page_cell(maker, "caps"));
		text_printf(&line, " %s", page_cell(maker, "command"));
		page_add(maker->page, PAGE_PLAIN, "%s", text_string(&line));
	}
	if (crowd->count > ROWS_SHOWN)
		page_add(maker->page, PAGE_DIM, "  ... and %zu more", crowd->count - ROWS_SHOWN);
	text_free(&line);
}

/* The words of the first user namespace that any of them is in. */
static void name_userns(struct page_maker *maker, struct crowd *crowd, struct text *userns)
{
	if (maker->proc)
		page_reach(maker, userns);
	crowd->now.power.userns = userns->length ? text_string(userns) : "their user namespaces";
}

static void of_container(struct page_maker *maker, const struct container *container,
			 struct crowd *crowd)
{
	const struct proc *first;
	struct text userns = {0};
	autofree char *user = NULL;

	crowd_read(crowd, maker, container);
	first = model_find(maker->view->model, container->first_pid);
	if (first && first->container != container)
		first = NULL;
	maker->proc = first ? first : crowd->count ? crowd->procs[0] : NULL;
	add_identity(maker, container, crowd);
	name_userns(maker, crowd, &userns);
	add_users(maker, crowd);
	page_add_power(maker, &crowd->now.power);
	user = mem_copy(maker->proc ? page_cell(maker, "in-user") : "-");
	crowd->now.user = user;
	page_add_declared(maker, &crowd->now);
	add_explanation(maker);
	if (maker->proc)
		page_add_namespaces(maker);
	page_add_limits(maker, container);
	add_procs(maker, crowd);
	text_free(&userns);
}

static void add_machine(struct page_maker *maker, const struct crowd *crowd)
{
	const struct facts *facts = maker->view->facts;
	struct text words = {0};
	size_t containers;

	model_containers(maker->view->model, &containers);
	page_add_heading(maker->page, "Host %s", facts->hostname);
	page_add_fact(maker->page, PAGE_PLAIN, "kernel", "Linux %s %s, with %d capabilities",
		      facts->release, facts->machine, facts->cap_last + 1);
	page_put_size(&words, facts->memory_bytes);
	page_add_fact(maker->page, PAGE_PLAIN, "machine", "%d CPUs, %s of memory", facts->cpus,
		      text_string(&words));
	text_clear(&words);
	page_put_duration(&words, facts->boot_now_ns);
	page_add_fact(maker->page, PAGE_PLAIN, "up", "%s", text_string(&words));
	text_free(&words);
	page_add_fact(maker->page, PAGE_PLAIN, "containers", "%zu", containers);
	add_crowd_size(maker, crowd);
	page_add_fact(maker->page, PAGE_PLAIN, "", "%zu of them with every capability",
		      crowd->full);
	page_add_fact(maker->page, PAGE_PLAIN, "kernel threads", "%zu", crowd->kthreads);
}

static void add_host_namespaces(struct page_maker *maker)
{
	const uint32_t *host_ns = model_host_ns(maker->view->model);

	page_add_heading(maker->page, "Namespaces");
	for (int kind = 0; kind < NS_KINDS; kind++) {
		if (host_ns[kind])
			page_add_fact(maker->page, PAGE_PLAIN, proc_namespace_names[kind], "%u",
				      host_ns[kind]);
		else
			page_add_fact(maker->page, PAGE_PLAIN, proc_namespace_names[kind], "?");
	}
}

/* Those that may do something on the host: what an attacker would look for. */
static void of_host(struct page_maker *maker, struct crowd *crowd)
{
	size_t kept = 0;

	crowd_read(crowd, maker, NULL);
	add_machine(maker, crowd);
	add_users(maker, crowd);
	add_host_namespaces(maker);
	for (size_t i = 0; i < crowd->count; i++) {
		const struct proc *proc = crowd->procs[i];

		if (proc->unknown & FIELD_BIT(FIELD_CAPS) || proc->task->caps[CAP_SET_EFFECTIVE])
			crowd->procs[kept++] = proc;
	}
	crowd->count = kept;
	add_procs(maker, crowd);
}

void page_of_container(struct page *page, const struct view_context *view,
		       const struct container *container)
{
	struct page_maker maker = {.page = page, .view = view};
	struct crowd crowd = {0};

	page_clear(page);
	if (container)
		of_container(&maker, container, &crowd);
	else
		of_host(&maker, &crowd);
	crowd_free(&crowd);
	text_free(&maker.cell);
}
