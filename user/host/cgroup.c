/* SPDX-License-Identifier: GPL-2.0-only */
#include "host/cgroup.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

#define NSVIEW_ID_LENGTH 12 /* `nsview run` */
#define ID_LENGTH 64        /* docker, containerd's CRI, CRI-O and podman: 32 random bytes in hex */

struct word {
	const char *data;
	size_t length;
};

const char *const cgroup_hierarchy_names[CGROUP_HIERARCHIES + 1] = {
	[CGROUP_V2] = "v2",         [CGROUP_PIDS] = "pids",       [CGROUP_MEMORY] = "memory",
	[CGROUP_CPU] = "cpu",       [CGROUP_DEVICES] = "devices", [CGROUP_FREEZER] = "freezer",
	[CGROUP_CPUSET] = "cpuset", [CGROUP_CPUACCT] = "cpuacct",
};

static bool word_is(struct word word, const char *text)
{
	return word.length == strlen(text) && !memcmp(word.data, text, word.length);
}

static bool word_cut_start(struct word *word, const char *prefix)
{
	size_t length = strlen(prefix);

	if (word->length < length || memcmp(word->data, prefix, length))
		return false;
	word->data += length;
	word->length -= length;
	return true;
}

static bool word_cut_end(struct word *word, const char *suffix)
{
	size_t length = strlen(suffix);

	if (word->length < length || memcmp(word->data + word->length - length, suffix, length))
		return false;
	word->length -= length;
	return true;
}

static bool word_is_hex(struct word word, size_t length)
{
	if (word.length != length)
		return false;
	for (size_t i = 0; i < word.length; i++) {
		if (!memchr("0123456789abcdef", word.data[i], 16))
			return false;
	}
	return true;
}

enum pattern_id {
	PATTERN_HEX,   /* what remains is 64 hex digits */
	PATTERN_NAME,  /* what remains is the name, as it is there (systemd writes - as \x2d) */
	PATTERN_WHOLE, /* the whole component is the id */
};

/* By component; the first that fits. What each runtime leaves was measured, but for the rows
 * of CRI-O, flatpak and runc's own scopes, which are from their sources. */
static const struct {
	const char *prefix;
	const char *suffix;
	const char *runtime;
	enum pattern_id id;
} patterns[] = {
	{"docker-", ".scope", "docker", PATTERN_HEX},
	{"libpod-payload-", "", "podman", PATTERN_HEX}, /* --cgroups=split */
	{"libpod-", ".scope", "podman", PATTERN_HEX},
	{"libpod-", "", "podman", PATTERN_HEX},
	{"cri-containerd-", ".scope", "containerd", PATTERN_HEX},
	{"crio-", ".scope", "cri-o", PATTERN_HEX},
	{"crio-", "", "cri-o", PATTERN_HEX},
	{"lxc.payload.", "", "lxc", PATTERN_NAME},
	{"systemd-nspawn@", ".service", "nspawn", PATTERN_NAME},
	{"buildah-buildah", "", "buildah", PATTERN_WHOLE},
	{"runc-", ".scope", "runc", PATTERN_NAME},
	{"app-flatpak-", ".scope", "flatpak", PATTERN_NAME},
};

/* machine-<name>.scope is systemd-machined's, which libvirt uses too: its names start with the
 * driver's, and a virtual machine is not a container. */
static bool machine_find(struct word name, struct cgroup_container *found)
{
	const char *runtime = "nspawn";

	if (!word_cut_end(&name, ".scope") || !word_cut_start(&name, "machine-") ||
	    word_cut_start(&name, "qemu\\x2d"))
		return false;
	if (word_cut_start(&name, "lxc\\x2d"))
		runtime = "libvirt-lxc";
	*found = (struct cgroup_container){runtime, name.data, name.length};
	return name.length > 0;
}

static bool pattern_find(struct word component, struct cgroup_container *found)
{
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		struct word rest = component;

		if (!word_cut_start(&rest, patterns[i].prefix) ||
		    !word_cut_end(&rest, patterns[i].suffix) || !rest.length)
			continue;
		if (patterns[i].id == PATTERN_HEX && !word_is_hex(rest, ID_LENGTH))
			continue;
		if (patterns[i].id == PATTERN_WHOLE)
			rest = component;
		*found = (struct cgroup_container){patterns[i].runtime, rest.data, rest.length};
		return true;
	}
	return machine_find(component, found);
}

/* The component that ends at `end`, without the slashes around it; empty: there is none. */
static struct word component_before(const char *path, size_t end)
{
	size_t start;

	while (end && path[end - 1] == '/')
		end--;
	for (start = end; start && path[start - 1] != '/';)
		start--;
	return (struct word){path + start, end - start};
}

bool cgroup_find_container(const char *path, size_t length, struct cgroup_container *found)
{
	struct word component = component_before(path, length);

	while (component.length) {
		struct word parent = component_before(path, (size_t)(component.data - path));

		if (word_is(parent, "nsview") && word_is_hex(component, NSVIEW_ID_LENGTH)) {
			*found = (struct cgroup_container){"nsview", component.data,
							   component.length};
			return true;
		}
		if (word_is_hex(component, ID_LENGTH)) {
			*found = (struct cgroup_container){
				.runtime = word_is(parent, "docker") ? "docker" : NULL,
				.id = component.data,
				.id_length = component.length,
			};
			return true;
		}
		if (pattern_find(component, found))
			return true;
		component = parent;
	}
	return false;
}

static bool list_has(struct word list, const char *name)
{
	while (list.length) {
		const char *comma = memchr(list.data, ',', list.length);
		size_t length = comma ? (size_t)(comma - list.data) : list.length;

		if (word_is((struct word){list.data, length}, name))
			return true;
		length += comma != NULL;
		list.data += length;
		list.length -= length;
	}
	return false;
}

/* "4:memory,cpu:/docker/x" in three; false: not such a line. */
static bool line_split(struct word line, struct word *names, struct word *path)
{
	const char *end = line.data + line.length;
	const char *first = memchr(line.data, ':', line.length);
	const char *second = first ? memchr(first + 1, ':', (size_t)(end - first - 1)) : NULL;

	if (!second || second + 1 == end || second[1] != '/')
		return false;
	*names = (struct word){first + 1, (size_t)(second - first - 1)};
	*path = (struct word){second + 1, (size_t)(end - second - 1)};
	return true;
}

/* The next line, as line_split gives it; lines that make no sense are skipped. */
static bool line_next(const char **data, const char *end, struct word *names, struct word *path)
{
	while (*data < end) {
		const char *newline = memchr(*data, '\n', (size_t)(end - *data));
		struct word line = {*data, (size_t)((newline ? newline : end) - *data)};

		*data += line.length + (newline != NULL);
		if (!line_split(line, names, path))
			continue;
		/* The kernel's own mark on a removed cgroup, only on this hierarchy. */
		if (!names->length)
			word_cut_end(path, " (deleted)");
		return true;
	}
	return false;
}

int cgroup_choose(const char *data, size_t length, struct cgroup_choice *choice)
{
	struct word paths[CGROUP_HIERARCHIES] = {[CGROUP_V2] = {"/", 1}};
	const char *end = data + length;
	struct word names, path;
	int best = CGROUP_V2;
	bool has_line = false;

	while (line_next(&data, end, &names, &path)) {
		has_line = true;
		if (!names.length)
			paths[CGROUP_V2] = path;
		for (int i = CGROUP_PIDS; i < CGROUP_HIERARCHIES; i++) {
			if (list_has(names, cgroup_hierarchy_names[i]))
				paths[i] = path;
		}
	}
	if (!has_line)
		return -ENOENT;
	for (int i = CGROUP_CPUSET; i >= CGROUP_V2; i--) {
		if (paths[i].length > 1)
			best = i;
	}
	*choice = (struct cgroup_choice){(enum cgroup_hierarchy)best, paths[best].data,
					 paths[best].length};
	return 0;
}

int cgroup_choose_one(const char *data, size_t length, enum cgroup_hierarchy hierarchy,
		      struct cgroup_choice *choice)
{
	const char *end = data + length;
	struct word names, path;

	while (line_next(&data, end, &names, &path)) {
		bool is_it = hierarchy == CGROUP_V2
				     ? !names.length
				     : list_has(names, cgroup_hierarchy_names[hierarchy]);

		if (!is_it)
			continue;
		*choice = (struct cgroup_choice){hierarchy, path.data, path.length};
		return 0;
	}
	return -ENOENT;
}
