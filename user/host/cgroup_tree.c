/* SPDX-License-Identifier: GPL-2.0-only */
/* The half of cgroup.h that looks at this machine: where the hierarchies are mounted. */
#include "host/cgroup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <uthash.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/procfs.h"

#define IDS_MAX 65536               /* paths remembered; what does not fit is looked up each time */
#define MOUNTINFO_BYTES (16u << 20) /* 100,000 mounts, fs.mount-max, of ordinary length */

struct known_id {
	uint64_t id;
	UT_hash_handle hh;
	char key[]; /* the directory */
};

struct cgroup_tree {
	char *mounts[CGROUP_HIERARCHIES]; /* where it is mounted; NULL: nowhere */
	char *roots[CGROUP_HIERARCHIES];  /* the cgroup that is mounted there, "/" as a rule */
	struct known_id *ids;
	size_t ids_count;
	bool has_v1_controller;
};

/* One line of mountinfo, proc(5): the fields that are wanted, cut out in place. */
struct mount_line {
	char *root;
	char *point;
	char *type;
	char *options; /* of the superblock: the controllers */
};

/* Spaces, tabs, newlines and backslashes are written \ooo. */
static void octal_decode(char *text)
{
	char *out = text;

	for (const char *in = text; *in; in++) {
		if (in[0] == '\\' && in[1] >= '0' && in[1] <= '3' && in[2] >= '0' && in[2] <= '7' &&
		    in[3] >= '0' && in[3] <= '7') {
			*out++ = (char)((in[1] - '0') << 6 | (in[2] - '0') << 3 | (in[3] - '0'));
			in += 3;
		} else {
			*out++ = *in;
		}
	}
	*out = '\0';
}

static bool mount_line_parse(char *line, struct mount_line *mount)
{
	char *rest = strstr(line, " - ");
	char *at = line;
	char *save;

	if (!rest)
		return false;
	*rest = '\0';
	for (int i = 0; i < 3; i++)
		at = at ? strtok_r(i ? NULL : at, " ", &save) : NULL;
	mount->root = at ? strtok_r(NULL, " ", &save) : NULL;
	mount->point = mount->root ? strtok_r(NULL, " ", &save) : NULL;
	mount->type = strtok_r(rest + 3, " ", &save);
	if (!mount->point || !mount->type)
		return false;
	strtok_r(NULL, " ", &save);
	mount->options = strtok_r(NULL, " ", &save);
	octal_decode(mount->root);
	octal_decode(mount->point);
	return true;
}

static void tree_take(struct cgroup_tree *tree, enum cgroup_hierarchy hierarchy,
		      const struct mount_line *mount)
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

static void tree_take_v1(struct cgroup_tree *tree, const struct mount_line *mount)
{
	char *save;

	for (char *option = mount->options ? strtok_r(mount->options, ",", &save) : NULL; option;
	     option = strtok_r(NULL, ",", &save)) {
		for (int i = CGROUP_PIDS; i < CGROUP_HIERARCHIES; i++) {
			if (strcmp(option, cgroup_hierarchy_names[i]))
				continue;
			tree_take(tree, (enum cgroup_hierarchy)i, mount);
			tree->has_v1_controller = true;
		}
	}
}

struct cgroup_tree *cgroup_tree_read(void)
{
	struct cgroup_tree *tree = mem_new(sizeof(*tree));
	autoclose int proc_fd = procfs_open("/proc");
	struct text text = {0};
	char *save;

	if (proc_fd >= 0)
		procfs_read(proc_fd, PROCFS_SELF, "mountinfo", MOUNTINFO_BYTES, &text);
	text_string(&text);
	for (char *line = strtok_r(text.data, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		struct mount_line mount;

		if (!mount_line_parse(line, &mount))
			continue;
		if (!strcmp(mount.type, "cgroup2"))
			tree_take(tree, CGROUP_V2, &mount);
		else if (!strcmp(mount.type, "cgroup"))
			tree_take_v1(tree, &mount);
	}
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
	for (int i = 0; i < CGROUP_HIERARCHIES; i++) {
		free(tree->mounts[i]);
		free(tree->roots[i]);
	}
	free(tree);
}

/* The directory of a cgroup, or NULL where it lies outside of what is mounted. */
static char *tree_directory(const struct cgroup_tree *tree, const struct cgroup_choice *choice)
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
	autofree char *directory = tree_directory(tree, choice);
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
