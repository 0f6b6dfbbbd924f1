/* SPDX-License-Identifier: GPL-2.0-only */
#include "host/mountinfo.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* Spaces, tabs, newlines and backslashes are written \ooo (mangle() in fs/seq_file.c). */
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

/*
 * "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue"; strsep, as the
 * source before the last field may be empty.
 */
static bool line_parse(char *line, struct mount *mount)
{
	char *rest = strstr(line, " - ");
	char *device;

	if (!rest)
		return false;
	*rest = '\0';
	rest += 3;
	strsep(&line, " ");
	strsep(&line, " ");
	device = strsep(&line, " ");
	mount->root = strsep(&line, " ");
	mount->point = strsep(&line, " ");
	mount->options = strsep(&line, " ");
	if (!mount->options || sscanf(device, "%u:%u", &mount->major, &mount->minor) != 2)
		return false;
	mount->type = strsep(&rest, " ");
	strsep(&rest, " ");
	mount->super_options = rest;
	if (!rest)
		return false;
	octal_decode(mount->root);
	octal_decode(mount->point);
	return true;
}

bool mountinfo_next(char **text, struct mount *mount)
{
	while (*text && **text) {
		char *line = strsep(text, "\n");

		if (line_parse(line, mount))
			return true;
	}
	return false;
}

bool mountinfo_is_below(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	if (!strcmp(folder, "/"))
		return path[0] == '/';
	return !strncmp(path, folder, length) && (path[length] == '/' || !path[length]);
}

char *mountinfo_locate(char *text, unsigned int major, unsigned int minor, const char *path)
{
	struct mount mount;
	char *found = NULL;

	while (!found && mountinfo_next(&text, &mount)) {
		bool is_at_root = !strcmp(mount.point, "/");
		const char *rest = path;

		if (mount.major != major || mount.minor != minor ||
		    !mountinfo_is_below(path, mount.root))
			continue;
		if (strcmp(mount.root, "/"))
			rest += strlen(mount.root);
		found = mem_printf("%s%s", is_at_root ? "" : mount.point, rest);
	}
	return found;
}
