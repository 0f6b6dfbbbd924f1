/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/events_source.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/facts.h"
#include "nsview.skel.h"
#include "source/cause.h"
#include "source/hooks.h"
#include "source/point.h"
#include "source/ring.h"
#include "source/sequence.h"
#include "source/source.h"

#define WAIT_MS_MAX 100 /* what is in the ring and not worth a wake-up waits no longer */
#define CHECK_NS 1000000000ULL
#define CLOCK_MOVED_NS 100000 /* less is the sampling itself */
#define SWEEPS_AFTER_MISS 2   /* the first one notes what differs, the next one remembers it */

struct events_source {
	struct attach attach;
	struct ring *ring;
	struct sequence sequence;
	struct facts clock; /* a copy, for its clocks */
	uint64_t check_ns;  /* when the counts are to be read again */
	uint64_t seen[HOOKS];
	uint64_t lost[HOOKS];
	uint64_t skipped[HOOKS];
	struct event_counters *counters; /* of each CPU */
	size_t cpus;
	bool has_started;        /* the first records have been handed out */
	bool is_heeded;          /* what events_source_heed was given can be read */
	bool was_missed;         /* something, since this sweep began */
	unsigned int sweeps_due; /* without a miss, until a claim can be made again */
	uint64_t trusted_ns;     /* what happened before then may come of a miss (boot clock) */
	/* Of the call that is going on. */
	record_sink sink;
	void *context;
};

static uint64_t clock_read(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

/* As the kernel's own records have it, also inside a time namespace. */
static uint64_t boot_now(const struct events_source *events)
{
	return clock_read(CLOCK_BOOTTIME) - (uint64_t)events->clock.time_ns_offset_ns;
}

static int gap_give(struct events_source *events, struct gap_record *gap)
{
	gap->time_boot_ns = boot_now(events);
	events->sweeps_due = SWEEPS_AFTER_MISS;
	events->was_missed = true;
	return events->sink(events->context, &gap->header);
}

static int clock_give(struct events_source *events)
{
	struct clock_record record = {
		.header = {.size = sizeof(record), .type = RECORD_CLOCK},
		.time_boot_ns = events->clock.boot_now_ns,
		.boot_offset_ns = events->clock.boot_offset_ns,
	};

	return events->sink(events->context, &record.header);
}

static int clock_check(struct events_source *events)
{
	uint64_t told = events->clock.boot_offset_ns;
	int64_t moved;

	facts_read_clock(&events->clock);
	moved = (int64_t)(events->clock.boot_offset_ns - told);
	if (moved < CLOCK_MOVED_NS && moved > -CLOCK_MOVED_NS) {
		events->clock.boot_offset_ns = told;
		return 0;
	}
	return clock_give(events);
}

static int info_give(struct events_source *events, enum hook_id hook, struct text *sentence)
{
	size_t size = sizeof(struct info_record) + sentence->length;
	autofree struct info_record *record = NULL;
	int r;

	size = (size + 7) & ~(size_t)7;
	record = mem_new(size);
	*record = (struct info_record){
		.header = {.size = (__u32)size, .type = RECORD_INFO},
		.time_boot_ns = boot_now(events),
		.hook = hook,
		.length = (__u32)sentence->length,
	};
	memcpy(record + 1, sentence->data, sentence->length);
	r = events->sink(events->context, &record->header);
	text_free(sentence);
	return r;
}

/* One sentence for a hook that is not what it could be elsewhere. */
static int hook_give_info(struct events_source *events, enum hook_id id)
{
	const struct attach_hook *hook = &events->attach.hooks[id];
	const char *missed = hook->candidate ? hook->candidate->missed : hook_rows[id].missed;
	struct text sentence = {0};

	if (hook->is_unwanted ? id == HOOK_COMPLETE : !hook->why.length)
		return 0;
	text_printf(&sentence, "hook %s is %s", hook_name(id),
		    tier_name(hook->candidate ? hook->candidate->tier : TIER_OFF));
	if (hook->is_unwanted)
		text_add_string(&sentence, ", as asked for");
	else if (hook->why.length) {
		text_add_string(&sentence, " (");
		text_add(&sentence, hook->why.data, hook->why.length);
		text_add_char(&sentence, ')');
	}
	if (missed)
		text_printf(&sentence, "; missed: %s", missed);
	return info_give(events, id, &sentence);
}

static int events_start(struct events_source *events)
{
	int r;

	events->has_started = true;
	facts_read_clock(&events->clock);
	r = clock_give(events);
	for (size_t id = 0; !r && id < HOOKS; id++)
		r = hook_give_info(events, id);
	return r;
}

/* Runs that the kernel left out: bpf_prog_info of 5.12 and later tells, and of a kprobe its link. */
static uint64_t program_skipped(const struct attach_program *program)
{
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);

	if (program->is_point)
		return point_missed(program->fd);
	return bpf_obj_get_info_by_fd(program->fd, &info, &size) ? 0 : info.recursion_misses;
}

static int skips_check(struct events_source *events)
{
	int r = 0;

	for (size_t i = 0; !r && i < events->attach.program_count; i++) {
		struct attach_program *program = &events->attach.programs[i];
		uint64_t skipped = program_skipped(program);
		struct gap_record gap;

		if (skipped <= program->skipped)
			continue;
		events->skipped[program->hook] += skipped - program->skipped;
		if (sequence_skipped(&events->sequence, program->hook, skipped - program->skipped,
				     &gap))
			r = gap_give(events, &gap);
		program->skipped = skipped;
	}
	return r;
}

static bool counters_read(struct events_source *events)
{
	int map = bpf_map__fd(events->attach.loaded.object->maps.counters);
	__u32 zero = 0;

	return !bpf_map_lookup_elem(map, &zero, events->counters);
}

/* What CPUs lost without having told by a later event. */
static int losses_check(struct events_source *events)
{
	int r = 0;

	if (!counters_read(events))
		return 0;
	memset(events->lost, 0, sizeof(events->lost));
	for (size_t cpu = 0; !r && cpu < events->cpus; cpu++) {
		const struct event_counters *counters = &events->counters[cpu];
		struct gap_record gap;

		for (size_t hook = 0; hook < HOOKS; hook++)
			events->lost[hook] += counters->lost_by_hook[hook];
		if (sequence_lost(&events->sequence, (uint32_t)cpu, counters->lost, &gap))
			r = gap_give(events, &gap);
	}
	return r;
}

/* Whether anything was missed up to this moment: asked before a claim, not only each second. */
static bool events_have_missed(struct events_source *events)
{
	if (events->sweeps_due || !counters_read(events))
		return true;
	for (size_t cpu = 0; cpu < events->cpus; cpu++) {
		uint64_t known = cpu < events->sequence.cpus ? events->sequence.cpu_lost[cpu] : 0;

		if (events->counters[cpu].lost > known || events->counters[cpu].forgotten)
			return true;
	}
	for (size_t i = 0; i < events->attach.program_count; i++) {
		const struct attach_program *program = &events->attach.programs[i];

		if (program_skipped(program) > program->skipped)
			return true;
	}
	return false;
}

/* docs/unexplained.md, 1 and 2; the third is the kernel side's: it compares in the task's own
 * context, and a sweep tells only what the one before saw too. */
static bool event_is_exact(struct events_source *events, const struct event_record *record)
{
	const struct hook_candidate *candidate = events->attach.hooks[HOOK_CREDENTIALS].candidate;

	if (!(record->flags & EVENT_INFERRED) || record->action != EVENT_CREDENTIALS)
		return false;
	return candidate && (candidate->tier == TIER_KPROBE || candidate->tier == TIER_FENTRY) &&
	       record->time_boot_ns > events->trusted_ns && !events_have_missed(events);
}

int events_source_give(struct events_source *events, struct event_record *record, record_sink sink,
		       void *context)
{
	struct event event;

	if (!record_is_sound(&record->header, record->header.size))
		return -EBADMSG;
	event_read(record, &event);
	sequence_number(&events->sequence, record);
	record->cause = (__u8)cause_of(&event, event_is_exact(events, record));
	if (record->cause == CAUSE_OTHER || record->cause == CAUSE_EXEC_FILECAPS)
		record->flags |= EVENT_INFERRED;
	events->seen[record->hook]++;
	return sink(context, &record->header);
}

static int event_take(struct events_source *events, struct event_record *record)
{
	struct gap_record gap;
	int r = 0;

	if (record->header.size < sizeof(*record))
		return -EBADMSG;
	if (sequence_lost(&events->sequence, record->cpu, record->lost, &gap))
		r = gap_give(events, &gap);
	return r ? r : events_source_give(events, record, events->sink, events->context);
}

static int record_take(void *context, struct record_header *record)
{
	struct events_source *events = context;

	if (record->type == RECORD_EVENT)
		return event_take(events, (struct event_record *)(void *)record);
	return record_is_sound(record, record->size) ? events->sink(events->context, record) : 0;
}

/* All that is told but by the ring. */
static int events_check(struct events_source *events)
{
	int r = clock_check(events);

	if (!r)
		r = losses_check(events);
	return r ? r : skips_check(events);
}

/* Waits at most once. How many records, or -errno. */
static int events_wait(struct events_source *events, int timeout_ms)
{
	bool is_asked = !timeout_ms;
	uint64_t now;
	int count;
	int r = 0;

	if (timeout_ms > 0)
		r = ring_wait(events->ring, timeout_ms < WAIT_MS_MAX ? timeout_ms : WAIT_MS_MAX);
	if (r < 0 && r != -EINTR)
		return r;
	events->is_heeded = r == RING_HEEDED;
	count = ring_read(events->ring, record_take, events);
	now = clock_read(CLOCK_MONOTONIC);
	if (count < 0 || (now < events->check_ns && !is_asked))
		return count ? count : r;
	events->check_ns = now + CHECK_NS;
	r = events_check(events);
	return r < 0 ? r : count;
}

int events_source_poll(struct events_source *events, int timeout_ms, record_sink sink,
		       void *context)
{
	uint64_t end_ns = clock_read(CLOCK_MONOTONIC) + (uint64_t)timeout_ms * 1000000;
	int r = 0;

	events->sink = sink;
	events->context = context;
	if (!events->has_started) {
		r = events_start(events);
		timeout_ms = 0; /* what has come since the hooks listen waits no longer */
	}
	while (!r) {
		r = events_wait(events, timeout_ms);
		if (r || !timeout_ms || events->is_heeded)
			break;
		timeout_ms = (int)((int64_t)(end_ns - clock_read(CLOCK_MONOTONIC)) / 1000000);
		if (timeout_ms <= 0)
			break;
	}
	return r == -EINTR ? 0 : r;
}

int events_source_heed(struct events_source *events, int fd)
{
	return ring_heed(events->ring, fd);
}

void events_source_sweep_start(struct events_source *events)
{
	events->was_missed = false;
	events->attach.loaded.object->bss->sweep_number++;
}

/* Everybody has been looked at since what was missed, unless something was again. Events of before may
 * still lie in the ring. */
void events_source_sweep_end(struct events_source *events)
{
	if (events->was_missed || !events->sweeps_due)
		return;
	events->sweeps_due--;
	if (!events->sweeps_due)
		events->trusted_ns = boot_now(events);
}

const struct bpf_loaded *events_source_loaded(const struct events_source *events)
{
	return &events->attach.loaded;
}

void events_source_report(const struct events_source *events, struct hook_report *hooks)
{
	for (size_t id = 0; id < HOOKS; id++) {
		const struct attach_hook *hook = &events->attach.hooks[id];
		const char *missed =
			hook->candidate ? hook->candidate->missed : hook_rows[id].missed;

		hooks[id] = (struct hook_report){
			.name = hook_name(id),
			.meaning = hook_rows[id].meaning,
			.tier = hook->candidate ? hook->candidate->tier : TIER_OFF,
			.why = hook->why.length    ? text_string((struct text *)&hook->why)
			       : hook->is_unwanted ? "not asked for"
						   : NULL,
			.missed = missed,
			.seen = events->seen[id],
			.lost = events->lost[id],
			.skipped = events->skipped[id],
		};
		hooks[id].tier_count = attach_report(&events->attach, id, hooks[id].tiers);
	}
	hooks[HOOK_SWEEP].tier = events->attach.loaded.tasks ? TIER_ITERATOR : TIER_OFF;
}

static int events_open(struct events_source *events, const struct attach_options *options)
{
	int cpus = libbpf_num_possible_cpus();
	int r = cpus > 0 ? attach_open(&events->attach, options) : cpus;

	if (r)
		return r;
	events->cpus = (size_t)cpus;
	events->counters = mem_new(events->cpus * sizeof(*events->counters));
	events->ring = ring_open(bpf_map__fd(events->attach.loaded.object->maps.events),
				 options->listen->ring_bytes,
				 events->attach.loaded.object->rodata->wake_bytes,
				 &events->attach.loaded.object->bss->reader_waits);
	return events->ring ? 0 : -errno;
}

struct events_source *events_source_open(const struct facts *facts,
					 const struct attach_options *options, int *error)
{
	struct events_source *events = mem_new(sizeof(*events));

	events->clock = *facts;
	*error = events_open(events, options);
	if (!*error)
		return events;
	events_source_close(events);
	return NULL;
}

void events_source_close(struct events_source *events)
{
	if (!events)
		return;
	ring_close(events->ring);
	attach_close(&events->attach);
	sequence_free(&events->sequence);
	free(events->counters);
	free(events);
}
