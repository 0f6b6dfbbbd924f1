/* SPDX-License-Identifier: GPL-2.0-only */
/* One line of each kind, made up: a container of Docker's called web, a bare sandbox, the host. */
#ifndef NSVIEW_TESTS_EVENT_SCENES_H
#define NSVIEW_TESTS_EVENT_SCENES_H

#include "machine.h"

#include <errno.h>

#include "event_make.h"
#include "host/runtime/runtime.h"
#include "output/events.h"

#define WEB_PID_NS 4026532567U
#define WEB_FIRST 3816U
#define WEB_CGROUP "/system.slice/docker-" ID_A ".scope"
#define BOX_PID_NS 4026532700U
#define BOX_FIRST 3900U
#define SCENE_TIME ((NOW_BOOT - 10) * SECOND + 123456789)
#define DOCKER_CAPS 0xa80425fbULL
#define NET_ADMIN_CAPS (1ULL << 12)

/* The machine, and the line that is set on it. */
struct stage {
	struct machine machine;
	struct runtime_container declared;
	struct event_make make;
	struct event event;
	struct gap_record gap;
	union {
		struct info_record info;
		char bytes[256];
	} info;
	struct event_line line;
};

static inline void stage_start(struct stage *stage)
{
	struct process host = process_make(3802);
	struct process web = process_make_inside(WEB_FIRST, 1, WEB_PID_NS);
	struct process child = process_make_inside(3830, 7, WEB_PID_NS);
	struct process box = process_make_inside(BOX_FIRST, 1, BOX_PID_NS);
	struct container *container;

	memset(stage, 0, sizeof(*stage));
	machine_start(&stage->machine);
	web.cgroup = child.cgroup = WEB_CGROUP;
	child.task.ppid = WEB_FIRST;
	child.task.in_ppid = 1;
	child.args = "nginx: worker";
	child.args_length = sizeof("nginx: worker");
	host.args = "-bash";
	host.args_length = sizeof("-bash");
	machine_add(&stage->machine, &host);
	machine_add(&stage->machine, &web);
	machine_add(&stage->machine, &child);
	machine_add(&stage->machine, &box);
	machine_settle(&stage->machine);
	stage->declared = machine_declaration("web", "ubuntu");
	stage->declared.memory_limit_bytes = 268435456;
	container = model_find(stage->machine.view.model, WEB_FIRST)->container;
	model_declare(container, &stage->declared);
	stage->line.kind = LINE_EVENT;
	stage->line.time_boot_ns = SCENE_TIME;
}

static inline void stage_end(struct stage *stage)
{
	machine_end(&stage->machine);
}

static inline struct proc *stage_proc(struct stage *stage, uint32_t pid)
{
	return model_find(stage->machine.view.model, pid);
}

/* An event of a process on the stage, with the identity and the chain that it has there. */
static inline struct task_identity *stage_event(struct stage *stage, enum event_action action,
						uint32_t pid)
{
	struct proc *proc = stage_proc(stage, pid);
	struct event_make *make = &stage->make;
	struct task_identity identity = proc->task->identity;
	struct task_identity *place;

	event_make_start(make, action, pid);
	make->record.sequence = 1841;
	make->record.ppid = proc->task->ppid;
	make->record.start_boot_ns = proc->task->start_boot_ns;
	make->record.time_boot_ns = SCENE_TIME;
	identity.cgroup_id = proc->task->cgroup_id;
	identity.cgroup_length = 0;
	make->record.chain_count = identity.chain_count;
	place = event_make_add(make, PART_IDENTITY, &identity, sizeof(identity));
	event_make_add(make, PART_CHAIN, proc->chain, identity.chain_count * sizeof(*proc->chain));
	stage->line.proc = proc;
	stage->line.container = proc->container;
	stage->line.parent = stage_proc(stage, proc->task->ppid);
	return place;
}

/* The identity's own values, to be changed by the caller to what was. */
static inline struct event_before *stage_before(struct stage *stage,
						const struct task_identity *identity)
{
	struct event_before before = {
		.ids = identity->ids,
		.securebits = identity->securebits,
		.user_ns_level = identity->user_ns_level,
		.user_ns_owner = identity->user_ns_owner,
		.groups_total = identity->groups_total,
		.groups_kept = identity->groups_kept,
		.no_new_privs = identity->no_new_privs,
		.seccomp = identity->seccomp,
	};

	memcpy(before.caps, identity->caps, sizeof(before.caps));
	memcpy(before.ns, identity->ns, sizeof(before.ns));
	return event_make_add(&stage->make, PART_BEFORE, &before, sizeof(before));
}

/* The last touch: the record is read as the program reads it. */
static inline const struct event_line *stage_set(struct stage *stage)
{
	if (!record_is_sound(&stage->make.record.header, sizeof(stage->make)))
		abort();
	event_read(&stage->make.record, &stage->event);
	stage->line.event = &stage->event;
	return &stage->line;
}

static inline const struct event_line *scene_exec(struct stage *stage)
{
	struct task_identity *identity = stage_event(stage, EVENT_EXEC, 3830);
	struct event_before *before;

	identity->cgroup_id = 4242;
	identity->loginuid = 1000;
	identity->sessionid = 3;
	identity->tty_major = 136;
	identity->seccomp = 2;
	before = stage_before(stage, identity);
	before->ids.euid = before->ids.suid = before->ids.fsuid = USER_NAMELESS;
	memset(before->caps, 0, sizeof(before->caps));
	before->caps[CAP_SET_BOUNDING] = DOCKER_CAPS;
	event_make_exec(&stage->make, "/bin/sleep",
			"sleep\0"
			"3600",
			sizeof("sleep\0"
			       "3600"),
			2);
	stage->make.record.cause = CAUSE_EXEC_SETUID;
	stage->make.record.changed = CHANGE_IDS | CHANGE_CAPS;
	stage->make.record.flags = EVENT_SETUID_FILE | EVENT_SECUREEXEC;
	return stage_set(stage);
}

static inline const struct event_line *scene_fork(struct stage *stage)
{
	stage_event(stage, EVENT_FORK, 3802);
	stage->make.record.parent_start_boot_ns = 77 * SECOND;
	return stage_set(stage);
}

static inline const struct event_line *scene_exit(struct stage *stage)
{
	const struct event_exit exit = {.status = 3 << 8};
	struct proc *proc = stage_proc(stage, 3830);
	struct event_make *make = &stage->make;

	event_make_start(make, EVENT_EXIT, 3830);
	make->record.sequence = 1842;
	make->record.ppid = WEB_FIRST;
	make->record.start_boot_ns = proc->task->start_boot_ns;
	make->record.chain_count = proc->task->chain_count;
	event_make_add(make, PART_CHAIN, proc->chain,
		       make->record.chain_count * sizeof(*proc->chain));
	event_make_add(make, PART_EXIT, &exit, sizeof(exit));
	stage->line.proc = proc;
	stage->line.container = proc->container;
	stage->line.parent = stage_proc(stage, WEB_FIRST);
	return stage_set(stage);
}

/* By a signal, of a process that was never seen. */
static inline const struct event_line *scene_exit_unseen(struct stage *stage)
{
	event_make_start(&stage->make, EVENT_EXIT, 5000);
	stage->make.record.sequence = 9007199254740993ULL;
	event_make_exit(&stage->make, 11 | 0x80);
	return stage_set(stage);
}

static inline const struct event_line *scene_setuid(struct stage *stage)
{
	struct task_identity *identity = stage_event(stage, EVENT_CREDENTIALS, 3802);
	const uint32_t groups[] = {4, 27};
	struct event_before *before;

	identity->ids = (struct id_block){.uid = 1000, .euid = 1000, .suid = 1000, .fsuid = 1000};
	memset(identity->caps, 0, sizeof(identity->caps));
	identity->groups_total = identity->groups_kept = 2;
	event_make_add(&stage->make, PART_GROUPS, groups, sizeof(groups));
	before = stage_before(stage, identity);
	before->ids = (struct id_block){0};
	before->groups_total = before->groups_kept = 0;
	for (int set = 0; set < CAP_SETS; set++)
		before->caps[set] = 0x1ffffffffffULL;
	stage->make.record.cause = CAUSE_SETUID;
	stage->make.record.changed = CHANGE_IDS | CHANGE_CAPS | CHANGE_GROUPS;
	return stage_set(stage);
}

static inline const struct event_line *scene_capset(struct stage *stage)
{
	struct task_identity *identity = stage_event(stage, EVENT_CREDENTIALS, WEB_FIRST);
	struct event_before *before;

	identity->caps[CAP_SET_EFFECTIVE] = 1ULL << 63 | NET_ADMIN_CAPS;
	identity->securebits = 16;
	before = stage_before(stage, identity);
	before->caps[CAP_SET_EFFECTIVE] = 1 | NET_ADMIN_CAPS;
	before->securebits = 0;
	stage->make.record.cause = CAUSE_CAPSET;
	stage->make.record.changed = CHANGE_CAPS | CHANGE_SECUREBITS;
	return stage_set(stage);
}

static inline const struct event_line *scene_refused(struct stage *stage)
{
	stage_event(stage, EVENT_CREDENTIALS, WEB_FIRST);
	stage->make.record.cause = CAUSE_CAPSET;
	stage->make.record.error = EPERM;
	stage->make.record.hook = HOOK_REFUSED;
	return stage_set(stage);
}

static inline const struct event_line *scene_unshare(struct stage *stage)
{
	struct task_identity *identity = stage_event(stage, EVENT_NAMESPACES, 3802);
	const struct event_children children = {
		.pid_ns = BOX_PID_NS,
		.time_ns = 4026533001U,
		.before_pid_ns = HOST_NS(NS_PID),
		.before_time_ns = HOST_NS(NS_TIME),
	};
	struct event_before *before;

	identity->ns[NS_NET] = 4026533000U;
	before = stage_before(stage, identity);
	before->ns[NS_NET] = HOST_NS(NS_NET);
	event_make_add(&stage->make, PART_CHILDREN, &children, sizeof(children));
	stage->make.record.cause = CAUSE_NS_CREATE;
	stage->make.record.changed = CHANGE_NS | CHANGE_CHILDREN;
	return stage_set(stage);
}

static inline const struct event_line *scene_userns(struct stage *stage)
{
	struct task_identity *identity = stage_event(stage, EVENT_CREDENTIALS, 3802);
	struct event_before *before;

	identity->ns[NS_USER] = 4026533100U;
	identity->user_ns_level = 1;
	identity->user_ns_owner = 1000;
	identity->no_new_privs = 1;
	identity->seccomp = 2;
	before = stage_before(stage, identity);
	before->ns[NS_USER] = HOST_NS(NS_USER);
	before->user_ns_level = before->user_ns_owner = 0;
	before->no_new_privs = before->seccomp = 0;
	stage->make.record.cause = CAUSE_USERNS_CREATE;
	stage->make.record.changed = CHANGE_USER_NS | CHANGE_NO_NEW_PRIVS | CHANGE_SECCOMP;
	stage->make.record.flags = EVENT_INFERRED;
	return stage_set(stage);
}

static inline const struct event_line *scene_idmap(struct stage *stage)
{
	const struct event_children children = {.map_ns = 4026533100U};

	stage_event(stage, EVENT_IDMAP, 3802);
	event_make_add(&stage->make, PART_CHILDREN, &children, sizeof(children));
	stage->make.record.cause = CAUSE_IDMAP_WRITE;
	return stage_set(stage);
}

static inline void scene_add_cgroup(struct stage *stage, uint32_t hierarchy, const char *path)
{
	struct event_cgroup cgroup = {
		.id = (1ULL << 60) + 1, .hierarchy = hierarchy, .length = (uint32_t)strlen(path)};

	event_make_add(&stage->make, PART_CGROUP, &cgroup, sizeof(cgroup));
	event_make_add(&stage->make, PART_CGROUP, path, strlen(path));
}

static inline const struct event_line *scene_cgroup_made(struct stage *stage)
{
	event_make_start(&stage->make, EVENT_CGROUP_MAKE, 0);
	stage->make.record.sequence = 1841;
	scene_add_cgroup(stage, CGROUP_MEMORY, "/nsview/0123456789ab");
	return stage_set(stage);
}

static inline const struct event_line *scene_cgroup_moved(struct stage *stage)
{
	stage_event(stage, EVENT_CGROUP_ATTACH, 3802);
	scene_add_cgroup(stage, CGROUP_V2, "/nsview/0123456789ab");
	return stage_set(stage);
}

static inline const struct event_line *scene_of_container(struct stage *stage,
							  enum event_line_kind kind)
{
	stage->line.kind = kind;
	stage->line.proc = stage_proc(stage, WEB_FIRST);
	stage->line.container = stage->line.proc->container;
	return &stage->line;
}

static inline const struct event_line *scene_started(struct stage *stage)
{
	return scene_of_container(stage, LINE_CONTAINER_STARTED);
}

static inline const struct event_line *scene_named(struct stage *stage)
{
	scene_of_container(stage, LINE_CONTAINER_NAMED);
	stage->line.proc = NULL;
	return &stage->line;
}

static inline const struct event_line *scene_exited(struct stage *stage)
{
	return scene_of_container(stage, LINE_CONTAINER_EXITED);
}

static inline const struct event_line *scene_snapshot(struct stage *stage)
{
	stage->line.kind = LINE_SNAPSHOT;
	stage->line.proc = stage_proc(stage, BOX_FIRST);
	stage->line.container = stage->line.proc->container;
	return &stage->line;
}

static inline const struct event_line *scene_gap(struct stage *stage)
{
	stage->gap = (struct gap_record){
		.header = {sizeof(stage->gap), RECORD_GAP, 0},
		.first = 1842,
		.last = 1961,
		.reason = GAP_SKIPPED,
		.hook = HOOK_FORK,
	};
	stage->line.kind = LINE_GAP;
	stage->line.gap = &stage->gap;
	return &stage->line;
}

static inline const struct event_line *scene_info(struct stage *stage)
{
	static const char text[] = "hook \"credentials\" listens at the ends of system calls";

	stage->info.info =
		(struct info_record){.hook = HOOK_CREDENTIALS, .length = sizeof(text) - 1};
	memcpy(&stage->info.info + 1, text, sizeof(text) - 1);
	stage->line.kind = LINE_INFO;
	stage->line.info = &stage->info.info;
	return &stage->line;
}

/* clang-format off */
typedef const struct event_line *(*scene_set)(struct stage *stage);

static const struct scene {
	const char *name;
	scene_set set;
} scenes[] = {
	{"exec", scene_exec}, {"fork", scene_fork}, {"exit", scene_exit},
	{"exit of one never seen", scene_exit_unseen}, {"setuid", scene_setuid},
	{"capset", scene_capset}, {"refused", scene_refused}, {"unshare", scene_unshare},
	{"userns", scene_userns}, {"idmap", scene_idmap}, {"cgroup made", scene_cgroup_made},
	{"cgroup moved", scene_cgroup_moved}, {"started", scene_started}, {"named", scene_named},
	{"exited", scene_exited}, {"snapshot", scene_snapshot}, {"gap", scene_gap},
	{"info", scene_info},
};
/* clang-format on */

static const char scene_boot_id[] = "11112222-3333-4444-5555-666677778888";

/* The scene's line in the format; free the text. */
static inline void scene_write(const struct scene *scene,
			       const struct event_writer_options *options, struct text *out)
{
	struct stage *stage = mem_new(sizeof(*stage));
	struct event_writer *writer;

	stage_start(stage);
	writer = event_writer_new(options, &stage->machine.view);
	event_writer_add(writer, scene->set(stage), out);
	event_writer_free(writer);
	stage_end(stage);
	free(stage);
}

#endif
