/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/stale.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/procfs.h"
#include "host/procstat.h"
#include "host/runtime/nsview_state.h"
#include "launch/cgroup.h"
#include "launch/state.h"

#define STALE_STAT_MAX 4096

/* Whether the pids of the state file mean here what they meant to whoever wrote it. */
static bool stale_is_ours(int proc_fd, const struct nsview_state *state)
{
	uint32_t own = 0;

	return !procfs_namespace(proc_fd, PROCFS_SELF, "pid", &own) && own == state->seen_pid_ns;
}

/* A zombie that its nsview has not yet waited for is that one's to clear up. One whose nsview is
 * dead has another parent. */
static bool stale_has_ended(int proc_fd, const struct nsview_state *state)
{
	struct text content = {0};
	struct procstat stat = {0};
	int r = procfs_read(proc_fd, state->pid, "stat", STALE_STAT_MAX, &content);

	if (r >= 0)
		r = procstat_parse_stat(content.data, content.length, &stat);
	text_free(&content);
	if (r == -ENOENT || r == -ESRCH || (!r && stat.start_ticks != state->start_ticks))
		return true;
	return !r && (stat.state == 'Z' || stat.state == 'X') &&
	       (uint32_t)stat.ppid != state->holder_pid;
}

static bool stale_has_suffix(const char *name)
{
	size_t length = strlen(name), suffix = strlen(NSVIEW_STATE_SUFFIX);

	return name[0] != '.' && length > suffix &&
	       !strcmp(name + length - suffix, NSVIEW_STATE_SUFFIX);
}

void stale_clear(int dir_fd, const struct nsview_state *state)
{
	struct cgroup *cgroup = cgroup_is_id(state->id) ? cgroup_find(state->id) : NULL;

	if (cgroup)
		cgroup_remove(cgroup);
	cgroup_free(cgroup);
	state_remove(dir_fd, state->name, state->id);
}

void stale_sweep(int dir_fd, const struct cgroup *cgroup)
{
	autoclose int proc_fd = procfs_open("/proc");
	int own = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = own < 0 ? NULL : fdopendir(own);
	struct dirent *entry;

	if (!dir && own >= 0)
		close(own);
	while (dir && proc_fd >= 0 && (entry = readdir(dir))) {
		struct nsview_state state = {0};

		int r = -EINVAL;

		if (stale_has_suffix(entry->d_name))
			r = nsview_state_read(dir_fd, entry->d_name, proc_fd, &state);
		if ((!r || r == -ESRCH) && stale_is_ours(proc_fd, &state) &&
		    stale_has_ended(proc_fd, &state))
			stale_clear(dir_fd, &state);
	}
	if (dir)
		closedir(dir);
	cgroup_sweep(cgroup);
}
