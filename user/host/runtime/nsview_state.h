/* SPDX-License-Identifier: GPL-2.0-only */
/* The sample containers that run: the state files that `nsview run` keeps while they do. */
#ifndef NSVIEW_HOST_RUNTIME_NSVIEW_STATE_H
#define NSVIEW_HOST_RUNTIME_NSVIEW_STATE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NSVIEW_STATE_DIR "/run/nsview" /* root's */
#define NSVIEW_STATE_SUFFIX ".json"

struct nsview_state {
	char name[129];
	char id[65];
	char root[PATH_MAX];    /* --rootfs or --image; "": the host's own programs */
	char image[PATH_MAX];   /* as it was tagged, else the archive's path as typed; "": none */
	char created[40];       /* RFC 3339 in UTC */
	uint32_t pid;           /* of COMMAND, as the procfs numbers it that was looked at */
	uint32_t pid_ns;        /* inode of its pid namespace; 0: it has the host's */
	uint32_t seen_pid_ns;   /* inode of the pid namespace that nsview was in; 0: not known */
	uint32_t holder_pid;    /* of the nsview that waits for COMMAND's end; 0: not known */
	uint64_t start_ticks;   /* /proc/PID/stat field 22: with pid, who it is */
	uint64_t start_boot_ns; /* the same, in nanoseconds and ticks' precision */
	uint64_t capabilities;  /* declared: the bounding set it was given */
	char user[256];         /* declared: what --user said; "" is root */
	bool is_privileged;
	bool has_no_new_privs;
	bool has_no_seccomp;
	bool has_readonly_root;
	uint32_t shares_host; /* 1 << enum ns_kind: namespaces that it was to share with the host */
	uint64_t cpu_limit_nano; /* billionths of a CPU; UINT64_MAX: no limit, as the next two */
	uint64_t memory_limit_bytes;
	uint64_t pids_limit;
};

/*
 * Where the caller's own containers have their files, to be freed: root's, or else nsview in
 * $XDG_RUNTIME_DIR, or in /run/user/UID, or at last /tmp/nsview-UID.
 */
char *nsview_state_path(void);

/* That directory's descriptor, for reading. -ENOENT; -EPERM: somebody else may write there. */
int nsview_state_open(const char *path);

/*
 * Those whose process lives, in no order; free the array. To root also the containers of other
 * users are known, where they are in /run/user and lie in user namespaces of theirs. host_root:
 * NULL or --host-root; proc_fd from procfs_open. A file whose process has gone, or that makes no
 * sense, is skipped. No such directory: 0 states. -errno when the directory cannot be read.
 */
int nsview_state_list(const char *host_root, int proc_fd, struct nsview_state **states,
		      size_t *count);

/* One file of dir_fd. -ESRCH: its process has gone, and *state is filled all the same; -EINVAL:
 * not a state file. */
int nsview_state_read(int dir_fd, const char *file, int proc_fd, struct nsview_state *state);

/* /proc/PID/stat field 22. -ESRCH: no such process. */
int nsview_state_start_ticks(int proc_fd, uint32_t pid, uint64_t *ticks);

#endif
