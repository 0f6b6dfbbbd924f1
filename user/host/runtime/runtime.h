/* SPDX-License-Identifier: GPL-2.0-only */
/* What a runtime's own files say about a container: what was asked for, not what is. */
#ifndef NSVIEW_HOST_RUNTIME_RUNTIME_H
#define NSVIEW_HOST_RUNTIME_RUNTIME_H

#include <stdbool.h>
#include <stdint.h>

#define RUNTIME_NO_LIMIT UINT64_MAX

/* Strings are the runtime's or its users', and may hold anything but NUL. NULL: it does not say. */
struct runtime_container {
	const char *runtime; /* docker, ...; static */
	const char *id;
	const char *name; /* as its users call it; with Kubernetes NAMESPACE/POD/CONTAINER */
	const char *image;
	const char *pod;
	const char *pod_namespace;
	const char *user;   /* as asked for: a name or number, perhaps with :GROUP; "" is root */
	uint32_t first_pid; /* of its first process, as the runtime's pid namespace numbers it; 0 */
	uint64_t caps;      /* the most that its root may have */
	uint64_t cpu_limit_nano; /* billionths of a CPU, or RUNTIME_NO_LIMIT */
	uint64_t memory_limit_bytes;
	uint64_t pids_limit;
	uint32_t shares_host; /* 1 << enum ns_kind: namespaces that it was to share with the host */
	bool is_privileged;
	bool has_no_new_privs;
	bool has_no_seccomp;
	bool has_readonly_root;
};

#endif
