/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/demo_scenes.h"

#include <linux/capability.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cmd/demo_image.h"
#include "host/caps.h"
#include "host/facts.h"
#include "host/passwd.h"
#include "launch/privilege.h"
#include "model/model.h"
#include "view/column.h"

#define BIT(capability) (1ULL << (capability))
#define OTHER_UID 1000

static uint64_t scene_effective(const struct proc *proc)
{
	return proc->task->caps[CAP_SET_EFFECTIVE];
}

/* Nothing that a sentence speaks of may be unknown. */
static bool scene_is_known(const struct proc *proc)
{
	return !(proc->unknown &
		 (FIELD_BIT(FIELD_CHAIN) | FIELD_BIT(FIELD_IDS) | FIELD_BIT(FIELD_IN_IDS) |
		  FIELD_BIT(FIELD_CAPS) | FIELD_BIT(FIELD_PARENT) | FIELD_BIT(FIELD_IN_PARENT) |
		  FIELD_BIT(FIELD_SECCOMP) | FIELD_BIT(FIELD_NS + NS_NET)));
}

static bool scene_is_user(const struct proc *proc, uint32_t uid)
{
	return proc->task->ids.euid == uid && proc->task->in_ids.euid == uid;
}

static int scene_count(uint64_t set)
{
	return __builtin_popcountll(set);
}

/* "called web here", or that it is not. */
static void scene_add_host_name(const struct view_context *view, uint32_t uid, struct text *said)
{
	const char *name = passwd_host_name(view->users, uid);

	if (name) {
		text_add_string(said, "called ");
		text_add_printable(said, name, strlen(name));
		text_add_string(said, " here");
	} else {
		text_add_string(said, "who has no name here");
	}
}

static bool scene_judge_pids(const struct view_context *view, const struct proc *proc,
			     struct text *said)
{
	uint32_t in_pid = proc_in_pid(proc);

	(void)view;
	text_printf(said,
		    "The host knows this sleep as pid %u. Its container, which numbers its own "
		    "processes, knows it as pid %u.",
		    proc->task->tgid, in_pid);
	return proc->task->chain_count > 1 && in_pid == 1 && proc->task->tgid != 1;
}

static bool scene_judge_joined(const struct view_context *view, const struct proc *proc,
			       struct text *said)
{
	const struct task_record *task = proc->task;
	uint32_t in_pid = proc_in_pid(proc);
	const struct container *container = proc->container;

	(void)view;
	text_printf(said,
		    "The newcomer is pid %u inside. Its parent is pid %u on the host, which the "
		    "container has no number for: inside, the parent of the newcomer reads %u.",
		    in_pid, task->ppid, task->in_ppid);
	return task->chain_count > 1 && in_pid > 1 && task->ppid && !task->in_ppid && container &&
	       container->first_pid != task->tgid;
}

static bool scene_judge_user(const struct view_context *view, const struct proc *proc,
			     struct text *said)
{
	text_printf(said, "User %u inside is user %u on the host, ", proc->task->in_ids.euid,
		    proc->task->ids.euid);
	scene_add_host_name(view, proc->task->ids.euid, said);
	text_printf(said,
		    ": numbers go through the wall as they are. Not being root, it was given %d "
		    "capabilities.",
		    scene_count(scene_effective(proc)));
	return scene_is_user(proc, OTHER_UID) && !scene_effective(proc);
}

static bool scene_judge_image(const struct view_context *view, const struct proc *proc,
			      struct text *said)
{
	const struct task_record *task = proc->task;
	const char *name = passwd_container_name(view->users, view->proc_fd, task->tgid,
						 task->ns[NS_MNT], task->in_ids.euid);

	text_add_string(said, "Nobody said --user: the image itself says ");
	text_add_printable(said, name ? name : "?", strlen(name ? name : "?"));
	text_printf(said, ", its own /etc/passwd makes that %u, and the host runs it as %u, ",
		    task->in_ids.euid, task->ids.euid);
	scene_add_host_name(view, task->ids.euid, said);
	text_printf(said, ". It was given %d capabilities.", scene_count(scene_effective(proc)));
	return scene_is_user(proc, DEMO_IMAGE_UID) && name && !strcmp(name, DEMO_IMAGE_USER) &&
	       !scene_effective(proc);
}

static bool scene_judge_default(const struct view_context *view, const struct proc *proc,
				struct text *said)
{
	uint64_t set = scene_effective(proc);

	text_printf(said,
		    "Root inside is root on the host, with %d of the host's %d capabilities: it "
		    "may not mount (SYS_ADMIN), load a module (SYS_MODULE) or reboot (SYS_BOOT). "
		    "The %d are ",
		    scene_count(set), view->facts->cap_last + 1, scene_count(set));
	for (int i = 0; i <= view->facts->cap_last; i++) {
		if (set & BIT(i))
			text_printf(said, "%s%s", caps_name(i), set >> i == 1 ? "." : ", ");
	}
	return scene_is_user(proc, 0) && proc_is_host_effective(proc, view->model) &&
	       set == CAPS_DOCKER_DEFAULT;
}

static bool scene_judge_added(const struct view_context *view, const struct proc *proc,
			      struct text *said)
{
	uint64_t more = scene_effective(proc) & ~CAPS_DOCKER_DEFAULT;

	text_add_string(said, "One word more on the command line, one capability more in the "
			      "kernel: ");
	for (int i = 0; i <= view->facts->cap_last; i++) {
		if (more & BIT(i))
			text_printf(said, "%s, to %s. ", caps_name(i), caps_meaning(i));
	}
	text_add_string(said, "It counts on the host, not only inside.");
	return scene_is_user(proc, 0) && proc_is_host_effective(proc, view->model) &&
	       scene_effective(proc) == (CAPS_DOCKER_DEFAULT | BIT(CAP_MAC_ADMIN));
}

static bool scene_judge_dropped(const struct view_context *view, const struct proc *proc,
				struct text *said)
{
	(void)view;
	text_printf(said,
		    "Still user %u, inside and on the host, but with %d capabilities it may do no "
		    "more than anybody else: the number is a name, the power is in the "
		    "capabilities. Its bounding set has %d too, so no setuid program brings any "
		    "back.",
		    proc->task->ids.euid, scene_count(scene_effective(proc)),
		    scene_count(proc->task->caps[CAP_SET_BOUNDING]));
	return scene_is_user(proc, 0) && !scene_effective(proc) &&
	       !proc->task->caps[CAP_SET_PERMITTED] && !proc->task->caps[CAP_SET_BOUNDING];
}

static bool scene_judge_network(const struct view_context *view, const struct proc *proc,
				struct text *said)
{
	uint64_t more = scene_effective(proc) & ~CAPS_DOCKER_DEFAULT;
	uint32_t own = proc->task->ns[NS_NET], nsviews = view->facts->self_ns[NS_NET];

	for (int i = 0; i <= view->facts->cap_last; i++) {
		if (more & BIT(i))
			text_printf(said, "%s, to %s. ", caps_name(i), caps_meaning(i));
	}
	text_printf(said,
		    "Its network namespace is %u, and nsview's is %u: it is master of its own; "
		    "with --network host the same word would make it master of the host's.",
		    own, nsviews);
	return scene_is_user(proc, 0) && proc_is_host_effective(proc, view->model) &&
	       own != nsviews &&
	       scene_effective(proc) == (CAPS_DOCKER_DEFAULT | BIT(CAP_NET_ADMIN));
}

static bool scene_judge_no_kill(const struct view_context *view, const struct proc *proc,
				struct text *said)
{
	(void)view;
	text_printf(said,
		    "%d of the %d are left. Without KILL this root may signal only processes of "
		    "its own user, as everybody may.",
		    scene_count(scene_effective(proc)), scene_count(CAPS_DOCKER_DEFAULT));
	return scene_is_user(proc, 0) &&
	       scene_effective(proc) == (CAPS_DOCKER_DEFAULT & ~BIT(CAP_KILL));
}

static bool scene_judge_privileged(const struct view_context *view, const struct proc *proc,
				   struct text *said)
{
	uint64_t set = scene_effective(proc);

	text_printf(said,
		    "%d of the host's %d capabilities, all that nsview itself has, counting on the "
		    "host; and no system call filter (seccomp mode %d). This is root of the host "
		    "with other files.",
		    scene_count(set), view->facts->cap_last + 1, proc->task->seccomp);
	return scene_is_user(proc, 0) && proc_is_host_effective(proc, view->model) &&
	       !proc->task->seccomp && set == privilege_grantable(view->facts->cap_last);
}

static bool scene_judge_userns(const struct view_context *view, const struct proc *proc,
			       struct text *said)
{
	text_printf(said, "User %u inside, and user %u on the host, ", proc->task->in_ids.euid,
		    proc->task->ids.euid);
	scene_add_host_name(view, proc->task->ids.euid, said);
	text_printf(said,
		    ": nobody special. Its %d capabilities are as many as any container's, and "
		    "count only for what its own user namespace owns.",
		    scene_count(scene_effective(proc)));
	return proc->task->in_ids.euid == 0 && proc->task->ids.euid != 0 &&
	       !proc_is_host_effective(proc, view->model) &&
	       scene_effective(proc) == CAPS_DOCKER_DEFAULT;
}

const struct scene demo_scenes[] = {
	{.title = "One process, two pids",
	 .spec = {.name = "plain"},
	 .claim = "a process that is pid 1 inside and has another pid on the host",
	 .judge = scene_judge_pids},
	{.title = "A second process joins",
	 .spec = {.name = "plain"},
	 .is_joined = true,
	 .columns = {"container", "user", "pid", "ppid", "in-pid", "in-ppid", "caps", "command"},
	 .claim = "a process with a parent on the host and none inside",
	 .judge = scene_judge_joined},
	{.title = "Another user",
	 .spec = {.name = "u1000", .user = "1000"},
	 .claim = "user 1000 inside and on the host, without capabilities",
	 .judge = scene_judge_user},
	{.title = "The image's own user",
	 .spec = {.name = "image"},
	 .has_image = true,
	 .claim = "the user that the image says, by the number in its own /etc/passwd",
	 .judge = scene_judge_image},
	{.title = "Root, but not all of it",
	 .spec = {.name = "default"},
	 .shows_host_row = true,
	 .claim = "root inside and on the host, with docker's default set",
	 .judge = scene_judge_default},
	{.title = "A capability added",
	 .spec = {.name = "macadmin", SPEC_WORDS(cap_add, "MAC_ADMIN")},
	 .claim = "docker's default set and MAC_ADMIN, counting on the host",
	 .judge = scene_judge_added},
	{.title = "All capabilities dropped",
	 .spec = {.name = "nocaps", SPEC_WORDS(cap_drop, "ALL")},
	 .claim = "root without any capability, and with an empty bounding set",
	 .judge = scene_judge_dropped},
	{.title = "Master of a network",
	 .spec = {.name = "netadmin", SPEC_WORDS(cap_add, "NET_ADMIN")},
	 .claim = "docker's default set and NET_ADMIN, in a network of its own",
	 .judge = scene_judge_network},
	{.title = "A capability less",
	 .spec = {.name = "nokill", SPEC_WORDS(cap_drop, "KILL")},
	 .claim = "docker's default set without KILL",
	 .judge = scene_judge_no_kill},
	{.title = "Privileged",
	 .spec = {.name = "priv", .is_privileged = true},
	 .claim = "root with every capability that nsview has, counting on the host",
	 .judge = scene_judge_privileged},
	{.title = "Users of its own",
	 .spec = {.name = "userns", .userns = "auto"},
	 .claim =
		 "root inside, another user on the host, with capabilities that do not count there",
	 .judge = scene_judge_userns},
};
const size_t demo_scenes_count = ARRAY_SIZE(demo_scenes);

bool scene_judge(const struct scene *scene, const struct view_context *view,
		 const struct proc *proc, struct text *said)
{
	return scene_is_known(proc) && scene->judge(view, proc, said);
}

void scene_describe(const struct view_context *view, const struct proc *proc, struct text *seen)
{
	if (!scene_is_known(proc)) {
		text_printf(seen, "pid %u, of which too little could be read", proc->task->tgid);
		return;
	}
	text_printf(seen, "pid %u on the host and %u inside, user %u on the host and %u inside, ",
		    proc->task->tgid, proc_in_pid(proc), proc->task->ids.euid,
		    proc->task->in_ids.euid);
	text_add_string(seen, "capabilities: ");
	caps_words_long(seen, scene_effective(proc), view->facts->cap_last,
			proc_is_host_effective(proc, view->model));
}
