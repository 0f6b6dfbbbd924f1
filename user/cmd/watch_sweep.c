/* SPDX-License-Identifier: GPL-2.0-only */
#include <limits.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/watch_private.h"
#include "host/procfs.h"
#include "model/model.h"
#include "source/source.h"

/* Looking at every process costs as much as `nsview ps`: on a large host it is done less often, so
 * that it takes at most a hundredth of one CPU. After a gap it cannot wait that long. */
#define SWEEP_EVERY_NS (3 * WATCH_SECOND_NS)
#define SWEEP_SHARE 100
#define SWEEP_AFTER_GAP_NS (WATCH_SECOND_NS / 2)
#define SWEEP_AFTER_GAP_SHARE 4

/* Where its program lies, which no source tells: exec events do from now on. */
static int watch_read_exe(struct watch *watch, const struct proc *proc)
{
	int proc_fd = watch->session.view.proc_fd;
	struct {
		struct args_record args;
		char path[PATH_MAX + 8];
	} record = {0};
	struct text path = {0};

	if (proc_fd < 0 || proc->exe || proc->task->flags & (TASK_KTHREAD | TASK_ZOMBIE) ||
	    procfs_link(proc_fd, proc->task->tgid, "exe", &path) || path.length > PATH_MAX) {
		text_free(&path);
		return 0;
	}
	record.args.header = (struct record_header){
		.size = (uint32_t)(sizeof(record.args) + ((path.length + 7) & ~(size_t)7)),
		.type = RECORD_ARGS,
	};
	record.args.start_boot_ns = proc->task->start_boot_ns;
	record.args.tgid = proc->task->tgid;
	record.args.kind = ARGS_EXE;
	record.args.length = (uint32_t)path.length;
	memcpy(record.path, path.data, path.length);
	text_free(&path);
	return watch_apply(watch, &record.args.header);
}

/* What a sweep has found out about a process that no event told of. */
static int watch_repair(void *context, const struct record_header *record)
{
	struct watch *watch = context;
	int r = watch_apply(watch, record);
	const struct proc *proc = model_last_proc(watch->session.model);

	if (r || record->type != RECORD_TASK || !proc)
		return r;
	return watch_read_exe(watch, proc);
}

int watch_read_exes(struct watch *watch)
{
	struct model *model = watch->session.model;
	size_t count;
	const struct proc *procs = model_procs(model, &count);
	autofree uint32_t *pids = mem_resize(NULL, count, sizeof(*pids));
	int r = 0;

	for (size_t i = 0; i < count; i++)
		pids[i] = procs[i].task->tgid;
	for (size_t i = 0; i < count && !r; i++)
		r = watch_read_exe(watch, model_find(model, pids[i]));
	return r;
}

/* What the source infers while it looks is an event like others. */
static int watch_look(void *context, const struct record_header *record)
{
	struct watch *watch = context;

	if (record->type == RECORD_EVENT)
		return watch_take(watch, record);
	return model_sweep_take(watch->session.model, record);
}

static bool watch_sweep_is_due(const struct watch *watch, uint64_t now_ns)
{
	uint64_t cost_ns = watch->sweep_cost_ns;
	uint64_t wait_ns =
		SWEEP_EVERY_NS > SWEEP_SHARE * cost_ns ? SWEEP_EVERY_NS : SWEEP_SHARE * cost_ns;
	uint64_t gap_ns = SWEEP_AFTER_GAP_NS > SWEEP_AFTER_GAP_SHARE * cost_ns
				  ? SWEEP_AFTER_GAP_NS
				  : SWEEP_AFTER_GAP_SHARE * cost_ns;

	return now_ns >= watch->swept_ns + (watch->has_gap ? gap_ns : wait_ns);
}

/* Lines of what a sweep finds have a time that is in a recording, too. */
static void watch_tick(struct watch *watch, uint64_t now_ns)
{
	const struct clock_record clock = {
		.header = {.size = sizeof(clock), .type = RECORD_CLOCK},
		.time_boot_ns = now_ns,
		.boot_offset_ns = watch->app->facts.boot_offset_ns,
	};

	watch_take_notice(watch, &clock.header);
}

/*
 * Half of it at a time: what happened while the processes were looked at lies in the ring, and what
 * was just being written there is complete at the next call.
 */
int watch_sweep(struct watch *watch, uint64_t now_ns)
{
	struct session *session = &watch->session;
	int r;

	if (watch->has_looked) {
		watch->has_looked = false;
		watch_tick(watch, now_ns);
		return model_sweep_end(session->model, now_ns, watch_repair, watch);
	}
	if (!watch_sweep_is_due(watch, now_ns))
		return 0;
	model_sweep_begin(session->model, now_ns, watch->has_gap);
	watch->has_gap = false;
	watch->has_looked = true;
	watch->swept_ns = now_ns;
	r = source_snapshot(session->source, watch_look, watch);
	watch->sweep_cost_ns = watch_now(watch) - now_ns;
	if (r && !watch->stopped)
		return log_fail(r, "look at all processes again");
	if (!r)
		r = source_poll(session->source, 0, watch_take, watch);
	return r < 0 ? r : 0;
}
