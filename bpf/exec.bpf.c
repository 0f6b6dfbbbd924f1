/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process runs another program. What commit_creds() replaced on the way is told here, as one
 * event with what was before.
 *
 * bprm->filename and bprm->interp are strings whose length is known only after reading them, and
 * the kernel's checker wants each string's place and room to be within what was reserved without
 * relating the two. So each size class has a room of its own for the strings' parts: whatever
 * comes before them (head), the names, the arguments, the environment.
 */
#include "vmlinux.h"

#include "notice.bpf.h"
#include "tell.bpf.h"

#define MODE_SETUID 04000
#define MODE_SETGID 02000
#define NAME_MEASURED 128 /* bytes of a name that are looked at beforehand */
#define NAME_LONG 4096    /* PATH_MAX */
#define STRING_PAD 8      /* what zeros may take behind a string */

/* Identity, 33 pids, 32 groups twice, ids inside, before, struct event_exec. */
#define EXEC_HEAD_MAX 1160

/* Rooms, constants on each path. */
struct exec_class {
	u64 head; /* all that comes before the strings */
	u64 filename;
	u64 interpreter;
	u64 args;
	u64 env;
};

enum exec_size {
	EXEC_SHORT, /* a program of the host with a short command line, which is nearly all */
	EXEC_NAMED, /* of a longer path, or a script */
	EXEC_CHANGED,
	EXEC_MEDIUM,
	EXEC_LONG,
	EXEC_PATH,
	EXEC_HUGE,
};

static __always_inline void exec_class_of(struct exec_class *class, u64 size)
{
	if (size == EXEC_SHORT)
		*class = (struct exec_class){320, 32, 0, 128, 0};
	else if (size == EXEC_NAMED)
		*class = (struct exec_class){320, 64, 24, 128, 0};
	else if (size == EXEC_CHANGED)
		*class = (struct exec_class){456, 64, 32, 256, 0};
	else if (size == EXEC_MEDIUM)
		*class = (struct exec_class){608, 128, 128, 1024, 0};
	else if (size == EXEC_LONG)
		*class = (struct exec_class){EXEC_HEAD_MAX, 128, 128, 2560, 0};
	else if (size == EXEC_PATH)
		*class = (struct exec_class){EXEC_HEAD_MAX, NAME_LONG, 256, 4096, 0};
	else
		*class = (struct exec_class){EXEC_HEAD_MAX, NAME_LONG, NAME_LONG, ARGS_ROOM,
					     ENV_ROOM};
}

static __always_inline u64 exec_name_size(u64 address)
{
	char name[NAME_MEASURED];
	long size = bpf_probe_read_kernel_str(name, sizeof(name), (void *)address);

	if (size <= 0)
		return 1;
	return size < NAME_MEASURED ? size : NAME_LONG;
}

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

/*
 * enum exec_size. A global function, so that the verifier forgets how it came to its result; it
 * takes numbers: the addresses of bprm->filename, bprm->interp and the mm_struct.
 */
__weak __noinline u64 exec_size_of(u64 filename, u64 interp, u64 memory, u64 head)
{
	u64 names = exec_name_size(filename);
	u64 interpreter = interp != filename ? exec_name_size(interp) : 0;
	struct exec_vectors vectors = {};
	u64 args, env;
	struct exec_class class;
	u64 size;

	exec_find_vectors(&vectors, (void *)memory);
	args = exec_at_most(vectors.args_end - vectors.args, args_max);
	env = env_max ? exec_at_most(vectors.env_end - vectors.env, env_max) : 0;
	for (size = EXEC_SHORT; size < EXEC_HUGE; size++) {
		exec_class_of(&class, size);
		if (head <= class.head && names <= class.filename &&
		    interpreter <= class.interpreter && args <= class.args && env <= class.env)
			break;
	}
	return size;
}

/* What a string takes, of which there is room for so much. */
static __always_inline u64 exec_part(u64 room)
{
	return room ? room + STRING_PAD : 0;
}

static __always_inline u64 exec_room(const struct exec_class *class)
{
	return class->head + exec_part(class->filename) + exec_part(class->interpreter) +
	       exec_part(class->args) + exec_part(class->env);
}

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
static __always_inline u64 exec_put_name(struct emission *out, u64 limit, u64 room,
					 const char *address)
{
	char *place = exec_place(out, limit);
	u64 length, *last;
	long size;

	if (!place)
		return 0;
	size = bpf_probe_read_kernel_str(place, room, address);
	length = size - 1;
	if (size <= 1 || length >= room)
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
 * the ring, so that the verifier need not walk what follows for each value of it. */
static __always_inline u64 exec_told(const u32 *total, u64 most)
{
	u64 length = kernel_forget(*total);

	return exec_at_most(length, most);
}

static __always_inline void exec_put_strings(struct emission *out, struct event_exec *exec,
					     struct linux_binprm *bprm, struct mm_struct *mm,
					     const struct exec_class *class)
{
	const char *filename = BPF_CORE_READ(bprm, filename), *interp = BPF_CORE_READ(bprm, interp);
	struct exec_vectors vectors = {};
	u64 limit = class->head;

	exec_find_vectors(&vectors, mm);
	exec->args_total = vectors.args_end - vectors.args;
	exec->env_total = vectors.env_end - vectors.env;
	exec->interpreter_length = 0;
	exec->env_length = 0;
	exec->filename_length = exec_put_name(out, limit, class->filename, filename);
	limit += exec_part(class->filename);
	if (class->interpreter && interp != filename)
		exec->interpreter_length = exec_put_name(out, limit, class->interpreter, interp);
	limit += exec_part(class->interpreter);
	exec->args_length = exec_put_vector(out, limit, class->args, vectors.args,
					    exec_told(&exec->args_total, args_max));
	limit += exec_part(class->args);
	if (class->env)
		exec->env_length = exec_put_vector(out, limit, class->env, vectors.env,
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

static __always_inline void exec_tell(const struct look *look, const struct memory *memory,
				      const struct telling *telling, struct task_struct *task,
				      struct linux_binprm *bprm, u32 old_tid)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	u64 head = tell_who_size(look) + sizeof(struct event_exec);
	struct exec_class class;
	struct event_exec *exec;
	struct emission out;
	u64 size;

	if (kernel_forget(look->changed))
		head += tell_before_size(memory);
	size = exec_size_of((u64)BPF_CORE_READ(bprm, filename), (u64)BPF_CORE_READ(bprm, interp),
			    (u64)mm, head);
	exec_class_of(&class, size);
	if (!emit_reserve(&out, exec_room(&class), HOOK_EXEC))
		return;
	out.room = class.head;
	tell_who(&out, look, telling, kernel_forget(look->changed));
	if (kernel_forget(look->changed))
		tell_before(&out, memory);
	exec = emit_place(&out, PART_EXEC, sizeof(*exec));
	if (exec) {
		exec->args_count = bprm->argc;
		exec->old_tid = old_tid;
		exec_put_strings(&out, exec, bprm, mm, &class);
	}
	emit_end(&out, HOOK_EXEC, false);
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
	memory = remember_find(task);
	if (!memory || !look) {
		emit_count_lost(HOOK_EXEC);
		return 0;
	}
	telling.flags = exec_flags(bprm);
	exec_tell(look, memory, &telling, task, bprm, context[1]);
	look_remember(look, memory);
	memory->exec_cred = 0;
	return 0;
}
