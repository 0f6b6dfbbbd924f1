/* SPDX-License-Identifier: GPL-2.0-only */
#include "host/runtime/nsview_state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "bpf/event.h"
#include "host/caps.h"
#include "host/procfs.h"
#include "host/procstat.h"
#include "host/runtime/runtime.h"

#define STATE_USERS_DIR "/run/user" /* systemd's, one directory a user */
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

static bool state_flag(json_object *root, const char *key)
{
	json_object *member = NULL;

	return json_object_object_get_ex(root, key, &member) && json_object_get_boolean(member);
}

static uint64_t state_limit(json_object *root, const char *key)
{
	uint64_t limit;

	return state_number(root, key, INT64_MAX, &limit) || !limit ? RUNTIME_NO_LIMIT : limit;
}

static uint32_t state_shared(json_object *root)
{
	static const struct {
		const char *name;
		enum ns_kind kind;
	} kinds[] = {
		{"pid", NS_PID}, {"net", NS_NET},   {"ipc", NS_IPC},
		{"uts", NS_UTS}, {"user", NS_USER},
	};
	json_object *names = NULL;
	uint32_t shared = 0;

	if (!json_object_object_get_ex(root, "shared", &names) ||
	    !json_object_is_type(names, json_type_array))
		return 0;
	for (size_t i = 0; i < json_object_array_length(names); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(names, i));

		for (size_t j = 0; name && j < ARRAY_SIZE(kinds); j++) {
			if (!strcmp(name, kinds[j].name))
				shared |= 1u << kinds[j].kind;
		}
	}
	return shared;
}

/* What was asked for; each may be missing. */
static void state_parse_declared(json_object *root, struct nsview_state *state)
{
	char seccomp[32] = "";

	state_capabilities(root, &state->capabilities);
	state->user[0] = '\0';
	state_text(root, "user", state->user, sizeof(state->user));
	state_text(root, "seccomp", seccomp, sizeof(seccomp));
	state->has_no_seccomp = strcmp(seccomp, "default") != 0;
	state->is_privileged = state_flag(root, "privileged");
	state->has_no_new_privs = state_flag(root, "no_new_privileges");
	state->has_readonly_root = state_flag(root, "read_only");
	state->shares_host = state_shared(root);
	state->cpu_limit_nano = state_limit(root, "nano_cpus");
	state->memory_limit_bytes = state_limit(root, "memory_bytes");
	state->pids_limit = state_limit(root, "pids_limit");
}

static int state_parse(json_object *root, struct nsview_state *state)
{
	uint64_t pid, pid_ns, seen_pid_ns, holder_pid;

	if (state_text(root, "name", state->name, sizeof(state->name)) ||
	    state_text(root, "id", state->id, sizeof(state->id)) ||
	    state_number(root, "pid", INT32_MAX, &pid) ||
	    state_number(root, "pid_ns", UINT32_MAX, &pid_ns) ||
	    state_number(root, "start_ticks", INT64_MAX, &state->start_ticks))
		return -EINVAL;
	state->pid = pid;
	state->pid_ns = pid_ns;
	if (!state_number(root, "seen_pid_ns", UINT32_MAX, &seen_pid_ns))
		state->seen_pid_ns = seen_pid_ns;
	if (!state_number(root, "holder_pid", INT32_MAX, &holder_pid))
		state->holder_pid = holder_pid;
	state->start_boot_ns = state->start_ticks * (NS_PER_SECOND / sysconf(_SC_CLK_TCK));
	if (state_text(root, "rootfs", state->root, sizeof(state->root)))
		state->root[0] = '\0';
	if (state_text(root, "image", state->image, sizeof(state->image)))
		state->image[0] = '\0';
	if (state_text(root, "created", state->created, sizeof(state->created)))
		state->created[0] = '\0';
	state_parse_declared(root, state);
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

/* Whether somebody's container can be what its file says: a process of theirs. Otherwise anybody
 * could give a name to anybody's container. */
static bool state_is_of(int proc_fd, uint32_t pid, uid_t owner)
{
	autoclose int pid_fd = owner ? procfs_open_pid(proc_fd, pid) : -1;
	autoclose int ns_fd = pid_fd < 0 ? -1 : openat(pid_fd, "ns/user", O_RDONLY | O_CLOEXEC);
	uid_t ns_owner;

	if (!owner || owner == geteuid())
		return true;
	return ns_fd >= 0 && !ioctl(ns_fd, NS_GET_OWNER_UID, &ns_owner) && ns_owner == owner;
}

struct state_list {
	struct nsview_state *states;
	size_t count;
	size_t capacity;
};

static int state_list_dir(const char *path, int proc_fd, struct state_list *list)
{
	int fd = nsview_state_open(path);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct stat status;

	if (fd < 0)
		return fd == -ENOENT || fd == -EPERM ? 0 : fd;
	if (!dir || fstat(fd, &status)) {
		close(fd);
		return -ENOMEM;
	}
	while ((entry = readdir(dir)) && list->count < STATE_COUNT_MAX) {
		size_t length = strlen(entry->d_name);
		struct nsview_state state = {0};

		if (entry->d_name[0] == '.' || length <= strlen(NSVIEW_STATE_SUFFIX) ||
		    strcmp(entry->d_name + length - strlen(NSVIEW_STATE_SUFFIX),
			   NSVIEW_STATE_SUFFIX) ||
		    nsview_state_read(fd, entry->d_name, proc_fd, &state) ||
		    !state_is_of(proc_fd, state.pid, status.st_uid))
			continue;
		mem_reserve_one(list->states, list->count, list->capacity);
		list->states[list->count++] = state;
	}
	closedir(dir);
	return 0;
}

/* What cannot be read there is its user's affair. */
static void state_list_users(int proc_fd, struct state_list *list)
{
	DIR *users = opendir(STATE_USERS_DIR);
	struct dirent *entry;

	while (users && (entry = readdir(users))) {
		autofree char *path = mem_printf(STATE_USERS_DIR "/%s/nsview", entry->d_name);

		if (entry->d_name[0] != '.')
			state_list_dir(path, proc_fd, list);
	}
	if (users)
		closedir(users);
}

char *nsview_state_path(void)
{
	const char *runtime_dir = getenv("XDG_RUNTIME_DIR");
	autofree char *users_dir = mem_printf(STATE_USERS_DIR "/%u", geteuid());

	if (!geteuid())
		return mem_copy(NSVIEW_STATE_DIR);
	if (runtime_dir && *runtime_dir == '/')
		return mem_printf("%s/nsview", runtime_dir);
	if (!access(users_dir, W_OK))
		return mem_printf("%s/nsview", users_dir);
	return mem_printf("/tmp/nsview-%u", geteuid());
}

int nsview_state_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;

	if (fd < 0)
		return -errno;
	if (!fstat(fd, &status) && !(status.st_mode & 022) &&
	    (!geteuid() || status.st_uid == geteuid()))
		return fd;
	close(fd);
	return -EPERM;
}

int nsview_state_list(const char *host_root, int proc_fd, struct nsview_state **states,
		      size_t *count)
{
	autofree char *path = nsview_state_path();
	autofree char *root_path = mem_printf("%s" NSVIEW_STATE_DIR, host_root ? host_root : "");
	struct state_list list = {0};
	int r = state_list_dir(host_root ? root_path : path, proc_fd, &list);

	if (!host_root && !geteuid())
		state_list_users(proc_fd, &list);
	*states = list.states;
	*count = list.count;
	return r;
}
