/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "host/procstat.h"

#define BEHIND_NAME                                                                            \
	") S 1 3816 3727 34817 3994 4194560 1 2 3 4 1500 250 7 8 -2 0 9 0 103262 4636672 207 " \
	"18446744073709551615 1 1 0\n"

static void check_stat(const char *line, const char *comm)
{
	struct procstat stat;

	assert_int_equal(procstat_parse_stat(line, strlen(line), &stat), 0);
	assert_int_equal(stat.comm_length, strlen(comm));
	assert_memory_equal(stat.comm, comm, stat.comm_length);
	assert_int_equal(stat.state, 'S');
	assert_int_equal(stat.ppid, 1);
	assert_int_equal(stat.pgrp, 3816);
	assert_int_equal(stat.session, 3727);
	assert_int_equal(stat.tty_nr, 34817);
	assert_int_equal(stat.tpgid, 3994);
	assert_int_equal(stat.flags, 4194560);
	assert_int_equal(stat.user_ticks, 1500);
	assert_int_equal(stat.system_ticks, 250);
	assert_int_equal(stat.priority, -2);
	assert_int_equal(stat.nice, 0);
	assert_int_equal(stat.threads, 9);
	assert_int_equal(stat.start_ticks, 103262);
	assert_int_equal(stat.vsize_bytes, 4636672);
}

static void a_name_may_hold_anything(void **state)
{
	(void)state;
	check_stat("3816 (sleep" BEHIND_NAME, "sleep");
	check_stat("3816 (" BEHIND_NAME, "");
	check_stat("3816 (a) R 9 9 9 (b" BEHIND_NAME, "a) R 9 9 9 (b");
	check_stat("3816 (x\n) S 2\xff" BEHIND_NAME, "x\n) S 2\xff");
}

static void what_is_no_stat_line_is_refused(void **state)
{
	static const char *const lines[] = {"",      "1",       "1 (a",         "1 )a(",
					    "1 (a)", "1 (a) S", "1 (a) S 1 2 3"};
	struct procstat stat;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_int_equal(procstat_parse_stat(lines[i], strlen(lines[i]), &stat), -22);
}

static void numbers_behind_the_name_are_found_by_their_number(void **state)
{
	static const char line[] = "3816 (a) R 9 9 (b" BEHIND_NAME;
	uint64_t fields[27] = {0};

	(void)state;
	assert_int_equal(procstat_parse_numbers(line, sizeof(line) - 1, fields, 26), 0);
	assert_int_equal(fields[4], 1);
	assert_int_equal(fields[22], 103262);
	assert_int_equal(fields[25], 18446744073709551615ULL);
	assert_int_equal(fields[26], 1);
	assert_int_equal(procstat_parse_numbers("1 (a) S 7 8", 11, fields, 5), 0);
	assert_int_equal(fields[5], 8);
	assert_int_equal(procstat_parse_numbers("1 (a) S 7 8", 11, fields, 6), -22);
}

static void every_field_of_status_is_taken(void **state)
{
	static const char text[] =
		"Name:\tUid:\\n\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t3816\n"
		"Uid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t4294967295\nFDSize:\t64\n"
		"Groups:\t10 20 30 \nNStgid:\t3816\t12\t1\nNSpid:\t9\t9\t9\n"
		"VmLck:\t      16 kB\nVmRSS:\t     828 kB\nThreads:\t1\n"
		"CapInh:\t0000000000000001\nCapPrm:\t0000000000000002\n"
		"CapEff:\t000001ffffffffff\nCapBnd:\tFFFFFFFFFFFFFFFF\n"
		"CapAmb:\t0000000000000010\nNoNewPrivs:\t1\nSeccomp:\t2\n"
		"Seccomp_filters:\t7\n";
	struct procstatus status;

	(void)state;
	assert_int_equal(procstat_parse_status(text, sizeof(text) - 1, &status), 0);
	assert_int_equal(status.ids.uid, 1);
	assert_int_equal(status.ids.euid, 2);
	assert_int_equal(status.ids.suid, 3);
	assert_int_equal(status.ids.fsuid, 4);
	assert_int_equal(status.ids.gid, 5);
	assert_int_equal(status.ids.egid, 6);
	assert_int_equal(status.ids.sgid, 7);
	assert_int_equal(status.ids.fsgid, UINT32_MAX);
	assert_int_equal(status.groups_total, 3);
	assert_int_equal(status.groups[2], 30);
	assert_int_equal(status.pids_count, 3);
	assert_int_equal(status.pids[1], 12);
	assert_int_equal(status.locked_kib, 16);
	assert_int_equal(status.rss_kib, 828);
	assert_int_equal(status.caps[CAP_SET_INHERITABLE], 1);
	assert_int_equal(status.caps[CAP_SET_PERMITTED], 2);
	assert_true(status.caps[CAP_SET_EFFECTIVE] == 0x1ffffffffffULL);
	assert_true(status.caps[CAP_SET_BOUNDING] == UINT64_MAX);
	assert_int_equal(status.caps[CAP_SET_AMBIENT], 0x10);
	assert_true(status.has_no_new_privs);
	assert_int_equal(status.no_new_privs, 1);
	assert_int_equal(status.seccomp, 2);
}

static void more_groups_than_are_kept_are_counted(void **state)
{
	char text[2048] = "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t";
	struct procstatus status;

	(void)state;
	for (int i = 0; i < 100; i++)
		strcat(text, "77 ");
	strcat(text, "\nCapEff:\t0000000000000000\n");
	assert_int_equal(procstat_parse_status(text, strlen(text), &status), 0);
	assert_int_equal(status.groups_total, 100);
	assert_int_equal(status.groups[GROUPS_KEPT - 1], 77);
}

static void an_old_kernel_tells_less(void **state)
{
	static const char text[] =
		"Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nCapEff:\t0000000000000000\n";
	struct procstatus status;

	(void)state;
	assert_int_equal(procstat_parse_status(text, sizeof(text) - 1, &status), 0);
	assert_int_equal(status.pids_count, 0);
	assert_false(status.has_no_new_privs);
	assert_int_equal(procstat_parse_status(text, 30, &status), -22);
	assert_int_equal(procstat_parse_status("", 0, &status), -22);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_may_hold_anything),
		cmocka_unit_test(what_is_no_stat_line_is_refused),
		cmocka_unit_test(numbers_behind_the_name_are_found_by_their_number),
		cmocka_unit_test(every_field_of_status_is_taken),
		cmocka_unit_test(more_groups_than_are_kept_are_counted),
		cmocka_unit_test(an_old_kernel_tells_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
