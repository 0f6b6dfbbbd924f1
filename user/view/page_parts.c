/* SPDX-License-Identifier: GPL-2.0-only */
/* Namespaces against the host's, and what a container may use. */
#include <errno.h>

#include "base/mem.h"
#include "bpf/event.h"
#include "host/facts.h"
#include "model/model.h"
#include "view/column.h"
#include "view/container_limits.h"
#include "view/page_private.h"
#include "view/proc_fields.h"

#define NANO 1e9

bool page_shared(const struct view_context *view, const struct proc *proc, uint32_t *kinds)
{
	const uint32_t *host_ns = model_host_ns(view->model);
	bool is_known = true;

	for (int kind = 0; kind < NS_KINDS; kind++) {
		if (proc->unknown & FIELD_BIT(FIELD_NS + kind) || !host_ns[kind])
			is_known = false;
		else if (proc->task->ns[kind] == host_ns[kind])
			*kinds |= 1u << kind;
	}
	return is_known;
}

static const char *namespace_whose(const struct page_maker *maker, int kind, bool *is_host)
{
	const struct proc *proc = maker->proc;
	uint32_t inode = proc->task->ns[kind];
	uint32_t host = model_host_ns(maker->view->model)[kind];

	*is_host = host && inode == host;
	if (!host)
		return "? (the host's is not known)";
	if (*is_host)
		return "the host's";
	if (proc->container && inode == proc->container->ns[kind])
		return "the container's own";
	return "its own";
}

static void add_namespace(struct page_maker *maker, int kind)
{
	const struct proc *proc = maker->proc;
	const char *name = proc_namespace_names[kind];
	const char *whose;
	struct text words = {0};
	bool is_host;

	if (proc->unknown & FIELD_BIT(FIELD_NS + kind)) {
		page_add_fact(maker->page, PAGE_PLAIN, name, "?");
		return;
	}
	if (!proc->task->ns[kind]) {
		page_add_fact(maker->page, PAGE_PLAIN, name, "-");
		return;
	}
	whose = namespace_whose(maker, kind, &is_host);
	text_printf(&words, "%-10u  %s", proc->task->ns[kind], whose);
	if (kind == NS_USER && !is_host && !(proc->unknown & FIELD_BIT(FIELD_USERNS)))
		text_printf(&words, ", level %u, made by %s", proc->task->user_ns_level,
			    page_cell(maker, "owner"));
	/* Each container has the host's clocks and, without --userns, its users. */
	page_add_fact(maker->page,
		      is_host && proc->container && kind != NS_TIME && kind != NS_USER ? PAGE_WARN
										       : PAGE_PLAIN,
		      name, "%s", text_string(&words));
	text_free(&words);
}

void page_add_namespaces(struct page_maker *maker)
{
	page_add_heading(maker->page, "Namespaces");
	for (int kind = 0; kind < NS_KINDS; kind++)
		add_namespace(maker, kind);
}

static void put_fact(struct text *out, const struct cgroup_limits *limits, enum cgroup_fact fact)
{
	uint64_t number = limits->facts[fact];

	if (limits->unknown >> fact & 1)
		text_add_char(out, '?');
	else if (fact == CGROUP_MEMORY_USAGE || fact == CGROUP_MEMORY_LIMIT)
		page_put_size(out, number);
	else if (fact == CGROUP_CPU_LIMIT)
		text_printf(out, "%.2f", (double)number / NANO);
	else
		text_add_unsigned(out, number);
}

static void put_limit(struct text *out, const struct cgroup_limits *limits, enum cgroup_fact fact)
{
	if (!(limits->unknown >> fact & 1) && limits->facts[fact] == CGROUP_NO_LIMIT) {
		text_add_string(out, ", no limit");
		return;
	}
	text_add_string(out, " of ");
	put_fact(out, limits, fact);
}

static void add_use(struct page_maker *maker, const char *label, const struct cgroup_limits *limits,
		    enum cgroup_fact use, enum cgroup_fact limit)
{
	struct text words = {0};

	put_fact(&words, limits, use);
	put_limit(&words, limits, limit);
	page_add_fact(maker->page, PAGE_PLAIN, label, "%s", text_string(&words));
	text_free(&words);
}

static void add_cpu_use(struct page_maker *maker, const struct container *container,
			const struct cgroup_limits *limits)
{
	uint64_t age_ns = maker->view->facts->boot_now_ns - container->start_boot_ns;
	struct text words = {0};

	if (limits->unknown >> CGROUP_CPU_USAGE & 1 ||
	    maker->view->facts->boot_now_ns <= container->start_boot_ns)
		text_add_char(&words, '?');
	else
		text_printf(&words, "%.2f CPUs on average since it began",
			    (double)limits->facts[CGROUP_CPU_USAGE] / (double)age_ns);
	put_limit(&words, limits, CGROUP_CPU_LIMIT);
	page_add_fact(maker->page, PAGE_PLAIN, "CPU", "%s", text_string(&words));
	text_free(&words);
}

void page_add_limits(struct page_maker *maker, const struct container *container)
{
	const struct cgroup_limits *limits = NULL;
	int failed = -ENOTSUP;

	page_add_heading(maker->page, "Limits and use of the container");
	if (maker->view->limits)
		limits = container_limits_get(maker->view->limits, container, &failed);
	if (failed == -ENOENT) {
		page_add(maker->page, PAGE_PLAIN,
			 "  - (it has no cgroup of its own, so nothing limits it alone)");
		return;
	}
	if (failed || !limits) {
		page_add(maker->page, PAGE_PLAIN, "  ? (its cgroup could not be read)");
		return;
	}
	add_cpu_use(maker, container, limits);
	add_use(maker, "memory", limits, CGROUP_MEMORY_USAGE, CGROUP_MEMORY_LIMIT);
	add_use(maker, "threads", limits, CGROUP_PIDS_USAGE, CGROUP_PIDS_LIMIT);
}
