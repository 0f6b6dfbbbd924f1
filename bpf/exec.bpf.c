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

/* Where the strings are, and what they need. */
struct exec_strings {
	u64 filename;
	u64 interpreter;
	u64 args;
	u64 env;
	u64 filename_size; /* with the NUL */
	u64 interpreter_size;
	u64 args_length;
	u64 env_length;
	u32 args_total;
	u32 env_total;
};

static __noinline u64 exec_name_size(u64 address)
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

static __always_inline void exec_find_strings(struct exec_strings *strings,
					      struct linux_binprm *bprm, struct mm_struct *mm)
{
	u64 args_end = BPF_CORE_READ(mm, arg_end), env_end = BPF_CORE_READ(mm, env_end);

	strings->filename = (u64)BPF_CORE_READ(bprm, filename);
	strings->interpreter = (u64)BPF_CORE_READ(bprm, interp);
	strings->filename_size = exec_name_size(strings->filename);
	strings->interpreter_size = 0;
	if (strings->interpreter != strings->filename)
		strings->interpreter_size = exec_name_size(strings->interpreter);
	strings->args = BPF_CORE_READ(mm, arg_start);
	strings->env = BPF_CORE_READ(mm, env_start);
	strings->args_total = args_end - strings->args;
	strings->env_total = env_end - strings->env;
	strings->args_length = exec_at_most(strings->args_total, args_max);
	strings->env_length = exec_at_most(strings->env_total, env_max);
}

static __always_inline bool exec_fits(const struct exec_strings *strings, u64 head,
				      const struct exec_class *class)
{
	return head <= class->head && strings->filename_size <= class->filename &&
	       strings->interpreter_size <= class->interpreter &&
	       strings->args_length <= class->args && strings->env_length <= class->env;
}

/* The first is for a program of the host with a short command line, which is nearly all. */
static __always_inline void exec_choose(struct exec_class *class,
					const struct exec_strings *strings, u64 head)
{
	*class = (struct exec_class){320, 32, 0, 128, 0};
	if (exec_fits(strings, head, class))
		return;
	*class = (struct exec_class){456, 64, 32, 256, 0};
	if (exec_fits(strings, head, class))
		return;
	*class = (struct exec_class){608, 128, 128, 1024, 0};
	if (exec_fits(strings, head, class))
		return;
	*class = (struct exec_class){EXEC_HEAD_MAX, 128, 128, 2560, 0};
	if (exec_fits(strings, head, class))
		return;
	*class = (struct exec_class){EXEC_HEAD_MAX, NAME_LONG, 256, 4096, 0};
	if (exec_fits(strings, head, class))
		return;
	*class = (struct exec_class){EXEC_HEAD_MAX, NAME_LONG, NAME_LONG, ARGS_ROOM, ENV_ROOM};
}

static __always_inline u64 exec_room(const struct exec_class *class)
{
	return class->head + class->filename + class->interpreter + class->args + class->env +
	       4 * STRING_PAD;
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
static __always_inline u64 exec_put_name(struct emission *out, u64 limit, u64 room, u64 address)
{
	char *place = exec_place(out, limit);
	u64 length, *last;
	long size;

	if (!place)
		return 0;
	size = bpf_probe_read_kernel_str(place, room, (void *)address);
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

/* Lengths are read back from the ring for the verifier's sake, as in emit_place. */
static __always_inline void exec_put_strings(struct emission *out, struct event_exec *exec,
					     const struct exec_strings *strings,
					     const struct exec_class *class)
{
	u64 limit = class->head;

	exec->interpreter_length = strings->interpreter_size;
	exec->args_length = strings->args_length;
	exec->env_length = strings->env_length;
	exec->args_total = strings->args_total;
	exec->env_total = strings->env_total;
	exec->filename_length = exec_put_name(out, limit, class->filename, strings->filename);
	limit += class->filename + STRING_PAD;
	if (class->interpreter && kernel_forget(exec->interpreter_length))
		exec->interpreter_length =
			exec_put_name(out, limit, class->interpreter, strings->interpreter);
	limit += class->interpreter + STRING_PAD;
	exec->args_length = exec_put_vector(out, limit, class->args, strings->args,
					    kernel_forget(exec->args_length));
	limit += class->args + STRING_PAD;
	if (class->env)
		exec->env_length = exec_put_vector(out, limit, class->env, strings->env,
						   kernel_forget(exec->env_length));
}

static __always_inline u16 exec_flags(struct linux_binprm *bprm)
{
	u32 mode = BPF_CORE_READ(bprm, file, f_inode, i_mode);
	u16 flags = 0;

	if (mode & MODE_SETUID)
		flags |= EVENT_SETUID_FILE;
	if (mode & MODE_SETGID)
		flags |= EVENT_SETGID_FILE;
	if (BPF_CORE_READ_BITFIELD_PROBED(bprm, secureexec))
		flags |= EVENT_SECUREEXEC;
	return flags;
}

static __always_inline void exec_tell(const struct look *look, const struct memory *memory,
				      const struct telling *telling, struct linux_binprm *bprm,
				      u32 old_tid)
{
	u64 head = tell_identity_size(look) + sizeof(struct event_exec);
	struct task_struct *task = look->task;
	struct exec_strings strings;
	struct exec_class class;
	struct event_exec *exec;
	struct emission out;

	if (telling->changed && memory)
		head += tell_before_size(memory);
	exec_find_strings(&strings, bprm, BPF_CORE_READ(task, mm));
	exec_choose(&class, &strings, head);
	if (!emit_reserve(&out, exec_room(&class), HOOK_EXEC))
		return;
	out.room = class.head;
	tell_who(&out, look, telling);
	if (telling->changed && memory)
		tell_before(&out, memory);
	exec = emit_place(&out, PART_EXEC, sizeof(*exec));
	if (exec) {
		exec->args_count = BPF_CORE_READ(bprm, argc);
		exec->old_tid = old_tid;
		exec_put_strings(&out, exec, &strings, &class);
	}
	emit_end(&out, HOOK_EXEC, false);
}

SEC("?tp_btf/sched_process_exec")
int exec__tracepoint(u64 *context)
{
	struct task_struct *task = (void *)context[0];
	struct linux_binprm *bprm = (void *)context[2];
	struct memory *memory = remember_find(task);
	struct telling telling = {
		.action = EVENT_EXEC,
		.hook = HOOK_EXEC,
		.tier = TIER_TRACEPOINT,
		.syscall = -1,
		.is_typed = true,
	};
	struct look look;

	look_take(&look, task, memory, BPF_CORE_READ(task, real_cred), BPF_CORE_READ(task, nsproxy),
		  true);
	telling.flags = exec_flags(bprm);
	if (memory)
		telling.changed = look_compare(&look, memory);
	else
		memory = remember_make(task, (struct memory *)&memory_blank);
	exec_tell(&look, memory, &telling, bprm, context[1]);
	if (memory) {
		look_remember(&look, memory);
		memory->exec_cred = 0;
	}
	return 0;
}
