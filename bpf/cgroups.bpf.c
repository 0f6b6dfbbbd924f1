/* SPDX-License-Identifier: GPL-2.0-only */
/* Control groups come and go, and processes move between them. */
#include "vmlinux.h"

#include "notice.bpf.h"

#define CGROUPS_HEAD 104     /* of an event without an identity */
#define CGROUPS_WHO_HEAD 760 /* of one with: 33 pids, 32 groups, ids inside */

/* CGROUP_HIERARCHIES: a version 1 hierarchy that no process is ever placed by. */
static __always_inline u32 cgroups_hierarchy(struct cgroup *cgroup)
{
	struct cgroup_root *root = BPF_CORE_READ(cgroup, root);

	if (BPF_CORE_READ(root, hierarchy_id) == 0)
		return CGROUP_V2;
	return kernel_cgroup_hierarchy(BPF_CORE_READ(root, subsys_mask));
}

/* path: as a tracepoint gives it, cut at CGROUP_PATH_MAX. NULL: it was told before. */
static __always_inline void cgroups_put(struct emission *out, u64 id, u32 hierarchy,
					const char *path)
{
	struct event_cgroup *to = emit_place(out, PART_CGROUP, sizeof(*to));
	u64 used = kernel_forget(out->record->header.size), length, *last;
	char *place;
	long size;

	if (!to || used > out->room)
		return;
	to->id = id;
	to->hierarchy = hierarchy;
	to->length = 0;
	if (!path)
		return;
	place = (char *)out->record + used;
	size = bpf_probe_read_kernel_str(place, CGROUP_PATH_MAX, path);
	if (size <= 1 || size > CGROUP_PATH_MAX)
		return;
	length = size - 1;
	last = (void *)place + (length & ~7ULL);
	*last &= (1ULL << (length & 7) * 8) - 1;
	to->length = length;
	out->record->header.size = used + tell_aligned(length);
}

static __always_inline void cgroups_see(struct cgroup *cgroup, const char *path, u8 action, u8 hook)
{
	u32 hierarchy = cgroups_hierarchy(cgroup);
	struct telling telling = {
		.action = action,
		.hook = hook,
		.tier = TIER_TRACEPOINT,
		.syscall = -1,
	};
	struct look *look = look_here(hook);
	struct emission out;

	if (hierarchy == CGROUP_HIERARCHIES || !look)
		return;
	if (!notice_briefly(look, hook, hook, TIER_TRACEPOINT))
		return;
	if (!emit_reserve(&out, CGROUPS_HEAD + CGROUP_PATH_MAX + 8, hook))
		return;
	out.room = CGROUPS_HEAD;
	tell_head(&out, look, &telling, 0);
	cgroups_put(&out, BPF_CORE_READ(cgroup, kn, id), hierarchy, path);
	emit_end(&out, hook, action == EVENT_CGROUP_MAKE);
}

SEC("?tp_btf/cgroup_mkdir")
int cgroup_make__tracepoint(u64 *context)
{
	cgroups_see((void *)context[0], (void *)context[1], EVENT_CGROUP_MAKE, HOOK_CGROUP_MAKE);
	return 0;
}

SEC("?tp_btf/cgroup_rmdir")
int cgroup_remove__tracepoint(u64 *context)
{
	cgroups_see((void *)context[0], (void *)context[1], EVENT_CGROUP_REMOVE,
		    HOOK_CGROUP_REMOVE);
	return 0;
}

/* A process has moved, by which it may be placed elsewhere: it need not, with hierarchies of
 * version 1, of which one places it. It may have moved itself. */
SEC("?tp_btf/cgroup_attach_task")
int cgroup_attach__tracepoint(u64 *context)
{
	struct cgroup *cgroup = (void *)context[0];
	struct task_struct *task = (void *)context[2];
	struct look *look = look_here(HOOK_CGROUP_ATTACH);
	struct memory *memory = remember_find(task);
	u64 before = memory ? memory->cgroup_id : 0;
	struct telling telling = {
		.action = EVENT_CGROUP_ATTACH,
		.hook = HOOK_CGROUP_ATTACH,
		.tier = TIER_TRACEPOINT,
		.syscall = -1,
	};
	const struct memory *known;
	struct emission out;

	if (!look || !notice_briefly(look, HOOK_CGROUP_ATTACH, HOOK_CGROUP_ATTACH, TIER_TRACEPOINT))
		return 0;
	known = remember_read_at(task, kernel_address((u64)task), HOOK_CGROUP_ATTACH);
	look_keys(look, task, known, true);
	look_cgroup(look, task, known, true);
	if (before == look->identity.cgroup_id)
		return 0;
	look_own(look, task, true);
	if (!emit_reserve(&out, CGROUPS_WHO_HEAD + CGROUP_PATH_MAX + 8, HOOK_CGROUP_ATTACH))
		return 0;
	out.room = CGROUPS_WHO_HEAD;
	tell_who(&out, look, &telling, 0);
	cgroups_put(&out, look->identity.cgroup_id, look->identity.cgroup_hierarchy,
		    look->identity.cgroup_id == BPF_CORE_READ(cgroup, kn, id) ? (char *)context[1]
									      : 0);
	emit_end(&out, HOOK_CGROUP_ATTACH, false);
	memory = remember_find(task);
	if (memory)
		look_remember_cgroup(look, memory);
	return 0;
}
