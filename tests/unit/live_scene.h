/* SPDX-License-Identifier: GPL-2.0-only */
/* A live table over three containers and a host of four, one of them a kernel thread. */
#ifndef NSVIEW_TESTS_LIVE_SCENE_H
#define NSVIEW_TESTS_LIVE_SCENE_H

#include "machine.h"

#include "event_make.h"
#include "host/caps.h"
#include "host/runtime/runtime.h"
#include "view/live.h"

#define NS_PLAIN 4026539001U
#define NS_PRIV 4026539011U
#define NS_BOX 4026539021U
#define NOW_NS (NOW_BOOT * SECOND)
#define KIB 1024ULL

struct scene {
	struct machine machine;
	struct runtime_container plain;
	struct runtime_container priv;
	struct live *live;
	struct text text;
};

static inline void add_memory(struct process *process, uint64_t kib)
{
	process->task.rss_pages = kib / 4;
}

static inline void add_host(struct scene *scene)
{
	struct process init = process_make(1);
	struct process kthread = process_make(2);
	struct process sshd = process_make(612);
	struct process shell = process_make(3727);

	init.task.ppid = kthread.task.ppid = 0;
	kthread.task.flags = TASK_KTHREAD;
	add_memory(&init, 11904);
	memset(shell.task.caps, 0, sizeof(shell.task.caps));
	process_set_euid(&shell, USER_NAMELESS, USER_NAMELESS);
	machine_add(&scene->machine, &init);
	machine_add(&scene->machine, &kthread);
	machine_add(&scene->machine, &sshd);
	machine_add(&scene->machine, &shell);
}

static inline void add_containers(struct scene *scene)
{
	struct process sleep = process_make_inside(3816, 1, NS_PLAIN);
	struct process bash = process_make_inside(3815, 7, NS_PLAIN);
	struct process priv = process_make_inside(4170, 1, NS_PRIV);
	struct process box = process_make_inside(4388, 1, NS_BOX);

	sleep.cgroup = bash.cgroup = "/docker/" ID_A;
	priv.cgroup = "/docker/" ID_B;
	sleep.args = "sleep\0"
		     "3600";
	sleep.args_length = sizeof("sleep\0"
				   "3600");
	bash.args = "bash";
	bash.args_length = sizeof("bash");
	bash.task.ppid = 3816;
	sleep.task.seccomp = bash.task.seccomp = 2;
	add_memory(&sleep, 828);
	add_memory(&bash, 1716);
	priv.task.start_boot_ns += SECOND;
	box.task.start_boot_ns += 2 * SECOND;
	box.task.ns[NS_NET] = box.task.ns[NS_IPC] = 4026539030U;
	box.task.ns[NS_USER] = 4026539031U;
	box.task.user_ns_level = 1;
	box.task.user_ns_owner = USER_NAMELESS;
	box.task.seccomp = 2;
	for (int set = 0; set < CAP_SETS; set++) {
		priv.task.caps[set] = 0x1ffffffffffULL;
		box.task.caps[set] = CAPS_PODMAN_DEFAULT;
	}
	for (int kind = NS_NET; kind <= NS_IPC; kind++)
		sleep.task.ns[kind] = bash.task.ns[kind] = priv.task.ns[kind] =
			4026539040U + (uint32_t)kind;
	process_set_euid(&box, USER_NAMELESS, 0);
	machine_add(&scene->machine, &sleep);
	machine_add(&scene->machine, &bash);
	machine_add(&scene->machine, &priv);
	machine_add(&scene->machine, &box);
}

static inline struct container *container_of(struct scene *scene, uint32_t pid)
{
	return model_find(scene->machine.view.model, pid)->container;
}

static inline void scene_declare(struct scene *scene)
{
	scene->plain = machine_declaration("plain", "ubuntu");
	scene->plain.memory_limit_bytes = 500 * KIB * KIB;
	scene->priv = machine_declaration("priv", "ubuntu");
	scene->priv.id = ID_B;
	scene->priv.is_privileged = true;
	scene->priv.caps = caps_full(40);
	model_declare(container_of(scene, 3816), &scene->plain);
	model_declare(container_of(scene, 4170), &scene->priv);
}

static inline void scene_start(struct scene *scene)
{
	memset(scene, 0, sizeof(*scene));
	machine_start(&scene->machine);
	add_host(scene);
	add_containers(scene);
	machine_settle(&scene->machine);
	scene_declare(scene);
	scene->live = live_new(&scene->machine.view);
	live_update(scene->live, NOW_NS);
}

static inline void scene_end(struct scene *scene)
{
	live_free(scene->live);
	text_free(&scene->text);
	machine_end(&scene->machine);
}

/* "+plain 2 / - host": each row: its mark, then the group's title and number or the pid. */
static inline const char *rows_of(struct scene *scene)
{
	static const char marks[] = {
		[LIVE_PLAIN] = ' ', [LIVE_NEW] = '*', [LIVE_CHANGED] = '*', [LIVE_GONE] = 'x'};
	size_t count;
	const struct live_row *rows = live_rows(scene->live, &count);

	text_clear(&scene->text);
	for (size_t i = 0; i < count; i++) {
		if (i)
			text_add_char(&scene->text, '/');
		if (rows[i].proc) {
			text_add_char(&scene->text, marks[rows[i].mark]);
			live_cell(scene->live, &rows[i], LIVE_PID, &scene->text);
			continue;
		}
		text_add_char(&scene->text, rows[i].group->is_folded ? '+' : '-');
		live_group_title(scene->live, rows[i].group, false, &scene->text);
		text_add_char(&scene->text, ' ');
		live_cell(scene->live, &rows[i], LIVE_IN_PID, &scene->text);
	}
	return text_string(&scene->text);
}

static inline const struct live_group *group_of(struct scene *scene, const char *name)
{
	size_t count;
	const struct live_group *groups = live_groups(scene->live, &count);

	for (size_t i = 0; i < count; i++) {
		if (!strcmp(groups[i].container ? groups[i].container->name : "host", name))
			return &groups[i];
	}
	fail_msg("no group %s", name);
	return NULL;
}

static inline const char *group_cell(struct scene *scene, const char *name, enum live_column column)
{
	text_clear(&scene->text);
	live_group_cell(scene->live, group_of(scene, name), column, &scene->text);
	return text_string(&scene->text);
}

static inline const char *cell(struct scene *scene, uint32_t pid, enum live_column column)
{
	size_t count;
	const struct live_row *rows = live_rows(scene->live, &count);

	text_clear(&scene->text);
	for (size_t i = 0; i < count; i++) {
		if (rows[i].proc && rows[i].proc->task->tgid == pid)
			live_cell(scene->live, &rows[i], column, &scene->text);
	}
	return text_string(&scene->text);
}

static inline void apply(struct scene *scene, const struct event_make *make)
{
	assert_true(record_is_sound(&make->record.header, sizeof(*make)));
	assert_int_equal(model_apply(scene->machine.view.model, &make->record.header), 0);
}

/* A process of plain's, forked by its first one. */
static inline void fork_inside(struct scene *scene, uint32_t pid, uint64_t start_ns)
{
	const struct proc *parent = model_find(scene->machine.view.model, 3816);
	struct task_identity identity = parent->task->identity;
	struct pid_level chain[2] = {{HOST_NS(NS_PID), pid}, {NS_PLAIN, pid - 3800}};
	struct event_make make = {0};

	event_make_start(&make, EVENT_FORK, pid);
	make.record.start_boot_ns = make.record.time_boot_ns = start_ns;
	make.record.ppid = 3816;
	make.record.parent_start_boot_ns = parent->task->start_boot_ns;
	make.record.chain_count = 2;
	identity.cgroup_length = 0;
	event_make_add(&make, PART_IDENTITY, &identity, sizeof(identity));
	event_make_add(&make, PART_CHAIN, chain, sizeof(chain));
	apply(scene, &make);
	live_event(scene->live, LIVE_STARTED, model_last_proc(scene->machine.view.model), start_ns);
}

static inline void end_at(struct scene *scene, uint32_t pid, uint64_t time_ns)
{
	struct event_make make = {0};

	event_make_start(&make, EVENT_EXIT, pid);
	make.record.start_boot_ns = model_find(scene->machine.view.model, pid)->task->start_boot_ns;
	make.record.time_boot_ns = time_ns;
	event_make_exit(&make, 0);
	apply(scene, &make);
	live_event(scene->live, LIVE_EXITED, model_last_proc(scene->machine.view.model), time_ns);
}

static inline void use(struct scene *scene, uint32_t pid, uint64_t ns)
{
	struct proc *proc = model_find(scene->machine.view.model, pid);

	proc->unknown &= ~FIELD_BIT(FIELD_CPU);
	proc->cpu_ns += ns;
}

#endif
