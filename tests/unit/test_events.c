/* SPDX-License-Identifier: GPL-2.0-only */
/* The lines of the event stream. `test_events lines FORMAT` writes one of each kind, for the tests
 * of docs/events.schema.json. */
#include "event_lines.h"

#include <locale.h>

static void an_exec_tells_who_what_and_why(void **state)
{
	struct json_object *line = scene_parse(scene_exec, &defaults);

	(void)state;
	assert_at(line, "@timestamp", "\"2026-11-21T06:14:21.123456789Z\"");
	assert_at(line, "event",
		  "{\"kind\":\"event\",\"category\":[\"process\"],\"type\":[\"start\"],"
		  "\"action\":\"exec\",\"sequence\":1841,\"outcome\":\"success\"}");
	assert_at(line, "host",
		  "{\"name\":\"web-3\",\"boot\":{\"id\":"
		  "\"11112222-3333-4444-5555-666677778888\"}}");
	assert_at(line, "process.pid", "3830");
	assert_at(line, "process.vpid", "7");
	assert_at(line, "process.parent.pid", "3816");
	assert_at(line, "process.parent.vpid", "1");
	assert_at(line, "process.name", "\"sleep\"");
	assert_at(line, "process.executable", "\"/bin/sleep\"");
	assert_at(line, "process.args", "[\"sleep\",\"3600\"]");
	assert_at(line, "process.args_count", "2");
	assert_at(line, "process.start", "\"2026-11-21T05:14:31.000000000Z\"");
	assert_at(line, "process.user", "{\"id\":\"0\",\"name\":\"root\"}");
	assert_at(line, "process.group", "{\"id\":\"0\"}");
	assert_at(line, "process.tty", "{\"char_device\":{\"major\":136,\"minor\":0}}");
	assert_at(line, "process.thread",
		  "{\"id\":3830,\"capabilities\":{\"effective\":" DOCKER_NAMES
		  ",\"permitted\":" DOCKER_NAMES "}}");
	assert_at(line, "container",
		  "{\"id\":\"" ID_A "\",\"name\":\"web\",\"runtime\":\"docker\","
		  "\"image\":{\"name\":\"ubuntu\"},\"security_context\":{\"privileged\":false}}");
	json_object_put(line);
}

static void an_exec_tells_what_no_schema_has(void **state)
{
	struct json_object *line = scene_parse(scene_exec, &defaults);

	(void)state;
	assert_at(line, "nsview.pid_chain",
		  "[{\"ns\":4026531001,\"pid\":3830},"
		  "{\"ns\":4026532567,\"pid\":7}]");
	assert_at(line, "nsview.inside.user", "{\"id\":\"0\"}");
	assert_at(line, "nsview.ns.mnt", "4026532568");
	assert_at(line, "nsview.ns.user", "4026531007");
	assert_at(line, "nsview.shared_with_host",
		  "[\"net\",\"ipc\",\"uts\",\"cgroup\",\"time\",\"user\"]");
	assert_at(line, "nsview.user_ns", "{\"ino\":4026531007,\"level\":0,\"owner\":\"0\"}");
	assert_at(line, "nsview.capabilities.effective_hex", "\"00000000a80425fb\"");
	assert_at(line, "nsview.capabilities.bounding", DOCKER_NAMES);
	assert_at(line, "nsview.capabilities.host_effective", "true");
	assert_at(line, "nsview.capabilities.gained", DOCKER_NAMES);
	assert_at(line, "nsview.capabilities.lost", "[]");
	assert_at(line, "nsview.cause", "\"exec-setuid\"");
	assert_at(line, "nsview.exec", "{\"setuid\":true,\"secure\":true}");
	assert_at(line, "nsview.seccomp", "\"filter\"");
	assert_at(line, "nsview.no_new_privs", "false");
	assert_at(line, "nsview.login_uid", "\"1000\"");
	assert_at(line, "nsview.session_id", "3");
	assert_at(line, "nsview.drift", "[]");
	assert_at(line, "nsview.declared",
		  "{\"user\":\"\",\"caps\":" DOCKER_NAMES ",\"privileged\":false,\"nnp\":false,"
		  "\"seccomp\":true,\"readonly_root\":false,\"shared\":[],"
		  "\"memory_limit\":268435456}");
	assert_at(line, "nsview.cgroup", "{\"id\":4242}");
	assert_at(line, "nsview.unknown", "[\"nsview.cgroup.path\"]");
	assert_at(line, "nsview.inferred", "false");
	json_object_put(line);
}

static const struct event_line *fork_of_known(struct stage *stage)
{
	struct proc *proc = stage_proc(stage, 3802);

	proc->exe = "/usr/bin/bash";
	proc->exe_length = strlen(proc->exe);
	return scene_fork(stage);
}

static void the_table_knows_where_the_program_lies(void **state)
{
	struct json_object *line = scene_parse(fork_of_known, &defaults);

	(void)state;
	assert_at(line, "process.executable", "\"/usr/bin/bash\"");
	json_object_put(line);
	line = scene_parse(scene_fork, &defaults);
	assert_at(line, "process.executable", NULL);
	assert_true(names(line, "nsview.unknown", "process.executable"));
	json_object_put(line);
}

static void before_has_what_changed_and_nothing_else(void **state)
{
	struct json_object *line = scene_parse(scene_exec, &defaults);

	(void)state;
	assert_at(line, "nsview.before",
		  "{\"user\":{\"id\":\"4000001\"},\"saved_user\":{\"id\":\"4000001\"},"
		  "\"fs_user\":{\"id\":\"4000001\"},\"capabilities\":{"
		  "\"inheritable\":[],\"inheritable_hex\":\"0000000000000000\","
		  "\"permitted\":[],\"permitted_hex\":\"0000000000000000\","
		  "\"effective\":[],\"effective_hex\":\"0000000000000000\","
		  "\"ambient\":[],\"ambient_hex\":\"0000000000000000\"}}");
	json_object_put(line);
	line = scene_parse(scene_capset, &defaults);
	assert_at(line, "event.action", "\"capabilities_changed\"");
	assert_at(line, "nsview.capabilities.gained", "[\"63\"]");
	assert_at(line, "nsview.capabilities.lost", "[\"CAP_CHOWN\"]");
	assert_at(line, "nsview.before",
		  "{\"capabilities\":{\"effective\":[\"CAP_CHOWN\",\"CAP_NET_ADMIN\"],"
		  "\"effective_hex\":\"0000000000001001\"},\"securebits\":0}");
	json_object_put(line);
	line = scene_parse(scene_setuid, &defaults);
	assert_at(line, "event.action", "\"credentials_changed\"");
	assert_at(line, "nsview.groups", "[\"4\",\"27\"]");
	assert_at(line, "nsview.before.groups", "[]");
	assert_at(line, "nsview.before.group", NULL);
	assert_at(line, "process.vpid", NULL);
	assert_at(line, "nsview.inside", NULL);
	json_object_put(line);
}

static const struct event_line *eight_ids(struct stage *stage)
{
	const struct id_block ids = {4000001, 101, 4000002, 102, 4000003, 103, 4000004, 104};
	const struct id_block in_ids = {1, 11, 2, 12, 3, 13, 4, 14};
	struct task_identity *identity = stage_event(stage, EVENT_CREDENTIALS, WEB_FIRST);

	identity->ids = ids;
	event_make_add(&stage->make, PART_IN_IDS, &in_ids, sizeof(in_ids));
	return stage_set(stage);
}

static void each_id_has_its_place(void **state)
{
	struct json_object *line = scene_parse(eight_ids, &defaults);

	(void)state;
	assert_at(line, "process.user.id", "\"4000003\"");
	assert_at(line, "process.real_user.id", "\"4000001\"");
	assert_at(line, "process.saved_user.id", "\"4000002\"");
	assert_at(line, "nsview.fs_user.id", "\"4000004\"");
	assert_at(line, "process.group.id", "\"103\"");
	assert_at(line, "process.real_group.id", "\"101\"");
	assert_at(line, "process.saved_group.id", "\"102\"");
	assert_at(line, "nsview.fs_group.id", "\"104\"");
	assert_at(line, "nsview.inside",
		  "{\"user\":{\"id\":\"3\"},\"real_user\":{\"id\":\"1\"},\"saved_user\":{\"id\":"
		  "\"2\"},\"group\":{\"id\":\"13\"},\"real_group\":{\"id\":\"11\"}}");
	assert_at(line, "nsview.login_uid", NULL);
	assert_at(line, "nsview.session_id", NULL);
	json_object_put(line);
}

static void namespaces_are_told_before_and_after(void **state)
{
	struct json_object *line = scene_parse(scene_unshare, &defaults);

	(void)state;
	assert_at(line, "event.action", "\"namespaces_changed\"");
	assert_at(line, "nsview.ns.net", "4026533000");
	assert_at(line, "nsview.children", "{\"ns\":{\"pid\":4026532700,\"time\":4026533001}}");
	assert_at(line, "nsview.before",
		  "{\"ns\":{\"net\":4026531002},\"children\":{\"ns\":"
		  "{\"pid\":4026531001,\"time\":4026531006}}}");
	json_object_put(line);
	line = scene_parse(scene_userns, &defaults);
	assert_at(line, "nsview.before",
		  "{\"no_new_privs\":false,\"seccomp\":\"off\",\"ns\":{\"user\":4026531007},"
		  "\"user_ns\":{\"ino\":4026531007,\"level\":0,\"owner\":\"0\"}}");
	assert_at(line, "nsview.capabilities.host_effective", "false");
	assert_at(line, "nsview.inferred", "true");
	json_object_put(line);
	line = scene_parse(scene_idmap, &defaults);
	assert_at(line, "nsview.idmap", "{\"user_ns\":4026533100}");
	json_object_put(line);
}

static void a_refused_call_is_a_failure_of_what_was_tried(void **state)
{
	struct json_object *line = scene_parse(scene_refused, &defaults);

	(void)state;
	assert_at(line, "event.action", "\"capabilities_changed\"");
	assert_at(line, "event.outcome", "\"failure\"");
	assert_at(line, "error", "{\"code\":\"EPERM\"}");
	assert_at(line, "nsview.cause", "\"capset\"");
	assert_at(line, "nsview.before", NULL);
	json_object_put(line);
}

static void an_exit_has_a_code_or_a_signal(void **state)
{
	struct json_object *line = scene_parse(scene_exit, &defaults);

	(void)state;
	assert_at(line, "event.type", "[\"end\"]");
	assert_at(line, "process.exit_code", "3");
	assert_at(line, "nsview.exit_signal", NULL);
	assert_at(line, "process.args", "[\"nginx: worker\"]");
	assert_at(line, "process.vpid", "7");
	assert_at(line, "nsview.cgroup.path", "\"" WEB_CGROUP "\"");
	json_object_put(line);
	line = scene_parse(scene_exit_unseen, &defaults);
	assert_at(line, "process.exit_code", NULL);
	assert_at(line, "nsview.exit_signal", "11");
	assert_at(line, "nsview.core_dumped", "true");
	json_object_put(line);
}

static const struct event_line *exit_repaired(struct stage *stage)
{
	scene_exit(stage);
	stage->make.record.flags = EVENT_REPAIR | EVENT_INFERRED;
	stage->make.record.sequence = 0;
	return &stage->line;
}

static void of_an_exit_that_nobody_saw_the_code_is_unknown(void **state)
{
	struct json_object *line = scene_parse(exit_repaired, &defaults);

	(void)state;
	assert_at(line, "event.sequence", NULL);
	assert_at(line, "process.exit_code", NULL);
	assert_at(line, "nsview.exit_signal", NULL);
	assert_at(line, "nsview.inferred", "true");
	assert_true(names(line, "nsview.unknown", "process.exit_code"));
	json_object_put(line);
}

static void what_is_not_known_is_absent_and_named(void **state)
{
	struct json_object *line = scene_parse(scene_exit_unseen, &defaults);

	(void)state;
	assert_at(line, "process.name", NULL);
	assert_at(line, "process.user", NULL);
	assert_at(line, "nsview.ns", NULL);
	assert_at(line, "nsview.capabilities", NULL);
	assert_true(names(line, "nsview.unknown", "process.name"));
	assert_true(names(line, "nsview.unknown", "process.user"));
	assert_true(names(line, "nsview.unknown", "nsview.ns.mnt"));
	assert_true(names(line, "nsview.unknown", "nsview.capabilities"));
	assert_false(names(line, "nsview.unknown", "process.start"));
	json_object_put(line);
}

static void a_number_that_a_double_would_round_is_a_string(void **state)
{
	struct json_object *line = scene_parse(scene_exit_unseen, &defaults);

	(void)state;
	assert_at(line, "event.sequence", "\"9007199254740993\"");
	json_object_put(line);
	line = scene_parse(scene_cgroup_moved, &defaults);
	assert_at(line, "nsview.cgroup",
		  "{\"id\":\"1152921504606846977\",\"path\":\"/nsview/0123456789ab\"}");
	json_object_put(line);
}

static void a_hierarchy_of_version_1_is_named(void **state)
{
	struct json_object *line = scene_parse(scene_cgroup_made, &defaults);

	(void)state;
	assert_at(line, "nsview.cgroup.controller", "\"memory\"");
	json_object_put(line);
}

static void lines_without_a_process_have_none(void **state)
{
	static const char *const actions[] = {"\"gap\"", "\"info\"", "\"container_named\"",
					      "\"cgroup_created\""};
	const scene_set sets[] = {scene_gap, scene_info, scene_named, scene_cgroup_made};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		struct json_object *line = scene_parse(sets[i], &defaults);

		assert_at(line, "event.action", actions[i]);
		assert_at(line, "process", NULL);
		assert_at(line, "nsview.unknown", NULL);
		json_object_put(line);
	}
}

static void a_gap_names_what_is_missing(void **state)
{
	struct json_object *line = scene_parse(scene_gap, &defaults);

	(void)state;
	assert_at(line, "nsview.gap",
		  "{\"lost\":120,\"first\":1842,\"last\":1961,"
		  "\"reason\":\"skipped\",\"hook\":\"fork\"}");
	json_object_put(line);
	line = scene_parse(scene_info, &defaults);
	assert_at(line, "message",
		  "\"hook \\\"credentials\\\" listens at the ends of system calls\"");
	assert_at(line, "nsview.info", "{\"hook\":\"credentials\"}");
	json_object_put(line);
}

static void a_process_has_one_entity_id_and_no_other_has_it(void **state)
{
	struct event_writer_options other = defaults;
	struct json_object *exec = scene_parse(scene_exec, &defaults);
	struct json_object *end = scene_parse(scene_exit, &defaults);
	struct json_object *started = scene_parse(scene_started, &defaults);
	struct json_object *elsewhere;

	(void)state;
	other.boot_id = "11112222-3333-4444-5555-666677778889";
	elsewhere = scene_parse(scene_exec, &other);
	assert_true(json_object_equal(at(exec, "process.entity_id"), at(end, "process.entity_id")));
	assert_true(json_object_equal(at(exec, "process.parent.entity_id"),
				      at(started, "process.entity_id")));
	assert_false(
		json_object_equal(at(exec, "process.entity_id"), at(started, "process.entity_id")));
	assert_false(json_object_equal(at(exec, "process.entity_id"),
				       at(elsewhere, "process.entity_id")));
	json_object_put(exec);
	json_object_put(end);
	json_object_put(started);
	json_object_put(elsewhere);
}

static void each_action_is_among_the_types(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++) {
		struct json_object *line = scene_parse(scenes[i].set, &defaults);
		const char *action = json_object_get_string(at(line, "event.action"));
		size_t j = 0;

		while (event_actions[j] && strcmp(event_actions[j], action) != 0)
			j++;
		assert_non_null(event_actions[j]);
		json_object_put(line);
	}
}

static int write_lines(const char *format)
{
	struct event_writer_options options = defaults;
	struct text out = {0};

	if (event_format_by_name(format, &options.format))
		return 2;
	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++)
		scene_write(&scenes[i], &options, &out);
	fwrite(out.data, 1, out.length, stdout);
	text_free(&out);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_exec_tells_who_what_and_why),
		cmocka_unit_test(an_exec_tells_what_no_schema_has),
		cmocka_unit_test(the_table_knows_where_the_program_lies),
		cmocka_unit_test(before_has_what_changed_and_nothing_else),
		cmocka_unit_test(each_id_has_its_place),
		cmocka_unit_test(namespaces_are_told_before_and_after),
		cmocka_unit_test(a_refused_call_is_a_failure_of_what_was_tried),
		cmocka_unit_test(an_exit_has_a_code_or_a_signal),
		cmocka_unit_test(of_an_exit_that_nobody_saw_the_code_is_unknown),
		cmocka_unit_test(what_is_not_known_is_absent_and_named),
		cmocka_unit_test(a_number_that_a_double_would_round_is_a_string),
		cmocka_unit_test(a_hierarchy_of_version_1_is_named),
		cmocka_unit_test(lines_without_a_process_have_none),
		cmocka_unit_test(a_gap_names_what_is_missing),
		cmocka_unit_test(a_process_has_one_entity_id_and_no_other_has_it),
		cmocka_unit_test(each_action_is_among_the_types),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	if (argc == 3 && !strcmp(argv[1], "lines"))
		return write_lines(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
