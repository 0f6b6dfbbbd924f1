/* SPDX-License-Identifier: GPL-2.0-only */
/* Containers and the host as groups of the live table: their sums, and the order they stand in. */
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "host/caps.h"
#include "host/facts.h"
#include "host/runtime/runtime.h"
#include "view/live_private.h"
#include "view/proc_fields.h"

#define CPU_STEP 5.0 /* percent: groups that differ by less keep their places */

struct live_slot {
	const struct container *container; /* NULL: empty */
	uint32_t section;
};

static uint64_t hash_add(uint64_t hash, const void *data, size_t length)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3ULL; /* FNV-1a */
	return hash;
}

/* Its id may be anybody's who may make a cgroup; its namespaces are its own. */
uint64_t live_key(const struct container *container)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	if (!container)
		return LIVE_HOST_KEY;
	hash = hash_add(hash, container->id, strlen(container->id));
	hash = hash_add(hash, &container->ns[NS_PID], sizeof(container->ns[NS_PID]));
	hash = hash_add(hash, &container->ns[NS_MNT], sizeof(container->ns[NS_MNT]));
	hash = hash_add(hash, &container->ns[NS_USER], sizeof(container->ns[NS_USER]));
	return hash == LIVE_HOST_KEY ? 1 : hash;
}

struct live_state *live_state_find(struct live *live, uint64_t key)
{
	struct live_state *state;

	HASH_FIND(hh, live->states, &key, sizeof(key), state);
	if (state)
		return state;
	if (HASH_COUNT(live->states) >= LIVE_STATES_MAX)
		return NULL;
	state = mem_new(sizeof(*state));
	state->key = key;
	state->seen_ns = live->now_ns;
	state->cpu_percent = -1;
	HASH_ADD(hh, live->states, key, sizeof(state->key), state);
	return state;
}

enum live_weight live_weight_of(const struct view_context *view, uint64_t caps,
				enum caps_reach reach)
{
	static const int powerful[] = {CAP_SYS_ADMIN, CAP_SYS_MODULE,      CAP_SYS_PTRACE,
				       CAP_SYS_RAWIO, CAP_DAC_READ_SEARCH, CAP_NET_ADMIN,
				       CAP_BPF,       CAP_MAC_ADMIN};
	uint64_t full = caps_full(view->facts->cap_last);

	if (!caps)
		return LIVE_NO_POWER;
	if (reach != REACH_HOST)
		return LIVE_IN_USERNS;
	if ((caps & full) == full)
		return LIVE_FULL;
	for (size_t i = 0; i < ARRAY_SIZE(powerful); i++) {
		if (caps >> powerful[i] & 1)
			return LIVE_POWERFUL;
	}
	return LIVE_SOME_POWER;
}

enum filter_verdict live_selects(struct live *live, const struct proc *proc)
{
	const struct live_settings *settings = &live->settings;
	enum filter_verdict result = FILTER_YES;

	if (settings->has_user && proc->unknown & FIELD_BIT(FIELD_IDS))
		result = FILTER_UNKNOWN;
	else if (settings->has_user && proc->task->ids.euid != settings->uid)
		return FILTER_NO;
	if (live->query) {
		enum filter_verdict here = query_live_verdict(live->query, proc);

		if (here == FILTER_NO)
			return here;
		result = here == FILTER_UNKNOWN ? here : result;
	}
	if (settings->filter) {
		enum filter_verdict here = filter_match(settings->filter, live->view, proc);

		if (here != FILTER_YES)
			result = here;
	}
	return result;
}

static size_t slot_of(const struct live *live, const struct container *container)
{
	size_t at = (size_t)((uintptr_t)container * 0x9E3779B97F4A7C15ULL >> 40);

	at &= live->slots_count - 1;
	while (live->slots[at].container && live->slots[at].container != container)
		at = (at + 1) & (live->slots_count - 1);
	return at;
}

static struct live_section *section_add(struct live *live, const struct container *container)
{
	struct live_section *section;

	mem_reserve_one(live->sections, live->sections_count, live->sections_capacity);
	section = &live->sections[live->sections_count++];
	*section = (struct live_section){
		.group = {.container = container,
			  .key = live_key(container),
			  .image = container && container->declared ? container->declared->image
								    : NULL},
	};
	return section;
}

/* One for each container, in the model's order, then the host. */
static void sections_make(struct live *live)
{
	size_t count;
	struct container *const *containers = model_containers(live->view->model, &count);

	live->sections_count = 0;
	if (live->slots_count < 2 * (count + 1)) {
		live->slots_count = live->slots_count ? live->slots_count : 64;
		while (live->slots_count < 2 * (count + 1))
			live->slots_count *= 2;
		live->slots = mem_resize(live->slots, live->slots_count, sizeof(*live->slots));
	}
	memset(live->slots, 0, live->slots_count * sizeof(*live->slots));
	for (size_t i = 0; i < count; i++) {
		section_add(live, containers[i]);
		live->slots[slot_of(live, containers[i])] =
			(struct live_slot){containers[i], (uint32_t)i};
	}
	section_add(live, NULL);
}

static uint32_t section_of(const struct live *live, const struct proc *proc)
{
	size_t at;

	if (!proc->container)
		return (uint32_t)live->sections_count - 1;
	at = slot_of(live, proc->container);
	return live->slots[at].container ? live->slots[at].section : LIVE_NONE;
}

static void section_add_proc(struct live *live, struct live_section *section,
			     const struct proc *proc, double cpu)
{
	const struct view_context *view = live->view;
	const struct task_record *task = proc->task;
	struct live_group *group = &section->group;
	enum live_weight weight = LIVE_NO_POWER;

	group->procs++;
	group->rss_bytes += task->rss_pages * view->facts->page_bytes;
	if (cpu >= 0) {
		group->cpu_percent += cpu;
		section->has_cpu = true;
	}
	power_add(&section->power, view, proc);
	if (!(proc->unknown & FIELD_BIT(FIELD_CAPS)))
		weight =
			live_weight_of(view, task->caps[CAP_SET_EFFECTIVE], proc_reach(view, proc));
	if (weight > group->weight)
		group->weight = weight;
	if (proc->unknown & FIELD_BIT(FIELD_IDS) || task->ids.euid)
		return;
	section->has_host_root = true;
	if (task->flags & TASK_KTHREAD)
		return;
	section->roots++;
	section->full_roots += weight == LIVE_FULL;
}

static void sections_fill(struct live *live)
{
	live->left_out = 0;
	if (live->section_of_capacity < live->procs_count) {
		live->section_of_capacity = live->procs_count + live->procs_count / 4;
		live->section_of = mem_resize(live->section_of, live->section_of_capacity,
					      sizeof(*live->section_of));
	}
	for (size_t i = 0; i < live->procs_count; i++) {
		const struct proc *proc = &live->procs[i];
		enum filter_verdict verdict =
			live_is_leaving(live, proc) ? FILTER_NO : live_selects(live, proc);

		live->section_of[i] = verdict == FILTER_YES ? section_of(live, proc) : LIVE_NONE;
		live->left_out += verdict == FILTER_UNKNOWN;
		if (live->section_of[i] != LIVE_NONE)
			section_add_proc(live, &live->sections[live->section_of[i]], proc,
					 live->memory[i].cpu_percent);
	}
}

/* One that stays at a step's edge stays in it. */
static void state_take_cpu(struct live_state *state, double cpu_percent)
{
	double floor = state->cpu_step * CPU_STEP;

	if (cpu_percent < floor - CPU_STEP / 2 || cpu_percent >= floor + CPU_STEP * 3 / 2)
		state->cpu_step = cpu_percent > 0 ? (unsigned int)(cpu_percent / CPU_STEP) : 0;
}

/* What its cgroup counts, those that have ended included, where all of it is shown. */
static void section_take_usage(struct live_section *section)
{
	const struct live_state *state = section->state;
	struct live_group *group = &section->group;
	const struct runtime_container *declared =
		group->container ? group->container->declared : NULL;

	if (!state->read_ns || state->failed) {
		group->has_limit = declared && declared->memory_limit_bytes != RUNTIME_NO_LIMIT;
		group->memory_limit_bytes = group->has_limit ? declared->memory_limit_bytes : 0;
		return;
	}
	group->has_usage = !(state->limits.unknown & 1u << CGROUP_MEMORY_USAGE);
	group->memory_usage_bytes = state->limits.facts[CGROUP_MEMORY_USAGE];
	group->memory_limit_bytes = state->limits.facts[CGROUP_MEMORY_LIMIT];
	group->is_limit_unknown = state->limits.unknown >> CGROUP_MEMORY_LIMIT & 1;
	group->has_limit = !group->is_limit_unknown && group->memory_limit_bytes != CGROUP_NO_LIMIT;
	if (state->cpu_percent >= 0 && group->procs == group->container->procs)
		group->cpu_percent = state->cpu_percent;
}

/* On a machine whose root lacks a capability, --privileged gives all the others. */
static bool is_privileged(const struct live *live, const struct live_group *group)
{
	const struct runtime_container *declared =
		group->container ? group->container->declared : NULL;
	uint64_t full = caps_full(live->view->facts->cap_last);

	if (declared)
		return declared->is_privileged || (declared->caps & full) == full;
	return group->container && group->weight == LIVE_FULL;
}

static void section_finish(struct live *live, struct live_section *section, bool has_usage)
{
	struct live_group *group = &section->group;
	struct live_state *state = section->state;

	if (!section->has_cpu)
		group->cpu_percent = -1;
	if (group->container)
		section_take_usage(section);
	if (has_usage)
		state_take_cpu(state, group->cpu_percent);
	group->short_lived = state->short_lived;
	group->is_drifting = section->power.drift != 0;
	group->is_privileged = is_privileged(live, group);
	power_caps(&section->power, &group->caps);
	section->verdict_at = live->words.length;
	live_verdict_add(live, section);
	text_add_char(&live->words, '\0');
}

/* What does not count on the host does not count here either. */
static int weight_rank(const struct live_group *group)
{
	if (group->is_privileged)
		return LIVE_FULL;
	return group->weight <= LIVE_IN_USERNS ? 0 : (int)group->weight;
}

static int compare_sections(const void *left, const void *right)
{
	const struct live_section *one = left;
	const struct live_section *other = right;
	const struct container *mine = one->group.container;
	const struct container *others = other->group.container;

	if (!mine || !others)
		return !mine - !others;
	if (one->group.is_drifting != other->group.is_drifting)
		return one->group.is_drifting ? -1 : 1;
	if (weight_rank(&one->group) != weight_rank(&other->group))
		return weight_rank(&other->group) - weight_rank(&one->group);
	if (one->state->cpu_step != other->state->cpu_step)
		return one->state->cpu_step > other->state->cpu_step ? -1 : 1;
	if (mine->start_boot_ns != others->start_boot_ns)
		return mine->start_boot_ns < others->start_boot_ns ? -1 : 1;
	return (mine->first_pid > others->first_pid) - (mine->first_pid < others->first_pid);
}

static void sections_keep(struct live *live)
{
	for (size_t i = 0; i < live->sections_count; i++) {
		struct live_section *section = &live->sections[i];

		section->state = live_state_find(live, section->group.key);
		if (section->state)
			section->state->seen_ns = live->now_ns;
		if (!section->state)
			section->group.procs = 0;
	}
}

static void states_forget_old(struct live *live)
{
	struct live_state *state, *next;

	HASH_ITER (hh, live->states, state, next) {
		if (state->key == LIVE_HOST_KEY ||
		    live->now_ns < state->seen_ns + LIVE_STATE_KEPT_NS)
			continue;
		HASH_DEL(live->states, state);
		free(state);
	}
}

static void states_turn(struct live *live)
{
	struct live_state *state, *next;

	HASH_ITER (hh, live->states, state, next) {
		state->short_lived = state->came_and_went;
		state->came_and_went = 0;
		state->gone = 0;
	}
}

static bool is_folded(const struct live *live, const struct live_section *section,
		      bool has_containers)
{
	enum live_folding folding = section->state->folding;

	if (folding == FOLDING_USUAL)
		folding = live->folding_all;
	if (folding == FOLDING_USUAL)
		return !section->group.container && has_containers;
	return folding == FOLDING_FOLDED;
}

/* Those without a selected process go. section_of follows them to their new places. */
static void sections_sort(struct live *live)
{
	autofree uint32_t *place = mem_resize(NULL, live->sections_count + 1, sizeof(*place));
	size_t kept = 0;

	for (size_t i = 0; i < live->sections_count; i++) {
		struct live_section *section = &live->sections[i];

		section->place = i;
		if (section->group.procs)
			live->sections[kept++] = *section;
	}
	memset(place, 0xff, (live->sections_count + 1) * sizeof(*place));
	live->sections_count = kept;
	if (kept)
		qsort(live->sections, kept, sizeof(*live->sections), compare_sections);
	for (size_t i = 0; i < kept; i++)
		place[live->sections[i].place] = (uint32_t)i;
	for (size_t i = 0; i < live->procs_count; i++) {
		if (live->section_of[i] != LIVE_NONE)
			live->section_of[i] = place[live->section_of[i]];
	}
}

/* What is handed out: rows point to it. */
static void groups_make(struct live *live)
{
	bool has_containers = live->sections_count > 1 ||
			      (live->sections_count && live->sections[0].group.container);

	if (live->groups_capacity < live->sections_count) {
		live->groups_capacity = live->sections_capacity;
		live->groups =
			mem_resize(live->groups, live->groups_capacity, sizeof(*live->groups));
	}
	live->groups_count = live->sections_count;
	for (size_t i = 0; i < live->sections_count; i++) {
		struct live_section *section = &live->sections[i];

		section->group.is_folded = is_folded(live, section, has_containers);
		section->group.verdict = live->words.data + section->verdict_at;
		live->groups[i] = section->group;
	}
}

void live_groups_update(struct live *live, bool has_usage)
{
	sections_make(live);
	sections_fill(live);
	sections_keep(live);
	if (has_usage) {
		states_turn(live);
		live_usage_read(live);
	}
	text_clear(&live->words);
	for (size_t i = 0; i < live->sections_count; i++) {
		if (live->sections[i].group.procs)
			section_finish(live, &live->sections[i], has_usage);
	}
	sections_sort(live);
	groups_make(live);
	states_forget_old(live);
}

/* But for what keys have folded. */
void live_groups_forget(struct live *live)
{
	struct live_state *state, *next;

	HASH_ITER (hh, live->states, state, next) {
		state->came_and_went = state->short_lived = state->gone = 0;
		state->seen_ns = 0;
		state->read_ns = 0;
		state->cpu_percent = -1;
	}
}

void live_groups_free(struct live *live)
{
	struct live_state *state, *next;

	HASH_ITER (hh, live->states, state, next) {
		HASH_DEL(live->states, state);
		free(state);
	}
	free(live->sections);
	free(live->section_of);
	free(live->slots);
	free(live->groups);
	text_free(&live->words);
}
