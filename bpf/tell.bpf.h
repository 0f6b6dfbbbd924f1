/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of an event that come from a look at its task.
 */
#ifndef NSVIEW_TELL_BPF_H
#define NSVIEW_TELL_BPF_H

#include "emit.bpf.h"
#include "kernel.bpf.h"
#include "look.bpf.h"
#include "maps.bpf.h"
#include "task.bpf.h"

struct telling {
	u16 flags; /* enum event_flag */
	s16 error;
	s16 syscall;
	u8 action;
	u8 hook;
	u8 tier;
	u8 slot;        /* where the look is: enum look_slot */
	bool is_urgent; /* the reader is woken at once */
};

#define TELL_CHAIN \
	(sizeof(struct event_record) + sizeof(struct task_identity)) /* where it begins */

static __always_inline u64 tell_aligned(u64 size)
{
	return (size + 7) & ~7ULL;
}

/* What every event begins with. */
static __always_inline void tell_head(struct emission *out, const struct look *look,
				      const struct telling *telling, u32 changed)
{
	struct event_record *record = out->record;
	struct event_counters *counted = emit_counters();

	if (out->room < sizeof(*record))
		return;
	record->header.size = sizeof(*record);
	record->time_boot_ns = bpf_ktime_get_boot_ns();
	record->sequence = 0;
	record->lost = counted ? counted->lost : 0;
	record->start_boot_ns = look->start_boot_ns;
	record->parent_start_boot_ns = look->parent_start_boot_ns;
	record->cpu = bpf_get_smp_processor_id();
	record->tgid = look->tgid;
	record->tid = look->tid;
	record->ppid = look->ppid;
	record->changed = changed;
	record->error = telling->error;
	record->syscall = telling->syscall;
	record->flags = telling->flags;
	record->chain_count = look->pid_depth + 1;
	record->action = telling->action;
	record->hook = telling->hook;
	record->tier = telling->tier;
	record->cause = CAUSE_NONE;
	*(u32 *)record->pad = 0;
}

/* `place`: a constant, so that the loop ends where the room does. */
static __always_inline void tell_chain(struct emission *out, const struct look *look, u64 place)
{
	struct event_record *record = out->record;
	struct pid_level *chain = (void *)record + place;
	u64 i, level;

	if (out->room < place + sizeof(*chain))
		return;
	chain->ns = HOST_PID_NS;
	chain->pid = look->tgid;
	for (i = 1; i < PID_LEVELS_MAX; i++) {
		if (i > kernel_forget(look->pid_depth))
			break;
		if (place + (i + 1) * sizeof(*chain) > out->room) {
			record->header.pad = 1;
			break;
		}
		level = task_pid_level(look->pid, i);
		chain[i].pid = level;
		chain[i].ns = level >> 32;
	}
	record->parts |= PART_CHAIN;
	record->header.size += (kernel_forget(look->pid_depth) + 1) * sizeof(*chain);
}

static __always_inline void tell_identity(struct emission *out, const struct look *look)
{
	struct event_record *record = out->record;
	struct task_identity *to = (void *)(record + 1);

	if (out->room < TELL_CHAIN)
		return;
	*to = look->identity;
	record->parts |= PART_IDENTITY;
	record->header.size += sizeof(*to);
}

/* kept: GROUPS_KEPT at most. */
static __always_inline void tell_groups(struct emission *out, u32 part, const u32 *groups, u64 kept)
{
	u64 i;

	for (i = 0; i < GROUPS_KEPT; i += EMIT_CHUNK / sizeof(u32)) {
		if (i >= kept)
			break;
		emit_chunk(out, part, groups + i, (kept - i) * sizeof(u32));
	}
}

static __always_inline void tell_inside(struct emission *out, const struct look *look)
{
	struct id_block *inside = emit_place(out, PART_IN_IDS, sizeof(*inside));

	if (inside)
		task_ids_inside(&inside->uid, &look->identity.ids.uid, (void *)look->user_ns);
}

/* The head, and who it is. */
static __always_inline void tell_who(struct emission *out, const struct look *look,
				     const struct telling *telling, u32 changed)
{
	tell_head(out, look, telling, changed);
	tell_identity(out, look);
	tell_chain(out, look, TELL_CHAIN);
	tell_groups(out, PART_GROUPS,
		    (u32 *)(look->group_info + bpf_core_field_offset(struct group_info, gid)),
		    kernel_forget(look->identity.groups_kept));
	if (kernel_forget(look->identity.user_ns_level))
		tell_inside(out, look);
}

static __always_inline void tell_before(struct emission *out, const struct memory *memory)
{
	struct event_before *before = emit_place(out, PART_BEFORE, sizeof(*before));

	if (!before)
		return;
	*before = memory->seen;
	tell_groups(out, PART_BEFORE_GROUPS, memory->groups,
		    kernel_forget(memory->seen.groups_kept));
}

#endif
