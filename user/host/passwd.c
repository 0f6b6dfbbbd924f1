/* SPDX-License-Identifier: GPL-2.0-only */
#include "host/passwd.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uthash.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/procfs.h"
#include "host/rootfile.h"

#define FILE_BYTES_MAX (1u << 20)
#define NAME_BYTES_MAX 32           /* UT_NAMESIZE, utmp(5): no tool makes longer ones */
#define HOST_NAMES_MAX 65536        /* remembered; what does not fit is asked for each time */
#define ROOTS_MAX 65536             /* processes whose root is remembered */
#define TOLD_MAX 1048576            /* names that a listener was told or that were learned */
#define TOLD_BYTES_MAX 1024         /* of one of those */
#define FILES_MAX 4096              /* containers whose file is remembered */
#define NAMES_BYTES_MAX (16u << 20) /* of all those files together; beyond: numbers */
#define BUFFER_BYTES_MAX (1u << 20)
#define RECENT_UIDS 64 /* a power of two */

struct host_name {
	uint32_t uid;
	char *name; /* NULL: it has none */
	UT_hash_handle hh;
};

struct user_line {
	uint32_t uid;
	uint32_t offset; /* of the name in the file's names */
};

/* One container's /etc/passwd. */
struct passwd_file {
	struct user_line *lines; /* by uid, those of one uid in the file's order */
	size_t count;
	char *names;
	size_t names_bytes;
	UT_hash_handle hh;
	char key[]; /* mount namespace and root */
};

struct root_key {
	uint32_t mnt_ns;
	uint32_t pid;
};

/* Which file is a process's. */
struct known_root {
	struct root_key key;
	struct passwd_file *file; /* borrowed; NULL: not to be had */
	UT_hash_handle hh;
};

struct told_key {
	uint32_t mnt_ns;
	uint32_t pid;
	uint32_t uid;
};

struct told_name {
	struct told_key key;
	bool is_told; /* to the listener */
	char *name;   /* NULL: none */
	UT_hash_handle hh;
};

/* What passwd_host_name said of a uid: a stream of events asks for the same few all the time. */
struct recent_name {
	const char *name; /* borrowed; NULL: none */
	uint32_t uid;
	bool is_set;
};

struct passwd_cache {
	struct recent_name recent[RECENT_UIDS];
	struct host_name *host_names;
	struct known_root *roots;
	struct passwd_file *files;
	struct passwd_file *host; /* of --host-root; NULL: the C library's */
	struct rootfile *reader;
	size_t names_bytes;
	struct told_name *told; /* by a listener's cache, or to a learning one */
	bool is_learning;       /* only what was told is known */
	struct stat host_file;  /* /etc/passwd when passwd_refresh looked last */
	uint64_t changes;
	passwd_listener listener;
	void *listener_context;
};

static void file_free(struct passwd_file *file)
{
	free(file->lines);
	free(file->names);
	free(file);
}

void passwd_free(struct passwd_cache *cache)
{
	struct host_name *name, *next_name;
	struct known_root *root, *next_root;
	struct passwd_file *file, *next_file;
	struct told_name *told, *next_told;

	if (!cache)
		return;
	HASH_ITER (hh, cache->told, told, next_told) {
		HASH_DEL(cache->told, told);
		free(told->name);
		free(told);
	}
	HASH_ITER (hh, cache->host_names, name, next_name) {
		HASH_DEL(cache->host_names, name);
		free(name->name);
		free(name);
	}
	HASH_ITER (hh, cache->roots, root, next_root) {
		HASH_DEL(cache->roots, root);
		free(root);
	}
	HASH_ITER (hh, cache->files, file, next_file) {
		HASH_DEL(cache->files, file);
		file_free(file);
	}
	if (cache->host)
		file_free(cache->host);
	rootfile_free(cache->reader);
	free(cache);
}

static bool uid_parse(const char *text, size_t length, uint32_t *uid)
{
	uint64_t value = 0;

	if (!length || length > 10)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	*uid = (uint32_t)value;
	return value <= UINT32_MAX;
}

/* "name:password:uid:...", as far as C libraries agree on what they take: no NIS marks. */
static bool line_parse(const char *line, size_t length, size_t *name_length, uint32_t *uid)
{
	const char *end = line + length;
	const char *first = memchr(line, ':', length);
	const char *second = first ? memchr(first + 1, ':', (size_t)(end - first - 1)) : NULL;
	const char *third = second ? memchr(second + 1, ':', (size_t)(end - second - 1)) : NULL;

	if (!third || first == line || first - line > NAME_BYTES_MAX || *line == '+' ||
	    *line == '-' || *line == '#' || memchr(line, '\0', length))
		return false;
	*name_length = (size_t)(first - line);
	return uid_parse(second + 1, (size_t)(third - second - 1), uid);
}

static int line_compare(const void *left, const void *right)
{
	const struct user_line *one = left;
	const struct user_line *other = right;

	if (one->uid != other->uid)
		return one->uid < other->uid ? -1 : 1;
	return (one->offset > other->offset) - (one->offset < other->offset);
}

static void file_parse(struct passwd_file *file, const char *data, size_t length)
{
	const char *end = length ? data + length : data;
	struct text names = {0};
	size_t capacity = 0;

	while (data < end) {
		const char *newline = memchr(data, '\n', (size_t)(end - data));
		size_t line = (size_t)((newline ? newline : end) - data);
		size_t name_length;
		uint32_t uid;

		if (line_parse(data, line, &name_length, &uid)) {
			mem_reserve_one(file->lines, file->count, capacity);
			file->lines[file->count++] =
				(struct user_line){uid, (uint32_t)names.length};
			text_add(&names, data, name_length);
			text_add_char(&names, '\0');
		}
		data += line + 1;
	}
	if (file->count)
		qsort(file->lines, file->count, sizeof(*file->lines), line_compare);
	file->names_bytes = names.length + file->count * sizeof(*file->lines);
	file->names = names.data;
}

/* The first line that has the uid wins, as for getpwuid. */
static const char *file_name(const struct passwd_file *file, uint32_t uid)
{
	size_t low = 0;
	size_t high = file->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (file->lines[middle].uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == file->count || file->lines[low].uid != uid)
		return NULL;
	return file->names + file->lines[low].offset;
}

static bool file_uid(const struct passwd_file *file, const char *name, uint32_t *uid)
{
	for (size_t i = 0; i < file->count; i++) {
		if (!strcmp(file->names + file->lines[i].offset, name)) {
			*uid = file->lines[i].uid;
			return true;
		}
	}
	return false;
}

/* getpwuid_r and getpwnam_r in one: the entry's strings lie in *buffer, to be freed. NULL: none. */
static struct passwd *host_entry(const char *name, uint32_t uid, struct passwd *entry,
				 char **buffer)
{
	for (size_t size = 1024; size <= BUFFER_BYTES_MAX; size *= 4) {
		struct passwd *found = NULL;
		int r;

		*buffer = mem_resize(*buffer, size, 1);
		r = name ? getpwnam_r(name, entry, *buffer, size, &found)
			 : getpwuid_r(uid, entry, *buffer, size, &found);
		if (r != ERANGE)
			return r ? NULL : found;
	}
	return NULL;
}

static void recent_forget(struct passwd_cache *cache)
{
	memset(cache->recent, 0, sizeof(cache->recent));
}

static struct told_name *told_find(const struct passwd_cache *cache, const struct told_key *key)
{
	struct told_name *told;

	HASH_FIND(hh, cache->told, key, sizeof(*key), told);
	return told;
}

static struct told_name *told_make(struct passwd_cache *cache, const struct told_key *key)
{
	struct told_name *told = told_find(cache, key);

	if (told || HASH_COUNT(cache->told) >= TOLD_MAX)
		return told;
	told = mem_new(sizeof(*told));
	told->key = *key;
	HASH_ADD(hh, cache->told, key, sizeof(told->key), told);
	return told;
}

/* name NULL: it has none any more. */
static void told_set(struct told_name *told, const char *name, size_t length)
{
	char *copy = name ? mem_new(length + 1) : NULL;

	if (name)
		memcpy(copy, name, length);
	free(told->name);
	told->name = copy;
	told->is_told = false;
}

void passwd_learn(struct passwd_cache *cache, uint32_t mnt_ns, uint32_t pid, uint32_t uid,
		  const char *name, size_t length)
{
	const struct told_key key = {mnt_ns, pid, uid};
	struct told_name *told;

	if (length > TOLD_BYTES_MAX || memchr(name, '\0', length))
		return;
	recent_forget(cache);
	told = told_find(cache, &key);
	if (told)
		cache->changes++;
	else
		told = told_make(cache, &key);
	if (told)
		told_set(told, length ? name : NULL, length);
}

static bool is_same(const char *one, const char *other)
{
	return one && other ? !strcmp(one, other) : one == other;
}

/* What was never told to have a name need not be told to have none. */
static const char *name_tell(struct passwd_cache *cache, const struct told_key *key,
			     const char *name)
{
	struct told_name *told;

	if (!cache->listener)
		return name;
	told = name ? told_make(cache, key) : told_find(cache, key);
	if (told && !is_same(told->name, name))
		told_set(told, name, name ? strlen(name) : 0);
	if (!told || told->is_told)
		return name;
	told->is_told = true;
	cache->listener(cache->listener_context, key->mnt_ns, key->pid, key->uid, name ? name : "");
	return name;
}

static const char *name_learned(struct passwd_cache *cache, const struct told_key *key)
{
	const struct told_name *told = told_find(cache, key);

	return name_tell(cache, key, told ? told->name : NULL);
}

void passwd_listen(struct passwd_cache *cache, passwd_listener listener, void *context)
{
	recent_forget(cache);
	cache->listener = listener;
	cache->listener_context = context;
}

static bool told_uid(const struct passwd_cache *cache, const char *name, uint32_t *uid)
{
	for (const struct told_name *told = cache->told; told; told = told->hh.next) {
		if (!told->key.pid && !told->key.mnt_ns && is_same(told->name, name)) {
			*uid = told->key.uid;
			return true;
		}
	}
	return false;
}

static const char *host_name_find(struct passwd_cache *cache, uint32_t uid)
{
	autofree char *buffer = NULL;
	struct host_name *known;
	struct passwd *found;
	struct passwd entry;

	if (cache->host)
		return file_name(cache->host, uid);
	HASH_FIND(hh, cache->host_names, &uid, sizeof(uid), known);
	if (known)
		return known->name;
	if (HASH_COUNT(cache->host_names) >= HOST_NAMES_MAX)
		return NULL;
	found = host_entry(NULL, uid, &entry, &buffer);
	known = mem_new(sizeof(*known));
	known->uid = uid;
	known->name = found ? mem_copy(found->pw_name) : NULL;
	HASH_ADD(hh, cache->host_names, uid, sizeof(known->uid), known);
	return known->name;
}

static const char *host_name_ask(struct passwd_cache *cache, uint32_t uid)
{
	const struct told_key key = {0, 0, uid};

	if (cache->is_learning)
		return name_learned(cache, &key);
	return name_tell(cache, &key, host_name_find(cache, uid));
}

const char *passwd_host_name(struct passwd_cache *cache, uint32_t uid)
{
	struct recent_name *recent = &cache->recent[uid & (RECENT_UIDS - 1)];

	if (!recent->is_set || recent->uid != uid)
		*recent = (struct recent_name){host_name_ask(cache, uid), uid, true};
	return recent->name;
}

int passwd_host_uid(struct passwd_cache *cache, const char *name, uint32_t *uid)
{
	autofree char *buffer = NULL;
	struct passwd entry;
	bool asks_library = !cache->host && !cache->is_learning;
	struct passwd *found = asks_library ? host_entry(name, 0, &entry, &buffer) : NULL;

	if (found)
		*uid = found->pw_uid;
	if (found || (cache->host && file_uid(cache->host, name, uid)) ||
	    (cache->is_learning && told_uid(cache, name, uid)))
		return 0;
	return uid_parse(name, strlen(name), uid) ? 0 : -ENOENT;
}

static struct passwd_file *file_learn(struct passwd_cache *cache, int proc_fd, uint32_t pid,
				      uint32_t mnt_ns)
{
	struct text content = {0};
	struct text key = {0};
	struct passwd_file *file = NULL;

	text_printf(&key, "%u ", mnt_ns);
	if (procfs_link(proc_fd, pid, "root", &key))
		goto out;
	HASH_FIND_STR(cache->files, text_string(&key), file);
	if (file || HASH_COUNT(cache->files) >= FILES_MAX ||
	    cache->names_bytes >= NAMES_BYTES_MAX ||
	    rootfile_read_of(cache->reader, proc_fd, pid, mnt_ns, "etc/passwd", FILE_BYTES_MAX,
			     &content) == -ESRCH)
		goto out;
	file = mem_new(sizeof(*file) + key.length + 1);
	memcpy(file->key, text_string(&key), key.length + 1);
	file_parse(file, content.data, content.length);
	cache->names_bytes += file->names_bytes;
	HASH_ADD_STR(cache->files, key, file);
out:
	text_free(&content);
	text_free(&key);
	return file;
}

struct passwd_cache *passwd_new(const char *host_root)
{
	struct passwd_cache *cache = mem_new(sizeof(*cache));
	autoclose int root_fd = -1;
	struct text content = {0};

	cache->reader = rootfile_new();
	if (!host_root)
		return cache;
	root_fd = open(host_root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd >= 0)
		rootfile_read(cache->reader, root_fd, "etc/passwd", FILE_BYTES_MAX, &content);
	cache->host = mem_new(sizeof(*cache->host));
	file_parse(cache->host, content.data, content.length);
	text_free(&content);
	return cache;
}

struct passwd_cache *passwd_new_learning(void)
{
	struct passwd_cache *cache = mem_new(sizeof(*cache));

	cache->is_learning = true;
	return cache;
}

static const char *container_name_find(struct passwd_cache *cache, int proc_fd, uint32_t pid,
				       uint32_t mnt_ns, uint32_t uid)
{
	struct root_key key = {mnt_ns, pid};
	struct known_root *root;

	HASH_FIND(hh, cache->roots, &key, sizeof(key), root);
	if (!root) {
		if (HASH_COUNT(cache->roots) >= ROOTS_MAX)
			return NULL;
		root = mem_new(sizeof(*root));
		root->key = key;
		root->file = file_learn(cache, proc_fd, pid, mnt_ns);
		HASH_ADD(hh, cache->roots, key, sizeof(root->key), root);
	}
	return root->file ? file_name(root->file, uid) : NULL;
}

const char *passwd_container_name(struct passwd_cache *cache, int proc_fd, uint32_t pid,
				  uint32_t mnt_ns, uint32_t uid)
{
	const struct told_key key = {mnt_ns, pid, uid};

	if (cache->is_learning)
		return name_learned(cache, &key);
	if (proc_fd < 0)
		return NULL;
	return name_tell(cache, &key, container_name_find(cache, proc_fd, pid, mnt_ns, uid));
}

void passwd_refresh(struct passwd_cache *cache)
{
	struct host_name *name, *next_name;
	struct stat now = {0};
	bool is_first = !cache->host_file.st_ino;

	if (cache->is_learning || cache->host || stat("/etc/passwd", &now) ||
	    (now.st_ino == cache->host_file.st_ino && now.st_size == cache->host_file.st_size &&
	     !memcmp(&now.st_mtim, &cache->host_file.st_mtim, sizeof(now.st_mtim))))
		return;
	cache->host_file = now;
	if (is_first)
		return;
	cache->changes++;
	recent_forget(cache);
	HASH_ITER (hh, cache->host_names, name, next_name) {
		HASH_DEL(cache->host_names, name);
		free(name->name);
		free(name);
	}
}

uint64_t passwd_changes(const struct passwd_cache *cache)
{
	return cache->changes;
}

void passwd_forget(struct passwd_cache *cache, uint32_t mnt_ns)
{
	struct known_root *root, *next_root;
	struct passwd_file *file, *next_file;

	cache->changes++;

	/* Of a learning cache there are none. */
	HASH_ITER (hh, cache->roots, root, next_root) {
		if (root->key.mnt_ns != mnt_ns)
			continue;
		HASH_DEL(cache->roots, root);
		free(root);
	}
	HASH_ITER (hh, cache->files, file, next_file) {
		if (strtoul(file->key, NULL, 10) != mnt_ns)
			continue;
		HASH_DEL(cache->files, file);
		cache->names_bytes -= file->names_bytes;
		file_free(file);
	}
}
