/* SPDX-License-Identifier: GPL-2.0-only */
/* What a sample container is to be: filled from docker's words, carried out by launch.h. */
#ifndef NSVIEW_LAUNCH_SPEC_H
#define NSVIEW_LAUNCH_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPEC_NAME_MAX 128

/* Zero is what `docker run` without options makes, but for stdio. Strings and arrays are borrowed,
 * and have to outlive the launch. */
struct spec {
	const char *name; /* NULL: its id, 12 hex digits */
	const char *user; /* --user as typed: UID[:GID] or names of the container; NULL: root */
	const char *const *cap_add; /* as typed */
	size_t cap_add_count;
	const char *const *cap_drop;
	size_t cap_drop_count;
	const char *image;          /* --image; NULL: none */
	const char *rootfs;         /* --rootfs; NULL: the host's own programs */
	const char *const *volumes; /* -v as typed */
	size_t volumes_count;
	bool is_read_only;
	const char *const *security_opts; /* as typed */
	size_t security_opts_count;
	const char *cpus; /* as typed, as all up to userns; NULL: not given */
	const char *memory;
	const char *pids_limit;
	const char *network;
	const char *pid;
	const char *ipc;
	const char *uts;
	const char *userns;
	bool is_privileged;
	const char *const *environment; /* -e as typed */
	size_t environment_count;
	const char *workdir;  /* NULL: / */
	const char *hostname; /* NULL: its id */
	char *const *command; /* NULL-terminated; with an image it may be empty */
	bool has_terminal;    /* -t */
	bool keeps_stdin;     /* -i; else COMMAND reads /dev/null */
	int stdio[3];         /* descriptors that become COMMAND's 0, 1 and 2 */
};

/* The words of one of its lists, for a spec that is written out: SPEC_WORDS(cap_add, "KILL"). */
#define SPEC_WORDS(list, ...)                       \
	.list = (const char *const[]){__VA_ARGS__}, \
	.list##_count = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)

/* The caller's own stdin, stdout and stderr. */
void spec_use_own_stdio(struct spec *spec);

/* docker's names: a letter or digit, then letters, digits, `_`, `.`, `-`. -EINVAL has been said. */
int spec_check_name(const char *name);

/* --hostname and --workdir. -EINVAL has been said. */
int spec_check_places(const struct spec *spec);

/*
 * The set that docker 20.10 gives: --cap-add ALL wins and leaves what --cap-drop names out;
 * --cap-drop ALL leaves what --cap-add names; else the default set, first dropped from, then added
 * to. cap_last: the kernel's highest. -EINVAL, no such capability, has been said.
 */
int spec_capabilities(const struct spec *spec, int cap_last, uint64_t *capabilities);

/* --cap-add ALL: as from docker 23 on, all that can be given. */
bool spec_adds_all(const struct spec *spec);

/* A process can only pass on what it has (privilege_grantable). -EPERM has been said. */
int spec_check_grantable(uint64_t capabilities, uint64_t grantable);

#endif
