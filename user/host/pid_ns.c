/* SPDX-License-Identifier: GPL-2.0-only */
#include "host/pid_ns.h"

#include <stdbool.h>

#include "base/text.h"
#include "bpf/event.h"
#include "host/facts.h"
#include "host/procfs.h"
#include "host/procstat.h"

#define INIT_PID 1
#define KTHREADD_PID 2
#define STATUS_BYTES 65536

static bool is_kernel_thread(int proc_fd, uint32_t pid)
{
	struct procstat stat;
	struct text text = {0};
	bool is_one = !procfs_read(proc_fd, pid, "stat", STATUS_BYTES, &text) &&
		      !procstat_parse_stat(text.data, text.length, &stat) &&
		      stat.flags & PROCSTAT_KTHREAD;

	text_free(&text);
	return is_one;
}

/*
 * Kernel threads live in the first pid namespace only; in another one, its pid 1 tells those who
 * may look; else nsview itself does, as long as this /proc knows it by one number.
 */
uint32_t pid_ns_of_proc(int proc_fd, const struct facts *facts)
{
	struct procstatus status;
	struct text text = {0};
	uint32_t inode;

	if (is_kernel_thread(proc_fd, KTHREADD_PID))
		return NS_HOST_PID;
	if (!procfs_namespace(proc_fd, INIT_PID, "pid", &inode))
		return inode;
	inode = 0;
	if (!procfs_read(proc_fd, PROCFS_SELF, "status", STATUS_BYTES, &text) &&
	    !procstat_parse_status(text.data, text.length, &status) && status.pids_count == 1)
		inode = facts->self_ns[NS_PID];
	text_free(&text);
	return inode;
}
