/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/attach.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "nsview.skel.h"
#include "source/hooks.h"
#include "source/outlive.h"
#include "source/point.h"
#include "source/source.h"
#include "source/verdict.h"

#define PROGRAMS_MAX 64
#define ROUNDS_MAX 64 /* more than there are candidates */

/* Which hooks go when descriptors run out, those first that are missed least. */
static const enum hook_id spare_order[] = {
	HOOK_COMPLETE,      HOOK_REFUSED, HOOK_PRIVILEGES,  HOOK_CGROUP_REMOVE,
	HOOK_CGROUP_ATTACH, HOOK_IDMAP,   HOOK_CGROUP_MAKE, HOOK_NAMESPACES,
	HOOK_CREDENTIALS,   HOOK_EXIT,    HOOK_EXEC,        HOOK_FORK,
};

/* Of the running kernel, while it is asked what it has. */
struct kernel {
	struct btf_cache_entry entry;
	int tracefs; /* or -errno */
};

/* Why the candidate last tried will not do. */
static void why_add(struct attach_hook *hook, enum hook_tier tier, struct text *reason)
{
	char **kept = &hook->reasons[hook->tried ? hook->tried - 1 : 0];

	free(*kept);
	*kept = mem_copy(text_string(reason));
	if (hook->why.length)
		text_add_string(&hook->why, "; ");
	text_printf(&hook->why, "%s: %s", tier_name(tier), text_string(reason));
	text_clear(reason);
}

static void points_close(struct attach_hook *hook)
{
	for (size_t i = 0; i < hook->point_count; i++)
		close(hook->points[i].fd);
	hook->point_count = 0;
}

static int point_open(const struct kernel *kernel, const struct hook_program *program,
		      const char *target, struct text *why)
{
	if (program->kind == ATTACH_SYSCALL)
		return point_open_syscall(kernel->tracefs, target, why);
	return point_open_kprobe(target, program->kind == ATTACH_KRETURN, why);
}

/* All points of one program. */
static int points_open(struct attach_hook *hook, const struct hook_candidate *candidate,
		       size_t index, const struct kernel *kernel, struct text *why)
{
	const struct hook_program *program = &candidate->programs[index];

	for (const char *const *target = program->targets; *target; target++) {
		bool may_miss = **target == '?';
		int fd = point_open(kernel, program, *target + may_miss, why);

		if (fd < 0 && may_miss && fd != -EMFILE) {
			text_clear(why);
			continue;
		}
		if (fd < 0)
			return fd;
		mem_reserve_one(hook->points, hook->point_count, hook->point_capacity);
		hook->points[hook->point_count++] =
			(struct attach_point){.fd = fd, .program = index};
	}
	return 0;
}

static int program_try(const struct hook_candidate *candidate, size_t index,
		       const struct kernel *kernel, struct text *why)
{
	const char *name = candidate->programs[index].name;
	uint32_t id = btf_cache_id(&kernel->entry, name);

	if (!id) {
		text_add_string(why, "this kernel has nothing by that name");
		return -ENOENT;
	}
	return candidate->tier == TIER_FENTRY ? point_try_function(id, !index, why) : 0;
}

static bool is_preempted(const struct kernel *kernel)
{
	return btf_cache_id(&kernel->entry, HOOK_PREEMPTED_MARK);
}

/* Whether this kernel has all that a candidate needs; what can be held is held. */
static int candidate_try(struct attach_hook *hook, const struct hook_candidate *candidate,
			 const struct kernel *kernel, struct text *why)
{
	int r = 0;

	if (candidate->preemption == ON_OTHERS && is_preempted(kernel)) {
		text_add_string(why, "this kernel skips runs of it under preemption");
		return -EOPNOTSUPP;
	}
	for (size_t i = 0; !r && i < HOOK_PROGRAMS_MAX && candidate->programs[i].name; i++)
		r = candidate->programs[i].kind == ATTACH_BTF
			    ? program_try(candidate, i, kernel, why)
			    : points_open(hook, candidate, i, kernel, why);
	if (r)
		points_close(hook);
	return r;
}

/* The next of its candidates that will do, or none. */
static void hook_choose(struct attach_hook *hook, enum hook_id id, uint8_t wanted,
			const struct kernel *kernel)
{
	const struct hook_candidate *candidate;
	struct text reason = {0};

	hook->candidate = NULL;
	while (!hook->candidate && (candidate = hook_candidate_at(id, hook->tried))) {
		hook->tried++;
		if ((wanted != TIERS && wanted != candidate->tier) ||
		    (candidate->preemption == ON_PREEMPTED && !is_preempted(kernel)))
			continue;
		if (candidate_try(hook, candidate, kernel, &reason))
			why_add(hook, candidate->tier, &reason);
		else
			hook->candidate = candidate;
	}
	text_free(&reason);
}

static void hooks_choose(struct attach *attach, const struct listen_options *listen,
			 const struct kernel *kernel)
{
	for (size_t i = 0; i < HOOKS_ATTACHED; i++) {
		enum hook_id id = hook_order[i];
		struct attach_hook *hook = &attach->hooks[id];

		hook->is_unwanted = listen->tiers[id] == TIER_OFF ||
				    (id == HOOK_COMPLETE && !listen->is_complete);
		if (!hook->is_unwanted)
			hook_choose(hook, id, listen->tiers[id], kernel);
	}
}

static void programs_collect(const struct attach *attach, const char *names[PROGRAMS_MAX])
{
	size_t count = 0;

	for (size_t id = 0; id < HOOKS; id++) {
		const struct hook_candidate *candidate = attach->hooks[id].candidate;

		for (size_t i = 0; candidate && i < HOOK_PROGRAMS_MAX; i++) {
			if (candidate->programs[i].name && count + 1 < PROGRAMS_MAX)
				names[count++] = candidate->programs[i].name;
		}
	}
	names[count] = NULL;
}

/* HOOKS: none. */
static enum hook_id program_hook(const struct attach *attach, const char *name)
{
	for (size_t id = 0; id < HOOKS; id++) {
		const struct hook_candidate *candidate = attach->hooks[id].candidate;

		for (size_t i = 0; candidate && i < HOOK_PROGRAMS_MAX; i++) {
			if (candidate->programs[i].name == name)
				return id;
		}
	}
	return HOOKS;
}

static int link_add(struct attach *attach, int program)
{
	int link = bpf_raw_tracepoint_open(NULL, program);

	if (link < 0)
		return -errno;
	mem_reserve_one(attach->links, attach->link_count, attach->link_capacity);
	attach->links[attach->link_count++] = link;
	return 0;
}

/* What of it the kernel skips will be counted. */
static void program_watch(struct attach *attach, int fd, enum hook_id id, bool is_point)
{
	mem_reserve_one(attach->programs, attach->program_count, attach->program_capacity);
	attach->programs[attach->program_count++] =
		(struct attach_program){.fd = fd, .is_point = is_point, .hook = id};
}

static int program_attach(struct attach *attach, enum hook_id id, size_t index)
{
	struct attach_hook *hook = &attach->hooks[id];
	const struct hook_program *program = &hook->candidate->programs[index];
	const struct bpf_object *object = attach->loaded.object->obj;
	int fd = bpf_program__fd(bpf_object__find_program_by_name(object, program->name));
	int r = 0;

	if (program->kind == ATTACH_BTF)
		r = link_add(attach, fd);
	for (size_t i = 0; !r && i < hook->point_count; i++) {
		if (hook->points[i].program != index)
			continue;
		r = point_attach(&hook->points[i].fd, fd);
		if (program->kind != ATTACH_SYSCALL)
			program_watch(attach, hook->points[i].fd, id, true);
	}
	if (!program->is_backed)
		program_watch(attach, fd, id, false);
	return r;
}

/* *failed: the hook that could not be attached. */
static int hooks_attach(struct attach *attach, enum hook_id *failed)
{
	int r = 0;

	for (size_t i = 0; !r && i < HOOKS_ATTACHED; i++) {
		const struct hook_candidate *candidate = attach->hooks[hook_order[i]].candidate;

		*failed = hook_order[i];
		for (size_t j = 0; !r && candidate && j < HOOK_PROGRAMS_MAX; j++) {
			if (candidate->programs[j].name)
				r = program_attach(attach, hook_order[i], j);
		}
	}
	return r;
}

static void hooks_detach(struct attach *attach)
{
	for (size_t i = 0; i < attach->link_count; i++)
		close(attach->links[i]);
	attach->link_count = 0;
	attach->program_count = 0;
	bpf_loaded_close(&attach->loaded);
}

/* A perf event that had a program takes no other: new ones for those that go on. */
static void hooks_reopen(struct attach *attach, const struct kernel *kernel)
{
	struct text reason = {0};

	for (size_t i = 0; i < HOOKS_ATTACHED; i++) {
		struct attach_hook *hook = &attach->hooks[hook_order[i]];
		const struct hook_candidate *candidate = hook->candidate;

		if (!hook->point_count)
			continue;
		points_close(hook);
		if (candidate_try(hook, candidate, kernel, &reason)) {
			why_add(hook, candidate->tier, &reason);
			hook->candidate = NULL;
		}
	}
	text_free(&reason);
}

static void reason_add(struct text *reason, int error, const char *verdict)
{
	text_add_string(reason, strerror(-error));
	if (verdict)
		text_printf(reason, " (%s)", verdict);
}

static void hook_refuse(struct attach_hook *hook, int error, const char *verdict)
{
	struct text reason = {0};

	points_close(hook);
	reason_add(&reason, error, verdict);
	why_add(hook, hook->candidate->tier, &reason);
	hook->candidate = NULL;
	text_free(&reason);
}

/* Gives up one hook for the descriptors of the others: false: there is none left. */
static bool hooks_spare(struct attach *attach)
{
	for (size_t i = 0; i < ARRAY_SIZE(spare_order); i++) {
		struct attach_hook *hook = &attach->hooks[spare_order[i]];

		if (hook->candidate) {
			hook_refuse(hook, -EMFILE, "ulimit -n");
			return true;
		}
	}
	return false;
}

/* Snapshots can be had from an object of their own. */
static int sweep_refuse(struct attach *attach, int error, const char *verdict,
			struct bpf_load_options *load)
{
	struct attach_hook *hook = &attach->hooks[HOOK_SWEEP];
	struct text reason = {0};

	reason_add(&reason, error, verdict);
	why_add(hook, TIER_ITERATOR, &reason);
	text_free(&reason);
	load->is_without_sweep = true;
	return -EAGAIN;
}

/* One try with what is chosen: 0, -EAGAIN: something else has been chosen since, or -errno. */
static int attach_try(struct attach *attach, const struct attach_options *options,
		      const struct kernel *kernel, struct bpf_load_options *load)
{
	const char *programs[PROGRAMS_MAX];
	const char *failed_program = NULL;
	enum hook_id failed = HOOKS;
	int r;

	programs_collect(attach, programs);
	load->programs = programs;
	*options->verifier_log = 0;
	r = bpf_load_programs(load, &kernel->entry, &attach->loaded, &failed_program);
	if (!r) {
		r = hooks_attach(attach, &failed);
		if (!r)
			return 0;
		hooks_detach(attach);
		hooks_reopen(attach, kernel);
	} else if (failed_program) {
		failed = program_hook(attach, failed_program);
	}
	if (r == -EMFILE || r == -ENFILE)
		return hooks_spare(attach) ? -EAGAIN : r;
	if (failed_program && !strcmp(failed_program, BPF_LOAD_SWEEP))
		return sweep_refuse(attach, r, verdict_find(options->verifier_log), load);
	if (failed_program && !strcmp(failed_program, BPF_LOAD_USAGE)) {
		load->is_without_usage = true; /* sweeps tell the same, less often */
		return -EAGAIN;
	}
	if (failed == HOOKS)
		return r;
	hook_refuse(&attach->hooks[failed], r, verdict_find(options->verifier_log));
	hook_choose(&attach->hooks[failed], failed, options->listen->tiers[failed], kernel);
	return -EAGAIN;
}

/* The object's maps, what libbpf has open for a moment, and 16 for the rest of the program. */
#define DESCRIPTORS_FIXED 40
#define DESCRIPTORS_FEW 16 /* not enough for the maps */
#define DESCRIPTORS_MAX (DESCRIPTORS_FIXED + 2 * PROGRAMS_MAX)

static size_t descriptors_left(void)
{
	int held[DESCRIPTORS_MAX];
	size_t count = 0;
	size_t left;

	while (count < DESCRIPTORS_MAX) {
		held[count] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (held[count] < 0)
			break;
		count++;
	}
	left = count;
	while (count)
		close(held[--count]);
	return left;
}

/* A descriptor for each program, and for each link; the points are held already. */
static size_t descriptors_needed(const struct attach *attach)
{
	const char *programs[PROGRAMS_MAX];
	size_t count = 0;

	programs_collect(attach, programs);
	while (programs[count])
		count++;
	return DESCRIPTORS_FIXED + 2 * count;
}

/* Beforehand: libbpf does not take it well when it runs out of them. */
static void hooks_spare_some(struct attach *attach)
{
	size_t left = descriptors_left();

	while (left < descriptors_needed(attach) && hooks_spare(attach))
		left = descriptors_left();
}

/* A hundred descriptors, with trampolines for each system call. */
static void descriptors_raise(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int attach_open(struct attach *attach, const struct attach_options *options)
{
	struct bpf_load_options load = {
		.btf_path = options->btf_path,
		.verifier_log = options->verifier_log,
		.verifier_log_size = options->verifier_log_size,
		.listen = options->listen,
		.is_without_usage = !options->listen->wants_usage,
	};
	struct kernel kernel = {.entry = {.fd = -1}};
	int r;

	descriptors_raise();
	bpf_load_try_storage(&load.has_task_helpers, &load.has_task_storage);
	r = bpf_load_prepare(options->btf_path, &kernel.entry);
	if (r)
		return r;
	attach->is_preempted = is_preempted(&kernel);
	kernel.tracefs = point_tracefs();
	hooks_choose(attach, options->listen, &kernel);
	hooks_spare_some(attach);
	r = -EAGAIN;
	for (size_t i = 0; r == -EAGAIN && i < ROUNDS_MAX; i++)
		r = attach_try(attach, options, &kernel, &load);
	/* What libbpf could not open it may tell as something else. */
	if (r && descriptors_left() < DESCRIPTORS_FEW)
		r = -EMFILE;
	close(kernel.entry.fd);
	if (kernel.tracefs >= 0)
		close(kernel.tracefs);
	return r;
}

/* Perf events and links of all hooks. */
static int *points_collect(const struct attach *attach, size_t *count)
{
	size_t capacity = attach->link_count + 1;
	int *points = mem_new(capacity * sizeof(*points));

	*count = attach->link_count;
	if (*count)
		memcpy(points, attach->links, *count * sizeof(*points));
	for (size_t id = 0; id < HOOKS; id++) {
		for (size_t i = 0; i < attach->hooks[id].point_count; i++) {
			mem_reserve_one(points, *count, capacity);
			points[(*count)++] = attach->hooks[id].points[i].fd;
		}
	}
	return points;
}

/* The descriptor that is to be closed after the points; -1: nobody holds them beside us. */
static int points_hand_over(const struct attach *attach)
{
	size_t count;
	autofree int *points = points_collect(attach, &count);

	return outlive_start(points, count);
}

/* Something whose end takes time: a perf event, or a trampoline. */
static bool attach_has_points(const struct attach *attach)
{
	for (size_t id = 0; id < HOOKS; id++) {
		const struct hook_candidate *candidate = attach->hooks[id].candidate;

		if (attach->hooks[id].point_count || (candidate && candidate->tier == TIER_FENTRY))
			return true;
	}
	return false;
}

static struct tier_report candidate_report(const struct attach_hook *hook,
					   const struct hook_candidate *candidate, const char *why)
{
	return (struct tier_report){
		.tier = candidate->tier,
		.verdict = candidate == hook->candidate ? TIER_TAKEN
			   : why                        ? TIER_REFUSED
							: TIER_SPARE,
		.why = why,
		.missed = candidate->missed,
	};
}

/* The iterator is no candidate: either it is in the object or it is not. */
static size_t sweep_report(const struct attach *attach, struct tier_report *tiers)
{
	const char *why = attach->hooks[HOOK_SWEEP].reasons[0];

	*tiers = (struct tier_report){
		.tier = TIER_ITERATOR,
		.verdict = why ? TIER_REFUSED : TIER_TAKEN,
		.why = why,
	};
	return 1;
}

size_t attach_report(const struct attach *attach, enum hook_id id, struct tier_report *tiers)
{
	const struct attach_hook *hook = &attach->hooks[id];
	const struct hook_candidate *candidate;
	size_t count = 0;

	if (id == HOOK_SWEEP)
		return sweep_report(attach, tiers);
	for (size_t i = 0; (candidate = hook_candidate_at(id, i)); i++) {
		if (candidate->preemption != ON_PREEMPTED || attach->is_preempted)
			tiers[count++] = candidate_report(hook, candidate, hook->reasons[i]);
	}
	return count;
}

void attach_close(struct attach *attach)
{
	int last = attach_has_points(attach) ? points_hand_over(attach) : -1;

	hooks_detach(attach);
	for (size_t id = 0; id < HOOKS; id++) {
		points_close(&attach->hooks[id]);
		free(attach->hooks[id].points);
		text_free(&attach->hooks[id].why);
		for (size_t i = 0; i < HOOK_TIERS_MAX; i++)
			free(attach->hooks[id].reasons[i]);
	}
	free(attach->programs);
	free(attach->links);
	*attach = (struct attach){0};
	mem_close_fd(&last);
}
