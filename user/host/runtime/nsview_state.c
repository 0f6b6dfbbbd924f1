/* SPDX-License-Identifier: GPL-2.0-only */
#include "host/runtime/nsview_state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/caps.h"
#include "host/procfs.h"
#include "host/procstat.h"

#define STATE_FILE_MAX (256 * 1024)
#define STATE_COUNT_MAX 4096
#define STAT_MAX 4096
#define NS_PER_SECOND 1000000000ULL

int nsview_state_start_ticks(int proc_fd, uint32_t pid, uint64_t *ticks)
{
	struct text content = {0};
	struct procstat stat = {0};
	int r = procfs_read(proc_fd, pid, "stat", STAT_MAX, &content);

	if (r >= 0)
		r = procstat_parse_stat(content.data, content.length, &stat);
	text_free(&content);
	if (r == -ENOENT)
		return -ESRCH;
	if (!r)
		*ticks = stat.start_ticks;
	return r;
}

static int state_load(int dir_fd, const char *file, json_object **root)
{
	autoclose int fd = openat(dir_fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat status;
	autofree char *data = NULL;
	ssize_t got;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status))
		return -errno;
	if (!S_ISREG(status.st_mode) || status.st_size > STATE_FILE_MAX)
		return -EINVAL;
	data = mem_new(status.st_size + 1);
	got = read(fd, data, status.st_size);
	if (got < 0)
		return -errno;
	data[got] = '\0';
	*root = json_tokener_parse(data);
	return *root ? 0 : -EINVAL;
}

static int state_text(json_object *root, const char *key, char *value, size_t size)
{
	json_object *member = NULL;

	if (!json_object_object_get_ex(root, key, &member) ||
	    !json_object_is_type(member, json_type_string) ||
	    (size_t)json_object_get_string_len(member) >= size)
		return -EINVAL;
	snprintf(value, size, "%s", json_object_get_string(member));
	return 0;
}

static int state_number(json_object *root, const char *key, uint64_t max, uint64_t *value)
{
	json_object *member = NULL;

	if (!json_object_object_get_ex(root, key, &member) ||
	    !json_object_is_type(member, json_type_int) || json_object_get_int64(member) < 0)
		return -EINVAL;
	*value = json_object_get_uint64(member);
	return *value > max ? -EINVAL : 0;
}

static void state_capabilities(json_object *root, uint64_t *capabilities)
{
	json_object *names = NULL;
	const char *nearest;
	int capability;

	*capabilities = 0;
	if (!json_object_object_get_ex(root, "capabilities", &names) ||
	    !json_object_is_type(names, json_type_array))
		return;
	for (size_t i = 0; i < json_object_array_length(names); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(names, i));

		if (name && !caps_from_name(name, &capability, &nearest))
			*capabilities |= 1ULL << capability;
	}
}

static int state_parse(json_object *root, struct nsview_state *state)
{
	uint64_t pid, pid_ns;

	if (state_text(root, "name", state->name, sizeof(state->name)) ||
	    state_text(root, "id", state->id, sizeof(state->id)) ||
	    state_number(root, "pid", INT32_MAX, &pid) ||
	    state_number(root, "pid_ns", UINT32_MAX, &pid_ns) ||
	    state_number(root, "start_ticks", INT64_MAX, &state->start_ticks))
		return -EINVAL;
	state->pid = pid;
	state->pid_ns = pid_ns;
	state->start_boot_ns = state->start_ticks * (NS_PER_SECOND / sysconf(_SC_CLK_TCK));
	state_capabilities(root, &state->capabilities);
	return 0;
}

int nsview_state_read(int dir_fd, const char *file, int proc_fd, struct nsview_state *state)
{
	json_object *root = NULL;
	uint64_t ticks;
	int r = state_load(dir_fd, file, &root);

	if (!r)
		r = state_parse(root, state);
	json_object_put(root);
	if (!r)
		r = nsview_state_start_ticks(proc_fd, state->pid, &ticks);
	if (r)
		return r;
	return ticks == state->start_ticks ? 0 : -ESRCH;
}

int nsview_state_list(const char *host_root, int proc_fd, struct nsview_state **states,
		      size_t *count)
{
	autofree char *path = mem_printf("%s" NSVIEW_STATE_DIR, host_root ? host_root : "");
	DIR *dir = opendir(path);
	size_t capacity = 0;
	struct dirent *entry;

	*states = NULL;
	*count = 0;
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(dir)) && *count < STATE_COUNT_MAX) {
		size_t length = strlen(entry->d_name);
		struct nsview_state state = {0};

		if (entry->d_name[0] == '.' || length <= strlen(NSVIEW_STATE_SUFFIX) ||
		    strcmp(entry->d_name + length - strlen(NSVIEW_STATE_SUFFIX),
			   NSVIEW_STATE_SUFFIX) ||
		    nsview_state_read(dirfd(dir), entry->d_name, proc_fd, &state))
			continue;
		mem_reserve_one(*states, *count, capacity);
		(*states)[(*count)++] = state;
	}
	closedir(dir);
	return 0;
}
