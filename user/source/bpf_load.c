/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libbpf alone takes 40 ms of CPU for one small program: it reads the kernel's whole BTF, once for
 * the relocations and once for the id of the function that the iterator belongs to. Both can be
 * had from a file of some kB that is made once per kernel; then it takes 5 ms.
 */
#include "source/bpf_load.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/mem.h"
#include "nsview.skel.h"
#include "snapshot.skel.h"
#include "source/btf_cache.h"
#include "source/btf_small.h"
#include "source/hooks.h"
#include "source/source.h"

#define WAKE_BYTES (1 << 20)           /* a batch begins with cold caches: docs/watching.md */
#define LRU_HELD 128                   /* kernel/bpf/bpf_lru_list.c: LOCAL_FREE_TARGET of a CPU */
#define NO_SECTION "nsview/none"       /* matches no program */
#define TRACEPOINT_PREFIX "btf_trace_" /* the type of a tracepoint: include/trace/bpf_probe.h */
#define ITERATOR_PREFIX "bpf_iter_"

/* The kinds of programs that bpf/ has. */
static const struct {
	const char *section; /* as libbpf_register_prog_handler has it */
	enum bpf_prog_type type;
	enum bpf_attach_type attach;
} sections[] = {
	{"iter+", BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER},
	{"tp_btf+", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP},
	{"fentry+", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY},
	{"fexit+", BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT},
	{"kprobe+", BPF_PROG_TYPE_KPROBE, 0},
	{"kretprobe+", BPF_PROG_TYPE_KPROBE, 0},
	{"tp+", BPF_PROG_TYPE_TRACEPOINT, 0},
};

/* The maps that only events need. */
static const char *const event_maps[] = {
	"events",       "counters", "remembered",  "remembered_by_task",
	"cgroups_told", "looks",    "exec_drafts", "remembered_by_place",
};

static unsigned int cpus_possible(void)
{
	int cpus = libbpf_num_possible_cpus();

	if (cpus <= 0)
		cpus = (int)sysconf(_SC_NPROCESSORS_CONF);
	return cpus > 0 ? (unsigned int)cpus : 1;
}

static bool map_is_wanted(const struct bpf_load_options *options, const char *name)
{
	if (!strcmp(name, "remembered"))
		return options->programs && options->has_task_storage;
	if (!strcmp(name, "remembered_by_task"))
		return options->programs && !options->has_task_storage;
	return options->programs;
}

static int object_set_maps(struct bpf_object *object, const struct bpf_load_options *options)
{
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_SIZE(event_maps); i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, event_maps[i]);

		if (!map)
			return -ENOENT;
		r = bpf_map__set_autocreate(map, map_is_wanted(options, event_maps[i]));
	}
	return r;
}

/* Early enough for the reader to come before the ring is full. */
static unsigned int wake_bytes(size_t ring_bytes)
{
	return ring_bytes / 8 < WAKE_BYTES ? (unsigned int)ring_bytes / 8 : WAKE_BYTES;
}

#define PLACES_MIN 4096
#define PLACES_MAX 16384  /* 9 MB */
#define PLACES_A_THREAD 4 /* so that few find theirs taken */

/* Of threads that are remembered by place: a power of two. */
static unsigned int places_count(void)
{
	struct sysinfo info = {0};
	unsigned int places = PLACES_MIN;

	sysinfo(&info);
	while (places < PLACES_MAX && places < info.procs * PLACES_A_THREAD)
		places *= 2;
	return places;
}

static int object_set_sizes(struct nsview_bpf *object, size_t ring_bytes)
{
	unsigned int cpus = cpus_possible(), places = places_count();
	struct bpf_map *exits = object->maps.exits_told;
	unsigned int copies = bpf_map__max_entries(object->maps.looks) * cpus;
	int r = bpf_map__set_max_entries(object->maps.events, (__u32)ring_bytes);

	object->rodata->places_mask = places - 1;
	if (!r)
		r = bpf_map__set_max_entries(exits, bpf_map__max_entries(exits) + LRU_HELD * cpus);
	if (!r)
		r = bpf_map__set_max_entries(object->maps.exec_drafts, cpus);
	if (!r)
		r = bpf_map__set_max_entries(object->maps.remembered_by_place, places + 1 + copies);
	return r;
}

static int object_set_events(struct nsview_bpf *object, const struct bpf_load_options *options)
{
	const struct listen_options *listen = options->listen;

	object->rodata->is_listening = true;
	object->rodata->has_task_storage = options->has_task_storage;
	object->rodata->has_task_helpers = options->has_task_helpers;
	object->rodata->wake_bytes = wake_bytes(listen->ring_bytes);
	object->rodata->args_max = (unsigned int)listen->args_max;
	object->rodata->env_max = (unsigned int)listen->env_max;
	for (const char *const *name = options->programs; *name; name++) {
		struct bpf_program *program = bpf_object__find_program_by_name(object->obj, *name);

		if (!program)
			return -ENOENT;
		bpf_program__set_autoload(program, true);
	}
	return object_set_sizes(object, listen->ring_bytes);
}

/* A program that attaches to another one has no need of the kernel's BTF: until it is loaded,
 * libbpf is told that this is one, and any descriptor will do. */
static int object_set_targets(struct bpf_object *object, int fd)
{
	struct bpf_program *program;
	int r = 0;

	bpf_object__for_each_program(program, object)
	{
		if (!r && bpf_program__autoload(program) &&
		    bpf_program__type(program) == BPF_PROG_TYPE_TRACING)
			r = bpf_program__set_attach_target(program, fd, NULL);
	}
	return r;
}

static int snapshot_open(const struct bpf_object_open_opts *options, struct bpf_loaded *loaded)
{
	loaded->snapshot = snapshot_bpf__open_opts(options);
	if (!loaded->snapshot)
		return -errno;
	loaded->snapshot->rodata->cpus_possible = cpus_possible();
	return 0;
}

static int events_open(const struct bpf_object_open_opts *options, struct bpf_loaded *loaded)
{
	loaded->object = nsview_bpf__open_opts(options);
	if (!loaded->object)
		return -errno;
	loaded->object->rodata->cpus_possible = cpus_possible();
	return 0;
}

static struct bpf_object *loaded_object(const struct bpf_loaded *loaded)
{
	return loaded->object ? loaded->object->obj : loaded->snapshot->obj;
}

static int loaded_load(const struct bpf_load_options *options, const struct btf_cache_entry *entry,
		       struct bpf_loaded *loaded)
{
	struct bpf_object *object = loaded_object(loaded);
	int r = object_set_maps(object, options);

	if (!options->is_without_sweep) {
		loaded->tasks = bpf_object__find_program_by_name(object, HOOK(tasks_snapshot));
		bpf_program__set_autoload(loaded->tasks, true);
	}
	if (loaded->object && !options->is_without_usage) {
		loaded->usage = bpf_object__find_program_by_name(object, HOOK(usage_sample));
		bpf_program__set_autoload(loaded->usage, true);
	}
	if (!r && options->programs)
		r = object_set_events(loaded->object, options);
	if (!r && entry)
		r = object_set_targets(object, entry->fd);
	if (r)
		return r;
	return loaded->object ? nsview_bpf__load(loaded->object)
			      : snapshot_bpf__load(loaded->snapshot);
}

/* entry: NULL: libbpf finds out everything itself. */
static int object_load(const struct bpf_load_options *options, const char *btf_path,
		       const struct btf_cache_entry *entry, struct bpf_loaded *loaded)
{
	LIBBPF_OPTS(bpf_object_open_opts, open_options, .btf_custom_path = btf_path,
		    .kernel_log_buf = options->verifier_log,
		    .kernel_log_size = options->verifier_log_size);
	struct bpf_loaded tried = {0};
	int r = options->programs ? events_open(&open_options, &tried)
				  : snapshot_open(&open_options, &tried);

	if (!r)
		r = loaded_load(options, entry, &tried);
	if (r)
		bpf_loaded_close(&tried);
	else
		*loaded = tried;
	return r;
}

void bpf_loaded_close(struct bpf_loaded *loaded)
{
	nsview_bpf__destroy(loaded->object);
	snapshot_bpf__destroy(loaded->snapshot);
	*loaded = (struct bpf_loaded){0};
}

/* What is known while libbpf loads one program after the other. */
struct loading {
	const struct btf_cache_entry *entry;
	char name[64]; /* of the program that is being loaded: the object is gone when it failed */
};

static int program_prepare(struct bpf_program *program, struct bpf_prog_load_opts *options,
			   long cookie)
{
	struct loading *loading = (struct loading *)cookie;
	const char *name = bpf_program__name(program);

	snprintf(loading->name, sizeof(loading->name), "%s", name);
	if (bpf_program__type(program) != BPF_PROG_TYPE_TRACING)
		return 0;
	options->attach_prog_fd = 0;
	options->attach_btf_id = btf_cache_id(loading->entry, name);
	return options->attach_btf_id ? 0 : -ENOENT;
}

/* Before libbpf 1.3 unregistering the last handler leaves a pointer to freed memory behind (its
 * "Fix realloc API handling in zero-sized edge cases"), so one more stays. */
static int handlers_register(struct loading *loading, int handlers[ARRAY_SIZE(sections)])
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, options, .cookie = (long)loading,
		    .prog_prepare_load_fn = program_prepare);
	int r = libbpf_register_prog_handler(NO_SECTION, BPF_PROG_TYPE_TRACING, 0, NULL);

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(sections); i++) {
		r = libbpf_register_prog_handler(sections[i].section, sections[i].type,
						 sections[i].attach, &options);
		handlers[i] = r;
	}
	return r < 0 ? r : 0;
}

/* With all that libbpf would look up in the kernel's BTF at hand. */
static int entry_load(const struct bpf_load_options *options, struct loading *loading,
		      struct bpf_loaded *loaded)
{
	autofree char *path = mem_printf("/proc/self/fd/%d", loading->entry->fd);
	int handlers[ARRAY_SIZE(sections)] = {0};
	int r = handlers_register(loading, handlers);

	if (!r)
		r = object_load(options, path, loading->entry, loaded);
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		if (handlers[i] > 0)
			libbpf_unregister_prog_handler(handlers[i]);
	}
	return r;
}

/* Which of the two objects is to be loaded. */
enum object_kind {
	OBJECT_SNAPSHOT,
	OBJECT_EVENTS,
};

static const void *object_bytes(enum object_kind kind, size_t *size)
{
	return kind == OBJECT_EVENTS ? nsview_bpf__elf_bytes(size) : snapshot_bpf__elf_bytes(size);
}

/* The small BTF as a file without a name; for the next run also as one with. */
static int entry_store(enum object_kind kind, const struct btf *small, bool is_kept,
		       struct btf_cache_entry *entry)
{
	autoclose int fd = memfd_create("nsview-btf", MFD_CLOEXEC);
	size_t object_size;
	const void *object = object_bytes(kind, &object_size);
	__u32 size;
	const void *data = btf__raw_data(small, &size);

	if (fd < 0 || !data)
		return -ENOMEM;
	if (write(fd, data, size) != (ssize_t)size)
		return -ENOSPC;
	if (is_kept)
		btf_cache_write(object, object_size, data, size, entry);
	entry->fd = steal_fd(&fd);
	return 0;
}

/* What a program attaches to, by its section: "tp_btf/NAME", "fentry/FUNCTION", or else by its row.
 * The name is a copy to be freed; NULL: to nothing that has an id. */
static struct btf_wanted program_wanted(const struct bpf_program *program)
{
	const char *slash = strchr(bpf_program__section_name(program), '/');
	const char *target = slash ? slash + 1 : hook_program_target(bpf_program__name(program));
	bool is_tracepoint = bpf_program__expected_attach_type(program) == BPF_TRACE_RAW_TP;
	bool is_iterator = bpf_program__expected_attach_type(program) == BPF_TRACE_ITER;

	if (!target || bpf_program__type(program) != BPF_PROG_TYPE_TRACING)
		return (struct btf_wanted){0};
	return (struct btf_wanted){
		.name = mem_printf("%s%s",
				   is_tracepoint ? TRACEPOINT_PREFIX
				   : is_iterator ? ITERATOR_PREFIX
						 : "",
				   target),
		.kind = is_tracepoint ? BTF_KIND_TYPEDEF : BTF_KIND_FUNC,
	};
}

/* Two programs may attach to the same thing. */
static uint32_t wanted_id(const struct btf_wanted *wanted, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (wanted[i].id && !strcmp(wanted[i].name, name))
			return wanted[i].id;
	}
	return 0;
}

/* The ids of everything that programs attach to, and of what candidates are told by. */
struct finding {
	struct btf_wanted wanted[BTF_IDS_MAX];
	size_t count;
};

static void finding_add(struct finding *finding, struct btf_wanted wanted)
{
	if (wanted.name && finding->count < BTF_IDS_MAX)
		finding->wanted[finding->count++] = wanted;
	else
		free((char *)wanted.name);
}

static void finding_keep(struct btf_cache_entry *entry, size_t *ids, const struct finding *finding,
			 const char *name, struct btf_wanted one)
{
	if (one.name && *ids < BTF_IDS_MAX)
		entry->ids[(*ids)++] = (struct btf_id){
			.program = btf_cache_program(name),
			.id = wanted_id(finding->wanted, finding->count, one.name),
		};
	free((char *)one.name);
}

static struct btf_wanted mark_wanted(void)
{
	return (struct btf_wanted){.name = mem_copy(HOOK_PREEMPTED_MARK), .kind = BTF_KIND_FUNC};
}

static int entry_find(const struct btf *kernel, struct bpf_object *opened,
		      struct btf_cache_entry *entry, struct btf **small)
{
	struct finding finding = {.count = 0};
	struct bpf_program *program;
	size_t ids = 0;
	int r;

	bpf_object__for_each_program(program, opened)
		finding_add(&finding, program_wanted(program));
	finding_add(&finding, mark_wanted());
	r = btf_small_make(kernel, bpf_object__btf(opened), finding.wanted, finding.count, small);
	bpf_object__for_each_program(program, opened) finding_keep(
		entry, &ids, &finding, bpf_program__name(program), program_wanted(program));
	finding_keep(entry, &ids, &finding, HOOK_PREEMPTED_MARK, mark_wanted());
	for (size_t i = 0; i < finding.count; i++)
		free((char *)finding.wanted[i].name);
	return r;
}

static int entry_make(enum object_kind kind, const char *btf_path, struct btf_cache_entry *entry)
{
	size_t size;
	const void *bytes = object_bytes(kind, &size);
	struct btf *kernel = btf_path ? btf__parse(btf_path, NULL) : btf__load_vmlinux_btf();
	struct bpf_object *opened = kernel ? bpf_object__open_mem(bytes, size, NULL) : NULL;
	struct btf *small = NULL;
	int r = opened ? 0 : -errno;

	*entry = (struct btf_cache_entry){.fd = -1};
	if (!r)
		r = entry_find(kernel, opened, entry, &small);
	if (!r)
		r = entry_store(kind, small, !btf_path, entry);
	btf__free(small);
	bpf_object__close(opened);
	btf__free(kernel);
	malloc_trim(0); /* the kernel's BTF takes 10 MB, which the ring comes on top of */
	return r;
}

/* Before anything is made: whether this user may load at all. */
static int permission_try(void)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, NULL, sizeof(__u32), sizeof(__u32), 1, NULL);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static bool entry_is_cached(enum object_kind kind, const char *btf_path,
			    struct btf_cache_entry *entry)
{
	size_t object_size;
	const void *object = object_bytes(kind, &object_size);

	return !btf_path && !btf_cache_read(object, object_size, entry);
}

int bpf_load_tasks(const struct bpf_load_options *options, struct bpf_loaded *loaded)
{
	struct btf_cache_entry entry = {.fd = -1};
	struct loading loading = {.entry = &entry};
	bool is_cached = entry_is_cached(OBJECT_SNAPSHOT, options->btf_path, &entry);
	int r = is_cached ? entry_load(options, &loading, loaded) : permission_try();

	if (is_cached)
		close(entry.fd);
	if (r == -EPERM || (is_cached && !r))
		return r;
	if (!entry_make(OBJECT_SNAPSHOT, options->btf_path, &entry)) {
		r = entry_load(options, &loading, loaded);
		close(entry.fd);
		if (!r)
			return 0;
	}
	return object_load(options, options->btf_path, NULL, loaded);
}

int bpf_load_prepare(const char *btf_path, struct btf_cache_entry *entry)
{
	int r = permission_try();

	if (r)
		return r;
	return entry_is_cached(OBJECT_EVENTS, btf_path, entry)
		       ? 0
		       : entry_make(OBJECT_EVENTS, btf_path, entry);
}

int bpf_load_programs(const struct bpf_load_options *options, const struct btf_cache_entry *entry,
		      struct bpf_loaded *loaded, const char **failed)
{
	struct loading loading = {.entry = entry};
	int r = entry_load(options, &loading, loaded);

	*failed = NULL;
	if (!r)
		return 0;
	if (!strcmp(loading.name, BPF_LOAD_SWEEP))
		*failed = BPF_LOAD_SWEEP;
	else if (!strcmp(loading.name, BPF_LOAD_USAGE))
		*failed = BPF_LOAD_USAGE;
	for (const char *const *name = options->programs; *name; name++) {
		if (!strcmp(*name, loading.name))
			*failed = *name;
	}
	return r;
}

/* A map of task storage with one number a task, or -errno. */
static int storage_make(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);
	struct btf *btf = btf__new_empty();
	int number = btf ? btf__add_int(btf, "int", sizeof(int), BTF_INT_SIGNED) : -ENOMEM;
	int fd = number < 0 ? number : btf__load_into_kernel(btf);

	if (!fd) {
		options.btf_fd = (__u32)btf__fd(btf);
		options.btf_key_type_id = (__u32)number;
		options.btf_value_type_id = (__u32)number;
		fd = bpf_map_create(BPF_MAP_TYPE_TASK_STORAGE, "nsview_trial", sizeof(int),
				    sizeof(int), 0, &options);
	}
	btf__free(btf);
	return fd;
}

void bpf_load_try_storage(bool *has_helpers, bool *has_storage)
{
	autoclose int map = storage_make();
	autoclose int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
	int value = 0;

	*has_helpers = map >= 0;
	*has_storage = map >= 0 && self >= 0 && !bpf_map_update_elem(map, &self, &value, BPF_ANY);
}
