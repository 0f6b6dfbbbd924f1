/* SPDX-License-Identifier: GPL-2.0-only */
/* The processes as the kernel itself has them, written by bpf/tasks.bpf.c. */
#include "source/source.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/facts.h"
#include "host/lockdown.h"
#include "source/args.h"
#include "source/bpf_load.h"
#include "source/events_source.h"
#include "source/proc_source.h"
#include "source/usage.h"
#include "source/verdict.h"

#define VERIFIER_BYTES \
	((1 << 24) - 1) /* the most that 5.10 takes; memory that is not written costs nothing */
/* The kernel hands out at most its own buffer of 8 pages at a time (kernel/bpf/bpf_iter.c);
 * more room is for pages larger than 4 KiB. */
#define CHUNK_BYTES (1 << 17)

#define INIT_PID 1

struct bpf_state {
	const struct facts *facts; /* borrowed */
	size_t args_max;
	const char *btf_path;
	struct bpf_loaded loaded;     /* the task iterator alone; empty once there are events */
	struct events_source *events; /* NULL: nobody listens */
	struct bpf_link *link;
	struct bpf_link *usage_link; /* NULL: nobody asked for it, or the kernel refused it */
	struct usage *usage;
	struct args_reader *args; /* NULL: none wanted */
	char *chunk;              /* CHUNK_BYTES */
	bool has_init;            /* pid 1 was among the records */
};

static void bpf_source_close(void *state)
{
	struct bpf_state *opened = state;

	if (!opened)
		return;
	args_close(opened->args);
	bpf_link__destroy(opened->link);
	bpf_link__destroy(opened->usage_link);
	usage_free(opened->usage);
	bpf_loaded_close(&opened->loaded);
	events_source_close(opened->events);
	free(opened->chunk);
	free(opened);
}

/* A file that was named must be at fault to be blamed: true if it is. */
static bool why_add_btf(struct text *why, const char *path)
{
	struct btf *btf = btf__parse(path, NULL);
	char reason[128];

	if (btf) {
		btf__free(btf);
		return false;
	}
	libbpf_strerror(errno, reason, sizeof(reason));
	text_printf(why, "there is no BTF to be had from %s: %s", path, reason);
	return true;
}

static int bpf_source_refused(int error, const char *btf_path, char *verifier_log, struct text *why)
{
	const char *verdict;
	char reason[128];

	if (lockdown_hides_kernel()) {
		text_add_string(why, "the kernel keeps its memory even from root: it was booted "
				     "with, or put into, lockdown=confidentiality");
		return error;
	}
	if (error == -EPERM) {
		text_add_string(why, "the kernel's processes are shown to root, or to who has "
				     "CAP_BPF and CAP_PERFMON");
		return error;
	}
	if (facts_kernel_lacks_btf()) {
		text_add_string(why,
				"this kernel was built without CONFIG_DEBUG_INFO_BTF, and shows "
				"no process to BPF then, whatever --btf names");
		return error;
	}
	if (btf_path && why_add_btf(why, btf_path))
		return error;
	if (!btf_path && access(KERNEL_BTF, R_OK)) {
		text_printf(why,
			    "this kernel does not describe itself in %s, and no --btf names "
			    "a file that does",
			    KERNEL_BTF);
		return error;
	}
	libbpf_strerror(error, reason, sizeof(reason));
	text_printf(why, "the kernel refuses the task iterator: %s", reason);
	verdict = verdict_find(verifier_log);
	if (verdict)
		text_printf(why, " (%s)", verdict);
	return error;
}

static int bpf_state_load(struct bpf_state *opened, const struct source_options *options,
			  char *verifier_log)
{
	struct bpf_load_options load_options = {
		.btf_path = options->btf_path,
		.verifier_log = verifier_log,
		.verifier_log_size = VERIFIER_BYTES,
	};
	int r = bpf_load_tasks(&load_options, &opened->loaded);

	if (r)
		return r;
	opened->link = bpf_program__attach_iter(opened->loaded.tasks, NULL);
	return opened->link ? 0 : -errno;
}

static int bpf_source_open(const struct source_options *options, void **state, struct text *why)
{
	struct bpf_state *opened = mem_new(sizeof(*opened));
	autofree char *verifier_log = mem_new(VERIFIER_BYTES);
	int r;

	libbpf_set_print(NULL); /* it would write to the terminal */
	r = options->will_listen ? 0 : bpf_state_load(opened, options, verifier_log);
	if (r) {
		bpf_source_close(opened);
		return bpf_source_refused(r, options->btf_path, verifier_log, why);
	}
	opened->btf_path = options->btf_path;
	opened->facts = options->facts;
	opened->args_max = options->args_max;
	opened->chunk = mem_new(CHUNK_BYTES);
	if (options->args_max)
		opened->args = args_open(options->facts, options->args_max);
	*state = opened;
	return 0;
}

/* Arguments are read before the process is handed on: only then is it known whether they are. */
static int bpf_source_emit_task(struct bpf_state *opened, struct task_record *task,
				record_sink sink, void *context)
{
	const struct args_record *args = NULL;
	bool is_kernel = task->flags & TASK_KTHREAD;
	int r = 0;

	opened->has_init |= task->tgid == INIT_PID;
	if (opened->args && !(task->flags & TASK_ZOMBIE))
		r = args_read(opened->args, task, &args);
	if (r == -ESRCH)
		return 0;
	if (r && !is_kernel)
		task->unknown |= FIELD_BIT(FIELD_ARGS);
	r = sink(context, &task->header);
	return !r && args ? sink(context, &args->header) : r;
}

/* Hands on the whole records among `length` bytes of the chunk and moves what is left to its
 * start. */
static int bpf_source_emit(struct bpf_state *opened, size_t *length, record_sink sink,
			   void *context)
{
	size_t at = 0;
	int r = 0;

	while (!r && at + sizeof(struct record_header) <= *length) {
		struct record_header *record = (void *)(opened->chunk + at);

		if (record->size > *length - at)
			break;
		if (!record_is_sound(record, *length - at))
			return -EBADMSG;
		if (record->type == RECORD_TASK)
			r = bpf_source_emit_task(opened, (void *)record, sink, context);
		else if (record->type == RECORD_EVENT && opened->events)
			r = events_source_give(opened->events, (void *)record, sink, context);
		else
			r = sink(context, record);
		at += record->size;
	}
	*length -= at;
	memmove(opened->chunk, opened->chunk + at, *length);
	return r;
}

/* Some virtual machines' own init is kept from BPF programs, though /proc and ps show it. */
static int bpf_source_emit_init(const struct bpf_state *opened, record_sink sink, void *context)
{
	if (opened->has_init || opened->facts->self_ns[NS_PID] != NS_HOST_PID)
		return 0;
	return proc_source_read_one(opened->facts, opened->args_max, INIT_PID, sink, context);
}

/* All that an iterator tells. */
static int bpf_source_read(struct bpf_state *opened, int fd, record_sink sink, void *context)
{
	size_t length = 0;
	ssize_t more = 0;
	int r = 0;

	while (!r) {
		more = read(fd, opened->chunk + length, CHUNK_BYTES - length);
		if (more < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (more <= 0)
			break;
		length += (size_t)more;
		r = bpf_source_emit(opened, &length, sink, context);
	}
	if (more < 0)
		return -errno;
	return r || !length ? r : -EBADMSG;
}

static int bpf_source_snapshot(void *state, record_sink sink, void *context)
{
	struct bpf_state *opened = state;
	autoclose int fd = bpf_iter_create(bpf_link__fd(opened->link));
	int r;

	if (fd < 0)
		return -errno;
	if (opened->events)
		events_source_sweep_start(opened->events);
	opened->has_init = false;
	if (opened->args)
		args_start(opened->args);
	r = bpf_source_read(opened, fd, sink, context);
	if (!r && opened->events)
		events_source_sweep_end(opened->events);
	return r ? r : bpf_source_emit_init(opened, sink, context);
}

static int bpf_source_usage(void *state, record_sink sink, void *context)
{
	struct bpf_state *opened = state;
	autoclose int fd = -1;
	int r;

	if (!opened->usage_link)
		return -EOPNOTSUPP;
	fd = bpf_iter_create(bpf_link__fd(opened->usage_link));
	if (fd < 0)
		return -errno;
	usage_start(opened->usage, sink, context);
	r = bpf_source_read(opened, fd, usage_take, opened->usage);
	return r ? r : usage_end(opened->usage);
}

/* The object that has the hooks' programs has an iterator too, which shares their memory; unless
 * the kernel did not take it. */
static int bpf_source_take_iterator(struct bpf_state *opened)
{
	const struct bpf_load_options alone = {.btf_path = opened->btf_path};
	struct bpf_program *tasks = events_source_loaded(opened->events)->tasks;

	if (!tasks && opened->link)
		return 0;
	bpf_link__destroy(opened->link);
	bpf_loaded_close(&opened->loaded);
	if (!tasks) {
		int r = bpf_load_tasks(&alone, &opened->loaded);

		if (r)
			return r;
		tasks = opened->loaded.tasks;
	}
	opened->link = bpf_program__attach_iter(tasks, NULL);
	return opened->link ? 0 : -errno;
}

static void bpf_source_take_usage(struct bpf_state *opened)
{
	struct bpf_program *usage = events_source_loaded(opened->events)->usage;

	if (!usage)
		return;
	opened->usage = usage_new();
	opened->usage_link = bpf_program__attach_iter(usage, NULL);
}

static int bpf_source_listen(void *state, const struct listen_options *options, struct text *why)
{
	struct bpf_state *opened = state;
	autofree char *verifier_log = mem_new(VERIFIER_BYTES);
	const struct attach_options attach_options = {
		.listen = options,
		.btf_path = opened->btf_path,
		.verifier_log = verifier_log,
		.verifier_log_size = VERIFIER_BYTES,
	};
	int r;

	opened->events = events_source_open(opened->facts, &attach_options, &r);
	if (!r)
		r = bpf_source_take_iterator(opened);
	if (!r)
		bpf_source_take_usage(opened);
	return r ? bpf_source_refused(r, opened->btf_path, verifier_log, why) : 0;
}

static int bpf_source_poll(void *state, int timeout_ms, record_sink sink, void *context)
{
	struct bpf_state *opened = state;

	return events_source_poll(opened->events, timeout_ms, sink, context);
}

static int bpf_source_heed(void *state, int fd)
{
	struct bpf_state *opened = state;

	return events_source_heed(opened->events, fd);
}

static void bpf_source_report(void *state, struct hook_report *hooks)
{
	const struct bpf_state *opened = state;

	events_source_report(opened->events, hooks);
}

const struct source_ops bpf_source = {
	.name = "bpf",
	.open = bpf_source_open,
	.snapshot = bpf_source_snapshot,
	.listen = bpf_source_listen,
	.poll = bpf_source_poll,
	.usage = bpf_source_usage,
	.heed = bpf_source_heed,
	.report = bpf_source_report,
	.close = bpf_source_close,
};
