/* SPDX-License-Identifier: GPL-2.0-only */
/* The text of /proc/PID/mountinfo, proc_pid_mountinfo(5), line by line. */
#ifndef NSVIEW_HOST_MOUNTINFO_H
#define NSVIEW_HOST_MOUNTINFO_H

#include <stdbool.h>
#include <stddef.h>

#define MOUNTINFO_BYTES (16u << 20) /* 100,000 mounts, fs.mount-max, of ordinary length */

/* One mount. Strings are borrowed from the text, their \ooo undone: hostile. */
struct mount {
	unsigned int major;
	unsigned int minor;
	char *root;    /* which part of the file system is mounted */
	char *point;   /* where, below the root of the process that was asked */
	char *options; /* the mount's own: "ro,nosuid" */
	char *type;
	char *super_options;
};

/* Cuts the next line out of *text, which is changed; lines that make no sense are skipped. *text
 * is NUL-terminated, NULL at the end. Mounts come in the order of mounting. */
bool mountinfo_next(char **text, struct mount *mount);

/* Whether path is `folder` or below it; both absolute. */
bool mountinfo_is_below(const char *path, const char *folder);

/*
 * Where in `text` (a whole mountinfo, changed) the file `path` of the file system major:minor is to
 * be seen: a path to free, or NULL where it is not mounted. Mounts over that place are not
 * looked for: whoever opens it has to check that it got what it wanted.
 */
char *mountinfo_locate(char *text, unsigned int major, unsigned int minor, const char *path);

#endif
