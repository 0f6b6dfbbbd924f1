/* SPDX-License-Identifier: GPL-2.0-only */
/* Events as the kernel would write them, for tests: parts are added in the order of the wire. */
#ifndef NSVIEW_TESTS_EVENT_MAKE_H
#define NSVIEW_TESTS_EVENT_MAKE_H

#include <stdint.h>
#include <string.h>

#include "wire/wire.h"

#define EVENT_ROOM 8192

/* Zero-initialise. */
struct event_make {
	union {
		struct event_record record;
		uint64_t aligned[EVENT_ROOM / 8];
		char bytes[EVENT_ROOM];
	};
};

static inline void event_make_start(struct event_make *make, enum event_action action,
				    uint32_t tgid)
{
	make->record = (struct event_record){
		.header = {.size = sizeof(make->record), .type = RECORD_EVENT},
		.action = (__u8)action,
		.tier = TIER_TRACEPOINT,
		.syscall = -1,
		.tgid = tgid,
		.tid = tgid,
		.start_boot_ns = 1000000000ULL * tgid,
	};
}

/* Adds bytes as a part, or as one more piece of the last one; gives the place in the record. */
static inline void *event_make_add(struct event_make *make, uint32_t part, const void *data,
				   size_t size)
{
	char *place = make->bytes + make->record.header.size;

	memcpy(place, data, size);
	make->record.parts |= part;
	make->record.header.size += (uint32_t)((size + 7) & ~(size_t)7);
	return place;
}

/* An identity without capabilities, of the first user namespace, with pids tgid, 7, 1 or the first
 * `levels` of them. */
static inline struct task_identity *event_make_identity(struct event_make *make, const char *comm,
							uint16_t levels)
{
	const struct pid_level chain[] = {
		{4026531836U, make->record.tgid}, {4026532567U, 7}, {4026532700U, 1}};
	struct task_identity identity = {
		.chain_count = levels,
		.loginuid = ID_UNSET,
		.sessionid = ID_UNSET,
		.ns = {[NS_PID] = chain[levels - 1].ns, [NS_USER] = 4026531837U},
	};
	struct task_identity *place;

	strncpy(identity.comm, comm, COMM_SIZE - 1);
	make->record.chain_count = levels;
	place = event_make_add(make, PART_IDENTITY, &identity, sizeof(identity));
	event_make_add(make, PART_CHAIN, chain, levels * sizeof(*chain));
	return place;
}

static inline void event_make_exec(struct event_make *make, const char *filename, const char *args,
				   size_t args_length, uint32_t args_count)
{
	struct event_exec exec = {
		.filename_length = (uint32_t)strlen(filename),
		.args_length = (uint32_t)args_length,
		.args_total = (uint32_t)args_length,
		.args_count = args_count,
	};

	event_make_add(make, PART_EXEC, &exec, sizeof(exec));
	event_make_add(make, PART_EXEC, filename, strlen(filename));
	event_make_add(make, PART_EXEC, args, args_length);
}

static inline void event_make_exit(struct event_make *make, int status)
{
	const struct pid_level chain = {4026531836U, make->record.tgid};
	struct event_exit exit = {.status = status};

	make->record.chain_count = 1;
	event_make_add(make, PART_CHAIN, &chain, sizeof(chain));
	event_make_add(make, PART_EXIT, &exit, sizeof(exit));
}

#endif
