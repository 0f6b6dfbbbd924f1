/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/naming.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/command.h"
#include "host/runtime/docker.h"
#include "host/runtime/nsview_state.h"
#include "host/runtime/runtime.h"
#include "model/model.h"

#define WAITING_MAX 1024
#define TRIES_MAX 12 /* the last one 40 s after the start */
#define FIRST_WAIT_NS 10000000ULL
#define TICK_NS 10000000ULL /* USER_HZ is 100 on every architecture that nsview runs on */

/* One of nsview's own containers. */
struct sample {
	struct sample *next;
	struct nsview_state state;
	struct runtime_container declared;
};

struct waiting {
	struct container *container;
	uint64_t next_ns;
	uint64_t wait_ns;
	int tries;
};

struct naming {
	const struct app *app; /* borrowed */
	int proc_fd;           /* borrowed */
	struct docker *docker; /* its containers by name, remembered as long as this lives */
	struct sample *samples;
	struct waiting waiting[WAITING_MAX];
	size_t waiting_count;
};

struct naming *naming_new(const struct app *app, int proc_fd)
{
	struct naming *naming = mem_new(sizeof(*naming));

	naming->app = app;
	naming->proc_fd = proc_fd;
	if (proc_fd >= 0)
		naming->docker = docker_new(proc_fd, app->host_root, app->facts.cap_last);
	return naming;
}

static void naming_forget(struct naming *naming)
{
	while (naming->samples) {
		struct sample *sample = naming->samples;

		naming->samples = sample->next;
		free(sample);
	}
	naming->waiting_count = 0;
}

void naming_free(struct naming *naming)
{
	if (!naming)
		return;
	naming_forget(naming);
	docker_free(naming->docker);
	free(naming);
}

static struct sample *sample_add(struct naming *naming, const struct nsview_state *state)
{
	struct sample *sample = mem_new(sizeof(*sample));

	sample->state = *state;
	sample->declared = (struct runtime_container){
		.runtime = "nsview",
		.id = sample->state.id,
		.name = sample->state.name,
		.image = sample->state.image[0] ? sample->state.image : NULL,
		.user = sample->state.user,
		.first_pid = state->pid,
		.caps = state->capabilities,
		.cpu_limit_nano = state->cpu_limit_nano,
		.memory_limit_bytes = state->memory_limit_bytes,
		.pids_limit = state->pids_limit,
		.shares_host = state->shares_host,
		.is_privileged = state->is_privileged,
		.has_no_new_privs = state->has_no_new_privs,
		.has_no_seccomp = state->has_no_seccomp,
		.has_readonly_root = state->has_readonly_root,
	};
	sample->next = naming->samples;
	naming->samples = sample;
	return sample;
}

static struct nsview_state *states_read(const struct naming *naming, size_t *count)
{
	struct nsview_state *states = NULL;

	*count = 0;
	if (naming->proc_fd < 0 ||
	    nsview_state_list(naming->app->host_root, naming->proc_fd, &states, count))
		return NULL;
	return states;
}

/* What nsview's own containers say in their state files. */
static struct container_name *sample_names(struct naming *naming, size_t *count)
{
	autofree struct nsview_state *states = states_read(naming, count);
	struct container_name *names = mem_resize(NULL, *count, sizeof(*names));

	for (size_t i = 0; i < *count; i++) {
		const struct sample *sample = sample_add(naming, &states[i]);

		names[i] = (struct container_name){
			.runtime = "nsview",
			.first_pid = sample->state.pid,
			.start_boot_ns = sample->state.start_boot_ns,
			.declared = &sample->declared,
		};
		snprintf(names[i].name, sizeof(names[i].name), "%s", sample->state.name);
		snprintf(names[i].id, sizeof(names[i].id), "%s", sample->state.id);
	}
	return names;
}

/* Whether docker_find may know it. Those with a name of nsview's own are known already. */
static bool may_be_docker(struct model *model, const struct container *container, uint32_t parent)
{
	static const char shim[] = "containerd-shim"; /* as much of its name as comm holds */
	const struct proc *proc;

	if (container->declared)
		return false;
	if (container->runtime)
		return !strcmp(container->runtime, "docker");
	if (container->id[0])
		return true;
	proc = model_find(model, parent);
	return proc && !strncmp(proc->task->comm, shim, sizeof(proc->task->comm));
}

/* Who may make a cgroup may give it a container's name. The files tell which of the two is meant:
 * the one with the process that the runtime has started. */
static bool is_another(struct model *model, const struct container *container,
		       const struct runtime_container *declared)
{
	const struct proc *first =
		declared->first_pid ? model_find(model, declared->first_pid) : NULL;

	return first && first->container && first->container != container &&
	       !strcmp(first->container->id, container->id);
}

static bool name_docker(struct naming *naming, struct model *model, struct container *container)
{
	const struct proc *first = model_find(model, container->first_pid);
	const struct runtime_container *found;

	if (!naming->docker || !first || !may_be_docker(model, container, first->task->ppid))
		return false;
	found = docker_find(naming->docker, container->id, container->first_pid, first->task->ppid);
	if (!found || is_another(model, container, found))
		return false;
	model_declare(container, found);
	return true;
}

void naming_settle(struct naming *naming, struct model *model)
{
	autofree struct container_name *names = NULL;
	struct container *const *containers;
	size_t count;

	naming_forget(naming);
	names = sample_names(naming, &count);
	model_settle(model, names, count);
	containers = model_containers(model, &count);
	for (size_t i = 0; i < count; i++)
		name_docker(naming, model, containers[i]);
}

/* A container of nsview's without root may have no cgroup of its own, and so no id. */
static bool may_be_sample(const struct container *container)
{
	return !container->declared &&
	       (container->runtime ? !strcmp(container->runtime, "nsview") : !container->id[0]);
}

static bool name_sample(struct naming *naming, struct model *model, struct container *container,
			const struct nsview_state *states, size_t count)
{
	const struct proc *first = model_find(model, container->first_pid);

	for (size_t i = 0; i < count && first; i++) {
		if (states[i].pid != first->task->tgid ||
		    states[i].start_boot_ns / TICK_NS != first->task->start_boot_ns / TICK_NS)
			continue;
		model_declare(container, &sample_add(naming, &states[i])->declared);
		return true;
	}
	return false;
}

static void waiting_remove(struct naming *naming, size_t at)
{
	naming->waiting[at] = naming->waiting[--naming->waiting_count];
}

static void waiting_drop(struct naming *naming, const struct container *container)
{
	for (size_t i = 0; i < naming->waiting_count; i++) {
		if (naming->waiting[i].container != container)
			continue;
		waiting_remove(naming, i);
		return;
	}
}

bool naming_add(struct naming *naming, struct model *model, struct container *container,
		uint64_t now_ns)
{
	const struct proc *first = model_find(model, container->first_pid);

	waiting_drop(naming, container);
	if (container->declared || naming->proc_fd < 0 || !first)
		return false;
	if (name_docker(naming, model, container))
		return true;
	if (naming->waiting_count < WAITING_MAX &&
	    (may_be_sample(container) || may_be_docker(model, container, first->task->ppid)))
		naming->waiting[naming->waiting_count++] = (struct waiting){
			container, now_ns + FIRST_WAIT_NS, FIRST_WAIT_NS, TRIES_MAX};
	return false;
}

void naming_drop(struct naming *naming, struct container *container)
{
	waiting_drop(naming, container);
	for (struct sample **at = &naming->samples; *at; at = &(*at)->next) {
		struct sample *sample = *at;

		if (container->declared != &sample->declared)
			continue;
		container->declared = NULL;
		*at = sample->next;
		free(sample);
		break;
	}
}

void naming_retry(struct naming *naming, struct model *model, uint64_t now_ns, naming_sink named,
		  void *context)
{
	autofree struct nsview_state *states = NULL;
	bool has_states = false;
	size_t count = 0;

	for (size_t i = naming->waiting_count; i-- > 0;) {
		struct waiting *waiting = &naming->waiting[i];
		struct container *container = waiting->container;

		if (waiting->next_ns > now_ns)
			continue;
		if (may_be_sample(container) && !has_states) {
			states = states_read(naming, &count);
			has_states = true;
		}
		if ((may_be_sample(container) &&
		     name_sample(naming, model, container, states, count)) ||
		    name_docker(naming, model, container)) {
			waiting_remove(naming, i);
			named(context, container, now_ns);
			continue;
		}
		waiting->wait_ns *= 2;
		waiting->next_ns = now_ns + waiting->wait_ns;
		if (!--waiting->tries)
			waiting_remove(naming, i);
	}
}
