/* SPDX-License-Identifier: GPL-2.0-only */
/* What the writer of events remembers of earlier lines shows in none. */
#include "event_lines.h"

#include <locale.h>

/* A stage, and one writer for all the lines of a test. */
struct desk {
	struct stage stage;
	struct event_writer *writer;
	struct text out;
};

static int desk_set_up(void **state)
{
	struct desk *desk = mem_new(sizeof(*desk));

	stage_start(&desk->stage);
	desk->writer = event_writer_new(&defaults, &desk->stage.machine.view);
	*state = desk;
	return 0;
}

static int desk_tear_down(void **state)
{
	struct desk *desk = *state;

	text_free(&desk->out);
	event_writer_free(desk->writer);
	stage_end(&desk->stage);
	free(desk);
	return 0;
}

#define desk_test(test) cmocka_unit_test_setup_teardown(test, desk_set_up, desk_tear_down)

/* Good until the next one. */
static const char *write_line(struct desk *desk, const struct event_line *line)
{
	text_clear(&desk->out);
	event_writer_add(desk->writer, line, &desk->out);
	return text_string(&desk->out);
}

static void assert_has(const char *line, const char *words)
{
	if (!strstr(line, words))
		fail_msg("%s: not %s", line, words);
}

/* 0 to count - 1 in no order, another row for each `which`: what is kept in one place differs from what
 * comes next now in this, now in that. */
static uint32_t any_of(uint32_t count, uint32_t i, uint32_t which)
{
	uint32_t mixed = (i * 2654435761U ^ which * 2246822519U) * 3266489917U;

	return (mixed >> 16) % count;
}

static void a_line_is_the_same_each_time(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++) {
		const struct event_line *line;
		autofree char *first = NULL;
		struct desk *desk;

		desk_set_up(state);
		desk = *state;
		line = scenes[i].set(&desk->stage);
		first = mem_copy(write_line(desk, line));
		assert_string_equal(write_line(desk, line), first);
		desk_tear_down(state);
	}
}

/* One writer for all scenes, and a new one for each. */
static void no_line_shows_another(void **state)
{
	for (size_t i = 0; i < 2 * ARRAY_SIZE(scenes); i++) {
		const struct scene *scene = &scenes[i % ARRAY_SIZE(scenes)];
		struct text alone = {0};
		struct desk *desk = *state;

		stage_end(&desk->stage);
		stage_start(&desk->stage);
		scene_write(scene, &defaults, &alone);
		assert_string_equal(write_line(desk, scene->set(&desk->stage)),
				    text_string(&alone));
		text_free(&alone);
	}
}

/* More different processes than the writer remembers, each of them twice. */
static void no_process_is_taken_for_another(void **state)
{
	struct desk *desk = *state;
	char expected[64];

	for (uint32_t i = 0; i < 2000; i++) {
		struct task_identity *identity = stage_event(&desk->stage, EVENT_CREDENTIALS, 3802);
		const uint32_t group = i % 1000 / 10;
		const char *line;

		identity->sessionid = i % 10;
		identity->groups_kept = identity->groups_total = 1;
		event_make_add(&desk->stage.make, PART_GROUPS, &group, sizeof(group));
		line = write_line(desk, stage_set(&desk->stage));
		snprintf(expected, sizeof(expected), "\"session_id\":%u,", i % 10);
		assert_has(line, expected);
		snprintf(expected, sizeof(expected), "\"groups\":[\"%u\"],", group);
		assert_has(line, expected);
	}
}

/* Pids that come again with other starts, and starts with other pids. */
static void no_id_is_taken_for_another(void **state)
{
	struct desk *desk = *state;
	struct event_record *record = &desk->stage.make.record;
	char expected[64];

	for (uint32_t i = 0; i < 2000; i++) {
		struct event_line line;
		uint32_t start;

		stage_event(&desk->stage, EVENT_CREDENTIALS, 3802);
		record->tgid = record->tid = 1 + 64 * any_of(3, i, 1);
		start = any_of(3, i, 2);
		record->start_boot_ns = (NOW_BOOT - 20) * SECOND + start;
		line = *stage_set(&desk->stage);
		snprintf(expected, sizeof(expected), "\"process\":{\"pid\":%u,", record->tgid);
		assert_has(write_line(desk, &line), expected);
		snprintf(expected, sizeof(expected), "\"start\":\"2026-11-21T06:14:11.%09uZ\"",
			 start);
		assert_has(text_string(&desk->out), expected);
		snprintf(expected, sizeof(expected), "\"thread\":{\"id\":%u,", record->tid);
		assert_has(text_string(&desk->out), expected);
	}
}

static const struct event_line *exec_of(struct stage *stage, const char *path, const char *args,
					uint32_t args_length, uint32_t count)
{
	stage_event(stage, EVENT_EXEC, 3802);
	event_make_exec(&stage->make, path, args, args_length, count);
	return stage_set(stage);
}

/* Alike in length and in how they begin and end. */
static void no_command_is_taken_for_another(void **state)
{
	struct desk *desk = *state;

	for (uint32_t i = 0; i < 2000; i++) {
		char path[32];
		char args[64];
		char expected[160];
		uint32_t word = any_of(3, i, 2);
		int length;

		snprintf(path, sizeof(path), "/usr/bin/tool-%02u", any_of(3, i, 1));
		length =
			snprintf(args, sizeof(args), "tool%cnumber-%02u%cthe-same-end", 0, word, 0);
		write_line(desk, exec_of(&desk->stage, path, args, (uint32_t)length + 1, 3));
		snprintf(
			expected, sizeof(expected),
			"\"executable\":\"%s\",\"args\":[\"tool\",\"number-%02u\",\"the-same-end\"],"
			"\"args_count\":3,",
			path, word);
		assert_has(text_string(&desk->out), expected);
	}
}

/* The same words, cut or not, and what is lost of them. */
static void what_is_said_of_arguments_is_said_each_time(void **state)
{
	static const char odd[] = "tool\0with-\xff-bytes";
	struct desk *desk = *state;

	for (int round = 0; round < 3; round++) {
		struct event_exec *exec;

		write_line(desk, exec_of(&desk->stage, "/bin/tool", odd, sizeof(odd), 2));
		assert_has(text_string(&desk->out), "\"lossy\":[\"process.args\"]");
		write_line(desk, exec_of(&desk->stage, "/bin/tool", "a-long\0word", 12, 2));
		assert_null(strstr(text_string(&desk->out), "\"truncated\""));
		exec_of(&desk->stage, "/bin/tool", "a-long\0word", 12, 2);
		exec = (struct event_exec *)desk->stage.event.exec;
		exec->args_total = 5000;
		write_line(desk, &desk->stage.line);
		assert_has(text_string(&desk->out), "\"args_bytes\":5000,\"truncated\":[\"args\"]");
	}
}

/* How many there are of arguments whose end is not here. */
static void cut_arguments_have_no_count(void **state)
{
	struct desk *desk = *state;
	struct proc *proc = stage_proc(&desk->stage, 3830);

	proc->exe = "/usr/sbin/nginx";
	proc->exe_length = strlen(proc->exe);
	for (uint32_t i = 0; i < 20; i++) {
		proc->args_cut = any_of(2, i, 1);
		stage_event(&desk->stage, EVENT_CREDENTIALS, 3830);
		write_line(desk, stage_set(&desk->stage));
		assert_int_equal(!strstr(text_string(&desk->out), "\"args_count\":1,"),
				 proc->args_cut);
	}
}

static void no_cgroup_is_taken_for_another(void **state)
{
	struct desk *desk = *state;

	for (uint32_t i = 0; i < 2000; i++) {
		struct event_cgroup cgroup = {.id = 4242 + 16 * any_of(3, i, 1),
					      .hierarchy = any_of(3, i, 2),
					      .length = sizeof("/a-00") - 1};
		struct task_identity *identity;
		char path[8];
		char expected[160];

		snprintf(path, sizeof(path), "/a-%02u", any_of(3, i, 3));
		identity = stage_event(&desk->stage, EVENT_CGROUP_ATTACH, 3802);
		identity->cgroup_id = cgroup.id;
		identity->cgroup_hierarchy = (__u16)cgroup.hierarchy;
		event_make_add(&desk->stage.make, PART_CGROUP, &cgroup, sizeof(cgroup));
		event_make_add(&desk->stage.make, PART_CGROUP, path, cgroup.length);
		write_line(desk, stage_set(&desk->stage));
		snprintf(expected, sizeof(expected), "\"cgroup\":{\"id\":%u,%s\"path\":\"%s\"}",
			 (uint32_t)cgroup.id,
			 (const char *[]){"", "\"controller\":\"pids\",",
					  "\"controller\":\"memory\","}[cgroup.hierarchy],
			 path);
		assert_has(text_string(&desk->out), expected);
	}
}

static void a_new_name_of_a_container_is_in_the_next_line(void **state)
{
	struct desk *desk = *state;

	assert_has(write_line(desk, scene_started(&desk->stage)),
		   "\"container\":{\"name\":\"web\"");
	strcpy(stage_proc(&desk->stage, WEB_FIRST)->container->name, "shop");
	assert_has(write_line(desk, scene_started(&desk->stage)),
		   "\"container\":{\"name\":\"shop\"");
}

static void the_clock_moves_all_times(void **state)
{
	struct desk *desk = *state;

	write_line(desk, scene_exec(&desk->stage));
	event_writer_set_clock(desk->writer, (NOW_EPOCH - NOW_BOOT + 86400) * SECOND);
	write_line(desk, scene_exec(&desk->stage));
	assert_has(text_string(&desk->out), "\"@timestamp\":\"2026-11-22T06:14:21.123456789Z\"");
	assert_has(text_string(&desk->out), "\"start\":\"2026-11-22T05:14:31.000000000Z\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_the_same_each_time),
		desk_test(no_line_shows_another),
		desk_test(no_process_is_taken_for_another),
		desk_test(no_id_is_taken_for_another),
		desk_test(no_command_is_taken_for_another),
		desk_test(what_is_said_of_arguments_is_said_each_time),
		desk_test(cut_arguments_have_no_count),
		desk_test(no_cgroup_is_taken_for_another),
		desk_test(a_new_name_of_a_container_is_in_the_next_line),
		desk_test(the_clock_moves_all_times),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
