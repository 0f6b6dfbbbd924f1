/* SPDX-License-Identifier: GPL-2.0-only */
/* libbpf's own way to a kprobe may write to tracefs, which outlives a killed nsview: perf events end
 * with their descriptors. */
#include "source/point.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/lockdown.h"

#define KPROBE_DEVICE "/sys/bus/event_source/devices/kprobe/"
#define RETURN_FORMAT "config:" /* the bit of perf_event_attr.config that means the return */

#define SYSCALL_EVENTS "events/syscalls"

static const char *const tracefs_mounts[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};

/* The number after `prefix` in a file of one line. */
static int number_read(int directory, const char *path, const char *prefix)
{
	autoclose int fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
	char line[64] = "";

	if (fd < 0 || read(fd, line, sizeof(line) - 1) <= 0)
		return -errno;
	if (strncmp(line, prefix, strlen(prefix)))
		return -EINVAL;
	return atoi(line + strlen(prefix));
}

/* On one processor, which is how a tracepoint or a kprobe is had on all of them. */
static int perf_open(struct perf_event_attr *attr, const char *what, struct text *why)
{
	int fd = (int)syscall(SYS_perf_event_open, attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	int error = errno;

	if (fd >= 0)
		return fd;
	if (error == EACCES || error == EPERM)
		text_printf(why, "perf events need CAP_PERFMON, or SYS_ADMIN with "
				 "kernel.perf_event_paranoid above 2");
	else if (error == ENOENT || error == EINVAL)
		text_printf(why, "this kernel has no %s", what);
	else
		text_printf(why, "%s: %s", what, strerror(error));
	return -error;
}

int point_open_kprobe(const char *function, bool is_return, struct text *why)
{
	struct perf_event_attr attr = {.size = sizeof(attr)};
	int type = number_read(AT_FDCWD, KPROBE_DEVICE "type", "");
	int bit = is_return ? number_read(AT_FDCWD, KPROBE_DEVICE "format/retprobe", RETURN_FORMAT)
			    : 0;

	if (type < 0 || bit < 0) {
		text_add_string(why, "this kernel has no kprobes");
		return type < 0 ? type : bit;
	}
	attr.type = (uint32_t)type;
	attr.config = is_return ? 1ULL << bit : 0;
	attr.kprobe_func = (uintptr_t)function;
	return perf_open(&attr, function, why);
}

static int tracefs_mount(void)
{
	autoclose int context = -1;

	/* It would be refused, and 7.3.4 crashes when such a mount ends: tracefs_destroy_inode()
	 * takes an inode out of a list that it was never in. */
	if (lockdown_hides_kernel())
		return -EPERM;
	context = fsopen("tracefs", FSOPEN_CLOEXEC);
	if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -errno;
	return fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
}

int point_tracefs(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(tracefs_mounts); i++) {
		autoclose int fd = open(tracefs_mounts[i], O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0 && !faccessat(fd, SYSCALL_EVENTS, X_OK, AT_EACCESS))
			return steal_fd(&fd);
	}
	return tracefs_mount();
}

int point_open_syscall(int tracefs, const char *name, struct text *why)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr)};
	autofree char *path = mem_printf(SYSCALL_EVENTS "/sys_exit_%s/id", name);
	int number = tracefs < 0 ? tracefs : number_read(tracefs, path, "");

	if (tracefs < 0)
		text_printf(why, "tracefs is not mounted, and mounting it is refused: %s",
			    strerror(-tracefs));
	else if (number < 0)
		text_printf(why, "no %s in tracefs: %s", path, strerror(-number));
	if (number < 0)
		return number;
	attr.config = (uint64_t)number;
	return perf_open(&attr, name, why);
}

int point_try_function(uint32_t btf_id, bool is_attached, struct text *why)
{
	const struct bpf_insn nothing[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_FENTRY,
		    .attach_btf_id = btf_id);
	autoclose int program = bpf_prog_load(BPF_PROG_TYPE_TRACING, NULL, "GPL", nothing,
					      ARRAY_SIZE(nothing), &options);
	autoclose int link = -1;
	int error = program < 0 ? errno : 0;

	if (!error && is_attached) {
		link = bpf_raw_tracepoint_open(NULL, program);
		error = link < 0 ? errno : 0;
	}
	if (error)
		text_printf(why, "the kernel makes no trampolines here: %s",
			    error == 524 ? "not supported" : strerror(error));
	return -error;
}

/* Links of perf events came in 5.15: b89fbfbb854c. */
int point_attach(int *point, int program)
{
	int link = bpf_link_create(program, *point, BPF_PERF_EVENT, NULL);

	if ((link < 0 && ioctl(*point, PERF_EVENT_IOC_SET_BPF, program)) ||
	    ioctl(*point, PERF_EVENT_IOC_ENABLE, 0)) {
		int error = errno;

		mem_close_fd(&link);
		return -error;
	}
	if (link >= 0) {
		close(*point);
		*point = link;
	}
	return 0;
}

/* struct bpf_link_info of 6.7 (3acf8ace6823), which older headers have not. */
struct link_info {
	uint32_t type;
	uint32_t id;
	uint32_t program_id;
	uint32_t pad;
	uint32_t event; /* enum bpf_perf_event_type */
	uint32_t event_pad;
	uint64_t name;
	uint32_t name_length;
	uint32_t offset;
	uint64_t address;
	uint64_t missed;
};

#define LINK_PERF_EVENT 7 /* BPF_LINK_TYPE_PERF_EVENT */
#define EVENT_KPROBE 3    /* BPF_PERF_EVENT_KPROBE */
#define EVENT_KRETPROBE 4

uint64_t point_missed(int point)
{
	struct link_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(point, &info, &size) || info.type != LINK_PERF_EVENT ||
	    (info.event != EVENT_KPROBE && info.event != EVENT_KRETPROBE))
		return 0;
	return info.missed;
}
