/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/cgroup_clear.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

#define CLEAR_TRIES 1000       /* with the pause some five seconds: what is killed dies by itself */
#define CLEAR_PAUSE_NS 5000000 /* the last task leaves its cgroup shortly after it was reaped */
#define CLEAR_STEPS 100000     /* of one walk through a hostile container's cgroups */

static int group_write(int fd, const char *name, const char *content)
{
	autoclose int file = openat(fd, name, O_WRONLY | O_CLOEXEC);

	if (file < 0)
		return -errno;
	return write(file, content, strlen(content)) < 0 ? -errno : 0;
}

static void group_kill_listed(int fd)
{
	autoclose int procs = openat(fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	autofclose FILE *file = procs < 0 ? NULL : fdopen(procs, "r");
	int pid;

	if (file)
		steal_fd(&procs);
	/* 0 is a process that this pid namespace does not see, and to kill(2) something else. */
	while (file && fscanf(file, "%d", &pid) == 1) {
		if (pid > 0)
			kill(pid, SIGKILL);
	}
}

/* cgroup.kill (5.14) does it at once; else what is frozen cannot fork while it is being killed,
 * and dies when it thaws. Only version 1's freezer has that: the others' processes are the same. */
static void group_kill(int fd)
{
	if (!group_write(fd, "cgroup.kill", "1"))
		return;
	group_write(fd, "cgroup.freeze", "1");
	group_write(fd, "freezer.state", "FROZEN");
	group_kill_listed(fd);
	group_write(fd, "freezer.state", "THAWED");
}

static bool group_first_child(int fd, char name[NAME_MAX + 1])
{
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = own < 0 ? NULL : fdopendir(own);
	struct dirent *entry;
	bool is_found = false;

	if (!dir) {
		if (own >= 0)
			close(own);
		return false;
	}
	while (!is_found && (entry = readdir(dir))) {
		is_found = entry->d_type == DT_DIR && strcmp(entry->d_name, ".") &&
			   strcmp(entry->d_name, "..");
		if (is_found)
			memcpy(name, entry->d_name, strlen(entry->d_name) + 1);
	}
	closedir(dir);
	return is_found;
}

/*
 * Kills and removes what is below, deepest first, holding one descriptor however deep that is. The
 * way back is `..`, which in a cgroup is what it was on the way there. Ends early where something
 * takes its time to die.
 */
static void group_strip(int top)
{
	autoclose int fd = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char name[NAME_MAX + 1];
	bool is_back = false;
	int depth = 0;

	for (int step = 0; fd >= 0 && step < CLEAR_STEPS; step++) {
		bool has_child = group_first_child(fd, name);
		int next;

		if (!is_back)
			group_kill(fd);
		if (has_child && !unlinkat(fd, name, AT_REMOVEDIR)) {
			is_back = false;
			continue;
		}
		if (has_child ? is_back : !depth)
			return;
		next = openat(fd, has_child ? name : "..",
			      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		depth += has_child ? 1 : -1;
		is_back = !has_child;
		close(fd);
		fd = next;
	}
}

void cgroup_clear(const char *path)
{
	const struct timespec pause = {.tv_nsec = CLEAR_PAUSE_NS};

	for (int i = 0; i < CLEAR_TRIES; i++) {
		autoclose int fd = -1;

		if (!rmdir(path) || errno != EBUSY)
			return;
		fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			group_strip(fd);
		if (i)
			nanosleep(&pause, NULL);
	}
}
