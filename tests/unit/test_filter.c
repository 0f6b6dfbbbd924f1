/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine.h"

#include <locale.h>
#include <stdio.h>
#include <time.h>

#include "view/query.h"

#define HOST_ROOT 1
#define HOST_USER 20 /* without capabilities */
#define INSIDE 30    /* docker, pid 7, default set, on the host */
#define USERNS 40    /* podman, in a user namespace */
#define UNKNOWN 50   /* nothing but its pid and name is known */
#define UNREACHED 60 /* full, but whose user namespace could not be read */

static struct machine machine;

static int machine_up(void **state)
{
	struct process process = process_make(HOST_ROOT);

	(void)state;
	setlocale(LC_CTYPE, "C.UTF-8");
	setenv("TZ", "UTC", 1);
	tzset();
	machine_start(&machine);
	process.task.rss_pages = 2976; /* 11904 KiB */
	process.task.cpu_ns = 14 * SECOND + SECOND / 2;
	process.args = "/sbin/init";
	process.args_length = 11;
	machine_add(&machine, &process);

	process = process_make(HOST_USER);
	process_set_euid(&process, USER_NAMELESS, USER_NAMELESS);
	memset(process.task.caps, 0, sizeof(process.task.caps));
	process.task.groups_kept = process.task.groups_total = 2;
	process.groups[0] = 27;
	process.groups[1] = 100;
	process.args = "bash\0-c\0echo (a) \"b\"";
	process.args_length = 21;
	machine_add(&machine, &process);

	process = process_make_inside(INSIDE, 7, 4026532000);
	process.task.no_new_privs = 1;
	process.task.seccomp = 2;
	process.task.cpu_ns = 600 * SECOND;
	machine_add(&machine, &process);
	machine_name(&machine, 4026532000, "web", ID_A, "docker");

	process = process_make_inside(USERNS, 1, 4026532100);
	process.task.ns[NS_USER] = 4026532103;
	machine_add(&machine, &process);
	machine_name(&machine, 4026532100, "rootless", ID_B, "podman");

	process = process_make(UNKNOWN);
	process.task.unknown = ~0ULL;
	machine_add(&machine, &process);

	process = process_make(UNREACHED);
	process.task.unknown = FIELD_BIT(FIELD_NS + NS_USER);
	process.task.groups_kept = 1;
	process.task.groups_total = 40;
	process.groups[0] = 27;
	machine_add(&machine, &process);
	machine_settle(&machine);
	return 0;
}

static int machine_down(void **state)
{
	(void)state;
	machine_end(&machine);
	return 0;
}

static enum filter_verdict verdict_of(const char *expression, uint32_t pid)
{
	struct text complaint = {0};
	struct filter *filter = NULL;
	enum filter_verdict verdict;

	if (filter_parse(expression, &machine.view, &filter, &complaint))
		fail_msg("%s\n%s", expression, text_string(&complaint));
	verdict = filter_match(filter, &machine.view, model_find(machine.view.model, pid));
	filter_free(filter);
	text_free(&complaint);
	return verdict;
}

static void assert_verdict(const char *expression, uint32_t pid, enum filter_verdict expected)
{
	enum filter_verdict verdict = verdict_of(expression, pid);

	if (verdict != expected)
		fail_msg("%s on %u: %d, expected %d", expression, pid, verdict, expected);
}

#define yes(expression, pid) assert_verdict(expression, pid, FILTER_YES)
#define no(expression, pid) assert_verdict(expression, pid, FILTER_NO)
#define unknown(expression, pid) assert_verdict(expression, pid, FILTER_UNKNOWN)

static void numbers_compare_as_numbers(void **state)
{
	(void)state;
	yes("pid=1", HOST_ROOT);
	yes("pid == 1", HOST_ROOT);
	no("pid!=1", HOST_ROOT);
	yes("pid < 9", HOST_ROOT);
	no("pid < 9", HOST_USER); /* "20" < "9" as text */
	yes("pid<=1 and pid>=1 and not pid>1", HOST_ROOT);
	yes("PID=1", HOST_ROOT);
	yes("ni>-1", HOST_ROOT);
}

static void units_are_understood(void **state)
{
	(void)state;
	yes("rss=11904", HOST_ROOT);
	yes("rss>11m and rss<12m", HOST_ROOT);
	yes("rss<0.5g", HOST_ROOT);
	yes("rss=12189696b", HOST_ROOT);
	yes("time>10s and time<0.5m", HOST_ROOT);
	yes("time=14", HOST_ROOT); /* as shown: 0:14 */
	yes("time=0:14", HOST_ROOT);
	yes("time>=10:00 and time<11m", INSIDE);
	yes("cpu>16 and %cpu<16.7%", INSIDE); /* 600 s of 3600 */
	yes("start<-30m and start>-2h", HOST_ROOT);
	yes("start=05:14:31", HOST_ROOT);
	yes("start>2026-11-21 and start<'2026-11-21 05:15'", HOST_ROOT);
	yes("start=2026-11-21T05:14:31Z", HOST_ROOT);
}

static void text_compares_and_matches(void **state)
{
	(void)state;
	yes("user=root", HOST_ROOT);
	no("user=roo", HOST_ROOT);
	yes("user!=root", HOST_USER);
	yes("command~^/sbin", HOST_ROOT);
	no("command~^sbin", HOST_ROOT);
	yes("command!~bash", HOST_ROOT);
	yes("(command~(init|systemd)$)", HOST_ROOT);
	yes("command='bash -c echo (a) \"b\"'", HOST_USER);
	yes("command=\"bash -c echo (a) \\\"b\\\"\"", HOST_USER);
	yes("command~'echo \\(a\\)'", HOST_USER);
	yes("comm>bash", HOST_ROOT);
	yes("container~^we", INSIDE);
	yes("seccomp=filter", INSIDE);
	yes("seccomp=off", HOST_ROOT);
}

static void sets_know_their_members(void **state)
{
	(void)state;
	yes("eff~SYS_ADMIN", HOST_ROOT);
	yes("eff~cap_sys_admin", HOST_ROOT);
	no("eff~SYS_ADMIN", INSIDE);
	yes("eff!~SYS_ADMIN", INSIDE);
	yes("eff~NET_RAW,CHOWN", INSIDE);
	no("eff~NET_RAW,SYS_ADMIN", INSIDE);
	yes("bnd=docker-default", INSIDE);
	yes("eff-hex=00000000a80425fb", INSIDE);
	yes("eff-hex~0x2000", INSIDE);
	yes("amb=none", HOST_USER);
	yes("groups~27", HOST_USER);
	yes("groups~100,27", HOST_USER);
	no("groups~28", HOST_USER);
	yes("groups=27,100", HOST_USER);
	no("groups=27", HOST_USER);
	yes("chain~7", INSIDE);
	yes("chain=30/7", INSIDE);
	yes("shared~user,net", INSIDE);
	no("shared~pid", INSIDE);
	yes("shared=user,net,ipc,uts,cgroup,time", INSIDE);
}

static void caps_is_its_word_and_counts_where_the_word_says(void **state)
{
	(void)state;
	yes("caps=full", HOST_ROOT);
	yes("caps~SYS_ADMIN", HOST_ROOT);
	yes("caps=docker-default", INSIDE);
	no("caps=docker-default", USERNS);
	yes("caps='docker-default in userns'", USERNS);
	yes("caps~NET_RAW", USERNS);
	no("caps='docker-default +3 -1'", INSIDE);
	no("caps='5 caps'", INSIDE);
	yes("caps=none", HOST_USER);
	yes("caps!=none", INSIDE);
	unknown("caps=full", UNREACHED);
	unknown("caps!=full", UNREACHED);
	no("caps=none", UNREACHED);
	yes("caps~SYS_ADMIN", UNREACHED);
}

static void a_boolean_column_stands_alone(void **state)
{
	(void)state;
	yes("host-effective", HOST_ROOT);
	yes("not host-effective", USERNS);
	yes("nnp", INSIDE);
	yes("nnp=yes and nnp!=no", INSIDE);
	yes("nnp=false", HOST_ROOT);
	yes("host-effective and(nnp)", INSIDE);
}

static void what_does_not_apply_equals_only_a_dash(void **state)
{
	(void)state;
	no("runtime=docker", HOST_ROOT);
	yes("not runtime=docker", HOST_ROOT);
	yes("runtime!=docker", HOST_ROOT);
	yes("container=-", HOST_ROOT);
	no("container!=-", HOST_ROOT);
	no("container=-", INSIDE);
	no("container='-'", HOST_ROOT);
	no("in-pid<100", HOST_ROOT);
	no("in-pid>=0", HOST_ROOT);
	yes("tty=?", HOST_ROOT);
	yes("tty=-", HOST_ROOT);
}

static void a_comparison_with_an_unknown_is_never_true(void **state)
{
	(void)state;
	unknown("euid=0", UNKNOWN);
	unknown("not euid=0", UNKNOWN);
	unknown("euid!=0", UNKNOWN);
	unknown("eff~SYS_ADMIN", UNKNOWN);
	unknown("eff!~SYS_ADMIN", UNKNOWN);
	unknown("host-effective", UNKNOWN);
	unknown("not (host-effective or nnp)", UNKNOWN);
	no("euid=0 and pid=1", UNKNOWN);
	yes("euid=0 or pid=50", UNKNOWN);
	unknown("euid=0 and pid=50", UNKNOWN);
	unknown("euid=0 or pid=1", UNKNOWN);
	no("not (euid=0 or pid=50)", UNKNOWN);
}

static void a_cut_list_is_unknown_where_the_rest_could_decide(void **state)
{
	(void)state;
	yes("groups~27", UNREACHED);
	unknown("groups~28", UNREACHED);
	unknown("groups!~28", UNREACHED);
	no("groups!~27", UNREACHED);
	unknown("groups=27", UNREACHED);
}

static void assert_refused(const char *expression, const char *reason, size_t place)
{
	struct text complaint = {0};
	struct filter *filter = NULL;
	const char *caret;
	char *lines;

	assert_int_equal(filter_parse(expression, &machine.view, &filter, &complaint), -22);
	assert_null(filter);
	lines = mem_copy(text_string(&complaint));
	if (!strstr(lines, reason))
		fail_msg("%s\nhas no: %s", lines, reason);
	caret = strrchr(lines, '\n') + 1;
	if (strspn(caret, " ") != place + 2 || strcmp(caret + place + 2, "^") != 0)
		fail_msg("the caret is not at %zu:\n%s", place, lines);
	free(lines);
	text_free(&complaint);
}

/* glibc would take all memory for the first two, and forever to match the third. */
static void expressions_that_explode_are_refused(void **state)
{
	(void)state;
	assert_refused("comm~a++++++++++++++++++++++++++++++++++++++++", "multiply too much", 5);
	assert_refused("comm~((((a{99}){99}){99}){99})", "multiply too much", 5);
	assert_refused("comm~(.*)\\1", "refers back to a group", 5);
	assert_refused("comm~((((((((((((((((((((((((((((((((((a))))))))))))))))))))))))))))))))))",
		       "multiply too much", 5);
	yes("comm~'^(sl[[:alpha:]]{2}|[]+)*]+)p?$'", HOST_ROOT);
	yes("comm~'^[s][l]e{1,2}p\\.?$'", HOST_ROOT);
}

static void and_binds_closer_than_or_and_not_closest(void **state)
{
	(void)state;
	yes("pid=1 or pid=2 and pid=3", HOST_ROOT);
	no("(pid=1 or pid=2) and pid=3", HOST_ROOT);
	yes("not pid=2 and pid=1", HOST_ROOT);
	yes("not not pid=1", HOST_ROOT);
	no("not not not pid=1", HOST_ROOT);
	yes("NOT pid=2 AND pid=1 OR pid=9", HOST_ROOT);
	yes("euid=0 and eff~SYS_ADMIN and host-effective and not runtime=docker", HOST_ROOT);
}

static void errors_point_at_their_place(void **state)
{
	(void)state;
	assert_refused("", "ends where a column is expected", 0);
	assert_refused("   ", "ends where a column is expected", 3);
	assert_refused("pid", "an operator is expected here", 3);
	assert_refused("pid=", "a value is expected here", 4);
	assert_refused("pid= ", "a value is expected here", 5);
	assert_refused("euid=0 and", "ends where a column is expected", 10);
	assert_refused("euid=0 and secomp=filter", "did you mean seccomp?", 11);
	assert_refused("xyzzyplugh=1", "`nsview ps --columns`", 0);
	yes("args~init", HOST_ROOT); /* ps's name for it */
	assert_refused("pid=1 pid=2", "`and` or `or` is expected here", 6);
	assert_refused("caps=docker-default +MAC_ADMIN", "a value with blanks is quoted", 20);
	assert_refused("(pid=1", "this ( is not closed", 0);
	assert_refused("(pid=1 or (pid=2)", "this ( is not closed", 0);
	assert_refused("(pid=1 pid=2)", "`and`, `or` or `)`", 7);
	assert_refused("pid=1)", "this ) closes nothing", 5);
	assert_refused("pid=one", "PID is compared with a whole number", 4);
	assert_refused("pid=1x", "whole number", 4);
	assert_refused("pid~1", "PID is no text and no set", 4);
	assert_refused("rss>big", "compared with a size", 4);
	assert_refused("rss>-5", "compared with a size", 4);
	assert_refused("time>5parsecs", "compared with a duration", 5);
	assert_refused("start>soon", "compared with a time", 6);
	assert_refused("comm~[", "not a regular expression", 5);
	assert_refused("comm='it", "this quote is not closed", 5);
	assert_refused("eff~SYS_ADMN", "did you mean SYS_ADMIN?", 4);
	assert_refused("eff~CHOWN,FOO_BAR", "`nsview caps` lists them", 10);
	assert_refused("eff<CHOWN", "has no order", 4);
	assert_refused("eff-hex=xyz", "16 hex digits", 8);
	assert_refused("seccomp=on", "off, strict and filter", 8);
	assert_refused("shared~net,nte", "mnt, pid, net", 11);
	assert_refused("groups~wheel", "whole numbers", 7);
	assert_refused("nnp=maybe", "NNP is yes or no", 4);
	assert_refused("owner=nobody-has-this-name", "user of this host", 6);
}

static void the_caret_counts_columns_and_the_complaint_is_printable(void **state)
{
	(void)state;
	assert_refused("comm=\u65e5\u672c or secomp=1", "seccomp", 5 + 4 + 4);
	assert_refused("comm='\n\x1b' or secomp=1", "\\n\\x1b", 6 + 2 + 4 + 1 + 4);
}

static void depth_and_length_are_bounded(void **state)
{
	struct text expression = {0};
	struct text complaint = {0};
	struct filter *filter = NULL;

	(void)state;
	for (int i = 0; i < 100000; i++)
		text_add_char(&expression, '(');
	assert_int_equal(filter_parse(text_string(&expression), &machine.view, &filter, &complaint),
			 -22);
	assert_non_null(strstr(text_string(&complaint), "nested more than 64 deep"));
	text_clear(&expression);
	text_clear(&complaint);
	for (int i = 0; i < 100000; i++)
		text_add_string(&expression, "not ");
	text_add_string(&expression, "pid=1");
	assert_verdict(text_string(&expression), HOST_ROOT, FILTER_YES);
	text_clear(&expression);
	for (int i = 0; i < 256; i++)
		text_add_string(&expression, i ? " or pid=9" : "pid=1");
	assert_verdict(text_string(&expression), HOST_ROOT, FILTER_YES);
	text_add_string(&expression, " or pid=9");
	assert_int_equal(filter_parse(text_string(&expression), &machine.view, &filter, &complaint),
			 -22);
	assert_non_null(strstr(text_string(&complaint), "more than 256 comparisons"));
	text_free(&expression);
	text_free(&complaint);
}

/* Three truth values against a truth table by hand, over random expressions of three leaves. */
static void random_expressions_follow_the_truth_tables(void **state)
{
	static const char *const leaves[] = {"pid=1", "pid=50", "euid=0"};
	static const enum filter_verdict leaf_verdicts[] = {FILTER_NO, FILTER_YES, FILTER_UNKNOWN};
	uint64_t random = 2463534242;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		char expression[256];
		enum filter_verdict v[3];
		bool is_and;
		bool is_not;
		enum filter_verdict inner;
		enum filter_verdict expected;
		int pick[3];

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		for (int i = 0; i < 3; i++) {
			pick[i] = (int)(random >> (8 * i)) % 3;
			pick[i] = pick[i] < 0 ? -pick[i] : pick[i];
			v[i] = leaf_verdicts[pick[i]];
		}
		is_and = random >> 40 & 1;
		is_not = random >> 41 & 1;
		snprintf(expression, sizeof(expression), "%s %s %s(%s %s %s)", leaves[pick[0]],
			 is_and ? "and" : "or", is_not ? "not " : "", leaves[pick[1]],
			 is_and ? "or" : "and", leaves[pick[2]]);
		/* Kleene: no < unknown < yes, and = smaller, or = larger, not = mirrored. */
#define RANK(verdict) ((verdict) == FILTER_NO ? 0 : (verdict) == FILTER_YES ? 2 : 1)
#define SMALLER(a, b) (RANK(a) < RANK(b) ? (a) : (b))
#define LARGER(a, b) (RANK(a) > RANK(b) ? (a) : (b))
		inner = is_and ? LARGER(v[1], v[2]) : SMALLER(v[1], v[2]);
		if (is_not && inner != FILTER_UNKNOWN)
			inner = inner == FILTER_YES ? FILTER_NO : FILTER_YES;
		expected = is_and ? SMALLER(v[0], inner) : LARGER(v[0], inner);
		assert_verdict(expression, UNKNOWN, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_compare_as_numbers),
		cmocka_unit_test(units_are_understood),
		cmocka_unit_test(text_compares_and_matches),
		cmocka_unit_test(sets_know_their_members),
		cmocka_unit_test(caps_is_its_word_and_counts_where_the_word_says),
		cmocka_unit_test(a_boolean_column_stands_alone),
		cmocka_unit_test(what_does_not_apply_equals_only_a_dash),
		cmocka_unit_test(a_comparison_with_an_unknown_is_never_true),
		cmocka_unit_test(a_cut_list_is_unknown_where_the_rest_could_decide),
		cmocka_unit_test(expressions_that_explode_are_refused),
		cmocka_unit_test(and_binds_closer_than_or_and_not_closest),
		cmocka_unit_test(errors_point_at_their_place),
		cmocka_unit_test(the_caret_counts_columns_and_the_complaint_is_printable),
		cmocka_unit_test(depth_and_length_are_bounded),
		cmocka_unit_test(random_expressions_follow_the_truth_tables),
	};

	return cmocka_run_group_tests_name("filter", tests, machine_up, machine_down);
}
