/* SPDX-License-Identifier: GPL-2.0-only */
#include "host/runtime/docker_root.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/mountinfo.h"
#include "host/procfs.h"
#include "host/rootfile.h"
#include "host/runtime/state_json.h"

/* What Docker mounts into every container, from <data-root>/containers/<id>/. */
static const char *const mounted_files[] = {"/etc/hostname", "/etc/hosts", "/etc/resolv.conf"};

bool docker_is_id(const char *id)
{
	return strspn(id, "0123456789abcdef") == DOCKER_ID_LENGTH && !id[DOCKER_ID_LENGTH];
}

static bool is_mounted_file(const char *point)
{
	for (size_t i = 0; i < ARRAY_SIZE(mounted_files); i++) {
		if (!strcmp(point, mounted_files[i]))
			return true;
	}
	return false;
}

/*
 * "<folder>/<id>/hostname" in two: the folder's length and the id, which need not be this
 * container's (--network container:OTHER has the other's files). Sound if it ends like that.
 */
static bool source_split(const char *source, size_t *folder_length, char *id)
{
	static const char parent[] = "/containers/";
	const char *file = strrchr(source, '/');
	size_t length = file ? (size_t)(file - source) : 0;
	size_t tail = sizeof(parent) - 1 + DOCKER_ID_LENGTH;

	if (*source != '/' || length < tail ||
	    memcmp(source + length - tail, parent, sizeof(parent) - 1))
		return false;
	*folder_length = length - DOCKER_ID_LENGTH - 1;
	memcpy(id, source + length - DOCKER_ID_LENGTH, DOCKER_ID_LENGTH);
	id[DOCKER_ID_LENGTH] = '\0';
	return docker_is_id(id);
}

static int open_link(int proc_fd, uint32_t pid, const char *file)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "%u/%s", pid, file);
	fd = openat(proc_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The last component of the shim's working directory is the container's id. */
static int shim_identify(int proc_fd, uint32_t pid, char id[DOCKER_ID_LENGTH + 1])
{
	struct text folder = {0};
	int r = procfs_link(proc_fd, pid, "cwd", &folder);
	const char *last = r ? NULL : strrchr(text_string(&folder), '/');

	if (!r && (!last || !docker_is_id(last + 1) || (id[0] && strcmp(last + 1, id))))
		r = -ENOENT;
	if (!r)
		memcpy(id, last + 1, DOCKER_ID_LENGTH + 1);
	text_free(&folder);
	return r;
}

/* The folder in the bundle's OCI configuration; NULL: this is not a container of Docker's. */
static char *bundle_folder(const struct text *config)
{
	struct json_object *root = state_json_parse(config->data, config->length);
	struct json_object *mounts = root ? state_json_array(root, "/mounts") : NULL;
	size_t count = mounts ? json_object_array_length(mounts) : 0;
	char *folder = NULL;

	for (size_t i = 0; i < count && !folder; i++) {
		struct json_object *mount = json_object_array_get_idx(mounts, i);
		const char *destination = state_json_text(mount, "/destination");
		const char *source = state_json_text(mount, "/source");
		char id[DOCKER_ID_LENGTH + 1];
		size_t length;

		if (destination && source && is_mounted_file(destination) &&
		    source_split(source, &length, id))
			folder = mem_printf("%.*s", (int)length, source);
	}
	json_object_put(root);
	return folder;
}

int docker_root_from_shim(struct rootfile *reader, int proc_fd, uint32_t pid,
			  char id[DOCKER_ID_LENGTH + 1], struct docker_root *root)
{
	autoclose int bundle_fd = open_link(proc_fd, pid, "cwd");
	autoclose int root_fd = open_link(proc_fd, pid, "root");
	struct text config = {0};
	int r = shim_identify(proc_fd, pid, id);

	if (!r && (bundle_fd < 0 || root_fd < 0))
		r = bundle_fd < 0 ? bundle_fd : root_fd;
	if (!r)
		r = rootfile_read(reader, bundle_fd, "config.json", STATE_JSON_BYTES, &config);
	if (!r) {
		root->folder = bundle_folder(&config);
		r = root->folder ? 0 : -ENOENT;
	}
	if (!r)
		root->fd = steal_fd(&root_fd);
	text_free(&config);
	return r;
}

/* The first mount from a folder of Docker's; its folder's length is stored. */
static bool find_source(char *text, struct mount *found, size_t *folder_length, char *id)
{
	while (mountinfo_next(&text, found)) {
		if (is_mounted_file(found->point) && source_split(found->root, folder_length, id))
			return true;
	}
	return false;
}

/* Whether any mount but those of single files shows `path` of that file system. */
static bool is_reachable(char *text, const struct mount *source, const char *path)
{
	struct mount mount;

	while (mountinfo_next(&text, &mount)) {
		if (mount.major == source->major && mount.minor == source->minor &&
		    mountinfo_is_below(path, mount.root))
			return true;
	}
	return false;
}

int docker_root_from_mounts(int proc_fd, uint32_t pid, char id[DOCKER_ID_LENGTH + 1],
			    struct docker_root *root)
{
	struct text theirs = {0};
	struct text ours = {0};
	autofree char *folder = NULL;
	autofree char *again = NULL;
	char owner[DOCKER_ID_LENGTH + 1];
	struct mount source;
	size_t length;
	int r = procfs_read(proc_fd, pid, "mountinfo", MOUNTINFO_BYTES, &theirs);

	if (!r)
		r = procfs_read(proc_fd, PROCFS_SELF, "mountinfo", MOUNTINFO_BYTES, &ours);
	again = mem_copy(text_string(&theirs));
	text_string(&ours);
	if (!r && find_source(theirs.data, &source, &length, owner)) {
		folder = mem_printf("%.*s", (int)length, source.root);
		root->folder =
			is_reachable(again, &source, folder)
				? NULL
				: mountinfo_locate(ours.data, source.major, source.minor, folder);
	} else {
		root->folder = NULL;
	}
	text_free(&theirs);
	text_free(&ours);
	if (!root->folder)
		return -ENOENT;
	if (!id[0])
		memcpy(id, owner, sizeof(owner));
	root->fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return 0;
}
