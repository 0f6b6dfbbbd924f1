/* SPDX-License-Identifier: GPL-2.0-only */
/* What becomes of event lines that are too long, hostile, cut, or wanted in another format. */
#include "event_lines.h"

#include <locale.h>

/* An exec with so many bytes of arguments, of a path and of an environment. */
static struct event_make *big_exec(struct stage *stage, size_t args, size_t path, size_t env)
{
	struct event_exec exec = {
		.filename_length = (uint32_t)path,
		.args_length = (uint32_t)args,
		.args_total = (uint32_t)args,
		.args_count = 1,
		.env_length = (uint32_t)env,
		.env_total = (uint32_t)env,
	};
	char bytes[4096];

	stage_event(stage, EVENT_EXEC, 3830);
	event_make_add(&stage->make, PART_EXEC, &exec, sizeof(exec));
	memset(bytes, 'x', sizeof(bytes));
	bytes[0] = '/';
	event_make_add(&stage->make, PART_EXEC, bytes, path);
	memset(bytes, 'y', sizeof(bytes));
	event_make_add(&stage->make, PART_EXEC, bytes, args);
	memcpy(bytes, "PATH=", 5);
	event_make_add(&stage->make, PART_EXEC, bytes, env);
	return &stage->make;
}

static const struct event_line *exec_all(struct stage *stage)
{
	big_exec(stage, 1000, 10, 1000);
	return stage_set(stage);
}

static const struct event_line *exec_long_path(struct stage *stage)
{
	big_exec(stage, 1000, 4000, 1000);
	return stage_set(stage);
}

/* An exec of `filename` with one argument that was cut, of which `total` bytes were there. */
static const struct event_line *small_exec(struct stage *stage, const char *filename,
					   const char *interpreter, uint32_t total)
{
	struct event_exec exec = {
		.filename_length = (uint32_t)strlen(filename),
		.interpreter_length = (uint32_t)strlen(interpreter),
		.args_length = 4,
		.args_total = total,
		.args_count = 3,
	};

	stage_event(stage, EVENT_EXEC, 3802);
	event_make_add(&stage->make, PART_EXEC, &exec, sizeof(exec));
	event_make_add(&stage->make, PART_EXEC, filename, strlen(filename));
	event_make_add(&stage->make, PART_EXEC, interpreter, strlen(interpreter));
	event_make_add(&stage->make, PART_EXEC, "a\0bc", 4);
	return stage_set(stage);
}

static const struct event_line *exec_cut(struct stage *stage)
{
	return small_exec(stage, "/bin/x", "", 5000);
}

static const struct event_line *exec_script(struct stage *stage)
{
	return small_exec(stage, "./run.sh", "/bin/sh", 4);
}

static const struct event_line *exec_relative(struct stage *stage)
{
	return small_exec(stage, "./x", "", 4);
}

static const struct event_line *exec_descriptor(struct stage *stage)
{
	return small_exec(stage, "/dev/fd/3", "", 4);
}

static const struct event_line *exec_hostile(struct stage *stage)
{
	small_exec(stage, "/bin/\xff\n\"\xe2\x80\xae", "", 4);
	memcpy((char *)stage->event.identity->comm, "a\xc3\0", 3);
	return &stage->line;
}

static const struct event_line *many_groups(struct stage *stage)
{
	uint32_t groups[GROUPS_KEPT] = {1, 2, 3};
	struct task_identity *identity = stage_event(stage, EVENT_CREDENTIALS, 3802);
	struct event_before *before;

	identity->groups_kept = GROUPS_KEPT;
	identity->groups_total = 40;
	event_make_add(&stage->make, PART_GROUPS, groups, sizeof(groups));
	before = stage_before(stage, identity);
	before->groups_total = 50;
	event_make_add(&stage->make, PART_BEFORE_GROUPS, groups, sizeof(groups));
	stage->make.record.changed = CHANGE_GROUPS;
	return stage_set(stage);
}

static const struct event_line *refused_oddly(struct stage *stage)
{
	stage_event(stage, EVENT_NAMESPACES, 3802);
	stage->make.record.error = 523;
	stage->make.record.cause = CAUSE_NS_JOIN;
	return stage_set(stage);
}

static const char *const env[] = {"PATH"};

static struct json_object *parse_within(scene_set set, size_t line_max)
{
	struct event_writer_options options = defaults;

	options.env = env;
	options.env_count = ARRAY_SIZE(env);
	options.line_max = line_max;
	return scene_parse(set, &options);
}

static void a_long_line_loses_env_then_args_then_names(void **state)
{
	struct json_object *line = parse_within(exec_all, EVENT_LINE_DEFAULT);

	(void)state;
	assert_at(line, "nsview.truncated", NULL);
	assert_int_equal(json_object_array_length(at(line, "process.env_vars")), 1);
	json_object_put(line);
	line = parse_within(exec_all, 5000);
	assert_at(line, "nsview.truncated", "[\"env\"]");
	assert_at(line, "process.env_vars", NULL);
	assert_int_equal(json_object_array_length(at(line, "process.args")), 1);
	json_object_put(line);
	line = parse_within(exec_all, 4000);
	assert_at(line, "nsview.truncated", "[\"args\",\"env\"]");
	assert_at(line, "process.args", NULL);
	assert_at(line, "process.args_count", "1");
	assert_at(line, "nsview.args_bytes", "1000");
	assert_non_null(at(line, "process.thread.capabilities"));
	json_object_put(line);
	line = parse_within(exec_all, 3000);
	assert_at(line, "nsview.truncated", "[\"args\",\"env\",\"capabilities\"]");
	assert_at(line, "process.thread", "{\"id\":3830}");
	assert_at(line, "nsview.capabilities.bounding", NULL);
	assert_at(line, "nsview.capabilities.bounding_hex", "\"00000000a80425fb\"");
	assert_at(line, "process.user.id", "\"0\"");
	json_object_put(line);
}

static void then_long_texts_are_cut(void **state)
{
	struct json_object *line = parse_within(exec_long_path, 4000);

	(void)state;
	assert_at(line, "nsview.truncated", "[\"args\",\"env\",\"capabilities\",\"strings\"]");
	assert_int_equal(json_object_get_string_len(at(line, "process.executable")), 64);
	assert_at(line, "nsview.cgroup.path",
		  "\"/system.slice/docker-aaaa111122223333444455556666777788889999000\"");
	assert_at(line, "container.name", "\"web\"");
	json_object_put(line);
}

static void at_last_who_what_and_when_are_left(void **state)
{
	struct json_object *line = parse_within(scene_exec, EVENT_LINE_MIN);
	int keys = 0;

	(void)state;
	assert_at(line, "@timestamp", "\"2026-11-21T06:14:21.123456789Z\"");
	assert_at(line, "event.action", "\"exec\"");
	assert_at(line, "event.sequence", "1841");
	assert_at(line, "process.pid", "3830");
	assert_non_null(at(line, "process.entity_id"));
	assert_at(line, "nsview.cause", "\"exec-setuid\"");
	assert_true(names(line, "nsview.truncated", "line"));
	json_object_object_foreach(at(line, "process"), key, value)
	{
		(void)key;
		(void)value;
		keys++;
	}
	assert_int_equal(keys, 4);
	json_object_put(line);
}

static void every_length_keeps_its_word(void **state)
{
	static const scene_set sets[] = {exec_all,     exec_long_path, scene_exec,
					 scene_setuid, scene_info,     scene_named};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		for (size_t max = EVENT_LINE_MIN; max < 6000; max += 97)
			json_object_put(parse_within(sets[i], max));
}

static void only_the_variables_that_were_asked_for_are_told(void **state)
{
	static const char *const wanted[] = {"NOTHING", "PAT", "PATHS"};
	struct event_writer_options options = defaults;
	struct json_object *line = scene_parse(exec_all, &options);

	(void)state;
	assert_at(line, "process.env_vars", NULL);
	json_object_put(line);
	options.env = wanted;
	options.env_count = ARRAY_SIZE(wanted);
	line = scene_parse(exec_all, &options);
	assert_at(line, "process.env_vars", "[]");
	json_object_put(line);
}

static void arguments_that_were_cut_say_how_long_they_were(void **state)
{
	struct json_object *line = scene_parse(exec_cut, &defaults);

	(void)state;
	assert_at(line, "process.args", "[\"a\",\"bc\"]");
	assert_at(line, "process.args_count", "3");
	assert_at(line, "nsview.truncated", "[\"args\"]");
	assert_at(line, "nsview.args_bytes", "5000");
	json_object_put(line);
}

static void an_executable_is_a_path_or_unknown(void **state)
{
	struct json_object *line = scene_parse(exec_script, &defaults);

	(void)state;
	assert_at(line, "process.executable", "\"/bin/sh\"");
	assert_at(line, "nsview.exec.filename", "\"./run.sh\"");
	json_object_put(line);
	line = scene_parse(exec_relative, &defaults);
	assert_at(line, "process.executable", NULL);
	assert_at(line, "nsview.exec.filename", "\"./x\"");
	assert_true(names(line, "nsview.unknown", "process.executable"));
	json_object_put(line);
	line = scene_parse(exec_descriptor, &defaults);
	assert_at(line, "process.executable", NULL);
	assert_at(line, "nsview.exec.filename", "\"/dev/fd/3\"");
	json_object_put(line);
}

static void bytes_that_are_no_text_are_replaced_and_named(void **state)
{
	struct json_object *line = scene_parse(exec_hostile, &defaults);

	(void)state;
	assert_at(line, "process.executable", "\"/bin/\\ufffd\\n\\\"\\u202e\"");
	assert_at(line, "process.name", "\"a\\ufffd\"");
	assert_at(line, "nsview.lossy", "[\"process.name\",\"process.executable\"]");
	json_object_put(line);
}

static void a_list_without_its_end_is_not_given(void **state)
{
	struct json_object *line = scene_parse(many_groups, &defaults);

	(void)state;
	assert_at(line, "nsview.groups", NULL);
	assert_at(line, "nsview.before", NULL);
	assert_true(names(line, "nsview.unknown", "nsview.groups"));
	assert_true(names(line, "nsview.unknown", "nsview.before.groups"));
	assert_at(line, "nsview.truncated", "[\"groups\"]");
	json_object_put(line);
}

static void an_error_without_a_name_is_its_number(void **state)
{
	struct json_object *line = scene_parse(refused_oddly, &defaults);

	(void)state;
	assert_at(line, "error", "{\"code\":\"523\"}");
	assert_at(line, "event.action", "\"namespaces_changed\"");
	json_object_put(line);
}

static void otel_is_flat_and_has_its_own_names(void **state)
{
	struct event_writer_options options = defaults;
	struct json_object *line;

	(void)state;
	options.format = EVENT_FORMAT_OTEL;
	options.env = env;
	options.env_count = ARRAY_SIZE(env);
	line = scene_parse(scene_exec, &options);
	assert_attribute(line, "process.pid", "3830");
	assert_attribute(line, "process.parent_pid", "3816");
	assert_attribute(line, "process.command_args", "[\"sleep\",\"3600\"]");
	assert_attribute(line, "process.executable.path", "\"/bin/sleep\"");
	assert_attribute(line, "process.creation.time", "\"2026-11-21T05:14:31.000000000Z\"");
	assert_attribute(line, "process.user.id", "0");
	assert_attribute(line, "process.user.name", "\"root\"");
	assert_attribute(line, "container.runtime.name", "\"docker\"");
	assert_attribute(line, "nsview.event.action", "\"exec\"");
	assert_attribute(line, "nsview.cause", "\"exec-setuid\"");
	assert_attribute(line, "nsview.before.user.id", "\"4000001\"");
	assert_attribute(line, "nsview.capabilities.lost", "[]");
	assert_attribute(line, "ecs.version", NULL);
	json_object_put(line);
	line = scene_parse(scene_exit, &options);
	assert_attribute(line, "process.exit.code", "3");
	json_object_put(line);
	line = scene_parse(exec_all, &options);
	assert_non_null(json_object_object_get(line, "process.environment_variable.PATH"));
	json_object_put(line);
}

/* Without its newline; free the text. */
static void words_of(scene_set set, struct text *out)
{
	struct event_writer_options options = defaults;
	const struct scene scene = {"", set};

	options.format = EVENT_FORMAT_TEXT;
	options.line_max = EVENT_LINE_MIN;
	scene_write(&scene, &options, out);
	assert_int_equal(out->data[out->length - 1], '\n');
	out->length--;
}

static void assert_words(scene_set set, const char *expected)
{
	struct text out = {0};

	words_of(set, &out);
	assert_string_equal(text_string(&out), expected);
	text_free(&out);
}

#define WHEN "2026-11-21T06:14:21.123456Z "

static void words_say_what_changed_by_its_meaning(void **state)
{
	(void)state;
	assert_words(scene_exec, WHEN "web 3830/7 root exec  sleep 3600  user 4000001 -> root  "
				      "saved user 4000001 -> root  caps none -> docker-default  "
				      "[exec-setuid]");
	assert_words(scene_capset, WHEN "web 3816/1 root capabilities_changed  caps CHOWN "
					"NET_ADMIN -> NET_ADMIN 63  securebits 0 -> 16  [capset]");
	assert_words(scene_refused,
		     WHEN "web 3816/1 root capabilities_changed  refused: EPERM  [capset]");
	assert_words(scene_unshare,
		     WHEN "- 3802 root namespaces_changed  ns net host -> 4026533000  children's "
			  "ns pid host -> 4026532700  children's ns time host -> 4026533001  "
			  "[ns-create]");
	assert_words(scene_exit, WHEN "web 3830/7 root exit  code 3");
	assert_words(scene_exit_unseen, WHEN "- 5000 ? exit  signal 11");
	assert_words(scene_gap, WHEN "gap  lost 120 events, 1842 to 1961: skipped fork");
	assert_words(scene_snapshot,
		     WHEN "pid:4026532700 3900/1 root snapshot  sleep  caps docker-default");
	assert_words(scene_started, WHEN "web 3816/1 root container_started  " ID_A
					 "  docker  caps docker-default");
	assert_words(scene_fork, WHEN "- 3802 root fork  child of 1  -bash  caps full");
}

static const struct event_line *exec_escapes(struct stage *stage)
{
	small_exec(stage, "/bin/x", "", 4);
	memcpy((char *)stage->event.args, "\x1b[2J", 4);
	return &stage->line;
}

static void words_do_nothing_to_a_terminal_and_end_in_time(void **state)
{
	struct text out = {0};

	(void)state;
	assert_words(exec_escapes, WHEN "- 3802 root exec  \\x1b[2J  caps full");
	words_of(exec_long_path, &out);
	assert_true(out.length < EVENT_LINE_MIN);
	text_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_line_loses_env_then_args_then_names),
		cmocka_unit_test(then_long_texts_are_cut),
		cmocka_unit_test(at_last_who_what_and_when_are_left),
		cmocka_unit_test(every_length_keeps_its_word),
		cmocka_unit_test(only_the_variables_that_were_asked_for_are_told),
		cmocka_unit_test(arguments_that_were_cut_say_how_long_they_were),
		cmocka_unit_test(an_executable_is_a_path_or_unknown),
		cmocka_unit_test(bytes_that_are_no_text_are_replaced_and_named),
		cmocka_unit_test(a_list_without_its_end_is_not_given),
		cmocka_unit_test(an_error_without_a_name_is_its_number),
		cmocka_unit_test(otel_is_flat_and_has_its_own_names),
		cmocka_unit_test(words_say_what_changed_by_its_meaning),
		cmocka_unit_test(words_do_nothing_to_a_terminal_and_end_in_time),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
