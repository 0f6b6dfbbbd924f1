/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any order of events, sweeps and processes as a sweep has them, also one that no kernel would make: a
 * recording may hold it. Who includes this defines what is looked at after each record.
 */
#ifndef NSVIEW_TESTS_STORY_H
#define NSVIEW_TESTS_STORY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/event_make.h"
#include "model/model.h"

#define PIDS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct feed {
	struct model *model;
	const uint8_t *data;
	size_t left;
	uint64_t now_ns;
	void *teller; /* whatever story_told wants */
};

/* The record has been applied. */
static void story_told(struct feed *feed, const struct record_header *record);

static uint8_t take(struct feed *feed)
{
	if (!feed->left)
		return 0;
	feed->left--;
	return *feed->data++;
}

static void check(bool is_right)
{
	if (!is_right)
		abort();
}

static int apply(void *context, const struct record_header *record)
{
	struct feed *feed = context;
	struct record_header *exact;

	check(record_is_sound(record, record->size));
	exact = malloc(record->size);
	memcpy(exact, record, record->size);
	model_apply(feed->model, exact);
	story_told(feed, exact);
	free(exact);
	return 0;
}

/* One of few, so that events meet. */
static void identity_vary(struct feed *feed, struct task_identity *identity)
{
	uint8_t which = take(feed);

	identity->cgroup_id = which & 3;
	identity->ns[NS_MNT] = 4026531841U + (which >> 2 & 1);
	identity->ns[NS_PID] = 4026531836U + (which >> 3 & 1);
	identity->ids.euid = which >> 4 & 1;
	identity->flags = which >> 5 & 1 ? TASK_ZOMBIE : 0;
	identity->flags |= which >> 6 & 1 ? TASK_KTHREAD : 0;
}

static void feed_event(struct feed *feed)
{
	struct event_make make = {0};
	uint8_t what = take(feed);
	uint8_t who = take(feed);

	event_make_start(&make, 1 + what % (EVENT_ACTIONS - 1), 1 + who % PIDS);
	make.record.start_boot_ns = 1 + (who >> 3 & 3);
	make.record.tid += what >> 7;
	make.record.ppid = 1 + (who >> 5);
	make.record.parent_start_boot_ns = 1;
	make.record.time_boot_ns = feed->now_ns += take(feed);
	if (make.record.action != EVENT_EXIT)
		identity_vary(feed, event_make_identity(&make, what & 64 ? "a" : "b",
							1 + (what >> 5 & 1)));
	if (make.record.action == EVENT_EXEC)
		event_make_exec(&make, "/bin/a", "a\0b", 4, 2);
	if (make.record.action == EVENT_EXIT)
		event_make_exit(&make, 0);
	if (make.record.action >= EVENT_CGROUP_MAKE) {
		struct event_cgroup cgroup = {.id = who & 3, .length = 22};

		event_make_add(&make, PART_CGROUP, &cgroup, sizeof(cgroup));
		event_make_add(&make, PART_CGROUP, "/nsview/0123456789ab/x", 22);
	}
	if (model_sweep_reused(feed->model, &make.record, apply, feed) == 0)
		apply(feed, &make.record.header);
}

static struct task_record *task_vary(struct feed *feed, uint64_t *room)
{
	struct event_make make = {0};
	static const char *const paths[] = {"", "/", "/nsview/0123456789ab",
					    "/nsview/aaaaaaaaaaaa/b"};
	uint8_t who = take(feed);
	const char *path = paths[take(feed) & 3];
	struct event event;
	struct task_record *task;

	event_make_start(&make, EVENT_FORK, 1 + who % PIDS);
	make.record.start_boot_ns = 1 + (who >> 3 & 3);
	make.record.ppid = 1 + (who >> 5);
	identity_vary(feed, event_make_identity(&make, "a", 1 + (who >> 7)));
	event_read(&make.record, &event);
	task = event_task(&event, path, strlen(path), room);
	task->threads = who & 1;
	return task;
}

static void feed_args(struct feed *feed, bool is_sweep)
{
	struct {
		struct args_record args;
		char data[8];
	} record = {.args = {.header = {sizeof(record), RECORD_ARGS, 0}, .length = 3}};
	uint8_t who = take(feed);

	record.args.tgid = 1 + who % PIDS;
	record.args.start_boot_ns = 1 + (who >> 3 & 3);
	record.args.kind = (who >> 5) % 3;
	memcpy(record.data, "a\0c", 3);
	if (is_sweep)
		model_sweep_take(feed->model, &record.args.header);
	else
		apply(feed, &record.args.header);
}

static void feed_one(struct feed *feed)
{
	uint64_t room[EVENT_TASK_MAX / 8];
	uint8_t what = take(feed);

	switch (what % 8) {
	case 0:
		model_sweep_begin(feed->model, feed->now_ns += what >> 3, what & 128);
		break;
	case 1:
		model_sweep_take(feed->model, &task_vary(feed, room)->header);
		break;
	case 2:
		model_sweep_end(feed->model, feed->now_ns, apply, feed);
		break;
	case 3:
		apply(feed, &task_vary(feed, room)->header);
		break;
	case 4:
		feed_args(feed, what >> 3 & 1);
		break;
	default:
		feed_event(feed);
		break;
	}
}

/* All that there is to feed. */
static void story_run(struct feed *feed)
{
	struct host_record host = {.header = {sizeof(host), RECORD_HOST, 0}};
	uint64_t room[EVENT_TASK_MAX / 8];
	uint8_t snapshot = take(feed) % 8;

	host.ns[NS_PID] = 4026531836U;
	host.ns[NS_MNT] = 4026531841U;
	host.ns[NS_USER] = 4026531837U;
	model_apply(feed->model, &host.header);
	for (uint8_t i = 0; i < snapshot; i++)
		model_apply(feed->model, &task_vary(feed, room)->header);
	model_settle(feed->model, NULL, 0);
	while (feed->left)
		feed_one(feed);
}

#endif
