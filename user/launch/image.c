/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/image.h"

#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <locale.h>
#include <stdbool.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "host/runtime/state_json.h"
#include "launch/bundle.h"
#include "launch/libarchive.h"
#include "launch/unpack.h"

#define IMAGE_LAYERS_MAX 1024 /* docker stops at 127 */
#define IMAGE_INDEX_DEPTH 4   /* of an index in an index */

const char *const image_absent = NULL;

const char *image_find_lack(void)
{
	return libarchive_load();
}

/* uname(2)'s words, and the registry's. */
static const struct image_machine {
	const char *machine;
	const char *architecture;
} image_machines[] = {
	{"x86_64", "amd64"},    {"aarch64", "arm64"}, {"armv7l", "arm"},      {"i686", "386"},
	{"ppc64le", "ppc64le"}, {"s390x", "s390x"},   {"riscv64", "riscv64"},
};

static int image_broken(const struct image *image, const char *why)
{
	return log_error(-EBADMSG, "cannot use the image %s: %s", bundle_path(image->bundle), why);
}

static void image_list_add(struct image_list *list, const char *item)
{
	mem_reserve_one(list->items, list->count, list->capacity);
	list->items[list->count++] = mem_copy(item);
	mem_reserve_one(list->items, list->count, list->capacity);
	list->items[list->count] = NULL;
}

static void image_list_free(struct image_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
}

static void image_list_read(struct image_list *list, struct json_object *root, const char *path)
{
	struct json_object *array = state_json_array(root, path);
	size_t count = array ? json_object_array_length(array) : 0;

	for (size_t i = 0; i < count; i++) {
		const char *item = state_json_item(array, i);

		if (item)
			image_list_add(list, item);
	}
}

/* Only NAME=VALUE: a name alone would mean the value that nsview itself has. */
static void image_read_environment(struct image *image, struct json_object *root)
{
	struct image_list all = {0};

	image_list_read(&all, root, "/x/config/Env");
	for (size_t i = 0; i < all.count; i++) {
		if (strchr(all.items[i], '=') && all.items[i][0] != '=')
			image_list_add(&image->environment, all.items[i]);
	}
	image_list_free(&all);
}

/* A member as {"x": its content}, so that an array is as good as an object. -ENOENT without a
 * word; anything else has been said. */
static int image_read_json(const struct image *image, const char *name, struct json_object **root)
{
	struct text content = {0}, wrapped = {0};
	int r = bundle_read(image->bundle, name, &content);

	if (!r) {
		text_add_string(&wrapped, "{\"x\":");
		text_add(&wrapped, content.data, content.length);
		text_add_char(&wrapped, '}');
		*root = state_json_parse(wrapped.data, wrapped.length);
		if (!*root)
			r = log_error(-EBADMSG, "cannot use the image %s: its %s is no JSON",
				      bundle_path(image->bundle), name);
	}
	text_free(&content);
	text_free(&wrapped);
	return r;
}

static char *image_text(struct json_object *root, const char *path)
{
	const char *text = state_json_text(root, path);

	return text && *text ? mem_copy(text) : NULL;
}

static void image_read_directory(struct image *image, struct json_object *root)
{
	const char *directory = state_json_text(root, "/x/config/WorkingDir");

	if (directory && *directory)
		image->directory = mem_printf("%s%s", *directory == '/' ? "" : "/", directory);
}

static int image_read_config(struct image *image, const char *name)
{
	struct json_object *root = NULL;
	int r = image_read_json(image, name, &root);

	if (r == -ENOENT)
		return image_broken(image, "its configuration is not in it");
	if (r)
		return r;
	image->user = image_text(root, "/x/config/User");
	image_read_directory(image, root);
	image_read_environment(image, root);
	image_list_read(&image->entrypoint, root, "/x/config/Entrypoint");
	image_list_read(&image->command, root, "/x/config/Cmd");
	json_object_put(root);
	return 0;
}

static int image_check_layers(const struct image *image)
{
	if (image->layers.count == 0)
		return image_broken(image, "it has no layers");
	if (image->layers.count > IMAGE_LAYERS_MAX)
		return image_broken(image, "it has more than 1024 layers");
	return 0;
}

/* [{"Config": "ID.json", "RepoTags": ["name:tag"], "Layers": ["ID/layer.tar", ...]}] */
static int image_read_saved(struct image *image, struct json_object *root)
{
	struct json_object *all = state_json_array(root, "/x");
	const char *config = state_json_text(root, "/x/0/Config");

	if (all && json_object_array_length(all) > 1)
		return image_broken(image, "it holds several images; save one by itself");
	if (!config)
		return image_broken(image, "its manifest.json names no configuration");
	image->name = image_text(root, "/x/0/RepoTags/0");
	image_list_read(&image->layers, root, "/x/0/Layers");
	if (image_check_layers(image))
		return -EBADMSG;
	return image_read_config(image, config);
}

/* "sha256:0123..." is the member blobs/sha256/0123...; NULL: that is no digest. Owned. */
static char *image_blob(const char *digest)
{
	const char *colon = digest ? strchr(digest, ':') : NULL;

	if (!colon || colon == digest || !colon[1])
		return NULL;
	for (const char *c = digest; *c; c++) {
		if (c != colon && !isalnum((unsigned char)*c))
			return NULL;
	}
	return mem_printf("blobs/%.*s/%s", (int)(colon - digest), digest, colon + 1);
}

static int image_read_manifest(struct image *image, struct json_object *root)
{
	struct json_object *layers = state_json_array(root, "/x/layers");
	autofree char *config = image_blob(state_json_text(root, "/x/config/digest"));
	size_t count = layers ? json_object_array_length(layers) : 0;

	for (size_t i = 0; i < count; i++) {
		autofree char *path = mem_printf("/x/layers/%zu/digest", i);
		autofree char *blob = image_blob(state_json_text(root, path));

		if (!blob)
			return image_broken(image, "one of its layers has no digest");
		image_list_add(&image->layers, blob);
	}
	if (!config)
		return image_broken(image, "its manifest names no configuration");
	return image_check_layers(image) ? -EBADMSG : image_read_config(image, config);
}

/* Whether entry i of an index is for this machine: what says nothing about it is. */
static bool image_is_for_here(struct json_object *root, size_t i)
{
	autofree char *path = mem_printf("/x/manifests/%zu/platform/architecture", i);
	const char *architecture = state_json_text(root, path);
	struct utsname system;

	if (!architecture || uname(&system))
		return true;
	for (size_t k = 0; k < ARRAY_SIZE(image_machines); k++) {
		if (!strcmp(system.machine, image_machines[k].machine))
			return !strcmp(architecture, image_machines[k].architecture);
	}
	return true;
}

static int image_read_index(struct image *image, struct json_object *root, int depth);

static int image_read_blob(struct image *image, const char *digest, int depth)
{
	autofree char *name = image_blob(digest);
	struct json_object *root = NULL;
	int r;

	if (!name || depth == 0)
		return image_broken(image, "its index.json names no manifest");
	r = image_read_json(image, name, &root);
	if (r)
		return r == -ENOENT ? image_broken(image, "its manifest is not in it") : r;
	if (state_json_array(root, "/x/manifests"))
		r = image_read_index(image, root, depth - 1);
	else
		r = image_read_manifest(image, root);
	json_object_put(root);
	return r;
}

/* {"manifests": [{"digest": "sha256:...", "platform": {"architecture": "amd64"}}]} */
static int image_read_index(struct image *image, struct json_object *root, int depth)
{
	struct json_object *all = state_json_array(root, "/x/manifests");
	size_t count = all ? json_object_array_length(all) : 0, found = 0, place = 0;
	autofree char *digest = NULL;

	for (size_t i = 0; i < count; i++) {
		if (!image_is_for_here(root, i))
			continue;
		place = i;
		found++;
	}
	if (found == 0)
		return image_broken(image, "it holds no image for this machine");
	if (found > 1)
		return image_broken(image, "it holds several images; put one by itself");
	if (!image->name) {
		autofree char *path = mem_printf("/x/manifests/%zu/annotations/"
						 "org.opencontainers.image.ref.name",
						 place);

		image->name = image_text(root, path);
	}
	digest = mem_printf("/x/manifests/%zu/digest", place);
	return image_read_blob(image, state_json_text(root, digest), depth);
}

static int image_read(struct image *image)
{
	struct json_object *root = NULL;
	int r = image_read_json(image, "manifest.json", &root);

	if (!r) {
		r = image_read_saved(image, root);
		json_object_put(root);
		return r;
	}
	if (r != -ENOENT)
		return r;
	r = image_read_json(image, "index.json", &root);
	if (!r) {
		r = image_read_index(image, root, IMAGE_INDEX_DEPTH);
		json_object_put(root);
		return r;
	}
	return r == -ENOENT ? image_broken(image, "it is neither what `docker save` writes nor an "
						  "OCI layout; a plain root file system is for "
						  "--rootfs, once unpacked")
			    : r;
}

/*
 * File names are UTF-8 whatever the locale: in another, the library would replace what it cannot
 * express.
 */
static locale_t image_use_utf8(locale_t *utf8)
{
	*utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	return *utf8 ? uselocale(*utf8) : (locale_t)0;
}

static void image_leave_utf8(locale_t before, locale_t utf8)
{
	if (!utf8)
		return;
	uselocale(before);
	freelocale(utf8);
}

int image_open(const char *path, struct image **image)
{
	struct image *made = mem_new(sizeof(*made));
	locale_t utf8, before = image_use_utf8(&utf8);
	int r = bundle_open(path, &made->bundle);

	if (!r)
		r = image_read(made);
	image_leave_utf8(before, utf8);
	if (r) {
		image_free(made);
		return r;
	}
	*image = made;
	return 0;
}

void image_free(struct image *image)
{
	if (!image)
		return;
	bundle_free(image->bundle);
	free(image->name);
	free(image->user);
	free(image->directory);
	image_list_free(&image->layers);
	image_list_free(&image->environment);
	image_list_free(&image->entrypoint);
	image_list_free(&image->command);
	free(image);
}

static int image_unpack_pass(const struct image *image, size_t place, int root_fd,
			     int (*pass)(const struct unpack *))
{
	autofree char *name = mem_printf("layer %zu of %s", place + 1, bundle_path(image->bundle));
	struct unpack unpack = {.root_fd = root_fd, .name = name};
	struct bundle_layer *layer = NULL;
	int r = bundle_open_layer(image->bundle, image->layers.items[place], &layer);

	if (r)
		return r;
	unpack.archive = bundle_layer_archive(layer);
	r = pass(&unpack);
	bundle_close_layer(layer);
	return r;
}

int image_unpack(const struct image *image, int root_fd)
{
	locale_t utf8, before = image_use_utf8(&utf8);
	int r = 0;

	for (size_t i = 0; !r && i < image->layers.count; i++) {
		/* Whiteouts are about the layers below, wherever in the archive they stand. */
		if (i > 0)
			r = image_unpack_pass(image, i, root_fd, unpack_whiteouts);
		if (!r)
			r = image_unpack_pass(image, i, root_fd, unpack_files);
	}
	image_leave_utf8(before, utf8);
	return r;
}

int image_command(const struct image *image, char *const *words, char ***command)
{
	char *const *rest = words && *words ? words : image->command.items;
	size_t count = image->entrypoint.count;

	for (size_t i = 0; rest && rest[i]; i++)
		count++;
	if (count == 0)
		return log_error(-EINVAL,
				 "cannot run the image %s: it has no command of its own; give one",
				 bundle_path(image->bundle));
	*command = mem_new((count + 1) * sizeof(**command));
	for (size_t i = 0; i < count; i++) {
		bool is_first = i < image->entrypoint.count;

		(*command)[i] =
			is_first ? image->entrypoint.items[i] : rest[i - image->entrypoint.count];
	}
	return 0;
}

const char **image_environment(const struct image *image, const char *const *words, size_t *count)
{
	size_t own = image->environment.count, all = own + *count;
	const char **merged = mem_new((all + 1) * sizeof(*merged));

	for (size_t i = 0; i < all; i++)
		merged[i] = i < own ? image->environment.items[i] : words[i - own];
	*count = all;
	return merged;
}
