/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/state.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "host/caps.h"
#include "host/procfs.h"
#include "host/runtime/nsview_state.h"
#include "launch/rights.h"
#include "launch/spec.h"
#include "launch/volume.h"

int state_open_dir(void)
{
	autofree char *path = nsview_state_path();
	int fd;

	if (mkdir(path, geteuid() ? 0700 : 0755) && errno != EEXIST)
		return log_fail(-errno, "make %s for the container's state", path);
	fd = nsview_state_open(path);
	if (fd == -EPERM)
		return log_error(-EPERM,
				 "cannot keep the container's state in %s: others may write there; "
				 "remove it, or set XDG_RUNTIME_DIR to a directory of your own",
				 path);
	return fd < 0 ? log_fail(fd, "open %s", path) : fd;
}

static char *state_file_name(const char *name)
{
	return mem_printf("%s" NSVIEW_STATE_SUFFIX, name);
}

/* The leading dot keeps it out of nsview_state_list, and out of the way of every legal name. */
static char *state_new_name(const char *id)
{
	return mem_printf(".%s.new", id);
}

static void state_add_string(struct json *json, const char *key, const char *value)
{
	json_key(json, key);
	if (value)
		json_string(json, value, strlen(value));
	else
		json_null(json);
}

static void state_add_capabilities(struct json *json, uint64_t capabilities)
{
	json_key(json, "capabilities");
	json_array_open(json);
	for (int i = 0; i < 64; i++) {
		char name[32];

		if (!(capabilities & (1ULL << i)))
			continue;
		snprintf(name, sizeof(name), "CAP_%s", caps_name(i));
		json_string(json, name, strlen(name));
	}
	json_array_close(json);
}

/* null: no limit */
static void state_add_limit(struct json *json, const char *key, uint64_t value)
{
	json_key(json, key);
	if (value)
		json_unsigned(json, value);
	else
		json_null(json);
}

static void state_add_shared(struct json *json, uint64_t own)
{
	static const struct {
		const char *name;
		uint64_t kind;
	} kinds[] = {{"pid", CLONE_NEWPID},
		     {"net", CLONE_NEWNET},
		     {"ipc", CLONE_NEWIPC},
		     {"uts", CLONE_NEWUTS},
		     {"user", CLONE_NEWUSER}};

	json_key(json, "shared");
	json_array_open(json);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!(own & kinds[i].kind))
			json_string(json, kinds[i].name, strlen(kinds[i].name));
	}
	json_array_close(json);
}

static void state_add_rights(struct json *json, const struct state *state)
{
	const struct rights *rights = state->rights;

	state_add_capabilities(json, rights->capabilities);
	json_key(json, "privileged");
	json_boolean(json, state->spec->is_privileged);
	json_key(json, "no_new_privileges");
	json_boolean(json, rights->has_no_new_privileges);
	state_add_string(json, "seccomp", rights->is_filtered ? "default" : "unconfined");
	state_add_shared(json, rights->namespaces);
	state_add_limit(json, "nano_cpus", rights->limits.nano_cpus);
	state_add_limit(json, "memory_bytes", rights->limits.memory_bytes);
	state_add_limit(json, "pids_limit", rights->limits.pids);
}

static void state_add_volumes(struct json *json, const struct volumes *volumes)
{
	json_key(json, "mounts");
	json_array_open(json);
	for (size_t i = 0; i < volumes->count; i++) {
		json_object_open(json);
		state_add_string(json, "source", volumes->items[i].source);
		state_add_string(json, "target", volumes->items[i].target);
		json_key(json, "read_only");
		json_boolean(json, volumes->items[i].is_read_only);
		json_object_close(json);
	}
	json_array_close(json);
}

/* Inodes of pid namespaces: the container's, 0 where it has the host's; and the one that pid is a
 * number of. */
struct state_ns {
	uint32_t pid_ns;
	uint32_t seen_pid_ns;
};

static void state_format(struct text *out, const struct state *state, uint64_t start_ticks,
			 const struct state_ns *ns)
{
	autofree char *root = NULL;
	struct timespec now;
	struct json json;

	clock_gettime(CLOCK_REALTIME, &now);
	json_start(&json, out);
	json_object_open(&json);
	state_add_string(&json, "name", state->name);
	state_add_string(&json, "id", state->id);
	json_key(&json, "pid");
	json_number(&json, state->pid);
	json_key(&json, "start_ticks");
	json_unsigned(&json, start_ticks);
	json_key(&json, "pid_ns");
	json_unsigned(&json, ns->pid_ns);
	json_key(&json, "holder_pid");
	json_number(&json, getpid());
	json_key(&json, "seen_pid_ns");
	json_unsigned(&json, ns->seen_pid_ns);
	if (state->spec->rootfs || state->spec->image)
		root = realpath(state->spec->rootfs ? state->spec->rootfs : state->spec->image,
				NULL);
	state_add_string(&json, "rootfs", root);
	state_add_string(&json, "image", state->image);
	json_key(&json, "read_only");
	json_boolean(&json, state->spec->is_read_only);
	state_add_volumes(&json, state->volumes);
	json_key(&json, "created");
	json_time(&json, now.tv_sec * 1000000000ULL + now.tv_nsec);
	json_key(&json, "command");
	json_array_open(&json);
	for (char *const *word = state->spec->command; *word; word++)
		json_string(&json, *word, strlen(*word));
	json_array_close(&json);
	state_add_string(&json, "user", state->spec->user);
	state_add_rights(&json, state);
	json_object_close(&json);
	text_add_char(out, '\n');
}

/* Another reader never sees half a file: written beside it, then renamed. */
static int state_store(int dir_fd, const struct state *state, const struct text *content)
{
	autofree char *name = state_file_name(state->name);
	autofree char *new_name = state_new_name(state->id);
	autoclose int fd = openat(dir_fd, new_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ssize_t put;

	if (fd < 0)
		return -errno;
	put = write(fd, content->data, content->length);
	if (put != (ssize_t)content->length)
		return put < 0 ? -errno : -ENOSPC;
	return renameat(dir_fd, new_name, dir_fd, name) ? -errno : 0;
}

static int state_store_unless_used(int dir_fd, int proc_fd, const struct state *state,
				   const struct text *content)
{
	autofree char *name = state_file_name(state->name);
	struct nsview_state other = {0};
	int r;

	if (!nsview_state_read(dir_fd, name, proc_fd, &other))
		return log_error(
			-EEXIST,
			"cannot call the container %s: one of that name runs as pid %u; take "
			"another --name, or end that one",
			state->name, other.pid);
	r = state_store(dir_fd, state, content);
	return r ? log_fail(r, "write the container's state to %s", name) : 0;
}

int state_write(int dir_fd, const struct state *state)
{
	autoclose int proc_fd = procfs_open("/proc");
	struct text content = {0};
	uint64_t start_ticks = 0;
	struct state_ns ns = {0};
	int r;

	if (proc_fd < 0)
		return log_fail(proc_fd, "open /proc");
	r = nsview_state_start_ticks(proc_fd, state->pid, &start_ticks);
	/* A --pid host container's is no mark of it. */
	if (!r && rights_has_own(state->rights, CLONE_NEWPID))
		r = procfs_namespace(proc_fd, state->pid, "pid", &ns.pid_ns);
	if (!r)
		r = procfs_namespace(proc_fd, PROCFS_SELF, "pid", &ns.seen_pid_ns);
	if (r)
		return log_fail(r, "look at the container's process %d", state->pid);
	state_format(&content, state, start_ticks, &ns);
	if (flock(dir_fd, LOCK_EX)) {
		r = log_fail(-errno, "lock the directory of the containers' states");
	} else {
		r = state_store_unless_used(dir_fd, proc_fd, state, &content);
		flock(dir_fd, LOCK_UN);
	}
	text_free(&content);
	return r;
}

void state_remove(int dir_fd, const char *name, const char *id)
{
	autofree char *file = state_file_name(name);
	autofree char *new_name = state_new_name(id);
	autoclose int proc_fd = procfs_open("/proc");
	struct nsview_state found = {0};
	int r;

	unlinkat(dir_fd, new_name, 0);
	if (flock(dir_fd, LOCK_EX))
		return;
	r = nsview_state_read(dir_fd, file, proc_fd, &found);
	if ((!r || r == -ESRCH) && !strcmp(found.id, id))
		unlinkat(dir_fd, file, 0);
	flock(dir_fd, LOCK_UN);
}
