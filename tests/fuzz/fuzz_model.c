/* SPDX-License-Identifier: GPL-2.0-only */
/* Whatever order events, sweeps and processes come in, the table stays one, and containers have the
 * processes that say so. */
#include "story.h"

#define CONTAINERS_MAX 64

static void model_check(struct model *model)
{
	struct container *containers[CONTAINERS_MAX];
	size_t members[CONTAINERS_MAX] = {0};
	size_t count, containers_count;
	struct container *const *all = model_containers(model, &containers_count);
	struct proc *procs = model_procs(model, &count);

	check(containers_count <= CONTAINERS_MAX);
	for (size_t i = 0; i < containers_count; i++)
		containers[i] = all[i];
	for (size_t i = 0; i < count; i++) {
		check(model_find(model, procs[i].task->tgid) == &procs[i]);
		check(!i || procs[i - 1].task->tgid < procs[i].task->tgid);
		for (size_t j = 0; j < containers_count; j++)
			members[j] += procs[i].container == containers[j];
	}
	for (size_t i = 0; i < containers_count; i++) {
		const struct proc *first = model_find(model, containers[i]->first_pid);

		check(members[i] && members[i] == containers[i]->procs);
		check(first && first->container == containers[i]);
	}
}

static void story_told(struct feed *feed, const struct record_header *record)
{
	enum container_change change;
	const struct container *container;
	const struct proc *last;

	(void)record;
	while ((container = model_container_change(feed->model, &change)))
		check(container->name[0]);
	last = model_last_proc(feed->model);
	if (last)
		check(last->task->tgid && last->chain[0].pid);
	if (take(feed) & 1)
		model_check(feed->model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed feed = {.model = model_new(), .data = data, .left = size, .now_ns = 100};

	story_run(&feed);
	model_check(feed.model);
	model_free(feed.model);
	return 0;
}
