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

#define WIRE_VERSION 2

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
	RECORD_EVENT = 5,  /* struct event_record: something changed */
	RECORD_CGROUP = 6, /* struct cgroup_record: the path of a cgroup that events name by id */
	RECORD_GAP = 7,    /* struct gap_record: events that are missing here */
	RECORD_CLOCK = 8,  /* struct clock_record: what the time was; made in user space */
	RECORD_INFO = 9,   /* struct info_record: a sentence about the stream itself */
	RECORD_USAGE = 15, /* struct usage_record: what a process uses now */
	/* In recordings only (docs/recordings.md): what a replay cannot ask its own machine. */
	RECORD_USER = 10,      /* struct user_record: a user's name */
	RECORD_CONTAINER = 11, /* struct container_record: what its runtime's files say */
	RECORD_MARK = 12,      /* struct mark_record: the end of the snapshot, the end of all */
	RECORD_INSIDE = 13,    /* struct inside_record: what ps inside a container reads there */
	RECORD_PARENT = 14,    /* struct parent_record: of a process in the snapshot */
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

/*
 * The same members under a name of their own and without one, so that task->ids and
 * task->identity.ids are one (the kernel's __struct_group).
 */
#define IDENTITY_GROUP(tag, name, ...) \
	union {                        \
		struct {               \
			__VA_ARGS__    \
		};                     \
		struct tag {           \
			__VA_ARGS__    \
		} name;                \
	}

/* clang-format off */
struct task_record {
	struct record_header header;
	__u64 start_boot_ns; /* task->start_boottime: with tgid the key of a process */
	__u64 unknown;       /* FIELD_BIT()s */
	/* Who it is: what an event of it carries too. */
	IDENTITY_GROUP(task_identity, identity,
		__u64 caps[CAP_SETS];
		__u64 cgroup_id;     /* kernfs id = inode of the cgroup's directory */
		struct id_block ids; /* as the first user namespace sees them */
		__u32 ns[NS_KINDS];  /* inodes; 0: has none (a zombie), or no such kind */
		__u32 in_ppid;       /* ppid in its own pid namespace; 0: the parent is outside */
		__u32 flags;         /* enum task_flag */
		__u32 securebits;
		__u32 user_ns_level; /* 0: the host's */
		__u32 user_ns_owner; /* host uid */
		__u32 loginuid;      /* host uid, or ID_UNSET */
		__u32 sessionid;     /* audit session, or ID_UNSET */
		__u32 tty_major;     /* 0 and 0: no terminal */
		__u32 tty_minor;
		__u32 groups_total;
		__u16 groups_kept;      /* in the tail */
		__u16 chain_count;      /* in the tail; at least 1 */
		__u16 cgroup_length;    /* bytes of path in the tail; an event has none */
		__u16 cgroup_hierarchy; /* enum cgroup_hierarchy */
		__u8 no_new_privs;
		__u8 seccomp; /* 0 off, 1 strict, 2 filter */
		__u8 identity_pad[6];
		char comm[COMM_SIZE];
	);
	struct id_block in_ids; /* through the map of the task's own user namespace */
	__u64 cpu_ns;           /* of the leader and of the threads that have ended */
	__u64 vsz_pages;        /* mm->total_vm */
	__u64 rss_pages;        /* as /proc/PID/status VmRSS: file + anonymous + shared memory */
	__u32 tgid;             /* in the first pid namespace */
	__u32 ppid;             /* real_parent's tgid in the first pid namespace */
	__u32 threads;          /* signal->nr_threads */
	__s32 priority; /* as /proc/PID/stat field 18: 20 is nice 0, below 0 real time */
	__s32 nice;
	char state; /* as in /proc/PID/stat: R S D T t Z X I P */
	__u8 pad[3];
	/*
	 * The tail, each part there as often as its count says, then zeros up to a multiple of 8:
	 *   struct pid_level chain[chain_count]   first pid namespace first
	 *   __u32 groups[groups_kept]             host gids
	 *   char cgroup_path[cgroup_length]
	 */
};
/* clang-format on */

struct thread_record {
	struct record_header header;
	__u64 start_boot_ns; /* of the leader: the process's key */
	__u64 cpu_ns;
	__u32 tgid;
	__u32 tid;
};

/* Between snapshots: what changes all the time, and no event tells. */
struct usage_record {
	struct record_header header;
	__u64 start_boot_ns;
	__u64 cpu_ns; /* of all threads, those that have ended included */
	__u64 vsz_pages;
	__u64 rss_pages;
	__u32 tgid;
	__u32 threads;
	__s32 priority;
	__s32 nice;
	char state;
	__u8 pad[7];
};

enum args_kind {
	ARGS_VECTOR = 0, /* NUL-terminated strings, as in /proc/PID/cmdline */
	ARGS_NAME = 1,   /* a kernel thread's full name, which may be longer than comm */
	ARGS_EXE = 2,    /* the path of its program, as /proc/PID/exe has it */
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

/* Where nsview listens. A counter of losses and a line of doctor each. */
enum hook_id {
	HOOK_FORK,
	HOOK_EXEC,
	HOOK_EXIT,
	HOOK_CREDENTIALS, /* what commit_creds() replaces */
	HOOK_NAMESPACES,  /* what switch_task_namespaces() replaces */
	HOOK_REFUSED,     /* setns, unshare, capset and the setuid family, when they fail */
	HOOK_PRIVILEGES,  /* no_new_privs and seccomp, which are no part of the credentials */
	HOOK_IDMAP,       /* writes of uid_map, gid_map and setgroups */
	HOOK_CGROUP_MAKE,
	HOOK_CGROUP_REMOVE,
	HOOK_CGROUP_ATTACH,
	HOOK_COMPLETE, /* --complete: every system call's end */
	HOOK_SWEEP,    /* the task iterator, which compares what no hook has told */
	HOOKS,
};

/* How a hook listens. */
enum hook_tier {
	TIER_OFF,
	TIER_TRACEPOINT, /* a BTF tracepoint of the kernel */
	TIER_KPROBE,     /* kprobe or kretprobe: exact */
	TIER_FENTRY,     /* trampoline: skips runs under preemption */
	TIER_SYSCALL,    /* the ends of the system calls that change it */
	TIER_ITERATOR,   /* HOOK_SWEEP */
	TIERS,
};

enum event_action {
	EVENT_FORK = 1,    /* a new process; before: its parent's, where clone changed something */
	EVENT_EXEC,        /* identity, exec */
	EVENT_EXIT,        /* the last thread has gone: exit */
	EVENT_CREDENTIALS, /* ids, groups, capabilities, securebits, user namespace */
	EVENT_NAMESPACES,  /* of the task, or of its children to come (children) */
	EVENT_PRIVILEGES,  /* no_new_privs, seccomp */
	EVENT_IDMAP,       /* uid_map or gid_map of a user namespace was written: children.map */
	EVENT_CGROUP_MAKE, /* cgroup */
	EVENT_CGROUP_REMOVE, /* cgroup */
	EVENT_CGROUP_ATTACH, /* the task moved: cgroup is the new one */
	EVENT_ACTIONS,
};

/* Why something changed: told by user space from before, after, hook and system call. */
enum event_cause {
	CAUSE_NONE,
	CAUSE_EXEC_SETUID,
	CAUSE_EXEC_SETGID,
	CAUSE_EXEC_FILECAPS, /* from the gain: the kernel keeps no trace of it */
	CAUSE_EXEC_ROOT,
	CAUSE_EXEC_DROP,
	CAUSE_CAPSET,
	CAUSE_SETUID,
	CAUSE_SETGID,
	CAUSE_GROUPS,
	CAUSE_AMBIENT,
	CAUSE_BOUNDING_DROP,
	CAUSE_SECUREBITS,
	CAUSE_USERNS_CREATE,
	CAUSE_USERNS_JOIN,
	CAUSE_NS_JOIN,
	CAUSE_NS_CREATE,
	CAUSE_IDMAP_WRITE,
	CAUSE_NO_NEW_PRIVS,
	CAUSE_SECCOMP,
	CAUSE_KERNEL,      /* the kernel itself, outside any system call of the task's */
	CAUSE_OTHER,       /* a look found it changed, and no hook had told */
	CAUSE_UNEXPLAINED, /* the same, though a hook would have told (docs/unexplained.md) */
	CAUSES,
};

/* What differs from before, as bits of event_record.changed. */
enum event_change {
	CHANGE_IDS = 1 << 0,
	CHANGE_GROUPS = 1 << 1,
	CHANGE_CAPS = 1 << 2,
	CHANGE_SECUREBITS = 1 << 3,
	CHANGE_USER_NS = 1 << 4,
	CHANGE_NS = 1 << 5, /* any but the user namespace */
	CHANGE_NO_NEW_PRIVS = 1 << 6,
	CHANGE_SECCOMP = 1 << 7,
	CHANGE_CHILDREN = 1 << 8, /* the namespaces that children will be in */
};

enum event_flag {
	EVENT_INFERRED = 1 << 0,    /* found by comparing, not seen when it happened */
	EVENT_SETUID_FILE = 1 << 1, /* exec: the file's mode has the bit */
	EVENT_SETGID_FILE = 1 << 2,
	EVENT_32BIT = 1 << 3,      /* from a 32-bit system call */
	EVENT_REPAIR = 1 << 4,     /* made in user space from a sweep after a loss */
	EVENT_SECUREEXEC = 1 << 5, /* exec: bprm->secureexec */
};

/* What follows an event_record, in this order, each part filled up to a multiple of 8. */
enum event_part {
	PART_IDENTITY = 1 << 0,      /* struct task_identity: after the change */
	PART_CHAIN = 1 << 1,         /* struct pid_level[chain_count] */
	PART_GROUPS = 1 << 2,        /* __u32[identity.groups_kept] host gids */
	PART_IN_IDS = 1 << 3,        /* struct id_block; without it they are identity.ids */
	PART_BEFORE = 1 << 4,        /* struct event_before */
	PART_BEFORE_GROUPS = 1 << 5, /* __u32[before.groups_kept] */
	PART_CHILDREN = 1 << 6,      /* struct event_children */
	PART_EXEC =
		1 << 7, /* struct event_exec, then filename, interpreter, arguments, environment */
	PART_EXIT = 1 << 8,   /* struct event_exit */
	PART_CGROUP = 1 << 9, /* struct event_cgroup, then its path */
};

struct event_record {
	struct record_header header;
	__u64 time_boot_ns;
	__u64 sequence;             /* given by user space: from 1, rising by one except at a gap */
	__u64 lost;                 /* events that this CPU had lost when it made this one */
	__u64 start_boot_ns;        /* of the process: with tgid its key */
	__u64 parent_start_boot_ns; /* of the parent's process; 0: there is none */
	__u32 cpu;
	__u32 tgid; /* in the first pid namespace */
	__u32 tid;
	__u32 ppid;
	__u32 parts;   /* enum event_part */
	__u32 changed; /* enum event_change */
	__s16 error;   /* 0, or the errno with which the call was refused */
	__s16 syscall; /* the number of the system call it happened in; -1: none, or not known */
	__u16 flags;   /* enum event_flag */
	__u16 chain_count;
	__u8 action; /* enum event_action */
	__u8 hook;   /* enum hook_id */
	__u8 tier;   /* enum hook_tier */
	__u8 cause;  /* enum event_cause, given by user space */
	__u8 pad[4];
};

struct event_before {
	__u64 caps[CAP_SETS];
	struct id_block ids;
	__u32 ns[NS_KINDS];
	__u32 securebits;
	__u32 user_ns_level;
	__u32 user_ns_owner;
	__u32 groups_total;
	__u16 groups_kept;
	__u8 no_new_privs;
	__u8 seccomp;
	__u8 pad[4];
};

/* Joining or making a pid or time namespace is for children: the task itself stays where it is. */
struct event_children {
	__u32 pid_ns; /* after, inodes; 0: as the task's own */
	__u32 time_ns;
	__u32 before_pid_ns;
	__u32 before_time_ns;
	__u32 map_ns; /* EVENT_IDMAP: the user namespace whose map was written */
	__u32 pad;
};

/* Lengths in bytes, without NULs at the end; what was longer says so in its total. */
struct event_exec {
	__u32 filename_length;    /* bprm->filename, as it was asked for */
	__u32 interpreter_length; /* bprm->interp where that is another: what really runs */
	__u32 args_length;        /* NUL-terminated strings */
	__u32 args_total;         /* of the whole vector */
	__u32 args_count;         /* bprm->argc */
	__u32 env_length;         /* NUL-terminated strings; 0 unless asked for */
	__u32 env_total;
	__u32 old_tid; /* the thread that called exec; it has the leader's id since */
};

struct event_exit {
	__s32 status; /* as wait(2) gives it: exit code << 8, or signal, and 0x80 for a core */
	__u32 pad;
};

struct event_cgroup {
	__u64 id;
	__u32 hierarchy; /* enum cgroup_hierarchy */
	__u32 length;    /* of the path */
};

/* The tail: char path[length], from its hierarchy's root, then zeros up to a multiple of 8. */
struct cgroup_record {
	struct record_header header;
	__u64 id;
	__u32 hierarchy; /* enum cgroup_hierarchy */
	__u16 length;
	__u16 is_cut; /* 1: only its end is here */
};

enum gap_reason {
	GAP_RING_FULL, /* the reader was too slow */
	GAP_SKIPPED,   /* the kernel did not run the program: it was running on this CPU already */
	GAP_OUTPUT,    /* it could not be written out */
	GAP_REASONS,
};

/* Events first to last are missing in the stream. */
struct gap_record {
	struct record_header header;
	__u64 time_boot_ns; /* when it was noticed */
	__u64 first;        /* sequence numbers */
	__u64 last;
	__u32 reason; /* enum gap_reason */
	__u32 hook;   /* enum hook_id; HOOKS: several, or not known */
};

struct clock_record {
	struct record_header header;
	__u64 time_boot_ns;
	__u64 boot_offset_ns; /* what to add to a boot time for the time since the epoch, from now on */
};

/* The tail: char text[length], one sentence, then zeros up to a multiple of 8. */
struct info_record {
	struct record_header header;
	__u64 time_boot_ns;
	__u32 hook; /* enum hook_id that it is about; HOOKS: none */
	__u32 length;
};

/* The tail: char name[length], then zeros up to a multiple of 8. */
struct user_record {
	struct record_header header;
	__u32 uid;
	__u32 mnt_ns; /* as passwd_container_name has them; both 0: the host's own user */
	__u32 pid;
	__u32 length;
};

enum container_text {
	CONTAINER_RUNTIME,
	CONTAINER_ID,
	CONTAINER_NAME,
	CONTAINER_IMAGE,
	CONTAINER_POD,
	CONTAINER_POD_NAMESPACE,
	CONTAINER_USER,
	CONTAINER_TEXTS,
};

enum container_flag {
	CONTAINER_PRIVILEGED = 1 << 0,
	CONTAINER_NO_NEW_PRIVS = 1 << 1,
	CONTAINER_NO_SECCOMP = 1 << 2,
	CONTAINER_READONLY_ROOT = 1 << 3,
	CONTAINER_RUNNING = 1 << 4, /* it had started before its first process here was recorded */
	CONTAINER_TOLD = 1 << 5,    /* a line told it then; else it goes with the next event */
};

/*
 * struct runtime_container of the container whose first process was first_pid, started at
 * start_boot_ns; without texts nothing is known of it but its flags. The tail: its texts, one behind the other, then zeros up to a multiple of 8.
 */
struct container_record {
	struct record_header header;
	__u64 time_boot_ns; /* when it was learned */
	__u64 start_boot_ns;
	__u64 caps;
	__u64 cpu_limit_nano;
	__u64 memory_limit_bytes;
	__u64 pids_limit;
	__u32 first_pid;
	__u32 runtime_first_pid; /* as the runtime's file has it */
	__u32 shares_host;
	__u32 flags;                    /* enum container_flag */
	__u32 texts;                    /* 1 << enum container_text: those that there are */
	__u16 lengths[CONTAINER_TEXTS]; /* bytes in the tail */
	__u16 pad;
	__u8 pad_end[4];
};

enum mark_kind {
	MARK_SNAPSHOT = 1, /* the first snapshot is complete: what follows happened after it */
	MARK_END,          /* the recording is complete */
};

struct mark_record {
	struct record_header header;
	__u64 time_boot_ns;
	__u64 boot_offset_ns;
	__u64 records; /* before this one */
	__u64 lost;    /* records that could not be written */
	__u32 kind;    /* enum mark_kind */
	__u32 pad;
};

/*
 * Not on the wire: what the kernel side counts, for each CPU, in the map `counters`.
 */
struct event_counters {
	__u64 lost; /* of all hooks: goes into event_record.lost */
	__u64 lost_by_hook[HOOKS];
	__u64 forgotten; /* threads for whose memory there was no room */
};

/* The tail: the zone as tzfile(5) has it, the text of uid_map, then zeros up to a multiple of 8. */
struct inside_record {
	struct record_header header;
	__u64 start_boot_ns; /* of the container's first process */
	__s64 boot_shift_ns; /* what its time namespace adds to the boot clock */
	__u32 first_pid;
	__s32 zone_error; /* -errno: its time zone could not be read */
	__u32 pid_digits; /* of kernel.pid_max in its pid namespace */
	__u32 zone_length;
	__u32 map_length;
	__u32 pad;
};

/* A process that is not in the recording, but is the parent of one that is: when it started. */
struct parent_record {
	struct record_header header;
	__u64 start_boot_ns;
	__u32 tgid;
	__u32 pad;
};

#define WIRE_ASSERT(type, size) _Static_assert(sizeof(type) == (size), #type ": WIRE_VERSION?")
WIRE_ASSERT(struct record_header, 8);
WIRE_ASSERT(struct host_record, 40);
WIRE_ASSERT(struct task_record, 288);
WIRE_ASSERT(struct thread_record, 32);
WIRE_ASSERT(struct usage_record, 64);
WIRE_ASSERT(struct args_record, 32);
WIRE_ASSERT(struct task_identity, 184);
WIRE_ASSERT(struct event_record, 88);
WIRE_ASSERT(struct event_before, 128);
WIRE_ASSERT(struct event_children, 24);
WIRE_ASSERT(struct event_exec, 32);
WIRE_ASSERT(struct event_exit, 8);
WIRE_ASSERT(struct event_cgroup, 16);
WIRE_ASSERT(struct cgroup_record, 24);
WIRE_ASSERT(struct gap_record, 40);
WIRE_ASSERT(struct clock_record, 24);
WIRE_ASSERT(struct info_record, 24);
WIRE_ASSERT(struct user_record, 24);
WIRE_ASSERT(struct container_record, 96);
WIRE_ASSERT(struct mark_record, 48);
WIRE_ASSERT(struct inside_record, 48);
WIRE_ASSERT(struct parent_record, 24);

#endif
