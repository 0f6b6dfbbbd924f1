/* SPDX-License-Identifier: GPL-2.0-only */
#include "host/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/procfs.h"
#include "host/time_zone.h"

#define NS_PER_S 1000000000LL
#define CAP_LAST_MAX 63
#define SMALL_FILE_BYTES 8192

const char *const ns_names[NS_KINDS] = {
	[NS_MNT] = "mnt", [NS_PID] = "pid",       [NS_NET] = "net",   [NS_IPC] = "ipc",
	[NS_UTS] = "uts", [NS_CGROUP] = "cgroup", [NS_TIME] = "time", [NS_USER] = "user",
};

/* The start of a small file, as a string; false: unreadable. */
static bool file_read(const char *path, struct text *out)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char data[SMALL_FILE_BYTES];
	ssize_t length;

	text_clear(out);
	length = fd < 0 ? -1 : read(fd, data, sizeof(data));
	if (length < 0)
		return false;
	text_add(out, data, (size_t)length);
	return true;
}

static bool file_read_below(const char *directory, const char *file, struct text *out)
{
	autofree char *path = mem_printf("%s/%s", directory, file);

	return file_read(path, out);
}

/* HOST_ROOT/etc/hostname: uname would give the name of nsview's own container. */
static void facts_read_hostname(struct facts *facts, const char *host_root)
{
	struct text text = {0};

	if (host_root && file_read_below(host_root, "etc/hostname", &text))
		sscanf(text_string(&text), "%64s", facts->hostname);
	text_free(&text);
}

static int cap_last_probe(void)
{
	int last = -1;

	while (last < CAP_LAST_MAX && prctl(PR_CAPBSET_READ, last + 1, 0, 0, 0) >= 0)
		last++;
	return last;
}

static int cap_last_read(const char *proc_path)
{
	struct text text = {0};
	int last = -1;

	if (!file_read_below(proc_path, "sys/kernel/cap_last_cap", &text) ||
	    sscanf(text_string(&text), "%d", &last) != 1 || last < 0 || last > CAP_LAST_MAX)
		last = cap_last_probe();
	text_free(&text);
	return last;
}

static uint64_t memory_read(const char *proc_path)
{
	struct text text = {0};
	unsigned long long kib;
	struct sysinfo info;
	uint64_t bytes = 0;

	if (file_read_below(proc_path, "meminfo", &text) &&
	    sscanf(text_string(&text), "MemTotal: %llu kB", &kib) == 1)
		bytes = kib * 1024;
	else if (!sysinfo(&info))
		bytes = (uint64_t)info.totalram * info.mem_unit;
	text_free(&text);
	return bytes;
}

static void boot_id_read(struct facts *facts)
{
	struct text text = {0};

	if (file_read_below(facts->proc_path, "sys/kernel/random/boot_id", &text))
		sscanf(text_string(&text), "%36s", facts->boot_id);
	text_free(&text);
}

/* By the system call, so that it is known without any /proc. */
static uint64_t cap_effective_read(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	if (syscall(SYS_capget, &header, data))
		return 0;
	return (uint64_t)data[1].effective << 32 | data[0].effective;
}

/*
 * CLOCK_BOOTTIME and the start times in /proc carry the offset of nsview's own time namespace;
 * task->start_boottime does not. timens_offsets speaks of the namespace of the children
 * (fs/proc/base.c, proc_timens_show_offsets), which is only then our own when the inodes agree.
 */
static int64_t time_offset_read(uint32_t own_inode)
{
	autoclose int proc_fd = procfs_open("/proc");
	struct text text = {0};
	uint32_t inode;
	long long seconds = 0;
	long ns = 0;
	const char *line;

	if (proc_fd < 0 || own_inode == NS_HOST_TIME ||
	    procfs_namespace(proc_fd, PROCFS_SELF, "time_for_children", &inode) ||
	    inode != own_inode || !file_read("/proc/self/timens_offsets", &text))
		goto out;
	line = strstr(text_string(&text), "boottime");
	if (!line || sscanf(line, "boottime %lld %ld", &seconds, &ns) != 2)
		seconds = ns = 0;
out:
	text_free(&text);
	return seconds * NS_PER_S + ns;
}

static void self_ns_read(uint32_t inodes[NS_KINDS])
{
	autoclose int proc_fd = procfs_open("/proc");

	for (int kind = 0; proc_fd >= 0 && kind < NS_KINDS; kind++)
		procfs_namespace(proc_fd, PROCFS_SELF, ns_names[kind], &inodes[kind]);
}

static int64_t clock_read(clockid_t clock)
{
	struct timespec now = {0};

	clock_gettime(clock, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

void facts_read_clock(struct facts *facts)
{
	int64_t narrowest = INT64_MAX;

	/* The two clocks cannot be read at one moment: the quickest of a few tries is the one
	 * that nothing came between. */
	for (int i = 0; i < 3; i++) {
		int64_t before = clock_read(CLOCK_BOOTTIME);
		int64_t real = clock_read(CLOCK_REALTIME);
		int64_t after = clock_read(CLOCK_BOOTTIME);
		int64_t boot = before + (after - before) / 2 - facts->time_ns_offset_ns;

		if (after - before >= narrowest)
			continue;
		narrowest = after - before;
		facts->boot_now_ns = (uint64_t)boot;
		facts->boot_offset_ns = (uint64_t)(real - boot);
	}
}

void facts_read(struct facts *facts, const char *host_root)
{
	struct utsname name = {0};
	size_t root_length = host_root ? strlen(host_root) : 0;

	memset(facts, 0, sizeof(*facts));
	uname(&name);
	snprintf(facts->hostname, sizeof(facts->hostname), "%.64s", name.nodename);
	snprintf(facts->release, sizeof(facts->release), "%.64s", name.release);
	snprintf(facts->machine, sizeof(facts->machine), "%.64s", name.machine);
	facts_read_hostname(facts, host_root);
	while (root_length && host_root[root_length - 1] == '/')
		root_length--;
	snprintf(facts->proc_path, sizeof(facts->proc_path), "%.*s/proc", (int)root_length,
		 root_length ? host_root : "");
	facts->cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	facts->page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	facts->cap_last = cap_last_read(facts->proc_path);
	facts->memory_bytes = memory_read(facts->proc_path);
	boot_id_read(facts);
	self_ns_read(facts->self_ns);
	facts->time_ns_offset_ns = time_offset_read(facts->self_ns[NS_TIME]);
	facts->cap_effective = cap_effective_read();
	facts->euid = geteuid();
	facts_read_clock(facts);
}

bool facts_local(const struct facts *facts, int64_t epoch, struct tm *local)
{
	time_t time = (time_t)epoch;

	if (facts->zone)
		return !time_zone_local(facts->zone, epoch, local);
	return localtime_r(&time, local);
}

int64_t facts_epoch(const struct facts *facts, const struct tm *local)
{
	struct tm date = *local;

	return facts->zone ? time_zone_epoch(facts->zone, local) : (int64_t)mktime(&date);
}

bool facts_kernel_lacks_btf(void)
{
	return !access("/sys/kernel", F_OK) && access(KERNEL_BTF_DIRECTORY, F_OK) &&
	       errno == ENOENT;
}
