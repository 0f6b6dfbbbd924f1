/* SPDX-License-Identifier: GPL-2.0-only */
/* A group's verdict in words, worst first: what stands in COMMAND's place. */
#include <string.h>

#include "base/mem.h"
#include "host/caps.h"
#include "host/facts.h"
#include "host/passwd.h"
#include "host/runtime/runtime.h"
#include "view/container_fields.h"
#include "view/live_private.h"

#define NANO 1e9
#define PERCENT 100.0
#define CPU_FULL 0.95    /* of its limit: it would use more if it could */
#define MEMORY_FULL 0.90 /* near what ends processes in it */

static void word_begin(struct live *live, const struct live_section *section)
{
	if (live->words.length > section->verdict_at)
		text_add_string(&live->words, "; ");
}

static void word_add(struct live *live, const struct live_section *section, const char *word)
{
	word_begin(live, section);
	text_add_string(&live->words, word);
}

/* What its runtime gives to those that do not ask for more; 0: it has no such set. */
static uint64_t default_caps(const struct container *container)
{
	const char *runtime = container->runtime;

	if (!runtime)
		return 0;
	return strcmp(runtime, "podman") ? CAPS_DOCKER_DEFAULT : CAPS_PODMAN_DEFAULT;
}

/* "+MAC_ADMIN", "+SYS_ADMIN +SYS_TIME", "+5 capabilities": beyond what is usual and counts here. */
static void add_extra_caps(struct live *live, const struct live_section *section)
{
	const struct container *container = section->group.container;
	uint64_t usual = default_caps(container);
	uint64_t caps =
		container->declared ? container->declared->caps : section->power.caps[REACH_HOST];
	uint64_t extra = caps & ~usual & caps_full(live->view->facts->cap_last);
	int count = __builtin_popcountll(extra);
	const char *before = "";

	if (!usual || !extra || section->group.weight == LIVE_IN_USERNS)
		return;
	word_begin(live, section);
	if (count > 2) {
		text_printf(&live->words, "+%d capabilities", count);
		return;
	}
	for (int capability = 0; capability < 64; capability++) {
		if (!(extra >> capability & 1))
			continue;
		text_printf(&live->words, "%s+%s", before, caps_name(capability));
		before = " ";
	}
}

static void add_surface(struct live *live, const struct live_section *section)
{
	static const struct {
		enum surface bit;
		const char *word;
	} words[] = {
		{SURFACE_NO_SECCOMP, "no seccomp"}, {SURFACE_HOST_MNT, "host mounts"},
		{SURFACE_HOST_PID, "host pids"},    {SURFACE_HOST_NET, "host network"},
		{SURFACE_HOST_IPC, "host ipc"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (section->power.surface >> words[i].bit & 1)
			word_add(live, section, words[i].word);
	}
}

static void add_userns(struct live *live, const struct live_section *section)
{
	const uint64_t needed = FIELD_BIT(FIELD_USERNS) | FIELD_BIT(FIELD_NS + NS_USER);
	const uint32_t *host_ns = model_host_ns(live->view->model);
	const struct proc *first =
		model_find(live->view->model, section->group.container->first_pid);
	const char *name;
	uint32_t owner;

	if (!first || first->unknown & needed || !host_ns[NS_USER] || !first->task->ns[NS_USER] ||
	    first->task->ns[NS_USER] == host_ns[NS_USER])
		return;
	owner = first->task->user_ns_owner;
	name = passwd_host_name(live->view->users, owner);
	word_begin(live, section);
	if (name)
		text_printf(&live->words, "userns of %s (%u)", name, owner);
	else
		text_printf(&live->words, "userns of %u", owner);
}

/* "0.5", "2": as it is given to --cpus. */
static void add_cpus(struct text *out, double cpus)
{
	size_t start = out->length;

	text_printf(out, "%.2f", cpus);
	while (out->data[out->length - 1] == '0')
		out->length--;
	if (out->data[out->length - 1] == '.')
		out->length--;
	if (out->length == start)
		text_add_char(out, '0');
}

static void add_limits(struct live *live, const struct live_section *section)
{
	const struct live_group *group = &section->group;
	const struct live_state *state = section->state;
	const uint64_t *facts = state->limits.facts;
	double used = state->cpu_percent / PERCENT;
	double limit = (double)facts[CGROUP_CPU_LIMIT] / NANO;

	if (state->read_ns && !state->failed && used >= 0 &&
	    !(state->limits.unknown & 1u << CGROUP_CPU_LIMIT) &&
	    facts[CGROUP_CPU_LIMIT] != CGROUP_NO_LIMIT && used >= CPU_FULL * limit) {
		word_begin(live, section);
		text_printf(&live->words, "cpu %.2f/", used);
		add_cpus(&live->words, limit);
		text_add_string(&live->words, " throttled");
	}
	if (group->has_usage && group->has_limit &&
	    (double)group->memory_usage_bytes >= MEMORY_FULL * (double)group->memory_limit_bytes) {
		word_begin(live, section);
		text_printf(&live->words, "memory %.0f %% of its limit",
			    (double)group->memory_usage_bytes * PERCENT /
				    (double)group->memory_limit_bytes);
	}
}

static void add_container(struct live *live, const struct live_section *section)
{
	bool is_privileged = section->group.is_privileged;

	if (is_privileged)
		word_add(live, section, "privileged");
	if (section->power.drift)
		word_add(live, section, "more than declared");
	if (!is_privileged)
		add_extra_caps(live, section);
	if (section->has_host_root)
		word_add(live, section, "host root");
	add_surface(live, section);
	add_userns(live, section);
	add_limits(live, section);
}

void live_verdict_add(struct live *live, const struct live_section *section)
{
	if (section->group.container)
		add_container(live, section);
	else if (section->full_roots)
		text_printf(&live->words, "%zu as root with full capabilities",
			    section->full_roots);
	else if (section->roots)
		text_printf(&live->words, "%zu as root", section->roots);
	if (section->group.short_lived) {
		word_begin(live, section);
		text_printf(&live->words, "%zu came and went", section->group.short_lived);
	}
}
