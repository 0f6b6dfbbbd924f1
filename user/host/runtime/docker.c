/* SPDX-License-Identifier: GPL-2.0-only */
#include "host/runtime/docker.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uthash.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/rootfile.h"
#include "host/runtime/docker_root.h"
#include "host/runtime/state_json.h"

#define ROOTS_MAX 64
#define CONTAINERS_MAX 65536
#define DEFAULT_FOLDER "/var/lib/docker/containers"

struct docker_entry {
	struct runtime_container container;
	char id[DOCKER_ID_LENGTH + 1];
	UT_hash_handle hh;
};

struct docker {
	int proc_fd;
	int cap_last;
	struct rootfile *reader;
	struct docker_root
		roots[ROOTS_MAX]; /* that had a container; the first is the default one */
	size_t roots_count;
	struct docker_entry *by_id;
	struct arena arena; /* the entries and their strings */
};

struct docker *docker_new(int proc_fd, const char *host_root, int cap_last)
{
	struct docker *docker = mem_new(sizeof(*docker));

	docker->proc_fd = proc_fd;
	docker->cap_last = cap_last;
	docker->reader = rootfile_new();
	docker->roots[0] = (struct docker_root){
		.fd = open(host_root ? host_root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC),
		.folder = mem_copy(DEFAULT_FOLDER),
	};
	docker->roots_count = 1;
	return docker;
}

static void root_release(struct docker_root *root)
{
	if (root->fd >= 0)
		close(root->fd);
	free(root->folder);
}

void docker_free(struct docker *docker)
{
	if (!docker)
		return;
	HASH_CLEAR(hh, docker->by_id);
	for (size_t i = 0; i < docker->roots_count; i++)
		root_release(&docker->roots[i]);
	rootfile_free(docker->reader);
	arena_free(&docker->arena);
	free(docker);
}

static int file_read(struct docker *docker, const struct docker_root *root, const char *id,
		     const char *file, struct text *out)
{
	autofree char *path = mem_printf("%s/%s/%s", root->folder, id, file);

	return rootfile_read(docker->reader, root->fd, path, STATE_JSON_BYTES, out);
}

/* Reads the container's two files below root and remembers what they say. NULL: not there. */
static const struct runtime_container *
container_load(struct docker *docker, const struct docker_root *root, const char *id)
{
	struct runtime_container container;
	struct docker_entry *entry;
	struct text config = {0};
	struct text host_config = {0};
	int r;

	if (HASH_COUNT(docker->by_id) >= CONTAINERS_MAX)
		return NULL;
	r = file_read(docker, root, id, "config.v2.json", &config);
	if (!r)
		r = file_read(docker, root, id, "hostconfig.json", &host_config);
	if (!r)
		r = docker_parse(&docker->arena, id, config.data, config.length, host_config.data,
				 host_config.length, docker->cap_last, &container);
	text_free(&config);
	text_free(&host_config);
	if (r)
		return NULL;
	entry = arena_take(&docker->arena, sizeof(*entry));
	memset(entry, 0, sizeof(*entry));
	entry->container = container;
	memcpy(entry->id, id, sizeof(entry->id));
	HASH_ADD_STR(docker->by_id, id, entry);
	return &entry->container;
}

static const struct runtime_container *entry_find(struct docker *docker, const char *id)
{
	struct docker_entry *entry;

	HASH_FIND_STR(docker->by_id, id, entry);
	return entry ? &entry->container : NULL;
}

static bool root_is_known(const struct docker *docker, const struct docker_root *root)
{
	struct stat one, other;

	for (size_t i = 0; i < docker->roots_count; i++) {
		if (!strcmp(root->folder, docker->roots[i].folder) && !fstat(root->fd, &one) &&
		    !fstat(docker->roots[i].fd, &other) && one.st_dev == other.st_dev &&
		    one.st_ino == other.st_ino)
			return true;
	}
	return false;
}

/* Looks in a root that was just found, and keeps it if that helps with others. Takes it over. */
static const struct runtime_container *root_try(struct docker *docker, struct docker_root *root,
						const char *id)
{
	const struct runtime_container *found = entry_find(docker, id);

	if (!found)
		found = container_load(docker, root, id);
	if (found && docker->roots_count < ROOTS_MAX && !root_is_known(docker, root))
		docker->roots[docker->roots_count++] = *root;
	else
		root_release(root);
	return found;
}

static const struct runtime_container *known_find(struct docker *docker, const char *id)
{
	const struct runtime_container *found = entry_find(docker, id);

	for (size_t i = 0; i < docker->roots_count && !found; i++)
		found = container_load(docker, &docker->roots[i], id);
	return found;
}

const struct runtime_container *docker_find(struct docker *docker, const char *id,
					    uint32_t first_pid, uint32_t parent_pid)
{
	const struct runtime_container *found = NULL;
	char full_id[DOCKER_ID_LENGTH + 1] = "";
	struct docker_root root;

	if (*id) {
		if (!docker_is_id(id))
			return NULL;
		memcpy(full_id, id, sizeof(full_id));
		found = known_find(docker, id);
	}
	if (!found && parent_pid &&
	    !docker_root_from_shim(docker->reader, docker->proc_fd, parent_pid, full_id, &root))
		found = root_try(docker, &root, full_id);
	if (!found && !docker_root_from_mounts(docker->proc_fd, first_pid, full_id, &root))
		found = root_try(docker, &root, full_id);
	return found;
}
