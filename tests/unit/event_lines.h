/* SPDX-License-Identifier: GPL-2.0-only */
/* Lines of scenes, read back with json-c. */
#ifndef NSVIEW_TESTS_EVENT_LINES_H
#define NSVIEW_TESTS_EVENT_LINES_H

#include "event_scenes.h"

#include <json-c/json.h>
#include <stdio.h>

#define DOCKER_NAMES                                                                 \
	"[\"CAP_CHOWN\",\"CAP_DAC_OVERRIDE\",\"CAP_FOWNER\",\"CAP_FSETID\","         \
	"\"CAP_KILL\",\"CAP_SETGID\",\"CAP_SETUID\",\"CAP_SETPCAP\","                \
	"\"CAP_NET_BIND_SERVICE\",\"CAP_NET_RAW\",\"CAP_SYS_CHROOT\",\"CAP_MKNOD\"," \
	"\"CAP_AUDIT_WRITE\",\"CAP_SETFCAP\"]"

static const struct event_writer_options defaults = {
	.line_max = EVENT_LINE_DEFAULT,
	.host_name = "web-3",
	.boot_id = scene_boot_id,
};

/* The scene's line, parsed; json_object_put it. */
static inline struct json_object *scene_parse(scene_set set,
					      const struct event_writer_options *options)
{
	const struct scene scene = {"", set};
	struct text out = {0};
	struct json_object *parsed;

	scene_write(&scene, options, &out);
	assert_int_equal(out.data[out.length - 1], '\n');
	assert_null(memchr(out.data, '\n', out.length - 1));
	assert_true(out.length <= options->line_max);
	parsed = json_tokener_parse(text_string(&out));
	assert_non_null(parsed);
	text_free(&out);
	return parsed;
}

/* By its path; NULL: it is not there. */
static inline struct json_object *at(struct json_object *line, const char *path)
{
	struct json_object *found = line;
	char key[64];

	while (*path && found) {
		size_t length = strcspn(path, ".");

		snprintf(key, sizeof(key), "%.*s", (int)length, path);
		if (!json_object_object_get_ex(found, key, &found))
			return NULL;
		path += length + (path[length] == '.');
	}
	return found;
}

/* expected: JSON, or NULL where there must be nothing. */
static inline void assert_same(const char *path, struct json_object *found, const char *expected)
{
	struct json_object *wanted = expected ? json_tokener_parse(expected) : NULL;

	if (!json_object_equal(found, wanted))
		fail_msg("%s is %s, not %s", path,
			 found ? json_object_to_json_string(found) : "absent",
			 expected ? expected : "absent");
	json_object_put(wanted);
}

static inline void assert_at(struct json_object *line, const char *path, const char *expected)
{
	assert_same(path, at(line, path), expected);
}

/* The same of an attribute, which has dots in its name. */
static inline void assert_attribute(struct json_object *line, const char *name,
				    const char *expected)
{
	struct json_object *found = NULL;

	json_object_object_get_ex(line, name, &found);
	assert_same(name, found, expected);
}

static inline bool names(struct json_object *line, const char *list, const char *name)
{
	struct json_object *found = at(line, list);

	for (size_t i = 0; found && i < json_object_array_length(found); i++)
		if (!strcmp(json_object_get_string(json_object_array_get_idx(found, i)), name))
			return true;
	return false;
}

#endif
