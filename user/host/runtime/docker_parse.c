/* SPDX-License-Identifier: GPL-2.0-only */
/* What config.v2.json and hostconfig.json say, as Docker 20.10 to 28 write them. */
#include "host/runtime/docker.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "bpf/event.h"
#include "host/caps.h"
#include "host/runtime/state_json.h"

#define TEXT_BYTES_MAX 1024 /* of any one string that is kept */
#define NANO 1000000000LL
#define PERIOD_DEFAULT_US 100000 /* the kernel's, kernel/sched/fair.c */

static const char *text_keep(struct arena *arena, const char *text)
{
	return text ? arena_copy(arena, text, strnlen(text, TEXT_BYTES_MAX)) : NULL;
}

/* CapAdd or CapDrop as a mask; *has_all for the word ALL. Names it does not know are left out. */
static uint64_t caps_of(struct json_object *root, const char *path, bool *has_all)
{
	struct json_object *names = state_json_array(root, path);
	size_t count = names ? json_object_array_length(names) : 0;
	uint64_t mask = 0;

	*has_all = false;
	for (size_t i = 0; i < count; i++) {
		const char *name = state_json_item(names, i);
		int capability;

		if (name && !strcasecmp(name, "ALL"))
			*has_all = true;
		else if (name && !caps_from_name(name, &capability, NULL))
			mask |= 1ULL << capability;
	}
	return mask;
}

/* oci/caps/utils.go, TweakCapabilities: ALL that is added wins over ALL that is dropped. */
static uint64_t caps_declared(struct json_object *host, bool is_privileged, int cap_last)
{
	bool adds_all, drops_all;
	uint64_t add = caps_of(host, "/CapAdd", &adds_all);
	uint64_t drop = caps_of(host, "/CapDrop", &drops_all);

	if (is_privileged)
		return caps_full(cap_last);
	if (adds_all)
		return caps_full(cap_last) & ~drop;
	if (drops_all)
		return add;
	return (CAPS_DOCKER_DEFAULT & ~drop) | add;
}

static uint64_t limit_of(int64_t value)
{
	return value > 0 ? (uint64_t)value : RUNTIME_NO_LIMIT;
}

static uint32_t pid_of(int64_t value)
{
	return value > 0 && value <= INT32_MAX ? (uint32_t)value : 0;
}

/* --cpus, or else --cpu-quota and --cpu-period. */
static uint64_t cpu_limit(struct json_object *host)
{
	int64_t nano = state_json_number(host, "/NanoCpus");
	int64_t quota = state_json_number(host, "/CpuQuota");
	int64_t period = state_json_number(host, "/CpuPeriod");

	if (nano > 0 || quota <= 0 || quota > INT64_MAX / NANO)
		return limit_of(nano);
	return limit_of(quota * NANO / (period > 0 ? period : PERIOD_DEFAULT_US));
}

static uint32_t shared_namespaces(struct json_object *host)
{
	static const struct {
		const char *path;
		enum ns_kind kind;
	} modes[] = {
		{"/PidMode", NS_PID}, {"/NetworkMode", NS_NET},     {"/IpcMode", NS_IPC},
		{"/UTSMode", NS_UTS}, {"/CgroupnsMode", NS_CGROUP}, {"/UsernsMode", NS_USER},
	};
	uint32_t shared = 0;

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		const char *mode = state_json_text(host, modes[i].path);

		if (mode && !strcmp(mode, "host"))
			shared |= 1u << modes[i].kind;
	}
	return shared;
}

/* Older clients wrote `:` where newer ones write `=`. */
static bool option_is(const char *option, const char *name, const char *value)
{
	size_t length = strlen(name);

	return !strncmp(option, name, length) && (option[length] == '=' || option[length] == ':') &&
	       !strcmp(option + length + 1, value);
}

static void security_parse(struct json_object *host, struct runtime_container *container)
{
	struct json_object *options = state_json_array(host, "/SecurityOpt");
	size_t count = options ? json_object_array_length(options) : 0;

	container->has_no_seccomp = container->is_privileged;
	for (size_t i = 0; i < count; i++) {
		const char *option = state_json_item(options, i);

		if (!option)
			continue;
		if (!strcmp(option, "no-new-privileges") ||
		    option_is(option, "no-new-privileges", "true"))
			container->has_no_new_privs = true;
		if (option_is(option, "seccomp", "unconfined"))
			container->has_no_seccomp = true;
	}
}

/* cri-dockerd calls it k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT; its users do not. */
static void name_parse(struct arena *arena, struct json_object *config,
		       struct runtime_container *container)
{
	const char *name = state_json_text(config, "/Name");
	const char *labelled =
		state_json_text(config, "/Config/Labels/io.kubernetes.container.name");
	struct text full = {0};

	container->pod =
		text_keep(arena, state_json_text(config, "/Config/Labels/io.kubernetes.pod.name"));
	container->pod_namespace = text_keep(
		arena, state_json_text(config, "/Config/Labels/io.kubernetes.pod.namespace"));
	if (name && *name == '/')
		name++;
	if (container->pod && container->pod_namespace && labelled) {
		text_printf(&full, "%s/%s/%s", container->pod_namespace, container->pod, labelled);
		name = text_string(&full);
	}
	container->name = text_keep(arena, name && *name ? name : NULL);
	text_free(&full);
}

static int objects_parse(struct arena *arena, const char *id, struct json_object *config,
			 struct json_object *host, int cap_last,
			 struct runtime_container *container)
{
	const char *own_id = state_json_text(config, "/ID");

	if (!own_id || strcmp(own_id, id))
		return -EINVAL;
	*container = (struct runtime_container){
		.runtime = "docker",
		.id = text_keep(arena, id),
		.image = text_keep(arena, state_json_text(config, "/Config/Image")),
		.first_pid = pid_of(state_json_number(config, "/State/Pid")),
		.user = text_keep(arena, state_json_text(config, "/Config/User")),
		.is_privileged = state_json_bool(host, "/Privileged"),
		.has_readonly_root = state_json_bool(host, "/ReadonlyRootfs"),
		.cpu_limit_nano = cpu_limit(host),
		.memory_limit_bytes = limit_of(state_json_number(host, "/Memory")),
		.pids_limit = limit_of(state_json_number(host, "/PidsLimit")),
		.shares_host = shared_namespaces(host),
	};
	container->caps = caps_declared(host, container->is_privileged, cap_last);
	security_parse(host, container);
	name_parse(arena, config, container);
	return 0;
}

int docker_parse(struct arena *arena, const char *id, const char *config, size_t config_length,
		 const char *host_config, size_t host_config_length, int cap_last,
		 struct runtime_container *container)
{
	struct json_object *config_root = state_json_parse(config, config_length);
	struct json_object *host_root = state_json_parse(host_config, host_config_length);
	int r = -EINVAL;

	if (config_root && host_root)
		r = objects_parse(arena, id, config_root, host_root, cap_last, container);
	json_object_put(config_root);
	json_object_put(host_root);
	return r;
}
