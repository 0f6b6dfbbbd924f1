/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/btf_cache.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

#define CACHE_DIR "/var/cache/nsview"
#define CACHE_MAGIC "nsviewB"
#define CACHE_VERSION 2
#define CACHE_SUFFIX ".btf"
#define CACHE_FILES_MAX 16 /* kernels and programs come and go: above that, all are removed */
#define CACHE_BYTES_MAX (1 << 20)
#define KERNEL_NOTES "/sys/kernel/notes"
#define NOTES_BYTES 4096
#define BUILD_ID_BYTES 64
#define NAME_BYTES (2 * BUILD_ID_BYTES + 128)

/* At the end of the file: libbpf reads BTF from its beginning and does not mind what follows. */
struct cache_trailer {
	char magic[8];
	uint32_t version;
	uint32_t btf_size;
	struct btf_id ids[BTF_IDS_MAX];
	uint64_t key;      /* of build, architecture and object: also in the file's name */
	uint64_t checksum; /* of all before it */
};

/* FNV-1a by words: against damage, not against malice, which the directory's mode keeps out. */
static uint64_t hash_add(uint64_t hash, const void *data, size_t size)
{
	const char *bytes = data;

	for (size_t at = 0; at < size; at += sizeof(uint64_t)) {
		size_t left = size - at;
		uint64_t word = 0;

		memcpy(&word, bytes + at, left < sizeof(word) ? left : sizeof(word));
		hash = (hash ^ word) * 0x100000001b3ULL;
		hash ^= hash >> 32;
	}
	return (hash ^ size) * 0x100000001b3ULL;
}

#define HASH_START 0xcbf29ce484222325ULL

static size_t notes_padded(size_t size)
{
	return (size + 3) & ~(size_t)3;
}

/* The GNU build id among the kernel's ELF notes; its length, 0: none. */
static size_t build_id_read(unsigned char id[BUILD_ID_BYTES])
{
	_Alignas(Elf64_Nhdr) char notes[NOTES_BYTES];
	autoclose int fd = open(KERNEL_NOTES, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, notes, sizeof(notes));
	size_t at = 0;

	while (size > 0 && at + sizeof(Elf64_Nhdr) <= (size_t)size) {
		const Elf64_Nhdr *note = (void *)(notes + at);
		size_t name = at + sizeof(*note);
		size_t value = name + notes_padded(note->n_namesz);

		at = value + notes_padded(note->n_descsz);
		if (at > (size_t)size || at <= name)
			return 0;
		if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == sizeof("GNU") &&
		    !memcmp(notes + name, "GNU", sizeof("GNU")) && note->n_descsz &&
		    note->n_descsz <= BUILD_ID_BYTES) {
			memcpy(id, notes + value, note->n_descsz);
			return note->n_descsz;
		}
	}
	return 0;
}

/* The file's name and key; false: this kernel cannot be told from another. */
static bool cache_name(const void *object, size_t size, char name[NAME_BYTES], uint64_t *key)
{
	unsigned char id[BUILD_ID_BYTES];
	size_t id_length = build_id_read(id);
	struct text text = {0};
	struct utsname kernel;

	if (!id_length || uname(&kernel))
		return false;
	*key = hash_add(HASH_START, id, id_length);
	*key = hash_add(*key, kernel.machine, strlen(kernel.machine));
	*key = hash_add(*key, object, size);
	for (size_t i = 0; i < id_length; i++)
		text_add_hex(&text, id[i], 2);
	snprintf(name, NAME_BYTES, "%s-%s-%016llx" CACHE_SUFFIX, text_string(&text), kernel.machine,
		 (unsigned long long)*key);
	text_free(&text);
	return true;
}

/* Ours alone, or nothing from it is believed. */
static int directory_open(void)
{
	const char *path = secure_getenv("NSVIEW_CACHE_DIR");
	autoclose int fd =
		open(path ? path : CACHE_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;

	if (fd < 0 || fstat(fd, &status))
		return -errno;
	if (status.st_uid != geteuid() || status.st_mode & (S_IWGRP | S_IWOTH))
		return -EPERM;
	return steal_fd(&fd);
}

static int directory_make(void)
{
	const char *path = secure_getenv("NSVIEW_CACHE_DIR");

	mkdir(path ? path : CACHE_DIR, 0700);
	return directory_open();
}

static bool entry_is_sound(const char *data, size_t size, uint64_t key)
{
	struct cache_trailer trailer;

	if (size < sizeof(trailer))
		return false;
	memcpy(&trailer, data + size - sizeof(trailer), sizeof(trailer));
	return !memcmp(trailer.magic, CACHE_MAGIC, sizeof(trailer.magic)) &&
	       trailer.version == CACHE_VERSION && trailer.key == key &&
	       trailer.btf_size <= size - sizeof(trailer) &&
	       trailer.checksum == hash_add(HASH_START, data, size - sizeof(trailer.checksum));
}

int btf_cache_read(const void *object, size_t object_size, struct btf_cache_entry *entry)
{
	char name[NAME_BYTES];
	autoclose int directory = directory_open();
	autoclose int fd = -1;
	autofree char *data = NULL;
	struct cache_trailer trailer;
	struct stat status;
	uint64_t key;

	if (directory < 0 || !cache_name(object, object_size, name, &key))
		return -ENOENT;
	fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &status) || !S_ISREG(status.st_mode) ||
	    status.st_uid != geteuid() || status.st_mode & (S_IWGRP | S_IWOTH) ||
	    status.st_size > CACHE_BYTES_MAX)
		return -ENOENT;
	data = mem_new((size_t)status.st_size + 1);
	if (read(fd, data, (size_t)status.st_size) != status.st_size ||
	    !entry_is_sound(data, (size_t)status.st_size, key))
		return -ENOENT;
	memcpy(&trailer, data + status.st_size - sizeof(trailer), sizeof(trailer));
	memcpy(entry->ids, trailer.ids, sizeof(entry->ids));
	entry->fd = steal_fd(&fd);
	return 0;
}

/* Or the draft of one, left by somebody who was killed. */
static bool file_is_entry(const char *name)
{
	return strstr(name, CACHE_SUFFIX);
}

/* Keeps the directory bounded: what is still in use is made again. */
static void directory_trim(int directory)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *file;
	size_t count = 0;

	if (!listing) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((file = readdir(listing)))
		count += file_is_entry(file->d_name);
	rewinddir(listing);
	while (count >= CACHE_FILES_MAX && (file = readdir(listing))) {
		if (file_is_entry(file->d_name))
			unlinkat(directory, file->d_name, 0);
	}
	closedir(listing);
}

/* Under another name first: a reader sees the whole file or none. */
static void entry_write(int directory, const char *name, const struct text *bytes)
{
	autofree char *draft = mem_printf(".%s.%d", name, (int)getpid());
	autoclose int fd = openat(directory, draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return;
	if (write(fd, bytes->data, bytes->length) != (ssize_t)bytes->length ||
	    renameat(directory, draft, directory, name))
		unlinkat(directory, draft, 0);
}

void btf_cache_write(const void *object, size_t object_size, const void *btf, size_t btf_size,
		     const struct btf_cache_entry *entry)
{
	struct cache_trailer trailer = {
		.magic = CACHE_MAGIC,
		.version = CACHE_VERSION,
		.btf_size = (uint32_t)btf_size,
	};
	autoclose int directory = directory_make();
	char name[NAME_BYTES];
	struct text bytes = {0};

	if (directory < 0 || btf_size > CACHE_BYTES_MAX - sizeof(trailer) ||
	    !cache_name(object, object_size, name, &trailer.key))
		return;
	memcpy(trailer.ids, entry->ids, sizeof(trailer.ids));
	text_add(&bytes, btf, btf_size);
	text_add(&bytes, (const char *)&trailer, offsetof(struct cache_trailer, checksum));
	trailer.checksum = hash_add(HASH_START, bytes.data, bytes.length);
	text_add(&bytes, (const char *)&trailer.checksum, sizeof(trailer.checksum));
	directory_trim(directory);
	entry_write(directory, name, &bytes);
	text_free(&bytes);
}

uint64_t btf_cache_program(const char *name)
{
	uint64_t hash = hash_add(HASH_START, name, strlen(name));

	return hash ? hash : 1;
}

uint32_t btf_cache_id(const struct btf_cache_entry *entry, const char *program)
{
	uint64_t hash = btf_cache_program(program);

	for (size_t i = 0; i < BTF_IDS_MAX && entry->ids[i].program; i++) {
		if (entry->ids[i].program == hash)
			return entry->ids[i].id;
	}
	return 0;
}
