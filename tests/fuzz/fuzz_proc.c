/* SPDX-License-Identifier: GPL-2.0-only */
/* Any bytes as what /proc, a cgroup or the command line may say: read or refused, within bounds. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/caps.h"
#include "host/cgroup.h"
#include "host/idmap.h"
#include "host/procstat.h"

#define CAP_LAST 40

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read as capabilities is read again from its long form. */
static void caps_check(const char *words)
{
	struct text written = {0};
	uint64_t set = 0, again = 0;

	if (caps_parse(words, CAP_LAST, &set, NULL))
		return;
	caps_words_long(&written, set, CAP_LAST, set & 1);
	if (caps_parse(text_string(&written), CAP_LAST, &again, NULL) || again != set)
		abort();
	text_free(&written);
}

static void cgroup_check(const char *path, size_t size)
{
	struct cgroup_container found = {0};

	if (cgroup_find_container(path, size, &found) &&
	    (found.id < path || found.id + found.id_length > path + size))
		abort();
}

static void status_check(const char *text, size_t size)
{
	struct procstatus status;
	struct procstat stat;

	if (!procstat_parse_status(text, size, &status) &&
	    (status.pids_count > PID_LEVELS_MAX || status.seccomp > 2))
		abort();
	if (!procstat_parse_stat(text, size, &stat) && stat.comm_length &&
	    (stat.comm < text || stat.comm + stat.comm_length > text + size))
		abort();
}

static void idmap_check(const char *text, size_t size)
{
	struct idmap map;

	if (idmap_parse(text, size, &map))
		return;
	for (uint32_t i = 0; i < map.count; i++)
		idmap_inside(&map, map.extents[i].outside + map.extents[i].length - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *exact = mem_new(size);
	char *string = mem_new(size + 1);

	memcpy(exact, data, size);
	memcpy(string, data, size);
	status_check(exact, size);
	idmap_check(exact, size);
	cgroup_check(exact, size);
	caps_check(string);
	free(exact);
	free(string);
	return 0;
}
