/* SPDX-License-Identifier: GPL-2.0-only */
/* A recording as a source: its first snapshot, then its records, up to --at or its end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/facts.h"
#include "source/recording_read.h"
#include "source/replay_time.h"
#include "source/source.h"
#include "wire/wire.h"

#define NS_PER_S 1000000000LL
#define RECORDS_AT_ONCE 1024 /* that one poll hands out */

/* Time of the boot clock and what makes it time since the epoch. */
struct replay_clock {
	uint64_t boot_ns;
	uint64_t boot_offset_ns;
};

struct replay_state {
	struct recording_reader reader;
	struct replay_clock now; /* of the last record that told */
	struct replay_clock start;
	struct replay_clock end;          /* of the recording's last one */
	const struct record_header *held; /* read, and later than until_ns; NULL: none */
	uint64_t until_ns;                /* of the boot clock */
	bool is_played;
	bool has_at;
	int64_t at_ns;     /* since the epoch: what is later is not handed out */
	bool has_snapshot; /* it is complete */
	bool is_over;
	uint64_t seen[HOOKS];
	uint64_t lost[HOOKS];
	uint64_t skipped[HOOKS];
	enum hook_tier tiers[HOOKS];
};

static int64_t clock_epoch(const struct replay_clock *clock)
{
	return (int64_t)(clock->boot_ns + clock->boot_offset_ns);
}

/* False: the record does not say when it was. */
static bool clock_follow(struct replay_clock *clock, const struct record_header *record)
{
	uint64_t boot_ns;

	if (!recording_time(record, &boot_ns))
		return false;
	if (record->type == RECORD_CLOCK)
		clock->boot_offset_ns = ((const struct clock_record *)record)->boot_offset_ns;
	if (record->type == RECORD_MARK)
		clock->boot_offset_ns = ((const struct mark_record *)record)->boot_offset_ns;
	/* Records of several CPUs are a little out of order. */
	if (boot_ns > clock->boot_ns)
		clock->boot_ns = boot_ns;
	return true;
}

/* The mark at the file's very end tells; without one, all has to be read for it. */
static int end_find(struct replay_state *state)
{
	struct recording_reader *reader = &state->reader;
	const struct record_header *record;
	struct mark_record mark;
	off_t size = lseek(reader->fd, 0, SEEK_END);
	int r;

	state->end = state->now;
	if (size >= (off_t)sizeof(mark) &&
	    pread(reader->fd, &mark, sizeof(mark), size - (off_t)sizeof(mark)) == sizeof(mark) &&
	    mark.header.type == RECORD_MARK && record_is_sound(&mark.header, sizeof(mark)) &&
	    mark.kind == MARK_END) {
		clock_follow(&state->end, &mark.header);
		return recording_rewind(reader);
	}
	r = recording_rewind(reader);
	while (!r && (r = recording_next(reader, &record)) > 0) {
		clock_follow(&state->end, record);
		r = 0;
	}
	return r ? r : recording_rewind(reader);
}

/* People leave out what is below a second: a time within the first or the last one is meant so. */
static int at_check(struct replay_state *state, const char *word, struct text *why)
{
	int64_t start = clock_epoch(&state->now);
	int64_t end = clock_epoch(&state->end);
	bool is_early = state->at_ns / NS_PER_S < start / NS_PER_S;

	if (!is_early && state->at_ns / NS_PER_S <= end / NS_PER_S)
		return 0;
	text_printf(why, "--at %s is %s: the recording goes from ", word,
		    is_early ? "too early" : "too late");
	replay_time_add(why, start);
	text_add_string(why, " to ");
	replay_time_add(why, end);
	return -ERANGE;
}

static int at_read(struct replay_state *state, const char *word, struct text *why)
{
	if (!word)
		return 0;
	state->has_at = true;
	if (!replay_time_parse(word, clock_epoch(&state->now), state->reader.zone, &state->at_ns))
		return at_check(state, word, why);
	text_printf(why,
		    "--at takes a time such as 2026-11-21T06:14:31Z, 06:14:31 or +90 (seconds "
		    "from the recording's start), not %s",
		    word);
	return -ERANGE;
}

static void replay_close(void *opaque)
{
	struct replay_state *state = opaque;

	if (!state)
		return;
	recording_done(&state->reader);
	free(state);
}

static int replay_open(const struct source_options *options, void **opaque, struct text *why)
{
	struct replay_state *state = mem_new(sizeof(*state));
	int r = recording_open(&state->reader, options->replay_path, why);

	if (!r) {
		state->now.boot_ns = state->reader.header->time_boot_ns;
		state->now.boot_offset_ns = state->reader.header->boot_offset_ns;
		state->start = state->now;
		r = end_find(state);
		if (r)
			text_printf(why, "%s could not be read", options->replay_path);
	}
	if (!r)
		r = at_read(state, options->replay_at, why);
	if (r) {
		replay_close(state);
		return r;
	}
	*opaque = state;
	return 0;
}

static void replay_count(struct replay_state *state, const struct record_header *record)
{
	const struct event_record *event = (const struct event_record *)record;
	const struct gap_record *gap = (const struct gap_record *)record;
	uint64_t *missing;

	if (record->type == RECORD_EVENT) {
		state->seen[event->hook]++;
		state->tiers[event->hook] = event->tier;
	} else if (record->type == RECORD_GAP && gap->hook < HOOKS) {
		missing = gap->reason == GAP_SKIPPED ? state->skipped : state->lost;
		missing[gap->hook] += gap->last - gap->first + 1;
	}
}

static bool is_after(const struct replay_state *state, const struct record_header *record)
{
	struct replay_clock clock = state->now;

	/* Whatever moment it is, there were processes: those of the snapshot. */
	if (!state->has_at || !state->has_snapshot || !clock_follow(&clock, record))
		return false;
	return clock_epoch(&clock) > state->at_ns;
}

static bool is_held(const struct replay_state *state, const struct record_header *record)
{
	struct replay_clock clock = state->now;

	return state->is_played && state->has_snapshot && clock_follow(&clock, record) &&
	       clock.boot_ns > state->until_ns;
}

static void replay_stop(struct replay_state *state)
{
	if (state->is_over)
		return;
	state->is_over = true;
	recording_tell(&state->reader);
}

/* 1, 0 at the end or where it is played to, or -errno. */
static int replay_next(struct replay_state *state, const struct record_header **record)
{
	int r = state->held ? 1 : state->is_over ? 0 : recording_next(&state->reader, record);

	if (state->held)
		*record = state->held;
	state->held = NULL;
	if (r > 0 && is_held(state, *record)) {
		state->held = *record;
		return 0;
	}
	if (r > 0 && is_after(state, *record)) {
		state->is_over = true;
		return 0;
	}
	if (r <= 0) {
		replay_stop(state);
		return r;
	}
	clock_follow(&state->now, *record);
	replay_count(state, *record);
	return 1;
}

static bool is_mark(const struct record_header *record, enum mark_kind kind)
{
	return record->type == RECORD_MARK && ((const struct mark_record *)record)->kind == kind;
}

static int replay_snapshot(void *opaque, record_sink sink, void *context)
{
	struct replay_state *state = opaque;
	const struct record_header *record;
	int r;

	while ((r = replay_next(state, &record)) > 0) {
		state->has_snapshot = is_mark(record, MARK_SNAPSHOT);
		if (state->has_snapshot)
			return 0;
		r = sink(context, record);
		if (r)
			return r;
	}
	return r;
}

static int replay_listen(void *opaque, const struct listen_options *options, struct text *why)
{
	(void)opaque;
	(void)options;
	(void)why;
	return 0;
}

static int replay_poll(void *opaque, int timeout_ms, record_sink sink, void *context)
{
	struct replay_state *state = opaque;
	const struct record_header *record;
	int count = 0;

	(void)timeout_ms;
	while (state->is_played || count < RECORDS_AT_ONCE) {
		int r = replay_next(state, &record);

		if (!r)
			return count || state->held ? count : -ENODATA;
		if (r > 0 && record->type != RECORD_MARK)
			r = sink(context, record);
		if (r < 0)
			return r;
		count++;
	}
	return count;
}

static int replay_play(void *opaque, uint64_t until_boot_ns, struct source_span *span)
{
	struct replay_state *state = opaque;

	*span = (struct source_span){
		.start_ns = state->start.boot_ns,
		.end_ns = state->end.boot_ns,
		.at_ns = state->at_ns ? (uint64_t)state->at_ns - state->now.boot_offset_ns : 0,
	};
	state->has_at = false;
	state->is_played = true;
	state->until_ns = until_boot_ns;
	return 0;
}

static void replay_report(void *opaque, struct hook_report *hooks)
{
	const struct replay_state *state = opaque;

	for (int hook = 0; hook < HOOKS; hook++) {
		hooks[hook] = (struct hook_report){
			.name = hook_name((enum hook_id)hook),
			.tier = state->tiers[hook],
			.seen = state->seen[hook],
			.lost = state->lost[hook],
			.skipped = state->skipped[hook],
		};
	}
}

static void replay_facts(void *opaque, struct facts *facts)
{
	const struct replay_state *state = opaque;
	const struct recording_header *header = state->reader.header;

	snprintf(facts->hostname, sizeof(facts->hostname), "%.64s", header->hostname);
	snprintf(facts->release, sizeof(facts->release), "%.64s", header->release);
	snprintf(facts->machine, sizeof(facts->machine), "%.64s", header->machine);
	snprintf(facts->boot_id, sizeof(facts->boot_id), "%.36s", header->boot_id);
	memcpy(facts->self_ns, header->self_ns, sizeof(facts->self_ns));
	facts->cpus = (int)header->cpus;
	facts->cap_last = (int)header->cap_last;
	facts->page_bytes = header->page_bytes;
	facts->memory_bytes = header->memory_bytes;
	facts->pid_digits = (int)header->pid_digits;
	facts->zone = state->reader.zone;
	facts->zone_data = (const char *)(header + 1);
	facts->zone_length = header->zone_length;
	facts->time_ns_offset_ns = 0;
	facts->proc_path[0] = '\0';
	facts->boot_now_ns = state->now.boot_ns;
	facts->boot_offset_ns = state->now.boot_offset_ns;
	if (state->is_played && state->until_ns > state->now.boot_ns)
		facts->boot_now_ns =
			state->until_ns < state->end.boot_ns ? state->until_ns : state->end.boot_ns;
	if (state->is_over && state->has_at && state->at_ns > clock_epoch(&state->now))
		facts->boot_now_ns = (uint64_t)state->at_ns - state->now.boot_offset_ns;
}

const struct source_ops replay_source = {
	.name = "replay",
	.open = replay_open,
	.snapshot = replay_snapshot,
	.close = replay_close,
	.listen = replay_listen,
	.poll = replay_poll,
	.play = replay_play,
	.report = replay_report,
	.facts = replay_facts,
};
