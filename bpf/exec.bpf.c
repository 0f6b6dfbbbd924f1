/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process runs another program. What commit_creds() replaced on the way is told here, as one
 * event with what was before.
 *
 * Each of its strings has room in the draft for the longest there is, so that the verifier sees at
 * once that it fits, wherever before that the last one has ended.
 */
#include "vmlinux.h"

#include "notice.bpf.h"
#include "tell.bpf.h"

#define MODE_SETUID 04000
#define MODE_SETGID 02000

static __always_inline u64 exec_at_most(u64 length, u64 most)
{
	return length < most ? length : most;
}

/* The four addresses lie side by side in struct mm_struct. */
struct exec_vectors {
	u64 args;
	u64 args_end;
	u64 env;
	u64 env_end;
};

static __always_inline void exec_find_vectors(struct exec_vectors *vectors, struct mm_struct *mm)
{
	bpf_core_read(vectors, sizeof(*vectors), &mm->arg_start);
}

/* Where a string has to begin for its longest to fit. */
#define EXEC_LIMIT(part) __builtin_offsetof(struct exec_draft, part)

/* Where a string begins: at `limit` at most. The verifier wants to see it checked. */
static __always_inline char *exec_place(struct emission *out, u64 limit)
{
	u64 used = kernel_forget(out->record->header.size);

	if (used > limit) {
		out->record->header.pad = 1;
		return 0;
	}
	return (char *)out->record + used;
}

/* A name of the kernel's, without its NUL and with zeros up to a multiple of 8. Its length. */
static __always_inline u64 exec_put_name(struct emission *out, u64 limit, const char *address)
{
	char *place = exec_place(out, limit);
	u64 length, *last;
	long size;

	if (!place)
		return 0;
	size = bpf_probe_read_kernel_str(place, NAME_ROOM, address);
	length = size - 1;
	if (size <= 1 || length >= NAME_ROOM)
		return 0;
	last = (void *)place + (length & ~7ULL);
	*last &= (1ULL << (length & 7) * 8) - 1;
	out->record->header.size += tell_aligned(length);
	return length;
}

/* Bytes of the process's own, which are there: they were written a moment ago. */
static __always_inline u64 exec_put_vector(struct emission *out, u64 limit, u64 room, u64 address,
					   u64 length)
{
	char *place = exec_place(out, limit);

	if (!place || !length)
		return 0;
	if (length > room)
		length = room;
	*(u64 *)(place + (length & ~7ULL)) = 0;
	if (bpf_probe_read_user(place, length, (void *)address))
		return 0;
	out->record->header.size += tell_aligned(length);
	return length;
}

/* The length of a vector that is told: what there is, as far as is wanted. It is read back from
 * the draft, so that the verifier need not walk what follows for each value of it. */
static __always_inline u64 exec_told(const u32 *total, u64 most)
{
	u64 length = kernel_forget(*total);

	return exec_at_most(length, most);
}

static __always_inline void exec_put_strings(struct emission *out, struct event_exec *exec,
					     struct linux_binprm *bprm, struct mm_struct *mm)
{
	const char *filename = BPF_CORE_READ(bprm, filename), *interp = BPF_CORE_READ(bprm, interp);
	struct exec_vectors vectors = {};

	exec_find_vectors(&vectors, mm);
	exec->args_total = vectors.args_end - vectors.args;
	exec->env_total = vectors.env_end - vectors.env;
	exec->interpreter_length = 0;
	exec->env_length = 0;
	exec->filename_length = exec_put_name(out, EXEC_LIMIT(filename), filename);
	if (interp != filename)
		exec->interpreter_length = exec_put_name(out, EXEC_LIMIT(interpreter), interp);
	exec->args_length = exec_put_vector(out, EXEC_LIMIT(args), ARGS_ROOM, vectors.args,
					    exec_told(&exec->args_total, args_max));
	if (env_max)
		exec->env_length = exec_put_vector(out, EXEC_LIMIT(env), ENV_ROOM, vectors.env,
						   exec_told(&exec->env_total, env_max));
}

static __always_inline u16 exec_flags(struct linux_binprm *bprm)
{
	u32 mode = BPF_CORE_READ(bprm, file, f_inode, i_mode);
	u16 flags = 0;

	if (mode & MODE_SETUID)
		flags |= EVENT_SETUID_FILE;
	if (mode & MODE_SETGID)
		flags |= EVENT_SETGID_FILE;
	if (BPF_CORE_READ_BITFIELD(bprm, secureexec))
		flags |= EVENT_SECUREEXEC;
	return flags;
}

static __always_inline void exec_tell(const struct look *look, const struct telling *telling,
				      struct task_struct *task, struct linux_binprm *bprm,
				      u32 old_tid)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	u32 cpu = bpf_get_smp_processor_id();
	struct exec_draft *draft = bpf_map_lookup_elem(&exec_drafts, &cpu);
	const struct memory *memory = remember_read(HOOK_EXEC);
	struct event_exec *exec;
	struct emission out;

	if (!draft || !memory) {
		emit_count_lost(HOOK_EXEC);
		return;
	}
	emit_begin(&out, draft, EXEC_HEAD_ROOM);
	tell_who(&out, look, telling, kernel_forget(look->changed));
	if (kernel_forget(look->changed))
		tell_before(&out, memory);
	exec = emit_place(&out, PART_EXEC, sizeof(*exec));
	if (exec) {
		exec->args_count = bprm->argc;
		exec->old_tid = old_tid;
		exec_put_strings(&out, exec, bprm, mm);
	}
	emit_send(&out, sizeof(*draft), HOOK_EXEC, false);
}

SEC("?tp_btf/sched_process_exec")
int exec__tracepoint(u64 *context)
{
	struct task_struct *task = (void *)context[0];
	struct linux_binprm *bprm = (void *)context[2];
	struct telling telling = {
		.action = EVENT_EXEC,
		.hook = HOOK_EXEC,
		.tier = TIER_TRACEPOINT,
		.syscall = -1,
	};
	struct look *look = look_here(HOOK_EXEC);
	struct memory *memory;

	look_whole_telling(HOOK_EXEC);
	if (!look || !remember_find_current()) {
		emit_count_lost(HOOK_EXEC);
		return 0;
	}
	telling.flags = exec_flags(bprm);
	exec_tell(look, &telling, task, bprm, context[1]);
	memory = remember_find_current();
	if (memory) {
		look_remember(look, memory);
		memory->exec_cred = 0;
	}
	return 0;
}
