/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/container_fields.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "bpf/event.h"
#include "host/caps.h"
#include "host/facts.h"
#include "host/runtime/runtime.h"
#include "model/model.h"
#include "view/column.h"
#include "view/container_limits.h"

#define NANO 1e9

static void value_set_text(struct value *value, const char *data, size_t length)
{
	value->kind = VALUE_TEXT;
	value->text.data = data;
	value->text.length = length;
}

static void value_set_real(struct value *value, double real)
{
	value->kind = VALUE_REAL;
	value->real = real;
}

/* The model calls a container `?` when it saw that there is one and could not see which. */
PROC_GETTER(proc_get_container)
{
	const struct container *container = proc->container;

	(void)column;
	(void)view;
	if (!container)
		return;
	if (!strcmp(container->name, "?"))
		value->kind = VALUE_UNKNOWN;
	else
		value_set_text(value, container->name, strlen(container->name));
}

PROC_GETTER(proc_get_container_id)
{
	(void)column;
	(void)view;
	if (proc->container && proc->container->id[0])
		value_set_text(value, proc->container->id, strlen(proc->container->id));
}

PROC_GETTER(proc_get_runtime)
{
	(void)column;
	(void)view;
	if (!proc->container)
		return;
	/* An id was given by a runtime, whichever that was; bare namespaces may have had none. */
	if (proc->container->id[0])
		value->kind = VALUE_UNKNOWN;
	if (proc->container->runtime)
		value_set_text(value, proc->container->runtime, strlen(proc->container->runtime));
}

/* NULL: nothing was declared, or nobody could read it, which *value then says. */
static const struct runtime_container *declared_of(const struct proc *proc, struct value *value)
{
	const struct container *container = proc->container;

	if (!container || container->declared)
		return container ? container->declared : NULL;
	/* An id was given by a runtime, which has written down what for. */
	if (container->id[0] || !strcmp(container->name, "?"))
		value->kind = VALUE_UNKNOWN;
	return NULL;
}

PROC_GETTER(proc_get_declared_text)
{
	const struct runtime_container *declared = declared_of(proc, value);
	const char *text;

	(void)view;
	if (!declared)
		return;
	text = *(const char *const *)((const char *)declared + column->at);
	if (text)
		value_set_text(value, text, strlen(text));
}

PROC_GETTER(proc_get_declared)
{
	const struct runtime_container *declared = declared_of(proc, value);

	(void)column;
	(void)view;
	if (!declared)
		return;
	value->kind = VALUE_CAPS;
	value->caps.mask = declared->caps;
	value->caps.reach = REACH_HOST;
	value->caps.declared = declared;
}

/*
 * Whether it made itself a user namespace below the container's: all that it holds counts in there
 * alone. One that could not be read is none.
 */
static bool is_in_own_userns(const struct view_context *view, const struct proc *proc)
{
	const struct proc *first = model_find(view->model, proc->container->first_pid);
	const uint64_t needed = FIELD_BIT(FIELD_USERNS) | FIELD_BIT(FIELD_NS + NS_USER);

	return first && !((first->unknown | proc->unknown) & needed) &&
	       proc->task->user_ns_level > first->task->user_ns_level;
}

uint64_t proc_drift(const struct view_context *view, const struct proc *proc)
{
	const __u64 *caps = proc->task->caps;
	uint64_t held = caps[CAP_SET_EFFECTIVE] | caps[CAP_SET_PERMITTED] | caps[CAP_SET_BOUNDING];

	if (is_in_own_userns(view, proc))
		return 0;
	return held & ~proc->container->declared->caps & caps_full(view->facts->cap_last);
}

enum value_kind proc_drift_known(const struct view_context *view, const struct proc *proc,
				 uint64_t *drift)
{
	struct value value = {.kind = VALUE_NONE};

	if (!declared_of(proc, &value))
		return value.kind;
	*drift = proc_drift(view, proc);
	return VALUE_CAPS;
}

PROC_GETTER(proc_get_drift)
{
	(void)column;
	value->kind = proc_drift_known(view, proc, &value->caps.mask);
	value->caps.reach = REACH_HOST;
}

const char *const proc_surface_words[] = {
	[SURFACE_HOST_ROOT] = "host-root",
	[SURFACE_HOST_CAPS] = "host-caps",
	[SURFACE_CAN_GAIN] = "can-gain",
	[SURFACE_NO_SECCOMP] = "no-seccomp",
	[SURFACE_HOST_MNT] = "host-mnt",
	[SURFACE_HOST_PID] = "host-pid",
	[SURFACE_HOST_NET] = "host-net",
	[SURFACE_HOST_IPC] = "host-ipc",
	[SURFACE_WORDS] = NULL,
};

void proc_surface_add(struct text *out, uint32_t surface)
{
	for (int word = 0; word < SURFACE_WORDS; word++) {
		if (surface >> word & 1)
			text_add(out, proc_surface_words[word],
				 strlen(proc_surface_words[word]) + 1);
	}
}

/* What it is and may become on the host: nothing of that in a user namespace of its own, but root's
 * files are root's everywhere. */
static uint32_t surface_of_power(const struct view_context *view, const struct proc *proc)
{
	const struct task_record *task = proc->task;
	const struct id_block *ids = &task->ids;
	uint32_t surface = 0;

	if (!ids->uid || !ids->euid || !ids->suid || !ids->fsuid)
		surface |= 1u << SURFACE_HOST_ROOT;
	if (!proc_is_host_effective(proc, view->model))
		return surface;
	if (task->caps[CAP_SET_EFFECTIVE] | task->caps[CAP_SET_PERMITTED])
		surface |= 1u << SURFACE_HOST_CAPS;
	if (!task->no_new_privs && task->caps[CAP_SET_BOUNDING])
		surface |= 1u << SURFACE_CAN_GAIN;
	return surface;
}

enum value_kind proc_surface(const struct view_context *view, const struct proc *proc,
			     uint32_t *surface)
{
	static const struct {
		enum ns_kind kind;
		enum surface word;
	} namespaces[] = {
		{NS_MNT, SURFACE_HOST_MNT},
		{NS_PID, SURFACE_HOST_PID},
		{NS_NET, SURFACE_HOST_NET},
		{NS_IPC, SURFACE_HOST_IPC},
	};
	const uint32_t *host_ns = model_host_ns(view->model);
	const struct task_record *task = proc->task;

	if (!proc->container || task->flags & TASK_ZOMBIE)
		return VALUE_NONE;
	if (proc->unknown & PROC_SURFACE_NEEDS || !host_ns[NS_USER])
		return VALUE_UNKNOWN;
	*surface = surface_of_power(view, proc);
	if (!task->seccomp)
		*surface |= 1u << SURFACE_NO_SECCOMP;
	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++) {
		enum ns_kind kind = namespaces[i].kind;

		if (!host_ns[kind])
			return VALUE_UNKNOWN;
		if (task->ns[kind] == host_ns[kind])
			*surface |= 1u << namespaces[i].word;
	}
	return VALUE_WORDS;
}

PROC_GETTER(proc_get_surface)
{
	uint32_t surface;

	(void)column;
	value->kind = proc_surface(view, proc, &surface);
	if (value->kind != VALUE_WORDS)
		return;
	text_clear(view->scratch);
	proc_surface_add(view->scratch, surface);
	value->text.data = view->scratch->data;
	value->text.length = view->scratch->length;
}

/* False: *value says already that there is nothing to tell, or nobody knows. */
static bool fact_of(const struct view_context *view, const struct proc *proc, enum cgroup_fact fact,
		    struct value *value, uint64_t *number)
{
	const struct cgroup_limits *limits = NULL;
	int failed = -ENOTSUP;

	if (!proc->container)
		return false;
	if (view->limits)
		limits = container_limits_get(view->limits, proc->container, &failed);
	if (failed == -ENOENT) /* it shares its cgroup with its neighbours */
		return false;
	if (failed || limits->unknown & 1u << fact) {
		value->kind = VALUE_UNKNOWN;
		return false;
	}
	*number = limits->facts[fact];
	return *number != CGROUP_NO_LIMIT;
}

PROC_GETTER(proc_get_cpu_usage)
{
	uint64_t used_ns;
	uint64_t start_ns;

	(void)column;
	if (!fact_of(view, proc, CGROUP_CPU_USAGE, value, &used_ns))
		return;
	start_ns = proc->container->start_boot_ns;
	value->kind = VALUE_UNKNOWN;
	if (view->facts->boot_now_ns > start_ns)
		value_set_real(value,
			       (double)used_ns / (double)(view->facts->boot_now_ns - start_ns));
}

PROC_GETTER(proc_get_cpu_limit)
{
	uint64_t nano_cpus;

	(void)column;
	if (fact_of(view, proc, CGROUP_CPU_LIMIT, value, &nano_cpus))
		value_set_real(value, (double)nano_cpus / NANO);
}

PROC_GETTER(proc_get_cgroup_fact)
{
	uint64_t number;

	if (!fact_of(view, proc, (enum cgroup_fact)column->at, value, &number))
		return;
	value->kind = VALUE_NUMBER;
	value->number = (int64_t)number;
}
