/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/demo_scenes.h"

#include <linux/capability.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
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
	return !(proc->unknown & (FIELD_BIT(FIELD_CHAIN) | FIELD_BIT(FIELD_IDS) |
				  FIELD_BIT(FIELD_IN_IDS) | FIELD_BIT(FIELD_CAPS)));
}

static bool scene_is_user(const struct proc *proc, uint32_t uid)
{
	return proc->task->ids.euid == uid && proc->task->in_ids.euid == uid;
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

static bool scene_judge_user(const struct view_context *view, const struct proc *proc,
			     struct text *said)
{
	const char *name = passwd_host_name(view->users, proc->task->ids.euid);

	text_printf(said, "User %u inside is user %u on the host, ", proc->task->in_ids.euid,
		    proc->task->ids.euid);
	if (name) {
		text_add_string(said, "called ");
		text_add_printable(said, name, strlen(name));
		text_add_string(said, " here");
	} else {
		text_add_string(said, "which has no name for it");
	}
	text_add_string(said, ": numbers go through the wall as they are. Not being root, it was "
			      "given no capability at all.");
	return scene_is_user(proc, OTHER_UID) && !scene_effective(proc);
}

static bool scene_judge_default(const struct view_context *view, const struct proc *proc,
				struct text *said)
{
	uint64_t set = scene_effective(proc);

	text_printf(said,
		    "Root inside is root on the host, with %d of the host's %d capabilities: it "
		    "may not mount (SYS_ADMIN), load a module (SYS_MODULE) or reboot (SYS_BOOT). "
		    "The %d are ",
		    __builtin_popcountll(set), view->facts->cap_last + 1,
		    __builtin_popcountll(set));
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
		    "Still root, inside and on the host, and it may do no more than anybody else: "
		    "user %u is a name, the power is in the capabilities. Its bounding set is "
		    "empty too, so no setuid program brings any back.",
		    proc->task->ids.euid);
	return scene_is_user(proc, 0) && !scene_effective(proc) &&
	       !proc->task->caps[CAP_SET_PERMITTED] && !proc->task->caps[CAP_SET_BOUNDING];
}

static bool scene_judge_network(const struct view_context *view, const struct proc *proc,
				struct text *said)
{
	text_printf(said,
		    "NET_ADMIN, to %s. It has a network namespace of its own, so that it is master "
		    "of that; with --network host the same word would make it master of the "
		    "host's.",
		    caps_meaning(CAP_NET_ADMIN));
	return scene_is_user(proc, 0) && proc_is_host_effective(proc, view->model) &&
	       scene_effective(proc) == (CAPS_DOCKER_DEFAULT | BIT(CAP_NET_ADMIN));
}

static bool scene_judge_no_kill(const struct view_context *view, const struct proc *proc,
				struct text *said)
{
	(void)view;
	text_printf(said,
		    "%d of the %d are left. Without KILL this root may signal only processes of "
		    "its own user, as everybody may.",
		    __builtin_popcountll(scene_effective(proc)),
		    __builtin_popcountll(CAPS_DOCKER_DEFAULT));
	return scene_is_user(proc, 0) &&
	       scene_effective(proc) == (CAPS_DOCKER_DEFAULT & ~BIT(CAP_KILL));
}

static bool scene_judge_privileged(const struct view_context *view, const struct proc *proc,
				   struct text *said)
{
	uint64_t set = scene_effective(proc);

	text_printf(said,
		    "%d of the host's %d capabilities, all that nsview itself has, counting on the "
		    "host; and the system call filter and the masks are gone too. This is root of "
		    "the host with other files.",
		    __builtin_popcountll(set), view->facts->cap_last + 1);
	return scene_is_user(proc, 0) && proc_is_host_effective(proc, view->model) &&
	       set == privilege_grantable(view->facts->cap_last);
}

static bool scene_judge_userns(const struct view_context *view, const struct proc *proc,
			       struct text *said)
{
	text_printf(said,
		    "Root inside, and user %u on the host: nobody special. Its capabilities are as "
		    "many as any container's, and count only for what its own user namespace "
		    "owns.",
		    proc->task->ids.euid);
	return proc->task->in_ids.euid == 0 && proc->task->ids.euid != 0 &&
	       !proc_is_host_effective(proc, view->model) &&
	       scene_effective(proc) == CAPS_DOCKER_DEFAULT;
}

const struct scene demo_scenes[] = {
	{.title = "One process, two pids",
	 .name = "plain",
	 .claim = "a process that is pid 1 inside and has another pid on the host",
	 .judge = scene_judge_pids},
	{.title = "Another user",
	 .name = "u1000",
	 .user = "1000",
	 .claim = "user 1000 inside and on the host, without capabilities",
	 .judge = scene_judge_user},
	{.title = "Root, but not all of it",
	 .name = "default",
	 .shows_host_row = true,
	 .claim = "root inside and on the host, with docker's default set",
	 .judge = scene_judge_default},
	{.title = "A capability added",
	 .name = "macadmin",
	 .cap_add = "MAC_ADMIN",
	 .claim = "docker's default set and MAC_ADMIN, counting on the host",
	 .judge = scene_judge_added},
	{.title = "All capabilities dropped",
	 .name = "nocaps",
	 .cap_drop = "ALL",
	 .claim = "root without any capability, and with an empty bounding set",
	 .judge = scene_judge_dropped},
	{.title = "Master of a network",
	 .name = "netadmin",
	 .cap_add = "NET_ADMIN",
	 .claim = "docker's default set and NET_ADMIN, counting on the host",
	 .judge = scene_judge_network},
	{.title = "A capability less",
	 .name = "nokill",
	 .cap_drop = "KILL",
	 .claim = "docker's default set without KILL",
	 .judge = scene_judge_no_kill},
	{.title = "Privileged",
	 .name = "priv",
	 .is_privileged = true,
	 .claim = "root with every capability that nsview has, counting on the host",
	 .judge = scene_judge_privileged},
	{.title = "Users of its own",
	 .name = "userns",
	 .userns = "auto",
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
