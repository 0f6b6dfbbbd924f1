/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <mntent.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "launch/cgroup_clear.h"
#include "launch/device_guard.h"
#include "launch/limits.h"

#define CGROUP_PARENT "nsview" /* host/cgroup.c knows it */
#define CGROUP_PLACES_MAX 32   /* version 1 has 14 controllers and a few named hierarchies */
#define CGROUP_TRIES 16        /* as often may another nsview remove the parent under our feet */
#define CGROUP_FILE_BYTES 4096
#define CGROUP_ID_DIGITS 12
#define CGROUP_SWEEP_SECONDS 60

/* One hierarchy. */
struct place {
	char *base;          /* the parent of /nsview */
	unsigned int limits; /* 1 << enum limit_id, those whose version 1 controller is here */
	dev_t device;
	bool is_v2;
	bool has_devices; /* version 1's devices controller */
	bool is_made;
	int error; /* why it is not */
};

struct cgroup {
	char *id;
	size_t count;
	struct place places[CGROUP_PLACES_MAX];
};

enum limit_id {
	LIMIT_CPUS,
	LIMIT_MEMORY,
	LIMIT_PIDS,
	LIMITS
};

/*
 * What docker writes. The optional file is there where the kernel counts swap: memory and swap
 * together on version 1, swap alone on version 2, in both cases as much swap as memory.
 */
static const struct limit {
	const char *option;
	const char *controller;
	const char *v1_file;
	const char *v2_file;
	const char *v1_optional;
	const char *v2_optional;
} limit_table[LIMITS] = {
	[LIMIT_CPUS] = {"--cpus", "cpu", "cpu.cfs_quota_us", "cpu.max", NULL, NULL},
	[LIMIT_MEMORY] = {"--memory", "memory", "memory.limit_in_bytes", "memory.max",
			  "memory.memsw.limit_in_bytes", "memory.swap.max"},
	[LIMIT_PIDS] = {"--pids-limit", "pids", "pids.max", "pids.max", NULL, NULL},
};

static uint64_t *limit_of(struct limits *limits, enum limit_id id)
{
	switch (id) {
	case LIMIT_CPUS:
		return &limits->nano_cpus;
	case LIMIT_MEMORY:
		return &limits->memory_bytes;
	default:
		return &limits->pids;
	}
}

/* /proc/self/cgroup's path on version 2: where this process may have been given a subtree. */
static char *own_path(void)
{
	autofclose FILE *file = fopen("/proc/self/cgroup", "re");
	autofree char *line = NULL;
	size_t capacity = 0;

	while (file && getline(&line, &capacity, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "0::/", 4))
			return mem_copy(line + 3);
	}
	return NULL;
}

static bool is_writable(const char *dir)
{
	autofree char *procs = mem_printf("%s/cgroup.procs", dir);

	return !eaccess(dir, W_OK) && !eaccess(procs, W_OK);
}

/* The highest cgroup above this process that is ours to write, as systemd gives a user's session
 * one. NULL: there is none. */
static char *delegated_base(const char *mount_point)
{
	autofree char *path = own_path();
	autofree char *base = NULL;

	while (path) {
		autofree char *dir = mem_printf("%s%s", mount_point, path);
		char *slash = strrchr(path, '/');

		if (!is_writable(dir))
			break;
		free(base);
		base = steal(dir);
		if (slash == path)
			break;
		*slash = '\0';
	}
	return steal(base);
}

/* A mount of the same hierarchy elsewhere adds nothing. */
static bool cgroup_has(const struct cgroup *cgroup, dev_t device)
{
	for (size_t i = 0; i < cgroup->count; i++) {
		if (cgroup->places[i].device == device)
			return true;
	}
	return false;
}

static void cgroup_add(struct cgroup *cgroup, const struct mntent *entry)
{
	struct place *place = &cgroup->places[cgroup->count];
	char *base = NULL;
	struct stat status;

	if (cgroup->count == CGROUP_PLACES_MAX || stat(entry->mnt_dir, &status) ||
	    cgroup_has(cgroup, status.st_dev))
		return;
	*place = (struct place){
		.device = status.st_dev,
		.is_v2 = !strcmp(entry->mnt_type, "cgroup2"),
	};
	for (size_t i = 0; i < LIMITS && !place->is_v2; i++) {
		if (hasmntopt(entry, limit_table[i].controller))
			place->limits |= 1u << i;
	}
	place->has_devices = !place->is_v2 && hasmntopt(entry, "devices");
	if (place->is_v2 && !is_writable(entry->mnt_dir))
		base = delegated_base(entry->mnt_dir);
	place->base = base ? base : mem_copy(entry->mnt_dir);
	cgroup->count++;
}

struct cgroup *cgroup_find(const char *id)
{
	struct cgroup *cgroup = mem_new(sizeof(*cgroup));
	FILE *file = setmntent("/proc/self/mounts", "re");
	struct mntent *entry;

	cgroup->id = mem_copy(id);
	while (file && (entry = getmntent(file))) {
		if (!strcmp(entry->mnt_type, "cgroup") || !strcmp(entry->mnt_type, "cgroup2"))
			cgroup_add(cgroup, entry);
	}
	if (file)
		endmntent(file);
	return cgroup;
}

void cgroup_free(struct cgroup *cgroup)
{
	for (size_t i = 0; cgroup && i < cgroup->count; i++)
		free(cgroup->places[i].base);
	if (cgroup)
		free(cgroup->id);
	free(cgroup);
}

static char *place_path(const struct cgroup *cgroup, const struct place *place)
{
	return mem_printf("%s/" CGROUP_PARENT "/%s", place->base, cgroup->id);
}

static int file_write(const char *dir, const char *name, const char *content)
{
	autofree char *path = mem_printf("%s/%s", dir, name);
	autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, content, strlen(content)) < 0 ? -errno : 0;
}

/* Without the newline. -errno, or the length. */
static ssize_t file_read(const char *dir, const char *name, char content[CGROUP_FILE_BYTES])
{
	autofree char *path = mem_printf("%s/%s", dir, name);
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, content, CGROUP_FILE_BYTES - 1);

	if (length < 0)
		return -errno;
	while (length && content[length - 1] == '\n')
		length--;
	content[length] = '\0';
	return length;
}

/* A new version 1 cpuset is empty, and nobody can enter it. */
static void cpuset_fill(const char *parent, const char *dir)
{
	static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};
	char content[CGROUP_FILE_BYTES];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (!file_read(dir, files[i], content) && file_read(parent, files[i], content) > 0)
			file_write(dir, files[i], content);
	}
}

/* Version 2: a child has a controller's files only when its parent says so. One at a time, because
 * one that cannot be enabled would keep the others out; what is missing then shows in its files. */
static void controllers_enable(const char *dir)
{
	for (size_t i = 0; i < LIMITS; i++) {
		autofree char *word = mem_printf("+%s", limit_table[i].controller);

		file_write(dir, "cgroup.subtree_control", word);
	}
}

static int dir_make(const char *path)
{
	return mkdir(path, 0755) && errno != EEXIST ? -errno : 0;
}

static int place_make_once(const struct place *place, const char *path)
{
	autofree char *parent = mem_printf("%s/" CGROUP_PARENT, place->base);
	int r = dir_make(parent);

	if (r)
		return r;
	if (place->is_v2) {
		controllers_enable(place->base);
		controllers_enable(parent);
	} else {
		cpuset_fill(place->base, parent);
	}
	r = dir_make(path);
	if (!r && !place->is_v2)
		cpuset_fill(parent, path);
	return r;
}

/* The last container's end removes the parent: then once more. */
static void place_make(const struct cgroup *cgroup, struct place *place)
{
	autofree char *path = place_path(cgroup, place);

	place->error = -ENOENT;
	for (int i = 0; i < CGROUP_TRIES && place->error == -ENOENT; i++)
		place->error = place_make_once(place, path);
	place->is_made = !place->error;
}

/* The hierarchy that holds the controller: version 1's own before version 2, which has what no
 * version 1 hierarchy has taken. */
static struct place *place_for(struct cgroup *cgroup, enum limit_id id)
{
	struct place *found = NULL;

	for (size_t i = 0; i < cgroup->count; i++) {
		if (cgroup->places[i].limits & (1u << id))
			return &cgroup->places[i];
		if (cgroup->places[i].is_v2)
			found = &cgroup->places[i];
	}
	return found;
}

static void limit_discard(const struct limit *limit, const struct place *place)
{
	if (!place)
		log_note("the container runs without %s: this machine has no cgroups",
			 limit->option);
	else if (place->is_made)
		log_note("the container runs without %s: the %s controller cannot be had in "
			 "%s/" CGROUP_PARENT,
			 limit->option, limit->controller, place->base);
	else if (place->error == -EACCES || place->error == -EPERM)
		log_note("the container runs without %s: making its cgroup in %s is not permitted "
			 "to this user; start nsview run as root, for example with sudo",
			 limit->option, place->base);
	else
		log_note("the container runs without %s: its cgroup cannot be made in %s: %s",
			 limit->option, place->base, strerror(-place->error));
}

static int limit_write(const struct limit *limit, bool is_v2, const char *dir, uint64_t value)
{
	autofree char *number = mem_printf("%" PRIu64, value);
	autofree char *both = mem_printf("%" PRIu64, is_v2 ? value : 2 * value);
	const char *optional = is_v2 ? limit->v2_optional : limit->v1_optional;
	int r;

	r = file_write(dir, is_v2 ? limit->v2_file : limit->v1_file, number);
	if (r)
		return r;
	r = optional ? file_write(dir, optional, both) : 0;
	return r == -ENOENT ? 0 : r;
}

static int cpus_write(const struct limit *limit, bool is_v2, const char *dir, uint64_t nano_cpus)
{
	autofree char *words = NULL;

	if (!is_v2) {
		autofree char *period = mem_printf("%d", LIMITS_PERIOD_US);
		int r = file_write(dir, "cpu.cfs_period_us", period);

		return r ? r : limit_write(limit, false, dir, limits_quota_us(nano_cpus));
	}
	words = mem_printf("%" PRIu64 " %d", limits_quota_us(nano_cpus), LIMITS_PERIOD_US);
	return file_write(dir, limit->v2_file, words);
}

static int limit_set(struct cgroup *cgroup, enum limit_id id, uint64_t *value)
{
	const struct limit *limit = &limit_table[id];
	struct place *place = place_for(cgroup, id);
	autofree char *dir = NULL;
	int r = -ENOENT;

	if (!*value)
		return 0;
	if (place && place->is_made) {
		dir = place_path(cgroup, place);
		r = id == LIMIT_CPUS ? cpus_write(limit, place->is_v2, dir, *value)
				     : limit_write(limit, place->is_v2, dir, *value);
	}
	if (r == -ENOENT) {
		limit_discard(limit, place);
		*value = 0;
		return 0;
	}
	return r ? log_fail(r, "set %s in the container's cgroup %s", limit->option, dir) : 0;
}

/* A hierarchy that does not let it in is left at once, unless a limit depends on it. */
static int place_enter(const struct cgroup *cgroup, struct place *place, pid_t pid, bool is_needed)
{
	autofree char *dir = place_path(cgroup, place);
	autofree char *number = mem_printf("%d", pid);
	int r = file_write(dir, "cgroup.procs", number);

	place->is_made = !r;
	return r && is_needed ? log_fail(r, "put the container into its cgroup %s", dir) : 0;
}

int cgroup_make(struct cgroup *cgroup, struct limits *limits, pid_t pid)
{
	unsigned int needed = 0; /* 1 << index of the place */
	int r = 0;

	for (size_t i = 0; i < cgroup->count; i++)
		place_make(cgroup, &cgroup->places[i]);
	for (enum limit_id id = 0; !r && id < LIMITS; id++) {
		uint64_t *value = limit_of(limits, id);

		r = limit_set(cgroup, id, value);
		if (*value)
			needed |= 1u << (place_for(cgroup, id) - cgroup->places);
	}
	for (size_t i = 0; !r && i < cgroup->count; i++) {
		struct place *place = &cgroup->places[i];

		if (place->is_made)
			r = place_enter(cgroup, place, pid, needed & (1u << i));
	}
	return r;
}

static bool place_guard(const struct cgroup *cgroup, const struct place *place, bool by_v2)
{
	autofree char *dir = place_path(cgroup, place);

	if (!place->is_made)
		return false;
	if (by_v2)
		return place->is_v2 && device_guard_v2(dir);
	return place->has_devices && device_guard_v1(dir);
}

bool cgroup_guard_devices(const struct cgroup *cgroup)
{
	for (int by_v2 = 0; by_v2 < 2; by_v2++) {
		for (size_t i = 0; i < cgroup->count; i++) {
			if (place_guard(cgroup, &cgroup->places[i], by_v2))
				return true;
		}
	}
	return false;
}

bool cgroup_is_made(const struct cgroup *cgroup)
{
	for (size_t i = 0; i < cgroup->count; i++) {
		if (cgroup->places[i].is_made)
			return true;
	}
	return false;
}

int cgroup_enter(const struct cgroup *cgroup, pid_t pid)
{
	autofree char *number = mem_printf("%d", pid);

	for (size_t i = 0; i < cgroup->count; i++) {
		autofree char *dir = place_path(cgroup, &cgroup->places[i]);
		int r = cgroup->places[i].is_made ? file_write(dir, "cgroup.procs", number) : 0;

		if (r)
			return log_fail(r, "put a process into the container's cgroup %s", dir);
	}
	return 0;
}

/* The number in a line "KEY NUMBER" of a file of the controller's. */
static int limit_count(struct cgroup *cgroup, enum limit_id id, const char *file, const char *key,
		       uint64_t *number)
{
	const struct place *place = place_for(cgroup, id);
	autofree char *dir = place ? place_path(cgroup, place) : NULL;
	size_t length = strlen(key);
	char content[CGROUP_FILE_BYTES];
	char *rest = content;

	if (!place || file_read(dir, file, content) < 0)
		return -ENOENT;
	for (char *line; (line = strsep(&rest, "\n"));) {
		if (strncmp(line, key, length) || line[length] != ' ')
			continue;
		*number = strtoull(line + length, NULL, 10);
		return 0;
	}
	return -ENOENT;
}

int cgroup_memory_limit(struct cgroup *cgroup, uint64_t *bytes)
{
	const struct limit *limit = &limit_table[LIMIT_MEMORY];
	const struct place *place = place_for(cgroup, LIMIT_MEMORY);
	autofree char *dir = place ? place_path(cgroup, place) : NULL;
	char content[CGROUP_FILE_BYTES];
	char *end;

	if (!place || file_read(dir, place->is_v2 ? limit->v2_file : limit->v1_file, content) <= 0)
		return -ENOENT;
	*bytes = strtoull(content, &end, 10);
	/* Version 2's "max", and version 1's greatest number of whole pages. */
	return *end || *bytes > INT64_MAX / 2 ? -ENOENT : 0;
}

uint64_t cgroup_oom_kills(struct cgroup *cgroup)
{
	const struct place *place = place_for(cgroup, LIMIT_MEMORY);
	const char *file = place && place->is_v2 ? "memory.events" : "memory.oom_control";
	uint64_t kills = 0;

	limit_count(cgroup, LIMIT_MEMORY, file, "oom_kill", &kills);
	return kills;
}

int cgroup_cpu_periods(struct cgroup *cgroup, uint64_t *periods, uint64_t *throttled)
{
	int r = limit_count(cgroup, LIMIT_CPUS, "cpu.stat", "nr_periods", periods);

	return r ? r : limit_count(cgroup, LIMIT_CPUS, "cpu.stat", "nr_throttled", throttled);
}

bool cgroup_is_id(const char *id)
{
	return strlen(id) == CGROUP_ID_DIGITS && strspn(id, "0123456789abcdef") == CGROUP_ID_DIGITS;
}

/* One that is just being made is empty too: it is left alone for as long as that may take. */
static void parent_sweep(const char *parent)
{
	autoclose int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int own = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	DIR *dir = own < 0 ? NULL : fdopendir(own);
	struct dirent *entry;
	struct stat status;

	if (!dir && own >= 0)
		close(own);
	while (dir && (entry = readdir(dir))) {
		if (cgroup_is_id(entry->d_name) &&
		    !fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) &&
		    time(NULL) - status.st_mtime > CGROUP_SWEEP_SECONDS)
			unlinkat(fd, entry->d_name, AT_REMOVEDIR);
	}
	if (dir)
		closedir(dir);
}

void cgroup_sweep(const struct cgroup *cgroup)
{
	for (size_t i = 0; i < cgroup->count; i++) {
		autofree char *parent = mem_printf("%s/" CGROUP_PARENT, cgroup->places[i].base);

		parent_sweep(parent);
	}
}

void cgroup_remove(const struct cgroup *cgroup)
{
	for (size_t i = 0; i < cgroup->count; i++) {
		autofree char *path = place_path(cgroup, &cgroup->places[i]);
		autofree char *parent = mem_printf("%s/" CGROUP_PARENT, cgroup->places[i].base);

		cgroup_clear(path);
		/* Others may still be in it. */
		rmdir(parent);
	}
}
