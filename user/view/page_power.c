/* SPDX-License-Identifier: GPL-2.0-only */
/* What one may do, capability by capability, against what was declared. */
#include <string.h>

#include <linux/capability.h>

#include "base/mem.h"
#include "bpf/event.h"
#include "host/caps.h"
#include "host/facts.h"
#include "host/passwd.h"
#include "host/runtime/runtime.h"
#include "model/model.h"
#include "view/column.h"
#include "view/page_private.h"
#include "view/proc_fields.h"

#define CAPABILITIES_MAX 64

/* Any of these is a way to be root of the host, where it counts there. */
static const int weighty[] = {
	CAP_SYS_ADMIN,       CAP_SYS_MODULE, CAP_SYS_PTRACE, CAP_SYS_RAWIO,
	CAP_DAC_READ_SEARCH, CAP_NET_ADMIN,  CAP_BPF,        CAP_MAC_ADMIN,
};

static bool is_weighty(int capability)
{
	for (size_t i = 0; i < ARRAY_SIZE(weighty); i++) {
		if (weighty[i] == capability)
			return true;
	}
	return false;
}

enum caps_reach page_reach(const struct page_maker *maker, struct text *userns)
{
	const struct view_context *view = maker->view;
	const struct proc *proc = maker->proc;
	const struct task_record *task = proc->task;
	enum caps_reach reach = proc_reach(view, proc);

	if (reach != REACH_USERNS)
		return reach;
	text_printf(userns, "user namespace %u", task->ns[NS_USER]);
	if (!(proc->unknown & FIELD_BIT(FIELD_USERNS))) {
		text_printf(userns, " (level %u, made by ", task->user_ns_level);
		page_put_user(userns, task->user_ns_owner,
			      passwd_host_name(view->users, task->user_ns_owner));
		text_add_char(userns, ')');
	}
	return REACH_USERNS;
}

static void add_capability(struct page_maker *maker, const struct page_power *power, int capability)
{
	const char *meaning = caps_meaning(capability);
	bool is_more = power->declared && power->drift >> capability & 1;
	enum page_style style = PAGE_PLAIN;
	char label[32];

	if (power->reach == REACH_USERNS)
		style = PAGE_DIM;
	else if (is_more || is_weighty(capability))
		style = PAGE_WARN;
	snprintf(label, sizeof(label), "%s%s", caps_name(capability), is_more ? " *" : "");
	page_add_fact(maker->page, style, label, "%s",
		      meaning ? meaning : "newer than this nsview");
}

static void add_set(struct page_maker *maker, const struct page_power *power, uint64_t set)
{
	for (int capability = 0; capability < CAPABILITIES_MAX; capability++) {
		if (set >> capability & 1)
			add_capability(maker, power, capability);
	}
}

static void put_reach(struct text *out, const struct page_power *power)
{
	switch (power->reach) {
	case REACH_HOST:
		text_add_string(out, "; they count on the host");
		break;
	case REACH_USERNS:
		text_printf(out, "; they count only in %s", power->userns);
		break;
	case REACH_UNKNOWN:
		text_add_string(out, "; whether they count on the host is not known");
		break;
	}
}

static void put_count(struct text *out, uint64_t set, int cap_last)
{
	caps_words(out, set, cap_last, true);
	if (set)
		text_printf(out, ", %d of %d", __builtin_popcountll(set), cap_last + 1);
}

void page_add_power(struct page_maker *maker, const struct page_power *power)
{
	int cap_last = maker->view->facts->cap_last;
	uint64_t effective = power->effective & caps_full(cap_last);
	uint64_t rest = power->permitted & ~power->effective & caps_full(cap_last);
	struct text words = {0};

	page_add_heading(maker->page, "Capabilities");
	if (power->is_unknown) {
		page_add_fact(maker->page, PAGE_PLAIN, "effective", "?");
		return;
	}
	put_count(&words, effective, cap_last);
	if (effective | rest)
		put_reach(&words, power);
	page_add_fact(maker->page, PAGE_PLAIN, "effective", "%s", text_string(&words));
	add_set(maker, power, effective);
	if (rest) {
		text_clear(&words);
		put_count(&words, rest, cap_last);
		page_add_fact(maker->page, PAGE_PLAIN, "permitted only",
			      "%s; not effective, but it can make them so at any moment",
			      text_string(&words));
		add_set(maker, power, rest);
	}
	if (power->declared && power->drift & (effective | rest))
		page_add(maker->page, PAGE_WARN, "  * beyond what the container declares");
	text_free(&words);
}

static void add_row(struct page_maker *maker, const char *label, const char *declared,
		    const char *now, const char *drift)
{
	page_add(maker->page, drift ? PAGE_WARN : PAGE_PLAIN, "  %-16s %-26s %s%s%s", label,
		 declared, now, drift ? "   <- " : "", drift ? drift : "");
}

static void add_caps_row(struct page_maker *maker, const struct page_now *now)
{
	const struct page_power *power = &now->power;
	int cap_last = maker->view->facts->cap_last;
	struct text declared = {0};
	struct text held = {0};
	struct text drift = {0};

	caps_words(&declared, power->declared->caps, cap_last, true);
	if (power->is_unknown)
		text_add_char(&held, '?');
	else
		caps_words(&held, power->effective, cap_last, power->reach != REACH_USERNS);
	if (!power->is_unknown && power->drift)
		text_printf(&drift, "%d more", __builtin_popcountll(power->drift));
	add_row(maker, "capabilities", text_string(&declared), text_string(&held),
		drift.length ? text_string(&drift) : NULL);
	text_free(&declared);
	text_free(&held);
	text_free(&drift);
}

static void put_kinds(struct text *out, uint32_t kinds)
{
	size_t start = out->length;

	for (int kind = 0; kind < NS_KINDS; kind++) {
		if (!(kinds >> kind & 1))
			continue;
		if (out->length > start)
			text_add_char(out, ',');
		text_add_string(out, proc_namespace_names[kind]);
	}
	if (out->length == start)
		text_add_string(out, "none");
}

/* A runtime's file says nothing of namespaces that all containers share with the host unless told
 * otherwise, as the one of time. */
#define DECLARED_KINDS (1u << NS_PID | 1u << NS_NET | 1u << NS_IPC | 1u << NS_UTS | 1u << NS_MNT)

static void add_shared_row(struct page_maker *maker, const struct page_now *now)
{
	uint32_t asked = now->power.declared->shares_host & DECLARED_KINDS;
	uint32_t shared = now->shares_host & DECLARED_KINDS;
	struct text declared = {0};
	struct text held = {0};

	put_kinds(&declared, asked);
	if (now->is_unknown)
		text_add_char(&held, '?');
	else
		put_kinds(&held, shared);
	add_row(maker, "host namespaces", text_string(&declared), text_string(&held),
		!now->is_unknown && shared & ~asked ? "not declared" : NULL);
	text_free(&declared);
	text_free(&held);
}

/* Two protections that were to be there, and perhaps are not. */
static void add_flag_row(struct page_maker *maker, const char *label, bool is_declared,
			 const struct page_now *now, bool is_missing)
{
	const char *held = now->is_unknown ? "?" : is_missing ? "no" : "yes";

	add_row(maker, label, is_declared ? "yes" : "no", held,
		!now->is_unknown && is_declared && is_missing ? "missing" : NULL);
}

static void add_drift(struct page_maker *maker, const struct page_power *power)
{
	struct text names = {0};

	for (int capability = 0; capability < CAPABILITIES_MAX; capability++) {
		if (!(power->drift >> capability & 1))
			continue;
		if (names.length)
			text_add_char(&names, ' ');
		text_add_string(&names, caps_name(capability));
	}
	if (names.length && !power->is_unknown)
		page_add_fact(maker->page, PAGE_WARN, "not declared", "%s", text_string(&names));
	text_free(&names);
}

void page_add_declared(struct page_maker *maker, const struct page_now *now)
{
	const struct runtime_container *declared = now->power.declared;

	page_add_heading(maker->page, "Declared against effective");
	if (!declared) {
		page_add_fact(maker->page, PAGE_PLAIN, "declared",
			      "? (no file of its runtime could be read, or there is none)");
		return;
	}
	page_add(maker->page, PAGE_DIM, "  %-16s %-26s %s", "", "declared", "now");
	add_caps_row(maker, now);
	add_row(maker, "user", declared->user && declared->user[0] ? declared->user : "root",
		now->user, NULL);
	add_row(maker, "privileged", declared->is_privileged ? "yes" : "no", "", NULL);
	add_flag_row(maker, "no_new_privs", declared->has_no_new_privs, now, now->has_new_privs);
	add_flag_row(maker, "seccomp filter", !declared->has_no_seccomp, now, now->has_no_seccomp);
	add_shared_row(maker, now);
	add_row(maker, "root file system", declared->has_readonly_root ? "read-only" : "writable",
		"", NULL);
	add_drift(maker, &now->power);
}
