/* SPDX-License-Identifier: GPL-2.0-only */
/* What containers use and may use, from their cgroups, read again and again. */
#include <errno.h>
#include <time.h>

#include "host/cgroup.h"
#include "view/live_private.h"

#define READS_MAX 64 /* in one frame: some hundred microseconds each */
#define TREE_KEPT_NS (30 * 1000000000ULL)
#define PERCENT 100.0

/* The frame's own time is that of the processes' usage, which was read a while before. */
static uint64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

static double cpu_percent(const struct live_state *state, const struct cgroup_limits *limits,
			  uint64_t now_ns)
{
	uint64_t used_ns = limits->facts[CGROUP_CPU_USAGE];
	uint64_t before_ns = state->limits.facts[CGROUP_CPU_USAGE];

	if (now_ns <= state->read_ns || used_ns < before_ns ||
	    (limits->unknown | state->limits.unknown) & 1u << CGROUP_CPU_USAGE)
		return -1;
	return (double)(used_ns - before_ns) * PERCENT / (double)(now_ns - state->read_ns);
}

/* Of one that began after the frame before: all that it has ever used is of this one. */
static double cpu_percent_of_new(const struct live *live, const struct container *container,
				 const struct cgroup_limits *limits)
{
	if (!live->base_ns || live->now_ns <= live->base_ns ||
	    container->start_boot_ns < live->base_ns || limits->unknown & 1u << CGROUP_CPU_USAGE)
		return -1;
	return (double)limits->facts[CGROUP_CPU_USAGE] * PERCENT /
	       (double)(live->now_ns - live->base_ns);
}

static void usage_read_one(struct live *live, struct live_section *section)
{
	const struct container *container = section->group.container;
	struct live_state *state = section->state;
	struct cgroup_limits limits;
	int failed = cgroup_limits_read(live->tree_of_cgroups, live->view->proc_fd,
					container->first_pid, container->id, &limits);
	uint64_t now_ns = clock_now();

	state->cpu_percent = failed           ? -1
			     : state->read_ns ? cpu_percent(state, &limits, now_ns)
					      : cpu_percent_of_new(live, container, &limits);
	state->failed = failed;
	state->limits = limits;
	state->read_ns = now_ns;
}

void live_usage_read(struct live *live)
{
	size_t count = live->sections_count - 1; /* the last one is the host */

	if (!live->view->limits || !count)
		return;
	if (!live->tree_of_cgroups || live->now_ns >= live->tree_read_ns + TREE_KEPT_NS) {
		live_usage_free(live);
		live->tree_of_cgroups = cgroup_tree_read();
		live->tree_read_ns = live->now_ns;
	}
	for (size_t i = 0; i < count && i < READS_MAX; i++) {
		struct live_section *section = &live->sections[live->usage_next++ % count];

		if (section->group.procs)
			usage_read_one(live, section);
	}
}

void live_usage_free(struct live *live)
{
	if (live->tree_of_cgroups)
		cgroup_tree_free(live->tree_of_cgroups);
	live->tree_of_cgroups = NULL;
}
