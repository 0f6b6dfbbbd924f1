/* SPDX-License-Identifier: GPL-2.0-only */
#include "host/cgroup_limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/cgroup.h"
#include "host/procfs.h"

#define CGROUP_TEXT_BYTES (64u * 1024) /* a dozen hierarchies of the longest paths */
#define FILE_BYTES 16384               /* memory.stat is the longest: some 60 lines */
#define NANO 1000000000ULL
#define UNLIMITED_V1 (1ULL << 62) /* PAGE_COUNTER_MAX in bytes, rounded to pages: just below 2^63 */

/* -ENOENT: this cgroup has no such file, because its controller is not enabled there. */
static int file_read(const char *directory, const char *name, char text[FILE_BYTES])
{
	autofree char *path = mem_printf("%s/%s", directory, name);
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, FILE_BYTES - 1);

	if (length < 0)
		return -errno;
	text[length] = '\0';
	return 0;
}

/* "max" is no limit. */
static int number_parse(const char *text, uint64_t *number)
{
	char *end;

	if (!strncmp(text, "max", 3)) {
		*number = CGROUP_NO_LIMIT;
		return 0;
	}
	errno = 0;
	*number = strtoull(text, &end, 10);
	return end == text || errno ? -EINVAL : 0;
}

static int number_read(const char *directory, const char *name, uint64_t *number)
{
	char text[FILE_BYTES];
	int r = file_read(directory, name, text);

	return r ? r : number_parse(text, number);
}

/* "key 123" on a line of its own. */
static int field_read(const char *directory, const char *name, const char *key, uint64_t *number)
{
	char text[FILE_BYTES];
	size_t length = strlen(key);
	int r = file_read(directory, name, text);

	if (r)
		return r;
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, key, length) && line[length] == ' ')
			return number_parse(line + length + 1, number);
	}
	return -EINVAL;
}

static uint64_t cpus_of(uint64_t quota_us, uint64_t period_us)
{
	return period_us ? (uint64_t)((unsigned __int128)quota_us * NANO / period_us)
			 : CGROUP_NO_LIMIT;
}

static int cpu_usage_v1(const char *directory, uint64_t *value)
{
	return number_read(directory, "cpuacct.usage", value);
}

static int cpu_usage_v2(const char *directory, uint64_t *value)
{
	uint64_t usage_us;
	int r = field_read(directory, "cpu.stat", "usage_usec", &usage_us);

	if (!r)
		*value = usage_us * 1000;
	return r;
}

static int cpu_limit_v1(const char *directory, uint64_t *value)
{
	char text[FILE_BYTES];
	uint64_t quota_us, period_us;
	int r = file_read(directory, "cpu.cfs_quota_us", text);

	if (!r && text[0] == '-') {
		*value = CGROUP_NO_LIMIT;
		return 0;
	}
	if (!r)
		r = number_parse(text, &quota_us);
	if (!r)
		r = number_read(directory, "cpu.cfs_period_us", &period_us);
	if (!r)
		*value = cpus_of(quota_us, period_us);
	return r;
}

/* "50000 100000", "max 100000" */
static int cpu_limit_v2(const char *directory, uint64_t *value)
{
	char text[FILE_BYTES];
	uint64_t quota_us, period_us;
	const char *period;
	int r = file_read(directory, "cpu.max", text);

	if (!r)
		r = number_parse(text, &quota_us);
	if (r)
		return r;
	period = strchr(text, ' ');
	r = period ? number_parse(period + 1, &period_us) : -EINVAL;
	if (!r)
		*value = quota_us == CGROUP_NO_LIMIT ? CGROUP_NO_LIMIT
						     : cpus_of(quota_us, period_us);
	return r;
}

static int memory_usage(const char *directory, const char *usage_file, const char *idle_key,
			uint64_t *value)
{
	uint64_t usage, idle;
	int r = number_read(directory, usage_file, &usage);

	if (!r)
		r = field_read(directory, "memory.stat", idle_key, &idle);
	if (!r)
		*value = idle < usage ? usage - idle : usage;
	return r;
}

static int memory_usage_v1(const char *directory, uint64_t *value)
{
	return memory_usage(directory, "memory.usage_in_bytes", "total_inactive_file", value);
}

static int memory_usage_v2(const char *directory, uint64_t *value)
{
	return memory_usage(directory, "memory.current", "inactive_file", value);
}

static int memory_limit_v1(const char *directory, uint64_t *value)
{
	int r = number_read(directory, "memory.limit_in_bytes", value);

	if (!r && *value >= UNLIMITED_V1)
		*value = CGROUP_NO_LIMIT;
	return r;
}

static int memory_limit_v2(const char *directory, uint64_t *value)
{
	return number_read(directory, "memory.max", value);
}

static int pids_usage(const char *directory, uint64_t *value)
{
	return number_read(directory, "pids.current", value);
}

static int pids_limit(const char *directory, uint64_t *value)
{
	return number_read(directory, "pids.max", value);
}

/* By enum cgroup_fact: the controller of version 1, and how either version's files tell it. */
static const struct {
	enum cgroup_hierarchy hierarchy;
	int (*get_v1)(const char *directory, uint64_t *value);
	int (*get_v2)(const char *directory, uint64_t *value);
	bool is_limit;
} facts[CGROUP_FACTS] = {
	[CGROUP_CPU_USAGE] = {CGROUP_CPUACCT, cpu_usage_v1, cpu_usage_v2, false},
	[CGROUP_CPU_LIMIT] = {CGROUP_CPU, cpu_limit_v1, cpu_limit_v2, true},
	[CGROUP_MEMORY_USAGE] = {CGROUP_MEMORY, memory_usage_v1, memory_usage_v2, false},
	[CGROUP_MEMORY_LIMIT] = {CGROUP_MEMORY, memory_limit_v1, memory_limit_v2, true},
	[CGROUP_PIDS_USAGE] = {CGROUP_PIDS, pids_usage, pids_usage, false},
	[CGROUP_PIDS_LIMIT] = {CGROUP_PIDS, pids_limit, pids_limit, true},
};

/*
 * The tightest of directory and those above it; `top` is the length of the mount point, where they
 * end. A cgroup without the file limits nothing.
 */
static int limit_read(char *directory, size_t top, int (*get)(const char *, uint64_t *),
		      uint64_t *tightest)
{
	size_t length = strlen(directory);

	*tightest = CGROUP_NO_LIMIT;
	for (;;) {
		uint64_t value = CGROUP_NO_LIMIT;
		int r = get(directory, &value);

		if (r && r != -ENOENT)
			return r;
		if (value < *tightest)
			*tightest = value;
		while (length > top && directory[length - 1] != '/')
			length--;
		if (length <= top)
			return 0;
		directory[--length] = '\0';
	}
}

/* Cuts the path after the container's own component; false: it is in none of them. */
static bool choice_cut(struct cgroup_choice *choice, const char *id)
{
	struct cgroup_container found;
	const char *end = choice->path + choice->length;
	const char *slash;

	if (!cgroup_find_container(choice->path, choice->length, &found) ||
	    found.id_length != strlen(id) || memcmp(found.id, id, found.id_length))
		return false;
	slash = memchr(found.id, '/', (size_t)(end - found.id));
	choice->length = (size_t)((slash ? slash : end) - choice->path);
	return true;
}

/* -ENOENT: in this hierarchy, the container has no cgroup of its own. */
static int fact_read(const struct cgroup_tree *tree, const struct text *cgroups, const char *id,
		     enum cgroup_fact fact, uint64_t *value)
{
	struct cgroup_choice choice;
	autofree char *directory = NULL;
	size_t top;
	bool is_v1 =
		!cgroup_choose_one(cgroups->data, cgroups->length, facts[fact].hierarchy, &choice);
	int (*get)(const char *, uint64_t *) = is_v1 ? facts[fact].get_v1 : facts[fact].get_v2;

	if (!is_v1 && cgroup_choose_one(cgroups->data, cgroups->length, CGROUP_V2, &choice))
		return -ENOENT;
	if (!choice_cut(&choice, id))
		return -ENOENT;
	directory = cgroup_tree_directory(tree, &choice, &top);
	if (!directory)
		return -EXDEV;
	if (access(directory, F_OK))
		return -ESTALE;
	return facts[fact].is_limit ? limit_read(directory, top, get, value)
				    : get(directory, value);
}

int cgroup_limits_read(const struct cgroup_tree *tree, int proc_fd, uint32_t pid, const char *id,
		       struct cgroup_limits *limits)
{
	struct text cgroups = {0};
	bool has_own = false;
	int r = procfs_read(proc_fd, pid, "cgroup", CGROUP_TEXT_BYTES, &cgroups);

	memset(limits, 0, sizeof(*limits));
	for (int fact = 0; fact < CGROUP_FACTS && r >= 0; fact++) {
		int failed =
			fact_read(tree, &cgroups, id, (enum cgroup_fact)fact, &limits->facts[fact]);

		if (failed != -ENOENT)
			has_own = true;
		if (failed) {
			limits->facts[fact] = 0;
			limits->unknown |= 1u << fact;
		}
	}
	text_free(&cgroups);
	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	return has_own ? 0 : -ENOENT;
}
