/* SPDX-License-Identifier: GPL-2.0-only */
#include "host/procstat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define STAT_FIELDS 23 /* the last one wanted is vsize, proc(5) */

/* The next number of a line that ends at `end`; false: there is none. Moves *at behind it. */
static bool number_next(const char **at, const char *end, int base, uint64_t *number)
{
	uint64_t value = 0;
	bool is_negative;
	bool has_digit = false;

	while (*at < end && (**at == ' ' || **at == '\t'))
		(*at)++;
	is_negative = *at < end && **at == '-';
	if (is_negative)
		(*at)++;
	for (; *at < end; (*at)++) {
		unsigned int digit = (unsigned char)**at - '0';

		if (digit > 9 && base == 16)
			digit = ((unsigned char)**at | 0x20) - 'a' + 10u;
		if (digit >= (unsigned int)base)
			break;
		value = value * (unsigned int)base + digit;
		has_digit = true;
	}
	if (has_digit)
		*number = is_negative ? -value : value;
	return has_digit;
}

int procstat_parse_numbers(const char *data, size_t length, uint64_t *fields, int last)
{
	const char *open = memchr(data, '(', length);
	const char *close = memrchr(data, ')', length);
	const char *end = data + length;
	const char *at;

	/* A name may hold anything, also parentheses and newlines; nothing after it may. */
	if (!open || !close || close < open || end - close < 4)
		return -EINVAL;
	at = close + 3;
	for (int i = 4; i <= last; i++) {
		if (!number_next(&at, end, 10, &fields[i]))
			return -EINVAL;
	}
	return 0;
}

int procstat_parse_stat(const char *data, size_t length, struct procstat *stat)
{
	uint64_t fields[STAT_FIELDS + 1] = {0};
	const char *open, *close;
	int r = procstat_parse_numbers(data, length, fields, STAT_FIELDS);

	if (r)
		return r;
	open = memchr(data, '(', length);
	close = memrchr(data, ')', length);
	*stat = (struct procstat){
		.comm = open + 1,
		.comm_length = (size_t)(close - open - 1),
		.state = close[2],
		.ppid = (int32_t)fields[4],
		.pgrp = (int32_t)fields[5],
		.session = (int32_t)fields[6],
		.tty_nr = (uint32_t)fields[7],
		.tpgid = (int32_t)fields[8],
		.flags = (uint32_t)fields[9],
		.user_ticks = fields[14],
		.system_ticks = fields[15],
		.priority = (int32_t)fields[18],
		.nice = (int32_t)fields[19],
		.threads = (uint32_t)fields[20],
		.start_ticks = fields[22],
		.vsize_bytes = fields[23],
	};
	return 0;
}

struct status_line {
	const char *at; /* behind the key */
	const char *end;
	struct procstatus *status;
	uint32_t seen; /* STATUS_... of the lines that must be there */
};

enum {
	STATUS_UID = 1 << 0,
	STATUS_GID = 1 << 1,
	STATUS_CAPS = 1 << 2,
	STATUS_NEEDED = STATUS_UID | STATUS_GID | STATUS_CAPS,
};

static uint64_t line_number(struct status_line *line, int base)
{
	uint64_t number = 0;

	number_next(&line->at, line->end, base, &number);
	return number;
}

static void status_uid(struct status_line *line)
{
	struct id_block *ids = &line->status->ids;

	ids->uid = (uint32_t)line_number(line, 10);
	ids->euid = (uint32_t)line_number(line, 10);
	ids->suid = (uint32_t)line_number(line, 10);
	ids->fsuid = (uint32_t)line_number(line, 10);
	line->seen |= STATUS_UID;
}

static void status_gid(struct status_line *line)
{
	struct id_block *ids = &line->status->ids;

	ids->gid = (uint32_t)line_number(line, 10);
	ids->egid = (uint32_t)line_number(line, 10);
	ids->sgid = (uint32_t)line_number(line, 10);
	ids->fsgid = (uint32_t)line_number(line, 10);
	line->seen |= STATUS_GID;
}

static void status_groups(struct status_line *line)
{
	uint64_t gid;

	while (number_next(&line->at, line->end, 10, &gid)) {
		if (line->status->groups_total < GROUPS_KEPT)
			line->status->groups[line->status->groups_total] = (uint32_t)gid;
		line->status->groups_total++;
	}
}

static void status_pids(struct status_line *line)
{
	uint64_t pid;

	while (line->status->pids_count < PID_LEVELS_MAX &&
	       number_next(&line->at, line->end, 10, &pid))
		line->status->pids[line->status->pids_count++] = (uint32_t)pid;
}

static void status_cap_inheritable(struct status_line *line)
{
	line->status->caps[CAP_SET_INHERITABLE] = line_number(line, 16);
}

static void status_cap_permitted(struct status_line *line)
{
	line->status->caps[CAP_SET_PERMITTED] = line_number(line, 16);
}

static void status_cap_effective(struct status_line *line)
{
	line->status->caps[CAP_SET_EFFECTIVE] = line_number(line, 16);
	line->seen |= STATUS_CAPS;
}

static void status_cap_bounding(struct status_line *line)
{
	line->status->caps[CAP_SET_BOUNDING] = line_number(line, 16);
}

static void status_cap_ambient(struct status_line *line)
{
	line->status->caps[CAP_SET_AMBIENT] = line_number(line, 16);
}

static void status_rss(struct status_line *line)
{
	line->status->rss_kib = line_number(line, 10);
}

static void status_locked(struct status_line *line)
{
	line->status->locked_kib = line_number(line, 10);
}

static void status_no_new_privs(struct status_line *line)
{
	line->status->no_new_privs = (uint8_t)line_number(line, 10);
	line->status->has_no_new_privs = true;
}

static void status_seccomp(struct status_line *line)
{
	line->status->seccomp = (uint8_t)line_number(line, 10);
}

static const struct {
	const char *key;
	void (*take)(struct status_line *line);
} status_keys[] = {
	{"Uid", status_uid},
	{"Gid", status_gid},
	{"Groups", status_groups},
	{"NStgid", status_pids},
	{"VmLck", status_locked},
	{"VmRSS", status_rss},
	{"CapInh", status_cap_inheritable},
	{"CapPrm", status_cap_permitted},
	{"CapEff", status_cap_effective},
	{"CapBnd", status_cap_bounding},
	{"CapAmb", status_cap_ambient},
	{"NoNewPrivs", status_no_new_privs},
	{"Seccomp", status_seccomp},
};

int procstat_parse_status(const char *data, size_t length, struct procstatus *status)
{
	struct status_line line = {.status = status};
	const char *end = data + length;
	size_t next = 0; /* the kernel writes them in the order of the table: one pass */

	memset(status, 0, sizeof(*status));
	while (data < end) {
		const char *newline = memchr(data, '\n', (size_t)(end - data));
		const char *colon;

		line.end = newline ? newline : end;
		colon = memchr(data, ':', (size_t)(line.end - data));
		for (size_t i = next; colon && i < ARRAY_SIZE(status_keys); i++) {
			size_t key_length = strlen(status_keys[i].key);

			if ((size_t)(colon - data) != key_length ||
			    memcmp(data, status_keys[i].key, key_length))
				continue;
			line.at = colon + 1;
			status_keys[i].take(&line);
			next = i + 1;
			break;
		}
		data = line.end + 1;
	}
	return (line.seen & STATUS_NEEDED) == STATUS_NEEDED ? 0 : -EINVAL;
}
