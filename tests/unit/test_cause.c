/* SPDX-License-Identifier: GPL-2.0-only */
/* Causes, row by row: what the kernel side tells, and what is made of it. Numbers of 32-bit calls
 * are those of arch/x86/entry/syscalls/syscall_32.tbl that arm has too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <linux/securebits.h>
#include <sys/syscall.h>

#include "base/mem.h"
#include "event_make.h"
#include "source/cause.h"

#define CAP(number) (1ULL << (number))

/* An event of pid 100 with a before that is its after; tests then make the difference. */
struct change {
	struct event_make make;
	struct task_identity *now;
	struct event_before *before;
};

static void change_start(struct change *change, enum event_action action, enum hook_id hook,
			 enum hook_tier tier)
{
	struct event_before before = {0};

	memset(change, 0, sizeof(*change));
	event_make_start(&change->make, action, 100);
	change->make.record.hook = (__u8)hook;
	change->make.record.tier = (__u8)tier;
	change->now = event_make_identity(&change->make, "test", 1);
	change->now->ids = (struct id_block){1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000};
	before.ids = change->now->ids;
	memcpy(before.ns, change->now->ns, sizeof(before.ns));
	change->before = event_make_add(&change->make, PART_BEFORE, &before, sizeof(before));
	if (action == EVENT_EXEC)
		event_make_exec(&change->make, "/bin/x", "x", 2, 1);
}

static enum event_cause change_cause(struct change *change, bool is_exact)
{
	struct event event;

	assert_true(record_is_sound(&change->make.record.header, change->make.record.header.size));
	event_read(&change->make.record, &event);
	return cause_of(&event, is_exact);
}

struct call_row {
	int number;
	__u32 changed;
	enum event_cause cause;
};

static const struct call_row native[] = {
	{SYS_setuid, CHANGE_IDS, CAUSE_SETUID},
	{SYS_setreuid, CHANGE_IDS | CHANGE_CAPS, CAUSE_SETUID},
	{SYS_setresuid, CHANGE_CAPS, CAUSE_SETUID},
	{SYS_setfsuid, CHANGE_IDS, CAUSE_SETUID},
	{SYS_setgid, CHANGE_IDS, CAUSE_SETGID},
	{SYS_setregid, CHANGE_IDS, CAUSE_SETGID},
	{SYS_setresgid, CHANGE_IDS, CAUSE_SETGID},
	{SYS_setfsgid, CHANGE_IDS, CAUSE_SETGID},
	{SYS_setgroups, CHANGE_GROUPS, CAUSE_GROUPS},
	{SYS_capset, CHANGE_CAPS, CAUSE_CAPSET},
	{SYS_prctl, CHANGE_SECUREBITS, CAUSE_SECUREBITS},
	{SYS_unshare, CHANGE_USER_NS | CHANGE_CAPS, CAUSE_USERNS_CREATE},
	{SYS_setns, CHANGE_USER_NS | CHANGE_CAPS, CAUSE_USERNS_JOIN},
};

static const struct call_row compat[] = {
	{23, CHANGE_IDS, CAUSE_SETUID},    {213, CHANGE_IDS, CAUSE_SETUID},
	{70, CHANGE_IDS, CAUSE_SETUID},    {203, CHANGE_IDS, CAUSE_SETUID},
	{164, CHANGE_IDS, CAUSE_SETUID},   {208, CHANGE_IDS, CAUSE_SETUID},
	{138, CHANGE_IDS, CAUSE_SETUID},   {215, CHANGE_IDS, CAUSE_SETUID},
	{46, CHANGE_IDS, CAUSE_SETGID},    {214, CHANGE_IDS, CAUSE_SETGID},
	{71, CHANGE_IDS, CAUSE_SETGID},    {204, CHANGE_IDS, CAUSE_SETGID},
	{170, CHANGE_IDS, CAUSE_SETGID},   {210, CHANGE_IDS, CAUSE_SETGID},
	{139, CHANGE_IDS, CAUSE_SETGID},   {216, CHANGE_IDS, CAUSE_SETGID},
	{81, CHANGE_GROUPS, CAUSE_GROUPS}, {206, CHANGE_GROUPS, CAUSE_GROUPS},
	{185, CHANGE_CAPS, CAUSE_CAPSET},  {172, CHANGE_SECUREBITS, CAUSE_SECUREBITS},
};

static void assert_calls(const struct call_row *rows, size_t count, enum hook_id hook, __u16 flags)
{
	for (size_t i = 0; i < count; i++) {
		struct change change;

		change_start(&change, EVENT_CREDENTIALS, hook, TIER_KPROBE);
		change.make.record.syscall = (__s16)rows[i].number;
		change.make.record.changed = rows[i].changed;
		change.make.record.flags = flags;
		assert_int_equal(change_cause(&change, true), rows[i].cause);
	}
}

static void test_a_credential_call_is_the_cause_of_what_it_changes(void **state)
{
	(void)state;
	assert_calls(native, ARRAY_SIZE(native), HOOK_CREDENTIALS, 0);
}

static void test_numbers_of_32_bit_calls_are_read_in_their_own_table(void **state)
{
	(void)state;
	assert_calls(compat, ARRAY_SIZE(compat), HOOK_CREDENTIALS, EVENT_32BIT);
}

static void test_a_comparison_at_every_calls_end_knows_the_call(void **state)
{
	(void)state;
	assert_calls(native, ARRAY_SIZE(native), HOOK_COMPLETE, 0);
	assert_calls(compat, ARRAY_SIZE(compat), HOOK_COMPLETE, EVENT_32BIT);
}

static void assert_caps_cause(enum cap_set set, enum event_cause cause)
{
	struct change change;

	change_start(&change, EVENT_CREDENTIALS, HOOK_CREDENTIALS, TIER_SYSCALL);
	change.make.record.syscall = SYS_prctl;
	change.make.record.changed = CHANGE_CAPS;
	change.now->caps[set] = CAP(13);
	assert_int_equal(change_cause(&change, false), cause);
}

static void test_prctl_is_told_by_the_set_that_differs(void **state)
{
	(void)state;
	assert_caps_cause(CAP_SET_AMBIENT, CAUSE_AMBIENT);
	assert_caps_cause(CAP_SET_BOUNDING, CAUSE_BOUNDING_DROP);
	assert_caps_cause(CAP_SET_EFFECTIVE, CAUSE_OTHER);
}

static void assert_credentials(enum hook_id hook, enum hook_tier tier, int number, __u16 flags,
			       bool is_exact, enum event_cause cause)
{
	struct change change;

	change_start(&change, EVENT_CREDENTIALS, hook, tier);
	change.make.record.changed = CHANGE_IDS;
	change.make.record.syscall = (__s16)number;
	change.make.record.flags = flags;
	assert_int_equal(change_cause(&change, is_exact), cause);
}

static void test_commit_creds_outside_the_calls_that_ask_for_it_is_the_kernels(void **state)
{
	(void)state;
	assert_credentials(HOOK_CREDENTIALS, TIER_KPROBE, -1, 0, true, CAUSE_KERNEL);
	assert_credentials(HOOK_CREDENTIALS, TIER_FENTRY, SYS_ioctl, 0, true, CAUSE_KERNEL);
}

static void test_a_call_that_cannot_have_done_it_is_not_blamed(void **state)
{
	(void)state;
	assert_credentials(HOOK_CREDENTIALS, TIER_SYSCALL, SYS_setgroups, 0, false, CAUSE_OTHER);
	assert_credentials(HOOK_CREDENTIALS, TIER_SYSCALL, SYS_capset, 0, false, CAUSE_OTHER);
}

static void test_what_nobody_told_of_is_unexplained_only_where_somebody_would_have(void **state)
{
	static const enum hook_id lookers[] = {HOOK_CREDENTIALS, HOOK_NAMESPACES, HOOK_REFUSED,
					       HOOK_EXIT,        HOOK_FORK,       HOOK_SWEEP,
					       HOOK_IDMAP};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lookers); i++) {
		assert_credentials(lookers[i], TIER_KPROBE, -1, EVENT_INFERRED, true,
				   CAUSE_UNEXPLAINED);
		assert_credentials(lookers[i], TIER_KPROBE, -1, EVENT_INFERRED, false, CAUSE_OTHER);
	}
}

static void test_what_an_exec_left_behind_is_never_unexplained(void **state)
{
	(void)state;
	assert_credentials(HOOK_EXEC, TIER_KPROBE, -1, EVENT_INFERRED, true, CAUSE_OTHER);
}

static void test_what_a_repair_found_is_never_unexplained(void **state)
{
	(void)state;
	assert_credentials(HOOK_SWEEP, TIER_ITERATOR, -1, EVENT_INFERRED | EVENT_REPAIR, true,
			   CAUSE_OTHER);
}

static void test_a_comparison_at_a_calls_end_that_does_not_fit_is_other(void **state)
{
	(void)state;
	assert_credentials(HOOK_COMPLETE, TIER_TRACEPOINT, SYS_read, 0, true, CAUSE_OTHER);
}

static void assert_namespaces(int number, __u16 flags, enum event_cause cause)
{
	struct change change;

	change_start(&change, EVENT_NAMESPACES, HOOK_NAMESPACES, TIER_KPROBE);
	change.make.record.changed = CHANGE_NS;
	change.make.record.syscall = (__s16)number;
	change.make.record.flags = flags;
	assert_int_equal(change_cause(&change, true), cause);
}

static void test_namespaces_are_made_by_unshare_and_joined_by_setns(void **state)
{
	(void)state;
	assert_namespaces(SYS_unshare, 0, CAUSE_NS_CREATE);
	assert_namespaces(SYS_setns, 0, CAUSE_NS_JOIN);
	assert_namespaces(SYS_setns, EVENT_INFERRED, CAUSE_OTHER);
	assert_namespaces(-1, 0, CAUSE_OTHER);
}

static void test_other_namespaces_that_nobody_told_of_are_never_unexplained(void **state)
{
	(void)state;
	assert_namespaces(-1, EVENT_INFERRED, CAUSE_OTHER);
}

static void assert_action(enum event_action action, __u32 changed, enum event_cause cause)
{
	struct change change;

	change_start(&change, action, HOOK_PRIVILEGES, TIER_SYSCALL);
	change.make.record.changed = changed;
	assert_int_equal(change_cause(&change, true), cause);
}

static void test_privileges_name_themselves(void **state)
{
	(void)state;
	assert_action(EVENT_PRIVILEGES, CHANGE_NO_NEW_PRIVS, CAUSE_NO_NEW_PRIVS);
	assert_action(EVENT_PRIVILEGES, CHANGE_SECCOMP, CAUSE_SECCOMP);
	assert_action(EVENT_IDMAP, 0, CAUSE_IDMAP_WRITE);
}

static void assert_refused(enum event_action action, int number, enum event_cause cause)
{
	struct change change;

	change_start(&change, action, HOOK_REFUSED, TIER_SYSCALL);
	change.make.record.syscall = (__s16)number;
	change.make.record.error = 1;
	assert_int_equal(change_cause(&change, true), cause);
}

static void test_a_refused_call_is_named_by_what_it_would_have_done(void **state)
{
	(void)state;
	assert_refused(EVENT_NAMESPACES, SYS_setns, CAUSE_NS_JOIN);
	assert_refused(EVENT_NAMESPACES, SYS_unshare, CAUSE_NS_CREATE);
	assert_refused(EVENT_CREDENTIALS, SYS_capset, CAUSE_CAPSET);
	assert_refused(EVENT_CREDENTIALS, SYS_setresuid, CAUSE_SETUID);
	assert_refused(EVENT_CREDENTIALS, SYS_setgid, CAUSE_SETGID);
	assert_refused(EVENT_CREDENTIALS, SYS_setgroups, CAUSE_GROUPS);
	assert_refused(EVENT_IDMAP, SYS_write, CAUSE_IDMAP_WRITE);
}

static void exec_start(struct change *change, __u16 flags, __u32 changed)
{
	change_start(change, EVENT_EXEC, HOOK_EXEC, TIER_TRACEPOINT);
	change->make.record.flags = flags;
	change->make.record.changed = changed;
}

static void test_exec_of_a_setuid_file_that_changes_the_user(void **state)
{
	struct change change;

	(void)state;
	exec_start(&change, EVENT_SETUID_FILE, CHANGE_IDS | CHANGE_CAPS);
	change.now->ids.euid = change.now->ids.suid = change.now->ids.fsuid = 0;
	change.now->caps[CAP_SET_PERMITTED] = change.now->caps[CAP_SET_EFFECTIVE] = ~0ULL;
	assert_int_equal(change_cause(&change, true), CAUSE_EXEC_SETUID);
	change.make.record.flags = 0;
	assert_int_equal(change_cause(&change, true), CAUSE_OTHER);
}

static void test_exec_of_a_setgid_file_that_changes_the_group(void **state)
{
	struct change change;

	(void)state;
	exec_start(&change, EVENT_SETGID_FILE, CHANGE_IDS);
	change.now->ids.egid = change.now->ids.sgid = change.now->ids.fsgid = 42;
	assert_int_equal(change_cause(&change, true), CAUSE_EXEC_SETGID);
	change.make.record.flags = 0;
	assert_int_equal(change_cause(&change, true), CAUSE_OTHER);
}

static void test_a_gain_at_exec_is_roots_or_the_files(void **state)
{
	struct change change;

	(void)state;
	exec_start(&change, 0, CHANGE_CAPS);
	change.now->caps[CAP_SET_PERMITTED] = CAP(10);
	assert_int_equal(change_cause(&change, true), CAUSE_EXEC_FILECAPS);
	change.now->ids.uid = change.before->ids.uid = 0;
	assert_int_equal(change_cause(&change, true), CAUSE_EXEC_ROOT);
}

static void test_root_of_a_user_namespace_gains_as_root(void **state)
{
	struct id_block inside = {0};
	struct event event;
	struct change change;

	(void)state;
	exec_start(&change, 0, CHANGE_CAPS);
	change.now->caps[CAP_SET_PERMITTED] = CAP(10);
	event_read(&change.make.record, &event);
	event.in_ids = &inside;
	assert_int_equal(cause_of(&event, true), CAUSE_EXEC_ROOT);
}

static void test_ambient_capabilities_that_exec_makes_effective(void **state)
{
	struct change change;

	(void)state;
	exec_start(&change, 0, CHANGE_CAPS);
	change.now->caps[CAP_SET_AMBIENT] = change.before->caps[CAP_SET_AMBIENT] = CAP(10);
	change.now->caps[CAP_SET_PERMITTED] = change.before->caps[CAP_SET_PERMITTED] = CAP(10);
	change.now->caps[CAP_SET_EFFECTIVE] = CAP(10);
	assert_int_equal(change_cause(&change, true), CAUSE_AMBIENT);
}

static void test_a_loss_at_exec_is_a_drop(void **state)
{
	struct change change;

	(void)state;
	exec_start(&change, 0, CHANGE_CAPS);
	change.before->caps[CAP_SET_PERMITTED] = CAP(10);
	assert_int_equal(change_cause(&change, true), CAUSE_EXEC_DROP);
	exec_start(&change, 0, CHANGE_IDS);
	change.before->ids.suid = 0;
	assert_int_equal(change_cause(&change, true), CAUSE_EXEC_DROP);
	exec_start(&change, 0, CHANGE_SECUREBITS);
	change.before->securebits = SECBIT_KEEP_CAPS;
	assert_int_equal(change_cause(&change, true), CAUSE_EXEC_DROP);
}

static void test_what_exec_never_does_was_done_before(void **state)
{
	struct change change;

	(void)state;
	exec_start(&change, EVENT_SETUID_FILE, CHANGE_IDS);
	change.before->ids.uid = 5;
	assert_int_equal(change_cause(&change, true), CAUSE_OTHER);
	exec_start(&change, 0, CHANGE_GROUPS);
	assert_int_equal(change_cause(&change, true), CAUSE_OTHER);
	exec_start(&change, 0, CHANGE_USER_NS);
	assert_int_equal(change_cause(&change, true), CAUSE_OTHER);
	exec_start(&change, 0, CHANGE_CAPS);
	change.before->caps[CAP_SET_BOUNDING] = CAP(10);
	assert_int_equal(change_cause(&change, true), CAUSE_OTHER);
	exec_start(&change, 0, CHANGE_SECUREBITS);
	change.before->securebits = SECBIT_NOROOT;
	assert_int_equal(change_cause(&change, true), CAUSE_OTHER);
}

static void test_exec_into_the_time_namespace_of_the_children_joins_it(void **state)
{
	struct change change;

	(void)state;
	exec_start(&change, 0, CHANGE_NS);
	change.now->ns[NS_TIME] = 7;
	assert_int_equal(change_cause(&change, true), CAUSE_NS_JOIN);
}

static void test_an_exec_that_changes_nothing_has_no_cause(void **state)
{
	struct event_make make = {0};
	struct event event;

	(void)state;
	event_make_start(&make, EVENT_EXEC, 100);
	event_make_identity(&make, "test", 1);
	event_make_exec(&make, "/bin/x", "x", 2, 1);
	event_read(&make.record, &event);
	assert_int_equal(cause_of(&event, true), CAUSE_NONE);
}

static void assert_fork(__u32 changed, enum ns_kind kind, __u32 pid_inside, enum event_cause cause)
{
	struct change change;
	struct pid_level *chain;

	change_start(&change, EVENT_FORK, HOOK_FORK, TIER_TRACEPOINT);
	change.make.record.changed = changed;
	change.now->ns[kind] += 1;
	chain = (struct pid_level *)(change.now + 1);
	chain[0].pid = pid_inside;
	assert_int_equal(change_cause(&change, true), cause);
}

static void test_a_child_in_namespaces_of_its_own(void **state)
{
	(void)state;
	assert_fork(CHANGE_USER_NS, NS_USER, 9, CAUSE_USERNS_CREATE);
	assert_fork(CHANGE_NS, NS_MNT, 9, CAUSE_NS_CREATE);
	assert_fork(CHANGE_NS, NS_NET, 9, CAUSE_NS_CREATE);
	assert_fork(0, NS_MNT, 9, CAUSE_NONE);
}

static void test_the_first_of_a_pid_namespace_made_it_and_others_join(void **state)
{
	(void)state;
	assert_fork(CHANGE_NS, NS_PID, 1, CAUSE_NS_CREATE);
	assert_fork(CHANGE_NS, NS_PID, 9, CAUSE_NS_JOIN);
	assert_fork(CHANGE_NS, NS_TIME, 9, CAUSE_NS_JOIN);
}

static void test_ends_and_control_groups_have_no_cause(void **state)
{
	struct event_make make = {0};
	struct event event;

	(void)state;
	event_make_start(&make, EVENT_EXIT, 100);
	event_make_exit(&make, 0);
	event_read(&make.record, &event);
	assert_int_equal(cause_of(&event, true), CAUSE_NONE);
	make.record.action = EVENT_CGROUP_MAKE;
	assert_int_equal(cause_of(&event, true), CAUSE_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_credential_call_is_the_cause_of_what_it_changes),
		cmocka_unit_test(test_numbers_of_32_bit_calls_are_read_in_their_own_table),
		cmocka_unit_test(test_a_comparison_at_every_calls_end_knows_the_call),
		cmocka_unit_test(test_prctl_is_told_by_the_set_that_differs),
		cmocka_unit_test(
			test_commit_creds_outside_the_calls_that_ask_for_it_is_the_kernels),
		cmocka_unit_test(test_a_call_that_cannot_have_done_it_is_not_blamed),
		cmocka_unit_test(
			test_what_nobody_told_of_is_unexplained_only_where_somebody_would_have),
		cmocka_unit_test(test_what_an_exec_left_behind_is_never_unexplained),
		cmocka_unit_test(test_what_a_repair_found_is_never_unexplained),
		cmocka_unit_test(test_a_comparison_at_a_calls_end_that_does_not_fit_is_other),
		cmocka_unit_test(test_namespaces_are_made_by_unshare_and_joined_by_setns),
		cmocka_unit_test(test_other_namespaces_that_nobody_told_of_are_never_unexplained),
		cmocka_unit_test(test_privileges_name_themselves),
		cmocka_unit_test(test_a_refused_call_is_named_by_what_it_would_have_done),
		cmocka_unit_test(test_exec_of_a_setuid_file_that_changes_the_user),
		cmocka_unit_test(test_exec_of_a_setgid_file_that_changes_the_group),
		cmocka_unit_test(test_a_gain_at_exec_is_roots_or_the_files),
		cmocka_unit_test(test_root_of_a_user_namespace_gains_as_root),
		cmocka_unit_test(test_ambient_capabilities_that_exec_makes_effective),
		cmocka_unit_test(test_a_loss_at_exec_is_a_drop),
		cmocka_unit_test(test_what_exec_never_does_was_done_before),
		cmocka_unit_test(test_exec_into_the_time_namespace_of_the_children_joins_it),
		cmocka_unit_test(test_an_exec_that_changes_nothing_has_no_cause),
		cmocka_unit_test(test_a_child_in_namespaces_of_its_own),
		cmocka_unit_test(test_the_first_of_a_pid_namespace_made_it_and_others_join),
		cmocka_unit_test(test_ends_and_control_groups_have_no_cause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
