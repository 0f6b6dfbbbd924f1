/* SPDX-License-Identifier: GPL-2.0-only */
/* The half of cgroup.h that looks at this machine: where the hierarchies are mounted. */
#include "host/cgroup.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <uthash.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/mountinfo.h"
#include "host/procfs.h"

#define IDS_MAX 65536 /* paths remembered; what does not fit is looked up each time */

struct known_id {
	uint64_t id;
	UT_hash_handle hh;
	char key[]; /* the directory */
};

struct cgroup_tree {
	char *mounts[CGROUP_HIERARCHIES + 1]; /* where it is mounted; NULL: nowhere */
	char *roots[CGROUP_HIERARCHIES + 1];  /* the cgroup that is mounted there, "/" as a rule */
	struct known_id *ids;
	size_t ids_count;
	bool has_v1_controller;
};

static void tree_take(struct cgroup_tree *tree, enum cgroup_hierarchy hierarchy,
		      const struct mount *mount)
{
	/* The first whole one; a part of the tree only as long as there is nothing better. */
	if (tree->roots[hierarchy] &&
	    (!strcmp(tree->roots[hierarchy], "/") || strcmp(mount->root, "/")))
		return;
	free(tree->roots[hierarchy]);
	free(tree->mounts[hierarchy]);
	tree->roots[hierarchy] = mem_copy(mount->root);
	tree->mounts[hierarchy] = mem_copy(mount->point);
}

static void tree_take_v1(struct cgroup_tree *tree, const struct mount *mount)
{
	char *save;

	for (char *option = strtok_r(mount->super_options, ",", &save); option;
	     option = strtok_r(NULL, ",", &save)) {
		for (int i = CGROUP_PIDS; i <= CGROUP_CPUACCT; i++) {
			if (strcmp(option, cgroup_hierarchy_names[i]))
				continue;
			tree_take(tree, (enum cgroup_hierarchy)i, mount);
			tree->has_v1_controller = true;
		}
	}
}

struct cgroup_tree *cgroup_tree_parse(char *mountinfo)
{
	struct cgroup_tree *tree = mem_new(sizeof(*tree));
	struct mount mount;

	while (mountinfo_next(&mountinfo, &mount)) {
		if (!strcmp(mount.type, "cgroup2"))
			tree_take(tree, CGROUP_V2, &mount);
		else if (!strcmp(mount.type, "cgroup"))
			tree_take_v1(tree, &mount);
	}
	return tree;
}

struct cgroup_tree *cgroup_tree_read(void)
{
	autoclose int proc_fd = procfs_open("/proc");
	struct text text = {0};
	struct cgroup_tree *tree;

	if (proc_fd >= 0)
		procfs_read(proc_fd, PROCFS_SELF, "mountinfo", MOUNTINFO_BYTES, &text);
	text_string(&text);
	tree = cgroup_tree_parse(text.data);
	text_free(&text);
	return tree;
}

void cgroup_tree_free(struct cgroup_tree *tree)
{
	struct known_id *entry;
	struct known_id *next;

	if (!tree)
		return;
	HASH_ITER (hh, tree->ids, entry, next) {
		HASH_DEL(tree->ids, entry);
		free(entry);
	}
	for (int i = 0; i <= CGROUP_CPUACCT; i++) {
		free(tree->mounts[i]);
		free(tree->roots[i]);
	}
	free(tree);
}

char *cgroup_tree_directory(const struct cgroup_tree *tree, const struct cgroup_choice *choice,
			    size_t *mount_length)
{
	const char *root = tree->roots[choice->hierarchy];
	const char *path = choice->path;
	size_t length = choice->length;
	size_t root_length = root ? strlen(root) : 0;

	/* Paths that start with /.. lie above the root of nsview's own cgroup namespace. */
	if (!root || !strncmp(root, "/..", 3) || (length >= 3 && !memcmp(path, "/..", 3)))
		return NULL;
	if (strcmp(root, "/")) {
		if (length < root_length || memcmp(path, root, root_length) ||
		    (length > root_length && path[root_length] != '/'))
			return NULL;
		path += root_length;
		length -= root_length;
	}
	*mount_length = strlen(tree->mounts[choice->hierarchy]);
	return mem_printf("%s%.*s", tree->mounts[choice->hierarchy], (int)length, path);
}

static void tree_remember(struct cgroup_tree *tree, const char *directory, uint64_t id)
{
	size_t length = strlen(directory);
	struct known_id *entry;

	if (tree->ids_count >= IDS_MAX)
		return;
	entry = mem_new(sizeof(*entry) + length + 1);
	memcpy(entry->key, directory, length + 1);
	entry->id = id;
	HASH_ADD_STR(tree->ids, key, entry);
	tree->ids_count++;
}

uint64_t cgroup_tree_id(struct cgroup_tree *tree, const struct cgroup_choice *choice)
{
	size_t mount_length;
	autofree char *directory = cgroup_tree_directory(tree, choice, &mount_length);
	struct known_id *entry;
	struct stat status;

	if (!directory)
		return 0;
	HASH_FIND_STR(tree->ids, directory, entry);
	if (entry)
		return entry->id;
	if (stat(directory, &status))
		return 0;
	tree_remember(tree, directory, status.st_ino);
	return status.st_ino;
}

enum cgroup_layout cgroup_layout_read(void)
{
	struct cgroup_tree *tree = cgroup_tree_read();
	enum cgroup_layout layout = CGROUP_LAYOUT_NONE;

	if (tree->mounts[CGROUP_V2])
		layout = tree->has_v1_controller ? CGROUP_LAYOUT_HYBRID : CGROUP_LAYOUT_V2;
	else if (tree->has_v1_controller)
		layout = CGROUP_LAYOUT_V1;
	cgroup_tree_free(tree);
	return layout;
}

const char *cgroup_layout_name(enum cgroup_layout layout)
{
	static const char *const names[] = {
		[CGROUP_LAYOUT_NONE] = "none",
		[CGROUP_LAYOUT_V1] = "v1",
		[CGROUP_LAYOUT_HYBRID] = "hybrid",
		[CGROUP_LAYOUT_V2] = "v2",
	};

	return names[layout];
}
