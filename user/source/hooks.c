/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/hooks.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "source/source.h"

/* The kernel's functions behind a system call: native, and for 32-bit callers where the kernel takes
 * them (CONFIG_IA32_EMULATION). arm64 has one for both (CONFIG_COMPAT). */
#ifdef __aarch64__
#define CALL(name) "__arm64_sys_" name
#define CALLS(name) CALL(name)
#else
#define CALL(name) "__x64_sys_" name
#define CALLS(name) CALL(name), "?__ia32_sys_" name
#endif

#define TARGETS(...) ((const char *const[]){__VA_ARGS__, NULL})

#define MISSED_PREEMPTED "runs that the kernel skips under preemption, counted as skipped"
#define MISSED_LOOKED "calls of 32-bit programs, until the next look at the task"

static const char *const credential_calls[] = {
	"setuid",    "setgid",   "setreuid", "setregid",  "setresuid",
	"setresgid", "setfsuid", "setfsgid", "setgroups", "capset",
	"prctl",     "unshare",  "setns",    "keyctl",    NULL,
};

static const char *const namespace_calls[] = {"unshare", "setns", NULL};
static const char *const privilege_calls[] = {"prctl", "seccomp", NULL};
static const char *const refused_calls[] = {
	"setns",    "unshare",   "capset",    "setuid",    "setgid", "setreuid",
	"setregid", "setresuid", "setresgid", "setgroups", NULL,
};

static const char *const refused_functions[] = {
	CALLS("setns"),
	CALLS("unshare"),
	CALLS("capset"),
	CALLS("setuid"),
	CALLS("setgid"),
	CALLS("setreuid"),
	CALLS("setregid"),
	CALLS("setresuid"),
	CALLS("setresgid"),
	CALLS("setgroups"),
	NULL,
};

static const char *const privilege_functions[] = {CALLS("prctl"), CALLS("seccomp"), NULL};

static const char *const idmap_functions[] = {
	"proc_uid_map_write",
	"proc_gid_map_write",
	"proc_setgroups_write",
	NULL,
};

/* clang-format off */

/* A struct hook_program by how it is attached: where its section says, at one function, at each. */
#define BTF(program) {.name = (program), .kind = ATTACH_BTF}
#define BTF_AT(program, target) {.name = (program), .kind = ATTACH_BTF, .targets = TARGETS(target)}
#define KPROBE(program, at) {.name = (program), .kind = ATTACH_KPROBE, .targets = (at)}
#define KRETURN(program, at) {.name = (program), .kind = ATTACH_KRETURN, .targets = (at)}
#define SYSCALL(program, at) {.name = (program), .kind = ATTACH_SYSCALL, .targets = (at)}
/* Another program of the candidate tells what the kernel skips of this one. */
#define BTF_BACKED(program) {.name = (program), .kind = ATTACH_BTF, .is_backed = true}

/* In several candidates. */
#define FORK_TRACEPOINT HOOK(fork__tracepoint)
#define EXIT_TRACEPOINT HOOK(exit__tracepoint)

const struct hook_row hook_rows[HOOKS] = {
	[HOOK_FORK] = {
		.name = "fork",
		.meaning = "new processes",
		.missed = "new processes, until a sweep finds them",
		.candidates = {
			{TIER_TRACEPOINT, ON_OTHERS, NULL, {BTF(FORK_TRACEPOINT)}},
			{TIER_KPROBE, ON_ALL, NULL,
			 {BTF_BACKED(FORK_TRACEPOINT),
			  KPROBE(HOOK(fork__kprobe), TARGETS("wake_up_new_task"))}},
			{TIER_TRACEPOINT, ON_PREEMPTED, MISSED_PREEMPTED, {BTF(FORK_TRACEPOINT)}},
		},
	},
	[HOOK_EXEC] = {
		.name = "exec",
		.meaning = "programs started, with their arguments",
		.missed = "programs started",
		.candidates = {
			{TIER_TRACEPOINT, ON_ALL, NULL, {BTF(HOOK(exec__tracepoint))}},
		},
	},
	[HOOK_EXIT] = {
		.name = "exit",
		.meaning = "processes that end, with code and signal",
		.missed = "how processes end; that they did, until a sweep finds it",
		.candidates = {
			{TIER_TRACEPOINT, ON_OTHERS, NULL, {BTF(EXIT_TRACEPOINT)}},
			{TIER_KPROBE, ON_ALL, NULL,
			 {KPROBE(HOOK(exit__kprobe), TARGETS("taskstats_exit"))}},
			{TIER_TRACEPOINT, ON_PREEMPTED, MISSED_PREEMPTED, {BTF(EXIT_TRACEPOINT)}},
		},
	},
	[HOOK_CREDENTIALS] = {
		.name = "credentials",
		.meaning = "ids, groups, capabilities, securebits, user namespace",
		.missed = "why and when credentials change, until the next look at the task",
		.candidates = {
			{TIER_KPROBE, ON_ALL, NULL,
			 {KPROBE(HOOK(credentials__kprobe), TARGETS("commit_creds"))}},
			{TIER_FENTRY, ON_ALL, MISSED_PREEMPTED, {BTF(HOOK(credentials__fentry))}},
			{TIER_SYSCALL, ON_ALL, MISSED_LOOKED,
			 {SYSCALL(HOOK(credentials__syscall), credential_calls)}},
		},
	},
	[HOOK_NAMESPACES] = {
		.name = "namespaces",
		.meaning = "namespaces joined and made",
		.missed = "why and when namespaces change, until the next look at the task",
		.candidates = {
			{TIER_KPROBE, ON_ALL, NULL,
			 {KPROBE(HOOK(namespaces__kprobe), TARGETS("switch_task_namespaces"))}},
			{TIER_FENTRY, ON_ALL, MISSED_PREEMPTED, {BTF(HOOK(namespaces__fentry))}},
			{TIER_SYSCALL, ON_ALL, MISSED_LOOKED,
			 {SYSCALL(HOOK(namespaces__syscall), namespace_calls)}},
		},
	},
	[HOOK_REFUSED] = {
		.name = "refused",
		.meaning = "setns, unshare, capset and the setuid family, when they fail",
		.missed = "calls that the kernel refuses",
		.candidates = {
			{TIER_KPROBE, ON_ALL, NULL,
			 {KRETURN(HOOK(refused__kprobe), refused_functions)}},
			{TIER_FENTRY, ON_ALL, "refused calls of 32-bit programs",
			 {BTF_AT(HOOK(refused__fentry_setns), CALL("setns")),
			  BTF_AT(HOOK(refused__fentry_unshare), CALL("unshare")),
			  BTF_AT(HOOK(refused__fentry_capset), CALL("capset")),
			  BTF_AT(HOOK(refused__fentry_setuid), CALL("setuid")),
			  BTF_AT(HOOK(refused__fentry_setgid), CALL("setgid")),
			  BTF_AT(HOOK(refused__fentry_setreuid), CALL("setreuid")),
			  BTF_AT(HOOK(refused__fentry_setregid), CALL("setregid")),
			  BTF_AT(HOOK(refused__fentry_setresuid), CALL("setresuid")),
			  BTF_AT(HOOK(refused__fentry_setresgid), CALL("setresgid")),
			  BTF_AT(HOOK(refused__fentry_setgroups), CALL("setgroups"))}},
			{TIER_SYSCALL, ON_ALL, "refused calls of 32-bit programs",
			 {SYSCALL(HOOK(refused__syscall), refused_calls)}},
		},
	},
	[HOOK_PRIVILEGES] = {
		.name = "privileges",
		.meaning = "no_new_privs and seccomp",
		.missed = "when no_new_privs and seccomp change",
		.candidates = {
			{TIER_KPROBE, ON_ALL, NULL,
			 {KRETURN(HOOK(privileges__kprobe), privilege_functions)}},
			{TIER_FENTRY, ON_ALL, "changes by 32-bit programs",
			 {BTF_AT(HOOK(privileges__fentry_prctl), CALL("prctl")),
			  BTF_AT(HOOK(privileges__fentry_seccomp), CALL("seccomp"))}},
			{TIER_SYSCALL, ON_ALL, "changes by 32-bit programs",
			 {SYSCALL(HOOK(privileges__syscall), privilege_calls)}},
		},
	},
	[HOOK_IDMAP] = {
		.name = "idmap",
		.meaning = "writes of uid_map, gid_map and setgroups",
		.missed = "when a user namespace gets its maps",
		.candidates = {
			{TIER_KPROBE, ON_ALL, NULL,
			 {KPROBE(HOOK(idmap__kprobe), idmap_functions),
			  KRETURN(HOOK(idmap__kretprobe), idmap_functions)}},
			{TIER_FENTRY, ON_ALL, NULL,
			 {BTF_AT(HOOK(idmap__fentry_uid), "proc_uid_map_write"),
			  BTF_AT(HOOK(idmap__fentry_gid), "proc_gid_map_write"),
			  BTF_AT(HOOK(idmap__fentry_setgroups), "proc_setgroups_write")}},
		},
	},
	[HOOK_CGROUP_MAKE] = {
		.name = "cgroup_make",
		.meaning = "cgroups made",
		.missed = "cgroups made, until a process is in one",
		.candidates = {
			{TIER_TRACEPOINT, ON_ALL, NULL, {BTF(HOOK(cgroup_make__tracepoint))}},
		},
	},
	[HOOK_CGROUP_REMOVE] = {
		.name = "cgroup_remove",
		.meaning = "cgroups removed",
		.missed = "cgroups removed",
		.candidates = {
			{TIER_TRACEPOINT, ON_ALL, NULL, {BTF(HOOK(cgroup_remove__tracepoint))}},
		},
	},
	[HOOK_CGROUP_ATTACH] = {
		.name = "cgroup_attach",
		.meaning = "processes moved to another cgroup",
		.missed = "processes moved to another cgroup, until the next event of theirs",
		.candidates = {
			{TIER_TRACEPOINT, ON_ALL, NULL, {BTF(HOOK(cgroup_attach__tracepoint))}},
		},
	},
	[HOOK_COMPLETE] = {
		.name = "complete",
		.meaning = "a comparison at the end of every system call (--complete)",
		.missed = NULL, /* it only finds sooner what the next look finds */
		.candidates = {
			{TIER_TRACEPOINT, ON_ALL, NULL, {BTF(HOOK(complete__tracepoint))}},
		},
	},
	[HOOK_SWEEP] = {
		.name = "sweep",
		.meaning = "a look at all tasks every few seconds",
		.missed = "what no other hook tells",
	},
};
/* clang-format on */

const enum hook_id hook_order[HOOKS_ATTACHED] = {
	HOOK_CREDENTIALS, HOOK_NAMESPACES,  HOOK_REFUSED,       HOOK_PRIVILEGES,
	HOOK_IDMAP,       HOOK_CGROUP_MAKE, HOOK_CGROUP_REMOVE, HOOK_CGROUP_ATTACH,
	HOOK_COMPLETE,    HOOK_EXIT,        HOOK_EXEC,          HOOK_FORK,
};

static const char *const tier_names[TIERS] = {
	[TIER_OFF] = "off",       [TIER_TRACEPOINT] = "tracepoint", [TIER_KPROBE] = "kprobe",
	[TIER_FENTRY] = "fentry", [TIER_SYSCALL] = "syscall",       [TIER_ITERATOR] = "iterator",
};

const char *hook_name(enum hook_id hook)
{
	return hook < HOOKS ? hook_rows[hook].name : NULL;
}

const char *tier_name(enum hook_tier tier)
{
	return tier < TIERS ? tier_names[tier] : NULL;
}

const struct hook_candidate *hook_candidate_at(enum hook_id hook, size_t index)
{
	const struct hook_candidate *candidates = hook_rows[hook].candidates;

	return index < HOOK_CANDIDATES_MAX && candidates[index].programs[0].name
		       ? &candidates[index]
		       : NULL;
}

const struct hook_candidate *hook_candidate_of(enum hook_id hook, enum hook_tier tier)
{
	const struct hook_candidate *candidate;

	for (size_t i = 0; (candidate = hook_candidate_at(hook, i)); i++) {
		if (candidate->tier == tier)
			return candidate;
	}
	return NULL;
}

static const char *row_program_target(const struct hook_row *row, const char *program)
{
	for (size_t i = 0; i < HOOK_CANDIDATES_MAX; i++) {
		const struct hook_program *programs = row->candidates[i].programs;

		for (size_t j = 0; j < HOOK_PROGRAMS_MAX && programs[j].name; j++) {
			if (!strcmp(programs[j].name, program) && programs[j].kind == ATTACH_BTF &&
			    programs[j].targets)
				return programs[j].targets[0];
		}
	}
	return NULL;
}

const char *hook_program_target(const char *program)
{
	const char *target = NULL;

	for (size_t hook = 0; hook < HOOKS && !target; hook++)
		target = row_program_target(&hook_rows[hook], program);
	return target;
}

/* One of `count` words, `count`: none. nearest: of the others. */
static size_t word_find(const char *(*name_at)(size_t index), size_t count, const char *word,
			const char **nearest)
{
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < count; i++) {
		const char *name = name_at(i);
		size_t distance = text_distance(name, word);

		if (!strcmp(name, word))
			return i;
		if (distance < best) {
			best = distance;
			*nearest = name;
		}
	}
	return count;
}

static const char *hook_name_at(size_t index)
{
	return hook_rows[index].name;
}

/* The iterator is no choice. */
static const char *tier_name_at(size_t index)
{
	return tier_names[index];
}

static int tier_unfit(enum hook_id hook, enum hook_tier tier, struct text *complaint)
{
	const struct hook_candidate *candidate;

	text_printf(complaint, "hook %s has no tier %s: it has", hook_name(hook), tier_name(tier));
	for (size_t i = 0; (candidate = hook_candidate_at(hook, i)); i++) {
		if (hook_candidate_of(hook, candidate->tier) == candidate)
			text_printf(complaint, " %s,", tier_name(candidate->tier));
	}
	text_add_string(complaint, " off");
	return -EINVAL;
}

/* One HOOK=TIER; cut at its end. */
static int choice_parse(struct listen_options *options, char *choice, struct text *complaint)
{
	char *tier_word = strchr(choice, '=');
	const char *nearest = "";
	size_t hook;
	size_t tier;

	if (!tier_word) {
		text_printf(complaint, "%s: a choice is HOOK=TIER, as in credentials=syscall",
			    choice);
		return -EINVAL;
	}
	*tier_word++ = 0;
	/* The sweep is always there, --complete has an option of its own. */
	hook = word_find(hook_name_at, HOOK_COMPLETE, choice, &nearest);
	if (hook == HOOK_COMPLETE) {
		text_printf(complaint, "unknown hook %s: did you mean %s?", choice, nearest);
		return -EINVAL;
	}
	tier = word_find(tier_name_at, TIER_ITERATOR, tier_word, &nearest);
	if (tier == TIER_ITERATOR) {
		text_printf(complaint, "unknown tier %s: did you mean %s?", tier_word, nearest);
		return -EINVAL;
	}
	if (tier != TIER_OFF && !hook_candidate_of(hook, tier))
		return tier_unfit(hook, tier, complaint);
	options->tiers[hook] = (uint8_t)tier;
	return 0;
}

int listen_options_parse(struct listen_options *options, const char *words, struct text *complaint)
{
	autofree char *copy = mem_copy(words);
	char *rest = NULL;
	int r = 0;

	for (char *choice = strtok_r(copy, ",", &rest); choice && !r;
	     choice = strtok_r(NULL, ",", &rest))
		r = choice_parse(options, choice, complaint);
	return r;
}
