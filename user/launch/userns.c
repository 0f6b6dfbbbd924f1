/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

#define USERNS_IDS 65536

/* What systemd, and every distribution that follows it, keeps for containers. */
#define USERNS_FREE_FIRST 524288u
#define USERNS_FREE_LAST 1879048191u
#define USERNS_FREE_COUNT ((USERNS_FREE_LAST + 1 - USERNS_FREE_FIRST) / USERNS_IDS)
#define USERNS_FREE_TRIES 64

/* Users and groups, alike but for the names. */
static const struct userns_kind {
	const char *file;
	const char *map;
	const char *program;
} userns_users = {"/etc/subuid", "uid_map", "newuidmap"},
  userns_groups = {"/etc/subgid", "gid_map", "newgidmap"};

/* line is changed. */
static bool range_parse(char *line, char **owner, struct userns_range *range)
{
	unsigned long start, count;
	char *colon = strchr(line, ':');
	char *end;

	if (!colon)
		return false;
	*colon = '\0';
	*owner = line;
	start = strtoul(colon + 1, &end, 10);
	if (*end != ':')
		return false;
	count = strtoul(end + 1, &end, 10);
	if ((*end && *end != '\n') || !count || start > UINT32_MAX || count > UINT32_MAX - start)
		return false;
	*range = (struct userns_range){start, count};
	return true;
}

static bool owner_is(const struct userns_owner *owner, const char *word)
{
	char *end;

	if (owner->name && !strcmp(word, owner->name))
		return true;
	return *word && strtoul(word, &end, 10) == owner->uid && !*end;
}

int userns_find_range(const char *file, const struct userns_owner *owner,
		      struct userns_range *range)
{
	autofclose FILE *stream = fopen(file, "re");
	autofree char *line = NULL;
	size_t capacity = 0;

	while (stream && getline(&line, &capacity, stream) > 0) {
		struct userns_range found;
		char *word;

		if (!range_parse(line, &word, &found) || !owner_is(owner, word))
			continue;
		*range = found;
		return 0;
	}
	return -ENOENT;
}

static bool range_is_free(const char *file, uint32_t first)
{
	autofclose FILE *stream = fopen(file, "re");
	autofree char *line = NULL;
	size_t capacity = 0;

	while (stream && getline(&line, &capacity, stream) > 0) {
		struct userns_range taken;
		char *word;

		if (range_parse(line, &word, &taken) && first < taken.outside + taken.count &&
		    taken.outside < first + USERNS_IDS)
			return false;
	}
	return true;
}

/* A random one, so that two containers rarely have the same users. */
static int range_find_free(struct userns_range *range)
{
	for (int i = 0; i < USERNS_FREE_TRIES; i++) {
		uint32_t number, first;

		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			return log_fail(-errno, "get random bytes for the container's users");
		first = USERNS_FREE_FIRST + number % USERNS_FREE_COUNT * USERNS_IDS;
		if (range_is_free(userns_users.file, first) &&
		    range_is_free(userns_groups.file, first)) {
			*range = (struct userns_range){first, USERNS_IDS};
			return 0;
		}
	}
	return log_error(-ENOSPC,
			 "cannot find users for the container: /etc/subuid and /etc/subgid leave "
			 "none free; give root a line in both");
}

static int userns_plan_by_root(struct userns *userns)
{
	const struct userns_owner root = {.name = "root"};
	int r = 0;

	if (userns_find_range(userns_users.file, &root, &userns->uids) ||
	    userns_find_range(userns_groups.file, &root, &userns->gids)) {
		r = range_find_free(&userns->uids);
		userns->gids = userns->uids;
	}
	if (userns->uids.count > USERNS_IDS)
		userns->uids.count = USERNS_IDS;
	if (userns->gids.count > USERNS_IDS)
		userns->gids.count = USERNS_IDS;
	return r;
}

int userns_plan(struct userns *userns, bool by_root)
{
	struct userns_owner owner = {.uid = getuid()};
	const struct passwd *entry;

	*userns = (struct userns){.is_by_root = by_root};
	if (by_root)
		return userns_plan_by_root(userns);
	entry = getpwuid(owner.uid);
	owner.name = entry ? entry->pw_name : NULL;
	/* Also the groups go by the user. */
	userns_find_range(userns_users.file, &owner, &userns->uids);
	userns_find_range(userns_groups.file, &owner, &userns->gids);
	return 0;
}

static int proc_write(pid_t pid, const char *file, const char *content)
{
	autofree char *path = mem_printf("/proc/%d/%s", pid, file);
	autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, content, strlen(content)) < 0 ? -errno : 0;
}

/* PROGRAM PID 0 OWN 1 1 OUTSIDE COUNT. Its complaints, where it has any, are for nobody: what
 * comes of them is said when it matters. */
static bool userns_run_helper(const struct userns_kind *kind, pid_t pid, uint32_t own,
			      const struct userns_range *range)
{
	autofree char *pid_word = mem_printf("%d", pid);
	autofree char *own_word = mem_printf("%" PRIu32, own);
	autofree char *outside_word = mem_printf("%" PRIu32, range->outside);
	autofree char *count_word = mem_printf("%" PRIu32, range->count);
	int status = -1;
	pid_t helper;

	if (!range->count)
		return false;
	helper = fork();
	if (helper == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		dup2(null, STDERR_FILENO);
		execlp(kind->program, kind->program, pid_word, "0", own_word, "1", "1",
		       outside_word, count_word, NULL);
		_exit(EXIT_FAILURE);
	}
	while (helper > 0 && waitpid(helper, &status, 0) < 0 && errno == EINTR)
		;
	return helper > 0 && !status;
}

static int userns_map_one(const struct userns_kind *kind, pid_t pid, uint32_t own)
{
	autofree char *line = mem_printf("0 %" PRIu32 " 1", own);
	int r = 0;

	/* The kernel's condition: or a group that shuts somebody out could be left (user_namespaces
	 * (7)). */
	if (kind == &userns_groups)
		r = proc_write(pid, "setgroups", "deny");
	if (!r)
		r = proc_write(pid, kind->map, line);
	return r ? log_fail(r, "map the container's root to your own ids") : 0;
}

static int userns_map_kind(const struct userns *userns, const struct userns_kind *kind, pid_t pid)
{
	bool is_users = kind == &userns_users;
	const struct userns_range *range = is_users ? &userns->uids : &userns->gids;
	uint32_t own = is_users ? geteuid() : getegid();
	autofree char *line = NULL;
	int r;

	if (!userns->is_by_root)
		return userns_run_helper(kind, pid, own, range) ? 0
								: userns_map_one(kind, pid, own);
	line = mem_printf("0 %" PRIu32 " %" PRIu32, range->outside, range->count);
	r = proc_write(pid, kind->map, line);
	return r ? log_fail(r, "map the container's ids to those from %" PRIu32 " on",
			    range->outside)
		 : 0;
}

int userns_map(const struct userns *userns, pid_t pid)
{
	int r = userns_map_kind(userns, &userns_users, pid);

	return r ? r : userns_map_kind(userns, &userns_groups, pid);
}

int userns_enter(bool *has_groups)
{
	/* Fails where the parent had to give that up, and only there. */
	*has_groups = !setgroups(0, NULL);
	if (setresgid(0, 0, 0) || setresuid(0, 0, 0))
		return log_fail(-errno, "become root of the container's user namespace");
	return 0;
}
