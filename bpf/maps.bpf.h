/* SPDX-License-Identifier: GPL-2.0-only */
/* What lives as long as the loaded object: maps, and values that user space sets before. */
#ifndef NSVIEW_MAPS_BPF_H
#define NSVIEW_MAPS_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "bpf/event.h"

#define CPUS_MAX 8192 /* NR_CPUS_RANGE_END of x86, the largest there is */

/* Possible CPUs; read-only, so the verifier walks loops over CPUs just as often as needed. */
const volatile unsigned int cpus_possible __weak = 1; /* not u32: the skeleton repeats the type */

/*
 * Never written: it is a per-CPU allocation whose address on every CPU can be asked for, and so
 * tells how far each CPU's copy of any per-CPU object is from the object's own address.
 * (A __ksym for __per_cpu_offset would make libbpf read the whole kernel BTF.)
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} cpu_anchor __weak SEC(".maps");

/* Whether anybody reads events: the task iterator then keeps the threads' memory up to date. */
const volatile bool is_listening __weak = false;

/* BPF_MAP_TYPE_TASK_STORAGE came in 5.11 (4cf1bc1f1045), and with it, or soon after, the helpers that
 * give the current task with its type and its registers. */
const volatile bool has_task_helpers __weak = true;

/* It can be stored in, too. Of `remembered` and `remembered_by_task` the other one is not made. */
const volatile bool has_task_storage __weak = true;

/* Bytes of arguments and environment that an exec carries, ARGS_ROOM and ENV_ROOM at most. */
#define ARGS_ROOM 16384
#define ENV_ROOM 16384
const volatile unsigned int args_max __weak = 2048;
const volatile unsigned int env_max __weak = 0;

/* With so many bytes in the ring its reader is woken. */
const volatile unsigned int wake_bytes __weak = 1 << 20;

/* The reader has nothing to read and waits for so much. Whoever wakes it says no more. */
unsigned int reader_waits __weak = 0;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} events __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct event_counters);
} counters __weak SEC(".maps");

#define DRAFT_ROOM 1152 /* for any event without strings */

/* What a task is at a look. Addresses as numbers: the verifier does not let pointers be kept here. */
struct look {
	struct task_identity identity;
	u64 start_boot_ns; /* of the process */
	u64 parent_start_boot_ns;
	u64 cred;
	u64 user_ns;
	u64 group_info;
	u64 proxy;
	u64 css_set;
	u64 pid; /* of the process */
	u64 parent;
	u32 tgid;
	u32 tid;
	u32 ppid;
	u32 pid_depth;       /* of its pid namespace */
	u32 children_pid_ns; /* 0: as its own */
	u32 children_time_ns;
	u32 changed; /* from what is remembered: enum event_change */
	u32 told;    /* what of it the next event is about */
	u32 map_ns;  /* event_children.map_ns of the next event */
	u32 pad;
	u64 draft[DRAFT_ROOM / 8]; /* groups to compare; then the event, until it is sent */
};

/*
 * Where a program puts what it sees and what it tells: more than a stack has, and of what is in a
 * map the verifier knows nothing, so it does not walk the program for each value. By CPU and by
 * program: one that is preempted is not run again on its CPU until it goes on, which is the very
 * thing that recursion_misses counts, so nobody else writes there. A kprobe is never preempted:
 * those of a hook may share. Programs of which several are attached at a time have slots of their
 * own.
 */
enum look_slot {
	SLOT_OWN,              /* enum hook_id: the hook's only program */
	SLOT_FORK_KPROBE = 13, /* runs while the tracepoint's program is preempted */
	SLOT_REFUSED = 14,
	SLOT_PRIVILEGES = 24,
	SLOT_IDMAP = 26,
	LOOK_SLOTS = 29,
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LOOK_SLOTS);
	__type(key, u32);
	__type(value, struct look);
} looks __weak SEC(".maps");

/* The same for an exec, which has strings: by CPU too, but memory of the kernel's kind for that is
 * had in pieces of 32 KiB at most. */
#define EXEC_HEAD_ROOM DRAFT_ROOM /* all that comes before the strings */
#define NAME_ROOM 4096            /* PATH_MAX */
#define STRING_PAD 8              /* what zeros may take behind a string */

struct exec_draft {
	char head[EXEC_HEAD_ROOM];
	char filename[NAME_ROOM + STRING_PAD];
	char interpreter[NAME_ROOM + STRING_PAD];
	char args[ARGS_ROOM + STRING_PAD];
	char env[ENV_ROOM + STRING_PAD];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* CPUs that are possible: set by user space */
	__type(key, u32);
	__type(value, struct exec_draft);
} exec_drafts __weak SEC(".maps");

/* What a thread was like when it was last looked at, and where to see at once that nothing has
 * changed: the addresses of what never changes itself. */
struct memory {
	struct event_before seen;
	u32 groups[GROUPS_KEPT];
	u64 cred;
	u64 user_ns;
	u64 group_info;
	u64 proxy;
	u64 css_set;
	u64 cgroup_id; /* of css_set; user space has been told its path */
	u32 cgroup_hierarchy;
	u32 pid_depth;
	u32 children_pid_ns;
	u32 children_time_ns;
	u64 start_boot_ns;
	u64 parent_start_boot_ns;
	u64 pid;
	u64 parent;
	u32 ppid;
	u32 in_ppid;
	u64 idmap_file; /* the struct file that it is writing a map to */
	u64 exec_cred;  /* what an execve that has not succeeded yet has put in place of cred */
	u32 looks;      /* how often it was brought up to date */
	u32 sweep;      /* the last sweep that found a difference, and how many looks there were */
	u32 sweep_looks;
	u32 child; /* the thread whose fork the tracepoint has told, for the kprobe that follows */
	u32 is_threaded; /* its process has another thread, or may have had one */
	/* In remembered_by_place only. */
	u32 claims; /* whose it is, and who tries to take it */
	u64 owner;  /* the address of the task; 0: of none */
	u64 owner_start_boot_ns;
	u64 ended_jiffies; /* 0: not yet */
};

/*
 * Most threads have their memory here, at a place that follows from the task's address: nothing is
 * allocated at a fork, nothing freed at an exit, and in a storm of short lives the kernel uses the
 * same tasks again and again, so it stays in the cache. Task storage costs a fork 2 us and more,
 * half of it when the kernel frees it. Who finds his place taken has his memory in one of the
 * other two.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* user space: PLACES_BLANK + 1, and LOOK_SLOTS for each CPU */
	__type(key, u32);
	__type(value, struct memory);
} remembered_by_place __weak SEC(".maps");

const volatile unsigned int places_mask __weak = 0;

/* Behind the places: what nobody remembers; and for each program a copy of what is elsewhere. */
#define PLACES_BLANK (places_mask + 1)
#define PLACES_COPIES (places_mask + 2)

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct memory);
} remembered __weak SEC(".maps");

/* For kernels without task storage. By address: a thread's id and start time change when it calls
 * exec and was not the leader. Preallocated: without, 5.10 warns in its log about kprobes. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, u64);
	__type(value, struct memory);
} remembered_by_task __weak SEC(".maps");

struct exit_key {
	u64 signal; /* address: what the threads of a process share */
	u64 start_boot_ns;
};

/* Processes of several threads that have ended lately. User space adds what the CPUs hold back. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct exit_key);
	__type(value, u8);
} exits_told __weak SEC(".maps");

struct cgroup_key {
	u64 id;
	u64 hierarchy;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct cgroup_key);
	__type(value, u8);
} cgroups_told __weak SEC(".maps");

#endif
