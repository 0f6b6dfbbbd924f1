/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/cause.h"

#include <linux/securebits.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "base/mem.h"

/* System calls by what they change. */
enum call {
	CALL_OTHER,
	CALL_SETUID,
	CALL_SETGID,
	CALL_GROUPS,
	CALL_CAPSET,
	CALL_PRCTL,
	CALL_UNSHARE, /* and clone */
	CALL_SETNS,
};

struct call_number {
	short number;
	enum call call;
};

static const struct call_number calls[] = {
	{SYS_setuid, CALL_SETUID},    {SYS_setreuid, CALL_SETUID}, {SYS_setresuid, CALL_SETUID},
	{SYS_setfsuid, CALL_SETUID},  {SYS_setgid, CALL_SETGID},   {SYS_setregid, CALL_SETGID},
	{SYS_setresgid, CALL_SETGID}, {SYS_setfsgid, CALL_SETGID}, {SYS_setgroups, CALL_GROUPS},
	{SYS_capset, CALL_CAPSET},    {SYS_prctl, CALL_PRCTL},     {SYS_unshare, CALL_UNSHARE},
	{SYS_clone, CALL_UNSHARE},    {SYS_clone3, CALL_UNSHARE},  {SYS_setns, CALL_SETNS},
};

/* Of 32-bit callers: arch/x86/entry/syscalls/syscall_32.tbl, and for arm64 arch/arm/tools/syscall.tbl,
 * which is the same but for two. The first of each pair takes 16-bit ids. */
#ifdef __aarch64__
#define UNSHARE_32 337
#define SETNS_32 375
#else
#define UNSHARE_32 310
#define SETNS_32 346
#endif
static const struct call_number calls_32[] = {
	{23, CALL_SETUID},   {213, CALL_SETUID},         {70, CALL_SETUID},
	{203, CALL_SETUID},  {164, CALL_SETUID},         {208, CALL_SETUID},
	{138, CALL_SETUID},  {215, CALL_SETUID},         {46, CALL_SETGID},
	{214, CALL_SETGID},  {71, CALL_SETGID},          {204, CALL_SETGID},
	{170, CALL_SETGID},  {210, CALL_SETGID},         {139, CALL_SETGID},
	{216, CALL_SETGID},  {81, CALL_GROUPS},          {206, CALL_GROUPS},
	{185, CALL_CAPSET},  {172, CALL_PRCTL},          {120, CALL_UNSHARE},
	{435, CALL_UNSHARE}, {UNSHARE_32, CALL_UNSHARE}, {SETNS_32, CALL_SETNS},
};

static enum call call_of(const struct event_record *record)
{
	bool is_32bit = record->flags & EVENT_32BIT;
	const struct call_number *known = is_32bit ? calls_32 : calls;
	size_t count = is_32bit ? ARRAY_SIZE(calls_32) : ARRAY_SIZE(calls);

	for (size_t i = 0; i < count; i++) {
		if (known[i].number == record->syscall)
			return known[i].call;
	}
	return CALL_OTHER;
}

static bool cap_differs(const struct event *event, enum cap_set set)
{
	return event->identity->caps[set] != event->before->caps[set];
}

/* prctl has many purposes; which one it was, the change tells. */
static enum event_cause cause_of_prctl(const struct event *event)
{
	if (event->before && event->identity) {
		if (cap_differs(event, CAP_SET_AMBIENT))
			return CAUSE_AMBIENT;
		if (cap_differs(event, CAP_SET_BOUNDING))
			return CAUSE_BOUNDING_DROP;
	}
	return event->record->changed & CHANGE_SECUREBITS ? CAUSE_SECUREBITS : CAUSE_OTHER;
}

/* What the call can have changed, and so has; CAUSE_OTHER: not this. */
static enum event_cause cause_of_call(const struct event *event, enum call call, unsigned changed)
{
	switch (call) {
	case CALL_SETUID:
		return changed & (CHANGE_IDS | CHANGE_CAPS) ? CAUSE_SETUID : CAUSE_OTHER;
	case CALL_SETGID:
		return changed & CHANGE_IDS ? CAUSE_SETGID : CAUSE_OTHER;
	case CALL_GROUPS:
		return changed & CHANGE_GROUPS ? CAUSE_GROUPS : CAUSE_OTHER;
	case CALL_CAPSET:
		return changed & CHANGE_CAPS ? CAUSE_CAPSET : CAUSE_OTHER;
	case CALL_PRCTL:
		return cause_of_prctl(event);
	case CALL_UNSHARE:
		return changed & CHANGE_USER_NS ? CAUSE_USERNS_CREATE : CAUSE_OTHER;
	case CALL_SETNS:
		return changed & CHANGE_USER_NS ? CAUSE_USERNS_JOIN : CAUSE_OTHER;
	default:
		return CAUSE_OTHER;
	}
}

/* A look found it; an exec that failed on its way explains what it left behind. */
static enum event_cause cause_of_nobody(const struct event_record *record, bool is_exact)
{
	bool is_claim = is_exact && record->action == EVENT_CREDENTIALS &&
			record->hook != HOOK_EXEC && record->hook != HOOK_COMPLETE &&
			!(record->flags & EVENT_REPAIR);

	return is_claim ? CAUSE_UNEXPLAINED : CAUSE_OTHER;
}

static enum event_cause cause_of_credentials(const struct event *event, bool is_exact)
{
	const struct event_record *record = event->record;
	bool is_told = record->hook == HOOK_CREDENTIALS || record->hook == HOOK_COMPLETE;
	enum event_cause cause;

	if (!is_told || record->flags & EVENT_INFERRED)
		return cause_of_nobody(record, is_exact);
	cause = cause_of_call(event, call_of(record), record->changed);
	/* The hook saw commit_creds() run, though no call of the task's asks for it. */
	if (cause == CAUSE_OTHER && record->hook == HOOK_CREDENTIALS &&
	    record->tier != TIER_SYSCALL)
		return CAUSE_KERNEL;
	return cause;
}

static enum event_cause cause_of_namespaces(const struct event_record *record)
{
	enum call call = record->flags & EVENT_INFERRED ? CALL_OTHER : call_of(record);

	if (call == CALL_UNSHARE)
		return CAUSE_NS_CREATE;
	return call == CALL_SETNS ? CAUSE_NS_JOIN : CAUSE_OTHER;
}

static enum event_cause cause_of_privileges(const struct event_record *record)
{
	if (record->changed & CHANGE_NO_NEW_PRIVS)
		return CAUSE_NO_NEW_PRIVS;
	return record->changed & CHANGE_SECCOMP ? CAUSE_SECCOMP : CAUSE_NONE;
}

/* The call is what was tried; unshare and setns tell no more of it. */
static enum event_cause cause_of_refused(const struct event_record *record)
{
	static const enum event_cause causes[] = {
		[CALL_SETUID] = CAUSE_SETUID,     [CALL_SETGID] = CAUSE_SETGID,
		[CALL_GROUPS] = CAUSE_GROUPS,     [CALL_CAPSET] = CAUSE_CAPSET,
		[CALL_UNSHARE] = CAUSE_NS_CREATE, [CALL_SETNS] = CAUSE_NS_JOIN,
	};
	enum call call = call_of(record);

	if (record->action == EVENT_IDMAP)
		return CAUSE_IDMAP_WRITE;
	return (size_t)call < ARRAY_SIZE(causes) ? causes[call] : CAUSE_NONE;
}

/* What execve never does: it was so before. */
static bool exec_is_innocent(const struct event *event)
{
	const struct id_block *now = &event->identity->ids;
	const struct event_before *before = event->before;
	__u32 flags = event->record->flags;
	__u32 securebits = event->identity->securebits ^ before->securebits;

	return event->record->changed & (CHANGE_GROUPS | CHANGE_USER_NS) ||
	       now->uid != before->ids.uid || now->gid != before->ids.gid ||
	       (now->euid != before->ids.euid && !(flags & EVENT_SETUID_FILE)) ||
	       (now->egid != before->ids.egid && !(flags & EVENT_SETGID_FILE)) ||
	       cap_differs(event, CAP_SET_BOUNDING) || securebits & ~SECBIT_KEEP_CAPS;
}

/* cap_bprm_creds_from_file() */
static enum event_cause cause_of_gain(const struct event *event, __u64 gained)
{
	if (!(gained & ~event->identity->caps[CAP_SET_AMBIENT]))
		return CAUSE_AMBIENT;
	if (!event->in_ids->uid || !event->in_ids->euid)
		return CAUSE_EXEC_ROOT;
	return CAUSE_EXEC_FILECAPS;
}

static enum event_cause cause_of_exec(const struct event *event)
{
	const struct task_identity *now = event->identity;
	const struct event_before *before = event->before;
	__u32 changed = event->record->changed;
	__u64 gained;

	if (!before || !now)
		return CAUSE_NONE;
	if (exec_is_innocent(event))
		return CAUSE_OTHER;
	if (now->ids.euid != before->ids.euid)
		return CAUSE_EXEC_SETUID;
	if (now->ids.egid != before->ids.egid)
		return CAUSE_EXEC_SETGID;
	gained = (now->caps[CAP_SET_PERMITTED] & ~before->caps[CAP_SET_PERMITTED]) |
		 (now->caps[CAP_SET_EFFECTIVE] & ~before->caps[CAP_SET_EFFECTIVE]);
	if (gained)
		return cause_of_gain(event, gained);
	if (changed & (CHANGE_IDS | CHANGE_CAPS | CHANGE_SECUREBITS))
		return CAUSE_EXEC_DROP;
	/* Into the time namespace that was made or joined for the children. */
	return changed & CHANGE_NS ? CAUSE_NS_JOIN : CAUSE_NONE;
}

/* Of a new process. A pid namespace is of its first process's making; a time namespace cannot be
 * told from one that was joined. */
static enum event_cause cause_of_fork(const struct event *event)
{
	const struct event_record *record = event->record;
	bool is_first = record->chain_count && event->chain[record->chain_count - 1].pid == 1;

	if (record->changed & CHANGE_USER_NS)
		return CAUSE_USERNS_CREATE;
	if (!(record->changed & CHANGE_NS) || !event->before)
		return CAUSE_NONE;
	for (size_t kind = 0; kind < NS_KINDS; kind++) {
		if (kind != NS_PID && kind != NS_TIME &&
		    event->identity->ns[kind] != event->before->ns[kind])
			return CAUSE_NS_CREATE;
	}
	return event->identity->ns[NS_PID] != event->before->ns[NS_PID] && is_first
		       ? CAUSE_NS_CREATE
		       : CAUSE_NS_JOIN;
}

enum event_cause cause_of(const struct event *event, bool is_exact)
{
	const struct event_record *record = event->record;

	if (record->error)
		return cause_of_refused(record);
	switch (record->action) {
	case EVENT_FORK:
		return cause_of_fork(event);
	case EVENT_EXEC:
		return cause_of_exec(event);
	case EVENT_CREDENTIALS:
		return cause_of_credentials(event, is_exact);
	case EVENT_NAMESPACES:
		return cause_of_namespaces(record);
	case EVENT_PRIVILEGES:
		return cause_of_privileges(record);
	case EVENT_IDMAP:
		return CAUSE_IDMAP_WRITE;
	default:
		return CAUSE_NONE;
	}
}
