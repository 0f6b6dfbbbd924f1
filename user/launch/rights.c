/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/rights.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "host/caps.h"
#include "launch/privilege.h"
#include "launch/spec.h"

/* A word that says whose namespace it is to be. NULL as its own: there is no word for that. */
static const struct rights_ns {
	const char *option;
	size_t offset; /* in struct spec */
	uint64_t kind;
	const char *own;
	const char *choices;
} rights_ns_table[] = {
	{"--network", offsetof(struct spec, network), CLONE_NEWNET, "none",
	 "none, with nothing in it but the loopback interface, or host"},
	{"--pid", offsetof(struct spec, pid), CLONE_NEWPID, NULL, "host, or its own without --pid"},
	{"--ipc", offsetof(struct spec, ipc), CLONE_NEWIPC, "private", "private or host"},
	{"--uts", offsetof(struct spec, uts), CLONE_NEWUTS, NULL, "host, or its own without --uts"},
	{"--userns", offsetof(struct spec, userns), CLONE_NEWUSER, "auto", "host or auto"},
};

static int rights_read_ns(const struct spec *spec, const struct rights_ns *row,
			  struct rights *rights)
{
	const char *word = *(const char *const *)((const char *)spec + row->offset);

	if (!word ? row->kind != CLONE_NEWUSER : row->own && !strcmp(word, row->own))
		rights->namespaces |= row->kind;
	else if (word && strcmp(word, "host"))
		return log_error(-EINVAL, "cannot give the container %s %s: it is %s", row->option,
				 *word ? word : "''", row->choices);
	return 0;
}

static int rights_read_namespaces(const struct spec *spec, struct rights *rights)
{
	int r = 0;

	rights->namespaces = CLONE_NEWNS;
	for (size_t i = 0; !r && i < ARRAY_SIZE(rights_ns_table); i++)
		r = rights_read_ns(spec, &rights_ns_table[i], rights);
	return r;
}

/* What Go's ParseBool takes. */
static int rights_read_boolean(const char *word, bool *value)
{
	static const char *const words[2][6] = {{"0", "f", "F", "false", "FALSE", "False"},
						{"1", "t", "T", "true", "TRUE", "True"}};

	for (int i = 0; i < 2; i++) {
		for (size_t j = 0; j < ARRAY_SIZE(words[i]); j++) {
			if (!strcmp(word, words[i][j])) {
				*value = i;
				return 0;
			}
		}
	}
	return -EINVAL;
}

/* key=value, or docker's older key:value. */
static int rights_read_security(const char *words, struct rights *rights)
{
	size_t length = strcspn(words, "=:");
	const char *value = words[length] ? words + length + 1 : NULL;

	if (length == strlen("no-new-privileges") && !strncmp(words, "no-new-privileges", length)) {
		if (!rights_read_boolean(value ? value : "true", &rights->has_no_new_privileges))
			return 0;
	} else if (length == strlen("seccomp") && !strncmp(words, "seccomp", length) && value &&
		   !strcmp(value, "unconfined")) {
		rights->is_filtered = false;
		return 0;
	}
	return log_error(
		-EINVAL,
		"cannot give the container --security-opt %s: there are no-new-privileges, "
		"no-new-privileges=false and seccomp=unconfined",
		*words ? words : "''");
}

static int rights_read_limits(const struct spec *spec, struct limits *limits)
{
	int r = 0;

	if (spec->cpus)
		r = limits_read_cpus(spec->cpus, sysconf(_SC_NPROCESSORS_ONLN), &limits->nano_cpus);
	if (!r && spec->memory)
		r = limits_read_memory(spec->memory, &limits->memory_bytes);
	if (!r && spec->pids_limit)
		r = limits_read_pids(spec->pids_limit, &limits->pids);
	return r;
}

/* Without the capability to make namespaces, a user namespace is the way to have it. */
static int rights_choose_userns(const struct spec *spec, bool has_sys_admin, struct rights *rights)
{
	if (!has_sys_admin && spec->userns && !rights_has_own(rights, CLONE_NEWUSER))
		return log_error(-EPERM,
				 "cannot give the container --userns host: without root nsview "
				 "makes containers in user namespaces only; start it as root, for "
				 "example with sudo");
	if (!has_sys_admin)
		rights->namespaces |= CLONE_NEWUSER;
	if (!rights_has_own(rights, CLONE_NEWUSER))
		return 0;
	if (!rights_has_own(rights, CLONE_NEWPID))
		return log_error(-EINVAL,
				 "cannot give the container --pid host: a user namespace of its "
				 "own has no rights in the host's pid namespace");
	if (!rights_has_own(rights, CLONE_NEWNET))
		return log_error(-EINVAL,
				 "cannot give the container --network host: a user namespace of "
				 "its own has no rights in the host's network namespace");
	if (has_sys_admin && spec->is_privileged)
		return log_error(-EINVAL, "cannot give the container --privileged: with --userns "
					  "auto nothing in it has rights on the host");
	return userns_plan(&rights->userns, has_sys_admin);
}

static int rights_choose_capabilities(const struct spec *spec, int cap_last, uint64_t grantable,
				      struct rights *rights)
{
	int r = spec_capabilities(spec, cap_last, &rights->capabilities);

	if (r)
		return r;
	/* The first process of a user namespace has all there are in it. */
	if (rights_has_own(rights, CLONE_NEWUSER))
		grantable = caps_full(cap_last);
	if (spec->is_privileged)
		rights->capabilities = grantable;
	else if (spec_adds_all(spec))
		rights->capabilities &= grantable;
	return spec_check_grantable(rights->capabilities, grantable);
}

int rights_read(const struct spec *spec, struct rights *rights)
{
	int cap_last = privilege_cap_last();
	uint64_t grantable = privilege_grantable(cap_last);
	int r = rights_read_namespaces(spec, rights);

	rights->is_filtered = !spec->is_privileged;
	for (size_t i = 0; !r && i < spec->security_opts_count; i++)
		r = rights_read_security(spec->security_opts[i], rights);
	if (!r)
		r = rights_read_limits(spec, &rights->limits);
	if (!r)
		r = rights_choose_userns(spec, grantable & (1ULL << CAP_SYS_ADMIN), rights);
	if (!r)
		r = rights_choose_capabilities(spec, cap_last, grantable, rights);
	if (!r && rights->is_filtered)
		r = seccomp_make(rights->capabilities, &rights->seccomp);
	return r;
}

void rights_free(struct rights *rights)
{
	seccomp_free(&rights->seccomp);
}
