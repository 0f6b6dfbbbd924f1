/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The wire: what a source hands to the model. The BPF programs, the /proc source and a
 * recording all speak it; nothing else crosses that line. Plain fixed-width fields in the
 * reader's byte order, every pad written out, every size asserted: a change of layout does
 * not compile until WIRE_VERSION is thought about.
 */
#ifndef NSVIEW_EVENT_H
#define NSVIEW_EVENT_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define WIRE_VERSION 1

#define PID_LEVELS_MAX 33 /* MAX_PID_NS_LEVEL + 1: the kernel's own limit */
#define GROUPS_KEPT 32    /* supplementary groups carried; groups_total tells how many there are */
#define CGROUP_PATH_MAX 1024 /* bytes of cgroup path carried, without a NUL */
#define COMM_SIZE 16         /* TASK_COMM_LEN */
#define ID_OVERFLOW 65534    /* what the kernel shows for an id its map does not hold */
#define ID_UNSET ((__u32)-1) /* loginuid and session id before any login */

enum record_type {
	RECORD_HOST = 1,   /* struct host_record: the host's own namespaces; once per snapshot */
	RECORD_TASK = 2,   /* struct task_record: a process, seen at its thread group leader */
	RECORD_THREAD = 3, /* struct thread_record: CPU time of a thread that is not the leader */
	RECORD_ARGS = 4,   /* struct args_record: the argument vector of a process */
};

/* In the order of cli.md's JSON `ns`. */
enum ns_kind {
	NS_MNT,
	NS_PID,
	NS_NET,
	NS_IPC,
	NS_UTS,
	NS_CGROUP,
	NS_TIME,
	NS_USER,
	NS_KINDS,
};

enum cap_set {
	CAP_SET_INHERITABLE, /* the order of struct cred, so that one read takes all five */
	CAP_SET_PERMITTED,
	CAP_SET_EFFECTIVE,
	CAP_SET_BOUNDING,
	CAP_SET_AMBIENT,
	CAP_SETS,
};

/* The order of struct cred, so that one read takes all eight. */
struct id_block {
	__u32 uid;
	__u32 gid;
	__u32 suid;
	__u32 sgid;
	__u32 euid;
	__u32 egid;
	__u32 fsuid;
	__u32 fsgid;
};

struct pid_level {
	__u32 ns;  /* inode of the pid namespace */
	__u32 pid; /* the task's tgid (RECORD_TASK) there */
};

/*
 * What a source could not read, as bits of task_record.unknown. A set bit means: the field's
 * bytes are 0 and mean nothing. It is never set for what the task simply does not have.
 */
enum task_field {
	FIELD_CHAIN,      /* chain beyond what the reader's own pid namespace shows */
	FIELD_PARENT,     /* ppid */
	FIELD_IN_PARENT,  /* in_ppid */
	FIELD_START,      /* start_boot_ns */
	FIELD_IDS,        /* ids */
	FIELD_IN_IDS,     /* in_ids */
	FIELD_GROUPS,     /* groups */
	FIELD_CAPS,       /* caps */
	FIELD_SECUREBITS, /* securebits */
	FIELD_NNP,        /* no_new_privs */
	FIELD_SECCOMP,    /* seccomp */
	FIELD_USERNS,     /* user_ns_level, user_ns_owner */
	FIELD_NS,         /* ns[NS_MNT] is bit FIELD_NS, and so on in the order of enum ns_kind */
	FIELD_NS_LAST = FIELD_NS + NS_KINDS - 1,
	FIELD_CGROUP,    /* cgroup_* */
	FIELD_LOGINUID,  /* loginuid */
	FIELD_SESSIONID, /* sessionid */
	FIELD_TTY,       /* tty_* */
	FIELD_STATE,     /* state, TASK_FOREGROUND, TASK_SESSION_LEADER, TASK_LOCKED */
	FIELD_CPU,       /* cpu_ns */
	FIELD_MEMORY,    /* vsz_pages, rss_pages */
	FIELD_SCHED,     /* priority, nice, threads */
	FIELD_ARGS,      /* no args_record will come, though the process has arguments */
	FIELD_EXE,       /* set by the reader of /proc/PID/exe, never by a source */
	FIELD_CWD,       /* the same for /proc/PID/cwd */
	TASK_FIELDS,
};

#define FIELD_BIT(field) (1ULL << (field))

enum task_flag {
	TASK_KTHREAD = 1 << 0,        /* PF_KTHREAD: no user memory, never in a container */
	TASK_ZOMBIE = 1 << 1,         /* its namespaces and memory are gone: absent, not unknown */
	TASK_SESSION_LEADER = 1 << 2, /* ps: s */
	TASK_FOREGROUND = 1 << 3, /* ps: +, its process group is its terminal's foreground one */
	TASK_LOCKED = 1 << 4,     /* ps: L, mm->locked_vm is not 0 */
	TASK_CGROUP_CUT = 1 << 5, /* the cgroup path was longer: only its end is here */
};

/* Which hierarchy cgroup_id and the path speak of. */
enum cgroup_hierarchy {
	CGROUP_V2 = 0, /* the unified one: wins unless the task is in its root */
	CGROUP_PIDS,   /* else the first version 1 controller, in this order, off its root */
	CGROUP_MEMORY,
	CGROUP_CPU,
	CGROUP_DEVICES,
	CGROUP_FREEZER,
	CGROUP_CPUSET,
	CGROUP_HIERARCHIES,
};

struct record_header {
	__u32 size; /* of the whole record, this header and the tail included; a multiple of 8 */
	__u16 type; /* enum record_type */
	__u16 pad;
};

struct host_record {
	struct record_header header;
	__u32 ns[NS_KINDS]; /* of pid 1 of the first pid namespace; 0: could not be read */
};

struct task_record {
	struct record_header header;
	__u64 start_boot_ns; /* task->start_boottime: with tgid the key of a process */
	__u64 unknown;       /* FIELD_BIT()s */
	__u64 caps[CAP_SETS];
	__u64 cpu_ns;           /* of the leader and of the threads that have ended */
	__u64 vsz_pages;        /* mm->total_vm */
	__u64 rss_pages;        /* as /proc/PID/status VmRSS: file + anonymous + shared memory */
	__u64 cgroup_id;        /* kernfs id = inode of the cgroup's directory */
	struct id_block ids;    /* as the first user namespace sees them */
	struct id_block in_ids; /* through the map of the task's own user namespace */
	__u32 ns[NS_KINDS];     /* inodes; 0: has none (a zombie), or the kernel has no such kind */
	__u32 tgid;             /* in the first pid namespace */
	__u32 ppid;             /* real_parent's tgid in the first pid namespace */
	__u32 in_ppid; /* the same in the task's own pid namespace; 0: the parent is outside */
	__u32 flags;   /* enum task_flag */
	__u32 securebits;
	__u32 user_ns_level; /* 0: the host's */
	__u32 user_ns_owner; /* host uid */
	__u32 loginuid;      /* host uid, or ID_UNSET */
	__u32 sessionid;     /* audit session, or ID_UNSET */
	__u32 tty_major;     /* 0 and 0: no terminal */
	__u32 tty_minor;
	__u32 threads;  /* signal->nr_threads */
	__s32 priority; /* as /proc/PID/stat field 18: 20 is nice 0, below 0 real time */
	__s32 nice;
	__u32 groups_total;
	__u16 groups_kept;      /* in the tail */
	__u16 chain_count;      /* in the tail; at least 1 */
	__u16 cgroup_length;    /* bytes of path in the tail */
	__u16 cgroup_hierarchy; /* enum cgroup_hierarchy */
	char state;             /* as in /proc/PID/stat: R S D T t Z X I P */
	__u8 no_new_privs;
	__u8 seccomp; /* 0 off, 1 strict, 2 filter */
	__u8 pad[9];
	char comm[COMM_SIZE];
	/*
	 * The tail, each part there as often as its count says, then zeros up to a multiple of 8:
	 *   struct pid_level chain[chain_count]   first pid namespace first
	 *   __u32 groups[groups_kept]             host gids
	 *   char cgroup_path[cgroup_length]
	 */
};

struct thread_record {
	struct record_header header;
	__u64 start_boot_ns; /* of the leader: the process's key */
	__u64 cpu_ns;
	__u32 tgid;
	__u32 tid;
};

enum args_kind {
	ARGS_VECTOR = 0, /* NUL-terminated strings, as in /proc/PID/cmdline */
	ARGS_NAME = 1,   /* a kernel thread's full name, which may be longer than comm */
};

/* The tail: char data[length], then zeros up to a multiple of 8. */
struct args_record {
	struct record_header header;
	__u64 start_boot_ns;
	__u32 tgid;
	__u32 kind;   /* enum args_kind */
	__u32 length; /* bytes in the tail */
	__u32 is_cut; /* 1: there was more than the reader asked for */
};

#define WIRE_ASSERT(type, size) _Static_assert(sizeof(type) == (size), #type ": WIRE_VERSION?")
WIRE_ASSERT(struct record_header, 8);
WIRE_ASSERT(struct host_record, 40);
WIRE_ASSERT(struct task_record, 288);
WIRE_ASSERT(struct thread_record, 32);
WIRE_ASSERT(struct args_record, 32);

#endif
