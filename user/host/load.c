/* SPDX-License-Identifier: GPL-2.0-only */
#include "host/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define FILE_BYTES 8192 /* what is wanted stands at the beginning */
#define CPU_TIMES 8     /* user nice system idle iowait irq softirq steal; guest is in user */
#define CPU_IDLE 3
#define CPU_IOWAIT 4

int load_parse_stat(const char *text, struct load *load)
{
	unsigned long long times[CPU_TIMES] = {0};
	uint64_t all = 0;
	int count =
		sscanf(text, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &times[0], &times[1],
		       &times[2], &times[3], &times[4], &times[5], &times[6], &times[7]);

	if (count <= CPU_IDLE)
		return -EINVAL;
	for (int i = 0; i < CPU_TIMES; i++)
		all += times[i];
	load->all_ticks = all;
	load->busy_ticks = all - times[CPU_IDLE] - times[CPU_IOWAIT];
	return 0;
}

static int meminfo_find(const char *text, const char *name, uint64_t *bytes)
{
	const char *line = strstr(text, name);
	unsigned long long kib;

	if (!line || sscanf(line + strlen(name), ": %llu kB", &kib) != 1)
		return -EINVAL;
	*bytes = kib * 1024;
	return 0;
}

int load_parse_meminfo(const char *text, struct load *load)
{
	uint64_t total, available;

	if (meminfo_find(text, "MemTotal", &total) ||
	    meminfo_find(text, "MemAvailable", &available) || available > total)
		return -EINVAL;
	load->memory_bytes = total;
	load->memory_used_bytes = total - available;
	return 0;
}

int load_parse_uptime(const char *text, struct load *load)
{
	unsigned long long seconds;

	if (sscanf(text, "%llu.", &seconds) != 1)
		return -EINVAL;
	load->uptime_s = seconds;
	return 0;
}

static void file_parse(const char *proc_path, const char *name,
		       int (*parse)(const char *text, struct load *load), struct load *load)
{
	autofree char *path = mem_printf("%s/%s", proc_path, name);
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char text[FILE_BYTES];
	ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (length < 0)
		return;
	text[length] = '\0';
	parse(text, load);
}

void load_read(const char *proc_path, struct load *load)
{
	*load = (struct load){0};
	file_parse(proc_path, "stat", load_parse_stat, load);
	file_parse(proc_path, "meminfo", load_parse_meminfo, load);
	file_parse(proc_path, "uptime", load_parse_uptime, load);
}

double load_cpu_percent(const struct load *before, const struct load *now)
{
	uint64_t busy, all;

	if (!before->all_ticks || now->all_ticks <= before->all_ticks)
		return -1;
	all = now->all_ticks - before->all_ticks;
	/* iowait may go down: proc.rst */
	busy = now->busy_ticks > before->busy_ticks ? now->busy_ticks - before->busy_ticks : 0;
	return busy > all ? 100 : 100.0 * (double)busy / (double)all;
}
