/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "launch/inside.h"

#define USER_FILE_MAX (1 << 20)
#define USER_ID_MAX INT_MAX   /* docker's limit; the kernel's is twice that */
#define USER_GROUPS_MAX 65536 /* NGROUPS_MAX of the kernel */
#define USER_NEAR 2           /* edits: further away nothing is worth proposing */

/* One half of USER:GROUP. */
struct user_word {
	const char *name; /* NULL: not given */
	bool is_number;
	unsigned long id;
};

/* NULL: not there, or nothing that could be such a file (a device, a pipe, far too long). */
static FILE *user_file(int root_fd, const char *path)
{
	autoclose int fd = inside_open(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	FILE *file;

	if (fd < 0 || fstat(fd, &status) || !S_ISREG(status.st_mode) ||
	    status.st_size > USER_FILE_MAX)
		return NULL;
	file = fdopen(fd, "re");
	if (file)
		steal_fd(&fd);
	return file;
}

static int user_word_read(const char *what, const char *name, struct user_word *word)
{
	char *end;

	word->name = name;
	if (name[0] < '0' || name[0] > '9')
		return 0;
	errno = 0;
	word->id = strtoul(name, &end, 10);
	word->is_number = !*end;
	if (word->is_number && (errno || word->id > USER_ID_MAX))
		return log_error(-EINVAL, "cannot run as %s %s: ids go from 0 to %d", what, name,
				 USER_ID_MAX);
	return 0;
}

static bool user_word_is(const struct user_word *word, const char *name, unsigned long id)
{
	return word->is_number ? word->id == id : !strcmp(word->name, name);
}

static int user_unknown(const char *what, const char *file, const char *name, const char *nearest)
{
	if (nearest)
		return log_error(-ENOENT,
				 "cannot run as %s %s: the container's %s has none of that name; "
				 "did you mean %s?",
				 what, name, file, nearest);
	return log_error(-ENOENT,
			 "cannot run as %s %s: the container's %s has none of that name; a number "
			 "needs no entry",
			 what, name, file);
}

/* Keeps the nearest of all names seen; *nearest is owned. */
static void user_consider(const char *wanted, const char *name, size_t *distance, char **nearest)
{
	size_t here = text_distance(wanted, name);

	/* Of a name that is all wrong nothing is near. */
	if (here > USER_NEAR || here >= strlen(wanted) || here >= *distance)
		return;
	*distance = here;
	free(*nearest);
	*nearest = mem_copy(name);
}

/* The first entry that matches wins. *name is owned, NULL when there is no entry. */
static int user_find(int root_fd, const struct user_word *word, struct user *user, char **name)
{
	autofclose FILE *file = user_file(root_fd, "/etc/passwd");
	autofree char *nearest = NULL;
	size_t distance = SIZE_MAX;
	struct passwd *entry;

	while (file && (entry = fgetpwent(file))) {
		if (user_word_is(word, entry->pw_name, entry->pw_uid)) {
			user->uid = entry->pw_uid;
			user->gid = entry->pw_gid;
			user->home = mem_copy(entry->pw_dir);
			*name = mem_copy(entry->pw_name);
			return 0;
		}
		user_consider(word->name, entry->pw_name, &distance, &nearest);
	}
	if (!word->is_number)
		return user_unknown("user", "/etc/passwd", word->name, nearest);
	user->uid = word->id;
	return 0;
}

static int user_find_group(int root_fd, const struct user_word *word, struct user *user)
{
	autofclose FILE *file = user_file(root_fd, "/etc/group");
	autofree char *nearest = NULL;
	size_t distance = SIZE_MAX;
	struct group *entry;

	while (file && (entry = fgetgrent(file))) {
		if (user_word_is(word, entry->gr_name, entry->gr_gid)) {
			user->gid = entry->gr_gid;
			return 0;
		}
		user_consider(word->name, entry->gr_name, &distance, &nearest);
	}
	if (!word->is_number)
		return user_unknown("group", "/etc/group", word->name, nearest);
	user->gid = word->id;
	return 0;
}

static bool user_is_member(const struct group *entry, const char *name)
{
	for (char **member = entry->gr_mem; *member; member++) {
		if (!strcmp(*member, name))
			return true;
	}
	return false;
}

/* name NULL: nobody that a group could list. */
static void user_add_groups(int root_fd, struct user *user, const char *name)
{
	autofclose FILE *file = name ? user_file(root_fd, "/etc/group") : NULL;
	size_t capacity = 0;
	struct group *entry;

	mem_reserve_one(user->groups, user->groups_count, capacity);
	user->groups[user->groups_count++] = user->gid;
	while (file && (entry = fgetgrent(file)) && user->groups_count < USER_GROUPS_MAX) {
		if (!user_is_member(entry, name) || entry->gr_gid == user->gid)
			continue;
		mem_reserve_one(user->groups, user->groups_count, capacity);
		user->groups[user->groups_count++] = entry->gr_gid;
	}
}

int user_resolve(int root_fd, const char *words, struct user *user)
{
	autofree char *copy = mem_copy(words && *words ? words : "0");
	struct user_word user_word = {0}, group_word = {0};
	autofree char *name = NULL;
	char *colon = strchr(copy, ':');
	int r;

	if (colon)
		*colon = '\0';
	if (!*copy || (colon && !colon[1]))
		return log_error(-EINVAL, "cannot run as user %s: it is UID[:GID] or names", words);
	r = user_word_read("user", copy, &user_word);
	if (!r && colon)
		r = user_word_read("group", colon + 1, &group_word);
	if (!r)
		r = user_find(root_fd, &user_word, user, &name);
	if (!r && group_word.name)
		r = user_find_group(root_fd, &group_word, user);
	if (r)
		return r;
	if (!user->home || !*user->home) {
		free(user->home);
		user->home = mem_copy("/");
	}
	user_add_groups(root_fd, user, group_word.name ? NULL : name);
	return 0;
}

void user_free(struct user *user)
{
	free(user->home);
	free(user->groups);
	memset(user, 0, sizeof(*user));
}
