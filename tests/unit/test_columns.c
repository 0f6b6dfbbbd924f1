/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine.h"

#include <locale.h>
#include <stdio.h>
#include <time.h>
#include <wchar.h>

static struct text shown;

#define assert_cell(machine, pid, key, expected) \
	assert_string_equal(cell_of(machine, pid, key, &shown), expected)

static void every_column_is_found_by_key_heading_and_json_key(void **state)
{
	const char *nearest;

	(void)state;
	for (size_t i = 0; i < proc_columns_count; i++) {
		const struct column *column = &proc_columns[i];

		if (column->is_hidden) {
			assert_ptr_not_equal(column_find(column->key, &nearest), column);
			continue;
		}
		assert_ptr_equal(column_find(column->key, &nearest), column);
		assert_ptr_equal(column_find(column->heading, &nearest), column);
		assert_ptr_equal(column_find(column->json, &nearest), column);
		assert_non_null(column->meaning);
		assert_non_null(column->get);
	}
	for (size_t i = 0; proc_columns_default[i]; i++)
		column_of(proc_columns_default[i]);
}

static void spelling_of_a_column_is_free(void **state)
{
	(void)state;
	assert_ptr_equal(column_of("In_User"), column_of("IN-USER"));
	assert_ptr_equal(column_of("%cpu"), column_of("CPU"));
	assert_ptr_equal(column_of("cpu_percent"), column_of("CPU"));
	assert_ptr_equal(column_of("ns.mnt"), column_of("ns-mnt"));
	assert_ptr_equal(column_of("pcpu"), column_of("cpu")); /* ps's names */
	assert_ptr_equal(column_of("ARGS"), column_of("command"));
}

static void an_unknown_column_gets_the_nearest_name(void **state)
{
	const char *nearest = NULL;

	(void)state;
	assert_null(column_find("secomp", &nearest));
	assert_string_equal(nearest, "seccomp");
	assert_null(column_find("xyzzyplugh", &nearest));
	assert_null(nearest);
}

static void stat_letters_stand_as_in_ps(void **state)
{
	struct machine machine;
	struct process process = process_make(10);

	(void)state;
	machine_start(&machine);
	machine_add(&machine, &process);
	process = process_make(11);
	process.task.flags = TASK_SESSION_LEADER | TASK_FOREGROUND | TASK_LOCKED;
	process.task.threads = 2;
	process.task.nice = -5;
	process.task.state = 'R';
	machine_add(&machine, &process);
	process = process_make(12);
	process.task.nice = 10;
	process.task.state = 'D';
	machine_add(&machine, &process);
	machine_settle(&machine);
	assert_cell(&machine, 10, "stat", "S");
	assert_cell(&machine, 11, "stat", "R<Lsl+");
	assert_cell(&machine, 12, "stat", "DN");
	machine_end(&machine);
}

static void tty_is_named_as_in_dev(void **state)
{
	static const struct {
		uint32_t major;
		uint32_t minor;
		const char *name;
	} cases[] = {
		{136, 0, "pts/0"}, {136, 300, "pts/300"}, {137, 1, "pts/257"},
		{4, 1, "tty1"},    {4, 64, "ttyS0"},      {5, 1, "console"},
		{229, 0, "hvc0"},  {204, 64, "ttyAMA0"},  {188, 2, "ttyUSB2"},
		{0, 0, "?"},       {77, 3, "77:3"},
	};
	struct machine machine;

	(void)state;
	machine_start(&machine);
	for (uint32_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct process process = process_make(i + 1);

		process.task.tty_major = cases[i].major;
		process.task.tty_minor = cases[i].minor;
		machine_add(&machine, &process);
	}
	machine_settle(&machine);
	for (uint32_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_cell(&machine, i + 1, "tty", cases[i].name);
	machine_end(&machine);
}

static void start_is_a_time_today_then_a_day_then_a_year(void **state)
{
	/* 06:14:31 on the 21st: six hours ago was today, seven was yesterday. */
	static const struct {
		int64_t ago;
		const char *expected;
	} cases[] = {
		{0, "06:14"},
		{6 * 3600, "00:14"},
		{7 * 3600, "Nov20"},
		{9 * 86400, "Nov12"},
	};
	struct machine machine;

	(void)state;
	machine_start(&machine);
	for (uint32_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct process process = process_make(i + 1);

		process.task.start_boot_ns = (NOW_BOOT - (uint64_t)cases[i].ago) * SECOND;
		machine_add(&machine, &process);
	}
	machine_settle(&machine);
	for (uint32_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_cell(&machine, i + 1, "start", cases[i].expected);
	machine.facts.boot_now_ns += 60 * 86400 * SECOND;
	assert_cell(&machine, 1, "start", "2026");
	machine_end(&machine);
}

static void percentages_are_cut_not_rounded_and_lose_the_decimal_at_100(void **state)
{
	static const struct {
		uint64_t cpu_ms;
		const char *expected;
	} cases[] = {
		{0, "0.0"},        {7199, "0.1"},    {35999, "0.9"},
		{3599999, "99.9"}, {3600000, "100"}, {14400000, "400"},
	};
	struct machine machine;

	(void)state;
	machine_start(&machine);
	for (uint32_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct process process = process_make(i + 1); /* 3600 s old */

		process.task.cpu_ns = cases[i].cpu_ms * 1000000;
		process.task.rss_pages = 1000;
		machine_add(&machine, &process);
	}
	machine_settle(&machine);
	for (uint32_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_cell(&machine, i + 1, "%cpu", cases[i].expected);
	assert_cell(&machine, 1, "rss", "4000");
	assert_cell(&machine, 1, "%mem", "0.0"); /* 4000 of 8010000 KiB */
	machine_end(&machine);
}

static void cpu_time_is_minutes_and_seconds(void **state)
{
	struct machine machine;
	struct process process = process_make(1);
	struct thread_record thread = {{sizeof(thread), RECORD_THREAD, 0}, 0, 0, 1, 7};

	(void)state;
	machine_start(&machine);
	process.task.cpu_ns = 1659 * SECOND;
	machine_add(&machine, &process);
	thread.start_boot_ns = process.task.start_boot_ns;
	thread.cpu_ns = SECOND + SECOND / 2;
	model_apply(machine.view.model, &thread.header);
	machine_settle(&machine);
	assert_cell(&machine, 1, "time", "27:40");
	machine_end(&machine);
}

static void priority_and_nice_are_as_ps_shows_them(void **state)
{
	struct machine machine;
	struct process process = process_make(1);

	(void)state;
	machine_start(&machine);
	machine_add(&machine, &process);
	process = process_make(2);
	process.task.priority = -51; /* real time, 50 */
	machine_add(&machine, &process);
	machine_settle(&machine);
	assert_cell(&machine, 1, "pri", "19");
	assert_cell(&machine, 1, "ni", "0");
	assert_cell(&machine, 2, "pri", "90");
	assert_cell(&machine, 2, "ni", "-");
	machine_end(&machine);
}

static void command_joins_arguments_or_names_in_brackets(void **state)
{
	struct machine machine;
	struct process process = process_make(1);

	(void)state;
	machine_start(&machine);
	process.args = "sleep\0"
		       "3600\0"
		       "\0";
	process.args_length = 12;
	machine_add(&machine, &process);
	process = process_make(2); /* wiped its arguments */
	process.args = "\0\0\0";
	process.args_length = 3;
	machine_add(&machine, &process);
	process = process_make(3);
	process.task.flags = TASK_KTHREAD;
	process.long_name = "kworker/0:1H-kblockd";
	machine_add(&machine, &process);
	process = process_make(4);
	process.task.flags = TASK_ZOMBIE;
	machine_add(&machine, &process);
	process = process_make(5);
	process.task.unknown = FIELD_BIT(FIELD_ARGS);
	machine_add(&machine, &process);
	process = process_make(6);
	process.args = "sleep\0"
		       "36";
	process.args_length = 8;
	process.args_cut = true;
	machine_add(&machine, &process);
	machine_settle(&machine);
	assert_cell(&machine, 1, "command", "sleep 3600");
	assert_cell(&machine, 2, "command", "[sleep]");
	assert_cell(&machine, 3, "command", "[kworker/0:1H-kblockd]");
	assert_cell(&machine, 4, "command", "[sleep] <defunct>");
	assert_cell(&machine, 5, "command", "[sleep]");
	assert_cell(&machine, 6, "command", "sleep 36...");
	machine_end(&machine);
}

static void capabilities_say_where_they_count(void **state)
{
	struct machine machine;
	struct process process = process_make(1);

	(void)state;
	machine_start(&machine);
	machine_add(&machine, &process);
	process = process_make_inside(2, 1, 4026532000);
	process.task.ns[NS_USER] = 4026532003;
	process.task.caps[CAP_SET_EFFECTIVE] = 0x800405fb;
	machine_add(&machine, &process);
	process = process_make_inside(3, 2, 4026532000);
	process.task.ns[NS_USER] = 0;
	process.task.unknown = FIELD_BIT(FIELD_NS + NS_USER);
	machine_add(&machine, &process);
	process = process_make(4);
	process.task.caps[CAP_SET_EFFECTIVE] = 0;
	process.task.caps[CAP_SET_INHERITABLE] = 1ULL << 13 | 1ULL << 21;
	process.task.ns[NS_USER] = 0;
	process.task.unknown = FIELD_BIT(FIELD_NS + NS_USER);
	machine_add(&machine, &process);
	machine_settle(&machine);
	assert_cell(&machine, 1, "caps", "full");
	assert_cell(&machine, 1, "host-effective", "yes");
	assert_cell(&machine, 2, "caps", "podman-default in userns");
	assert_cell(&machine, 2, "host-effective", "no");
	assert_cell(&machine, 3, "caps", "docker-default in userns?");
	assert_cell(&machine, 3, "host-effective", "?");
	assert_cell(&machine, 4, "caps", "none");
	assert_cell(&machine, 4, "inh", "NET_RAW,SYS_ADMIN");
	assert_cell(&machine, 4, "inh-hex", "0000000000202000");
	assert_cell(&machine, 4, "eff", "-");
	machine_end(&machine);
}

static void columns_of_the_inside_do_not_apply_to_host_processes(void **state)
{
	struct machine machine;
	struct process process = process_make(1);

	(void)state;
	machine_start(&machine);
	machine_add(&machine, &process);
	process = process_make_inside(2, 7, 4026532000);
	process.task.in_ppid = 0;
	process_set_euid(&process, USER_NAMELESS, 33);
	machine_add(&machine, &process);
	machine_settle(&machine);
	for (size_t i = 0; i < proc_columns_count; i++) {
		if (!strncmp(proc_columns[i].key, "in-", 3))
			assert_cell(&machine, 1, proc_columns[i].key, "-");
	}
	assert_cell(&machine, 1, "container", "-");
	assert_cell(&machine, 2, "in-pid", "7");
	assert_cell(&machine, 2, "in-ppid", "0");
	assert_cell(&machine, 2, "in-user", "33");
	assert_cell(&machine, 2, "user", "4000001");
	assert_cell(&machine, 2, "chain", "2/7");
	assert_cell(&machine, 1, "user", "root");
	machine_end(&machine);
}

static void shared_names_the_namespaces_of_the_host(void **state)
{
	struct machine machine;
	struct process process = process_make(1);

	(void)state;
	machine_start(&machine);
	machine_add(&machine, &process);
	process = process_make_inside(2, 1, 4026532000);
	machine_add(&machine, &process);
	process = process_make(3);
	memset(process.task.ns, 0, sizeof(process.task.ns));
	process.task.flags = TASK_ZOMBIE;
	machine_add(&machine, &process);
	process = process_make(4);
	process.task.unknown = FIELD_BIT(FIELD_NS + NS_NET);
	machine_add(&machine, &process);
	machine_settle(&machine);
	assert_cell(&machine, 1, "shared", "mnt,pid,net,ipc,uts,cgroup,time,user");
	assert_cell(&machine, 2, "shared", "net,ipc,uts,cgroup,time,user");
	assert_cell(&machine, 3, "shared", "-");
	assert_cell(&machine, 3, "ns-mnt", "-");
	assert_cell(&machine, 4, "shared", "?");
	assert_cell(&machine, 4, "ns-net", "?");
	machine_end(&machine);
}

static void shared_is_unknown_where_the_hosts_own_namespace_is(void **state)
{
	struct machine machine;
	struct process process = process_make(1);

	(void)state;
	machine_start(&machine);
	/* Without a host record only the fixed inodes are known, and the mount namespace has none. */
	model_free(machine.view.model);
	machine.view.model = model_new();
	machine_add(&machine, &process);
	machine_settle(&machine);
	assert_cell(&machine, 1, "shared", "?");
	machine_end(&machine);
}

static void other_columns_show_their_field(void **state)
{
	struct machine machine;
	struct process process = process_make(1);

	(void)state;
	machine_start(&machine);
	process.task.ids = (struct id_block){1, 2, 3, 4, 5, 6, 7, 8};
	process.task.groups_kept = 2;
	process.task.groups_total = 2;
	process.groups[0] = 27;
	process.groups[1] = 999;
	process.task.securebits = 47;
	process.task.no_new_privs = 1;
	process.task.seccomp = 2;
	process.task.loginuid = 1000;
	process.task.user_ns_owner = USER_NAMELESS;
	process.cgroup = "/user.slice";
	process.task.cgroup_id = 4242;
	machine_add(&machine, &process);
	process = process_make(2);
	process.task.groups_kept = 1;
	process.task.groups_total = 33;
	process.task.flags = TASK_CGROUP_CUT;
	process.cgroup = "end/of.scope";
	machine_add(&machine, &process);
	machine_settle(&machine);
	/* The order of struct id_block is the kernel's: uid gid suid sgid euid egid fsuid fsgid. */
	assert_cell(&machine, 1, "uid", "1");
	assert_cell(&machine, 1, "gid", "2");
	assert_cell(&machine, 1, "suid", "3");
	assert_cell(&machine, 1, "sgid", "4");
	assert_cell(&machine, 1, "euid", "5");
	assert_cell(&machine, 1, "egid", "6");
	assert_cell(&machine, 1, "fsuid", "7");
	assert_cell(&machine, 1, "fsgid", "8");
	assert_cell(&machine, 1, "groups", "27,999");
	assert_cell(&machine, 1, "securebits", "47");
	assert_cell(&machine, 1, "nnp", "yes");
	assert_cell(&machine, 1, "seccomp", "filter");
	assert_cell(&machine, 1, "loginuid", "1000");
	assert_cell(&machine, 1, "session", "-");
	assert_cell(&machine, 1, "owner", "4000001");
	assert_cell(&machine, 1, "cgroup", "/user.slice");
	assert_cell(&machine, 1, "cgroup-id", "4242");
	assert_cell(&machine, 1, "comm", "sleep");
	assert_cell(&machine, 2, "groups", "0...");
	assert_cell(&machine, 2, "cgroup", "...end/of.scope");
	assert_cell(&machine, 2, "nnp", "no");
	machine_end(&machine);
}

/* What a terminal may get: something, printable, in one line. */
static void assert_is_cell(const char *cell, const char *key)
{
	size_t length = strlen(cell);

	if (!length || strspn(cell, " ") == length)
		fail_msg("%s: the cell is empty", key);
	for (size_t i = 0, size; i < length; i += size) {
		uint32_t codepoint;

		size = text_decode(cell + i, length - i, &codepoint);
		if (!size || text_is_hidden(codepoint) || wcwidth((wchar_t)codepoint) < 0)
			fail_msg("%s: byte %zu of %s is not printable", key, i, cell);
	}
}

static void no_cell_is_ever_empty_or_raw(void **state)
{
	static const char hostile[] = "\x1b[2J\n\t\xff\xfe\u202e\u200b\x9b";
	struct machine machine;
	struct process process = process_make_inside(1, 1, 4026532000);

	(void)state;
	machine_start(&machine);
	process.args = hostile;
	process.args_length = sizeof(hostile);
	process.cgroup = "/\x1b]0;title\x07";
	memcpy(process.task.comm, "\x1b[31m\n\u202e", 9);
	machine_add(&machine, &process);
	machine_name(&machine, 4026532000, "\x1b[0m\nname\u202e", "\x07id", "docker");
	process = process_make(2);
	process.task.unknown = ~0ULL;
	machine_add(&machine, &process);
	process = process_make(3);
	process.task.flags = TASK_ZOMBIE;
	memset(process.task.comm, 0, COMM_SIZE);
	memset(process.task.ns, 0, sizeof(process.task.ns));
	process.task.caps[CAP_SET_EFFECTIVE] = 0;
	machine_add(&machine, &process);
	process = process_make(4);
	process.task.flags = TASK_KTHREAD;
	memcpy(process.task.comm, "  ", 3);
	machine_add(&machine, &process);
	process = process_make(5);
	process.args = "   ";
	process.args_length = 4;
	machine_add(&machine, &process);
	machine_settle(&machine);
	for (uint32_t pid = 1; pid <= 5; pid++) {
		for (size_t i = 0; i < proc_columns_count; i++) {
			if (!proc_columns[i].is_hidden)
				assert_is_cell(cell_of(&machine, pid, proc_columns[i].key, &shown),
					       proc_columns[i].key);
		}
	}
	assert_cell(&machine, 1, "comm", "\\x1b[31m\\n\\u{202e}");
	assert_cell(&machine, 3, "comm", "\"\"");
	machine_end(&machine);
}

static void what_is_unknown_is_a_question_mark_whatever_the_bytes_say(void **state)
{
	struct machine machine;
	struct process process = process_make_inside(1, 1, 4026532000);

	(void)state;
	machine_start(&machine);
	process.task.unknown = ~0ULL;
	machine_add(&machine, &process);
	machine_settle(&machine);
	for (size_t i = 0; i < proc_columns_count; i++) {
		/* pid, name and the words made from them are what is always known */
		if (proc_columns[i].needs && !proc_columns[i].is_hidden)
			assert_cell(&machine, 1, proc_columns[i].key, "?");
	}
	machine_end(&machine);
}

static void an_id_has_some_runtime_and_bare_namespaces_need_none(void **state)
{
	struct machine machine;
	struct process bare = process_make_inside(1, 1, 4026532000);
	struct process named = process_make_inside(2, 1, 4026532001);

	(void)state;
	named.cgroup = "/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	machine_start(&machine);
	machine_add(&machine, &bare);
	machine_add(&machine, &named);
	machine_settle(&machine);
	assert_cell(&machine, 1, "runtime", "-");
	assert_cell(&machine, 2, "runtime", "?");
	machine_end(&machine);
}

static int use_utc(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	return setlocale(LC_CTYPE, "C.UTF-8") ? 0 : -1;
}

static int drop_text(void **state)
{
	(void)state;
	text_free(&shown);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_column_is_found_by_key_heading_and_json_key),
		cmocka_unit_test(spelling_of_a_column_is_free),
		cmocka_unit_test(an_unknown_column_gets_the_nearest_name),
		cmocka_unit_test(stat_letters_stand_as_in_ps),
		cmocka_unit_test(tty_is_named_as_in_dev),
		cmocka_unit_test(start_is_a_time_today_then_a_day_then_a_year),
		cmocka_unit_test(percentages_are_cut_not_rounded_and_lose_the_decimal_at_100),
		cmocka_unit_test(cpu_time_is_minutes_and_seconds),
		cmocka_unit_test(priority_and_nice_are_as_ps_shows_them),
		cmocka_unit_test(command_joins_arguments_or_names_in_brackets),
		cmocka_unit_test(capabilities_say_where_they_count),
		cmocka_unit_test(columns_of_the_inside_do_not_apply_to_host_processes),
		cmocka_unit_test(shared_names_the_namespaces_of_the_host),
		cmocka_unit_test(shared_is_unknown_where_the_hosts_own_namespace_is),
		cmocka_unit_test(other_columns_show_their_field),
		cmocka_unit_test(no_cell_is_ever_empty_or_raw),
		cmocka_unit_test(what_is_unknown_is_a_question_mark_whatever_the_bytes_say),
		cmocka_unit_test(an_id_has_some_runtime_and_bare_namespaces_need_none),
	};

	return cmocka_run_group_tests_name("columns", tests, use_utc, drop_text);
}
