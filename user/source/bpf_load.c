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
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "nsview.skel.h"
#include "source/btf_cache.h"
#include "source/btf_small.h"

#define ITERATOR_SECTION "iter/task"
#define NO_SECTION "nsview/none"          /* matches no program */
#define ITERATOR_FUNCTION "bpf_iter_task" /* kernel/bpf/task_iter.c */

static unsigned int cpus_possible(void)
{
	int cpus = libbpf_num_possible_cpus();

	if (cpus <= 0)
		cpus = (int)sysconf(_SC_NPROCESSORS_CONF);
	return cpus > 0 ? (unsigned int)cpus : 1;
}

/* entry: NULL: libbpf finds out everything itself. */
static int object_load(const struct bpf_load_options *options, const char *btf_path,
		       const struct btf_cache_entry *entry, struct bpf_loaded *loaded)
{
	LIBBPF_OPTS(bpf_object_open_opts, open_options, .btf_custom_path = btf_path,
		    .kernel_log_buf = options->verifier_log,
		    .kernel_log_size = options->verifier_log_size);
	struct nsview_bpf *object = nsview_bpf__open_opts(&open_options);
	struct bpf_program *tasks;
	int r = 0;

	if (!object)
		return -errno;
	object->rodata->cpus_possible = cpus_possible();
	tasks = object->progs.tasks_snapshot;
	bpf_program__set_autoload(tasks, true);
	/* A program that attaches to another one has no need of the kernel's BTF: until it is
	 * loaded, libbpf is told that this is one, and any descriptor will do. */
	if (entry)
		r = bpf_program__set_attach_target(tasks, entry->fd, NULL);
	if (!r)
		r = nsview_bpf__load(object);
	if (r) {
		nsview_bpf__destroy(object);
		return r;
	}
	*loaded = (struct bpf_loaded){.object = object, .tasks = tasks};
	return 0;
}

static int iterator_prepare(struct bpf_program *program, struct bpf_prog_load_opts *options,
			    long function_id)
{
	(void)program;
	options->attach_prog_fd = 0;
	options->attach_btf_id = (__u32)function_id;
	return 0;
}

/* With all that libbpf would look up in the kernel's BTF at hand. */
static int entry_load(const struct bpf_load_options *options, const struct btf_cache_entry *entry,
		      struct bpf_loaded *loaded)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, handler_options, .cookie = entry->function_id,
		    .prog_prepare_load_fn = iterator_prepare);
	autofree char *path = mem_printf("/proc/self/fd/%d", entry->fd);
	/* Before libbpf 1.3 unregistering the last handler leaves a pointer to freed memory behind
	 * (its "Fix realloc API handling in zero-sized edge cases"), so one more stays. */
	int r = libbpf_register_prog_handler(NO_SECTION, BPF_PROG_TYPE_TRACING, 0, NULL);
	int handler = r < 0 ? r
			    : libbpf_register_prog_handler(ITERATOR_SECTION, BPF_PROG_TYPE_TRACING,
							   BPF_TRACE_ITER, &handler_options);

	if (handler < 0)
		return handler;
	r = object_load(options, path, entry, loaded);
	libbpf_unregister_prog_handler(handler);
	return r;
}

/* The small BTF as a file without a name; for the next run also as one with. */
static int entry_store(const struct btf *small, bool is_kept, struct btf_cache_entry *entry)
{
	autoclose int fd = memfd_create("nsview-btf", MFD_CLOEXEC);
	size_t object_size;
	const void *object = nsview_bpf__elf_bytes(&object_size);
	__u32 size;
	const void *data = btf__raw_data(small, &size);

	if (fd < 0 || !data)
		return -ENOMEM;
	if (write(fd, data, size) != (ssize_t)size)
		return -ENOSPC;
	if (is_kept)
		btf_cache_write(object, object_size, data, size, entry->function_id);
	entry->fd = steal_fd(&fd);
	return 0;
}

static int entry_make(const char *btf_path, struct btf_cache_entry *entry)
{
	struct btf *kernel = btf_path ? btf__parse(btf_path, NULL) : btf__load_vmlinux_btf();
	struct nsview_bpf *opened = kernel ? nsview_bpf__open() : NULL;
	struct btf *small = NULL;
	int r = opened ? 0 : -errno;

	if (!r)
		r = btf_small_make(kernel, bpf_object__btf(opened->obj), ITERATOR_FUNCTION, &small,
				   &entry->function_id);
	if (!r)
		r = entry_store(small, !btf_path, entry);
	btf__free(small);
	nsview_bpf__destroy(opened);
	btf__free(kernel);
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

int bpf_load_tasks(const struct bpf_load_options *options, struct bpf_loaded *loaded)
{
	struct btf_cache_entry entry = {.fd = -1};
	size_t object_size;
	const void *bytes = nsview_bpf__elf_bytes(&object_size);
	bool is_cached = !options->btf_path && !btf_cache_read(bytes, object_size, &entry);
	int r = is_cached ? entry_load(options, &entry, loaded) : permission_try();

	if (is_cached)
		close(entry.fd);
	if (r == -EPERM || (is_cached && !r))
		return r;
	if (!entry_make(options->btf_path, &entry)) {
		r = entry_load(options, &entry, loaded);
		close(entry.fd);
		if (!r)
			return 0;
	}
	return object_load(options, options->btf_path, NULL, loaded);
}
