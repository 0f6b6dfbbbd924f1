/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine.h"

#include <locale.h>
#include <stdio.h>

#include <linux/securebits.h>

#include "host/caps.h"
#include "host/runtime/runtime.h"
#include "view/page.h"

#define PID_NS_A 4026539001U
#define FULL 0x1ffffffffffULL /* machine.h's kernel has 41 */
#define SETUID_BIT (1ULL << 7)
#define SYS_ADMIN_BIT (1ULL << 21)

static struct machine machine;
static struct page page;

static struct runtime_container web;

static struct process process_in_web(uint32_t pid, uint32_t in_pid)
{
	struct process process = process_make_inside(pid, in_pid, PID_NS_A);

	process.cgroup = "/docker/" ID_A;
	process.task.rss_pages = 256;
	process.task.seccomp = 2;
	process.task.no_new_privs = 1;
	for (int kind = NS_NET; kind <= NS_CGROUP; kind++)
		process.task.ns[kind] = PID_NS_A + (uint32_t)kind;
	return process;
}

/* 1 on the host, 20 and the subject in a container. */
static void machine_fill_undeclared(const struct process *subject)
{
	struct process process = process_make(1);

	machine_start(&machine);
	machine_add(&machine, &process);
	process = process_in_web(20, 1);
	machine_add(&machine, &process);
	machine_add(&machine, subject);
	machine_settle(&machine);
}

static void machine_fill(const struct process *subject)
{
	machine_fill_undeclared(subject);
	web = machine_declaration("web", "registry/nginx:1.25");
	web.has_no_new_privs = true;
	model_declare(model_find(machine.view.model, 20)->container, &web);
}

static const char *page_read(uint32_t pid)
{
	page_of_proc(&page, &machine.view, model_find(machine.view.model, pid));
	return text_string(&page.text);
}

static const char *page_read_container(uint32_t pid)
{
	const struct proc *proc = model_find(machine.view.model, pid);

	page_of_container(&page, &machine.view, proc ? proc->container : NULL);
	return text_string(&page.text);
}

static int teardown(void **state)
{
	(void)state;
	page_free(&page);
	machine_end(&machine);
	return 0;
}

/* The first line with `words` in it; NULL: there is none. */
static const struct page_line *line_find(const char *words)
{
	for (size_t i = 0; i < page.count; i++) {
		const struct page_line *line = &page.lines[i];

		if (memmem(page.text.data + line->offset, line->length, words, strlen(words)))
			return line;
	}
	return NULL;
}

/* All words stand on one line, in this order. */
static const struct page_line *line_with(const char *one, const char *other)
{
	for (size_t i = 0; i < page.count; i++) {
		const struct page_line *line = &page.lines[i];
		const char *start = page.text.data + line->offset;
		const char *found = memmem(start, line->length, one, strlen(one));
		const char *end = start + line->length;

		if (found && memmem(found + strlen(one), (size_t)(end - found) - strlen(one), other,
				    strlen(other)))
			return line;
	}
	fail_msg("no line with %s and then %s in:\n%s", one, other, text_string(&page.text));
	return NULL;
}

static void line_absent(const char *words)
{
	if (line_find(words))
		fail_msg("%s should not be in:\n%s", words, text_string(&page.text));
}

static size_t lines_of_style(enum page_style style)
{
	size_t count = 0;

	for (size_t i = 0; i < page.count; i++)
		count += page.lines[i].style == style;
	return count;
}

static void lines_are_what_the_text_is_cut_into(void **state)
{
	struct process process = process_in_web(21, 7);
	size_t end = 0;

	(void)state;
	machine_fill(&process);
	page_read(21);
	for (size_t i = 0; i < page.count; i++) {
		assert_int_equal(page.lines[i].offset, end);
		end += page.lines[i].length;
		assert_int_equal(page.text.data[end++], '\n');
		assert_true(text_width(page.text.data + page.lines[i].offset,
				       page.lines[i].length) <= PAGE_COLUMNS);
	}
	assert_int_equal(page.text.length, end);
}

static void each_pid_namespace_has_its_pid(void **state)
{
	struct process process = process_in_web(21, 7);

	(void)state;
	process.task.chain_count = 3;
	process.chain[2] = (struct pid_level){4026539777U, 3};
	process.task.ns[NS_PID] = 4026539777U;
	machine_fill(&process);
	page_read(21);
	line_with("21 ", "4026531001  the host's");
	line_with("7 ", "4026539001  the container's");
	line_with("3 ", "4026539777");
}

static void users_are_told_inside_and_outside(void **state)
{
	static const struct id_block outside = {100001, 100011, 100003, 100013,
						100002, 100012, 100004, 100014};
	static const struct id_block inside = {1, 11, 3, 13, 2, 12, 4, 14};
	struct process process = process_in_web(21, 7);

	(void)state;
	process.task.ids = outside;
	process.task.in_ids = inside;
	machine_fill(&process);
	page_read(21);
	line_with("real             100001", "1                  100011, inside 11");
	line_with("effective        100002", "2                  100012, inside 12");
	line_with("saved            100003", "3                  100013, inside 13");
	line_with("file system      100004", "4                  100014, inside 14");
}

static void root_of_the_host_in_a_container_is_a_warning(void **state)
{
	struct process process = process_in_web(21, 7);

	(void)state;
	process.task.ids.uid = process.task.in_ids.uid = 4000001;
	machine_fill(&process);
	page_read(21);
	assert_int_equal(line_with("real  ", "4000001")->style, PAGE_PLAIN);
	assert_int_equal(line_with("effective  ", "0 (root)")->style, PAGE_WARN);
	page_read(1);
	assert_int_equal(line_with("effective  ", "0 (root)")->style, PAGE_PLAIN);
}

static void each_effective_capability_says_what_it_allows(void **state)
{
	struct process process = process_in_web(21, 7);

	(void)state;
	machine_fill(&process);
	page_read(21);
	line_with("effective", "docker-default, 14 of 41; they count on the host");
	for (int capability = 0; capability < caps_named; capability++) {
		const char *meaning = caps_meaning(capability);
		char start[24];

		if (CAPS_DOCKER_DEFAULT >> capability & 1)
			line_with(caps_name(capability),
				  (snprintf(start, sizeof(start), "%.20s", meaning), start));
	}
	line_absent("SYS_ADMIN ");
	line_absent("permitted only");
}

static void a_capability_that_is_only_permitted_is_told_apart(void **state)
{
	struct process process = process_in_web(21, 7);

	(void)state;
	process.task.caps[CAP_SET_EFFECTIVE] = SETUID_BIT;
	process.task.caps[CAP_SET_PERMITTED] = SETUID_BIT | 1;
	machine_fill(&process);
	page_read(21);
	line_with("effective ", "SETUID, 1 of 41");
	line_with("permitted only", "CHOWN, 1 of 41; not effective");
	line_with("CHOWN", caps_meaning(0));
}

static void capabilities_in_a_user_namespace_do_not_count_on_the_host(void **state)
{
	struct process process = process_in_web(21, 7);

	(void)state;
	process.task.ns[NS_USER] = 4026532711U;
	process.task.user_ns_level = 1;
	process.task.user_ns_owner = USER_NAMELESS;
	machine_fill(&process);
	page_read(21);
	line_with("effective ", "they count only in user namespace");
	line_with("4026532711", "level 1, made by 4000001");
	assert_int_equal(line_with("SETUID", "")->style, PAGE_DIM);
	process.task.unknown = FIELD_BIT(FIELD_NS + NS_USER);
	process.task.ns[NS_USER] = 0;
	teardown(NULL);
	machine_fill(&process);
	page_read(21);
	line_with("effective ", "whether they count on the host is");
}

static void more_than_declared_is_marked_and_named(void **state)
{
	struct process process = process_in_web(21, 7);

	(void)state;
	for (int set = 0; set < CAP_SETS; set++)
		process.task.caps[set] |= SYS_ADMIN_BIT;
	machine_fill(&process);
	page_read(21);
	assert_int_equal(line_with("SYS_ADMIN *", "mount")->style, PAGE_WARN);
	assert_int_equal(line_with("capabilities  ", "<- 1 more")->style, PAGE_WARN);
	line_with("not declared", "SYS_ADMIN");
	page_read(20);
	line_with("capabilities     docker-default", "docker-default");
	line_absent("<-");
	line_absent("not declared");
}

static void a_protection_that_was_declared_and_is_missing_is_a_warning(void **state)
{
	struct process process = process_in_web(21, 7);

	(void)state;
	machine_fill(&process);
	page_read(21);
	line_absent("missing");
	line_absent("<-");
	teardown(NULL);
	process.task.seccomp = 0;
	process.task.no_new_privs = 0;
	process.task.ns[NS_NET] = HOST_NS(NS_NET);
	machine_fill(&process);
	page_read(21);
	line_with("no_new_privs     yes", "no   <- missing");
	line_with("seccomp filter   yes", "no   <- missing");
	line_with("host namespaces  none", "net   <- not declared");
	assert_int_equal(line_with("net  ", "the host's")->style, PAGE_WARN);
}

static void what_nobody_knows_of_a_container_is_not_made_up(void **state)
{
	struct process process = process_in_web(21, 7);

	(void)state;
	machine_fill_undeclared(&process);
	page_read(21);
	line_with("declared ", "?");
	line_with("?", "its cgroup could not be read");
}

static void namespaces_say_whose_they_are(void **state)
{
	struct process process = process_in_web(21, 7);

	(void)state;
	process.task.ns[NS_MNT] = 4026533333U;
	process.task.ns[NS_UTS] = 0;
	process.task.ns[NS_NET] = HOST_NS(NS_NET);
	process.task.unknown = FIELD_BIT(FIELD_NS + NS_IPC);
	machine_fill(&process);
	page_read(21);
	line_with("mnt  ", "4026533333  its own");
	line_with("pid  ", "4026539001  the container's own");
	line_with("net  ", "4026531002  the host's");
	line_with("ipc  ", "?");
	line_with("uts  ", "-");
	line_with("user  ", "the host's");
}

static void securebits_and_other_walls_are_named(void **state)
{
	struct process process = process_in_web(21, 7);

	(void)state;
	process.task.securebits = SECBIT_NOROOT | SECBIT_KEEP_CAPS_LOCKED;
	process.task.loginuid = 1000;
	machine_fill(&process);
	page_read(21);
	line_with("securebits", "33 noroot keep-caps-locked");
	line_with("no_new_privs", "yes");
	line_with("seccomp  ", "filter");
	line_with("login user", "1000");
	line_with("bounding", "cannot be gained");
	line_with("cgroup", "/docker/aaaa");
}

static void a_parent_outside_is_said_to_be_outside(void **state)
{
	struct process process = process_in_web(21, 7);

	(void)state;
	process.task.in_ppid = 0;
	process.task.ppid = 1;
	machine_fill(&process);
	page_read(21);
	line_with("parent", "1 sleep (outside");
	teardown(NULL);
	process.task.ppid = 20;
	process.task.in_ppid = 1;
	machine_fill(&process);
	page_read(21);
	line_with("parent", "20 sleep (1 inside)");
}

static void start_is_a_time_and_an_age(void **state)
{
	struct process process = process_in_web(21, 7);

	(void)state;
	machine_fill(&process);
	page_read(21);
	line_with("started", "2026-11-21 05:14:31, 1 h 0 min ago");
}

static void arguments_stand_one_by_one_and_cannot_leave_their_line(void **state)
{
	struct process process = process_in_web(21, 7);

	(void)state;
	process.args = "sh\0"
		       "a b\0"
		       "\x1b[2Jx\ny\0";
	process.args_length = 14;
	machine_fill(&process);
	page_read(21);
	line_with("  0 ", "sh");
	line_with("  1 ", "a b");
	line_with("  2 ", "\\x1b[2Jx\\ny");
	assert_null(memchr(page.text.data, '\x1b', page.text.length));
}

static void a_long_text_goes_on_below_itself(void **state)
{
	struct process process = process_in_web(21, 7);
	char args[301];

	(void)state;
	memset(args, 'z', 300);
	args[300] = '\0';
	process.args = args;
	process.args_length = sizeof(args);
	machine_fill(&process);
	page_read(21);
	line_with("0                zzzzzz", "zzz");
	line_with("                   zzzzzz", "zzz");
}

static void what_is_unknown_is_a_question_mark(void **state)
{
	struct process process = process_in_web(21, 7);

	(void)state;
	process.task.unknown = FIELD_BIT(FIELD_CAPS) | FIELD_BIT(FIELD_IDS) |
			       FIELD_BIT(FIELD_IN_IDS) | FIELD_BIT(FIELD_PARENT) |
			       FIELD_BIT(FIELD_START) | FIELD_BIT(FIELD_SECUREBITS);
	memset(process.task.caps, 0, sizeof(process.task.caps));
	process.task.start_boot_ns = 0;
	machine_fill(&process);
	page_read(21);
	line_with("effective        ?", "");
	line_with("real             ?", "?");
	line_with("parent           ?", "");
	line_with("started          ?", "");
	line_with("securebits       ?", "");
}

static void the_page_of_a_container_adds_up_its_processes(void **state)
{
	struct process process = process_in_web(21, 7);

	(void)state;
	process.task.caps[CAP_SET_EFFECTIVE] = SYS_ADMIN_BIT;
	process.task.threads = 3;
	process.task.rss_pages = 512;
	process_set_euid(&process, USER_NAMELESS, 33);
	machine_fill(&process);
	page_read_container(21);
	line_with("Container", "web");
	line_with("image", "registry/nginx:1.25");
	line_with("processes", "2, with 4 threads and 3.0M");
	line_with("1   0 (root)", "0");
	line_with("1   4000001", "33");
	line_with("effective", "docker-default +SYS_ADMIN, 15 of 41; they count on the host");
	line_with("not declared", "SYS_ADMIN");
	line_with("first process", "20, inside 1");
	line_with("20       1 ", "docker-default");
	line_with("21       7 ", "SYS_ADMIN");
}

static void power_in_a_nested_user_namespace_is_not_added_to_that_on_the_host(void **state)
{
	struct process process = process_in_web(21, 7);

	(void)state;
	process.task.caps[CAP_SET_EFFECTIVE] = FULL;
	process.task.caps[CAP_SET_PERMITTED] = FULL;
	process.task.ns[NS_USER] = 4026532711U;
	process.task.user_ns_level = 1;
	machine_fill(&process);
	page_read_container(21);
	line_with("effective", "docker-default, 14 of 41; they count on the host");
	line_absent("not declared");
}

static void the_page_of_the_host_lists_who_may_do_something(void **state)
{
	struct process process = process_make(50);

	(void)state;
	memset(process.task.caps, 0, sizeof(process.task.caps));
	machine_start(&machine);
	machine_add(&machine, &process);
	process = process_make(51);
	machine_add(&machine, &process);
	process = process_make(52);
	process.task.flags = TASK_KTHREAD;
	machine_add(&machine, &process);
	machine_settle(&machine);
	strcpy(machine.facts.hostname, "earth");
	page_of_container(&page, &machine.view, NULL);
	line_with("Host", "earth");
	line_with("processes", "2, with");
	line_with("1 of them", "every capability");
	line_with("kernel threads", "1");
	line_with("51       - ", "full");
	line_absent("  50 ");
	line_with("mnt", "4026531000");
}

static void a_zombie_has_a_page_too(void **state)
{
	struct process process = process_in_web(21, 7);

	(void)state;
	process.task.flags = TASK_ZOMBIE;
	process.task.state = 'Z';
	memset(process.task.ns, 0, sizeof(process.task.ns));
	process.chain[1].ns = 0;
	process.task.caps[CAP_SET_EFFECTIVE] = FULL;
	machine_fill(&process);
	page_read_container(20);
	line_absent("not declared");
	page_read(21);
	line_with("state", "Z");
	line_with("mnt  ", "-");
	line_with("7 ", "?");
}

static void headings_stand_out(void **state)
{
	struct process process = process_in_web(21, 7);

	(void)state;
	machine_fill(&process);
	page_read(21);
	assert_int_equal(page.lines[0].style, PAGE_HEADING);
	assert_int_equal(line_find("Capabilities")->style, PAGE_HEADING);
	assert_true(lines_of_style(PAGE_HEADING) >= 8);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_are_what_the_text_is_cut_into),
		TEST(each_pid_namespace_has_its_pid),
		TEST(users_are_told_inside_and_outside),
		TEST(root_of_the_host_in_a_container_is_a_warning),
		TEST(each_effective_capability_says_what_it_allows),
		TEST(a_capability_that_is_only_permitted_is_told_apart),
		TEST(capabilities_in_a_user_namespace_do_not_count_on_the_host),
		TEST(more_than_declared_is_marked_and_named),
		TEST(a_protection_that_was_declared_and_is_missing_is_a_warning),
		TEST(what_nobody_knows_of_a_container_is_not_made_up),
		TEST(namespaces_say_whose_they_are),
		TEST(securebits_and_other_walls_are_named),
		TEST(a_parent_outside_is_said_to_be_outside),
		TEST(start_is_a_time_and_an_age),
		TEST(arguments_stand_one_by_one_and_cannot_leave_their_line),
		TEST(a_long_text_goes_on_below_itself),
		TEST(what_is_unknown_is_a_question_mark),
		TEST(the_page_of_a_container_adds_up_its_processes),
		TEST(power_in_a_nested_user_namespace_is_not_added_to_that_on_the_host),
		TEST(the_page_of_the_host_lists_who_may_do_something),
		TEST(a_zombie_has_a_page_too),
		TEST(headings_stand_out),
	};

	setlocale(LC_ALL, "C.UTF-8");
	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
