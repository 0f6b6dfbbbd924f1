/* SPDX-License-Identifier: GPL-2.0-only */
#include "event_scenes.h"

#include "view/changes.h"

/* The stage, and the pane of what happens on it. */
struct pane {
	struct stage stage;
	struct changes *changes;
	struct text text;
};

static struct pane *pane_new(void)
{
	struct pane *pane = mem_new(sizeof(*pane));

	stage_start(&pane->stage);
	pane->changes = changes_new(&pane->stage.machine.view);
	return pane;
}

static void pane_free(struct pane *pane)
{
	changes_free(pane->changes);
	text_free(&pane->text);
	stage_end(&pane->stage);
	free(pane);
}

static struct change_source source_of(const struct event_line *line)
{
	return (struct change_source){
		.time_boot_ns = line->time_boot_ns,
		.event = line->event,
		.proc = line->proc,
		.parent = line->parent,
		.container = line->container,
	};
}

/* False: it makes no line. */
static bool pane_add(struct pane *pane, const struct event_line *line)
{
	struct change_source source = source_of(line);

	if (!changes_kind(line->event, line->proc, &source.kind))
		return false;
	changes_add(pane->changes, &source);
	return true;
}

static void pane_add_container(struct pane *pane, enum change_kind kind,
			       const struct event_line *line)
{
	struct change_source source = source_of(line);

	source.kind = kind;
	changes_add(pane->changes, &source);
}

/* "word container who: text" of a line, with a `!` where it is loud. */
static const char *pane_line(struct pane *pane, size_t place)
{
	struct change change;

	changes_get(pane->changes, place, &change);
	text_clear(&pane->text);
	text_printf(&pane->text, "%s%s %s %s: %s", change.is_loud ? "!" : "", change.word,
		    change.container, change.who, change.text);
	return text_string(&pane->text);
}

static void assert_scene(scene_set set, const char *expected)
{
	struct pane *pane = pane_new();

	assert_true(pane_add(pane, set(&pane->stage)));
	/* Nothing of it is borrowed. */
	memset(&pane->stage.make, 0xaa, sizeof(pane->stage.make));
	memset(&pane->stage.event, 0xaa, sizeof(pane->stage.event));
	assert_string_equal(pane_line(pane, 0), expected);
	pane_free(pane);
}

static const struct event_line *scene_join(struct stage *stage)
{
	struct task_identity *identity = stage_event(stage, EVENT_EXEC, 3830);

	identity->in_ppid = 0;
	for (int set = 0; set < CAP_SETS; set++)
		identity->caps[set] = 0x1ffffffffffULL;
	event_make_exec(&stage->make, "/bin/bash", "bash", sizeof("bash"), 1);
	stage->line.parent = stage_proc(stage, 3802);
	return stage_set(stage);
}

static const struct event_line *scene_plain_exec(struct stage *stage)
{
	stage_event(stage, EVENT_EXEC, 3830);
	event_make_exec(&stage->make, "/bin/ls",
			"ls\0"
			"-l",
			sizeof("ls\0"
			       "-l"),
			2);
	return stage_set(stage);
}

static const struct event_line *scene_host_exec(struct stage *stage)
{
	stage_event(stage, EVENT_EXEC, 3802);
	event_make_exec(&stage->make, "/bin/ls", "ls", sizeof("ls"), 1);
	return stage_set(stage);
}

static const struct event_line *scene_nameless(struct stage *stage)
{
	struct event *event = &stage->event;

	scene_setuid(stage);
	((struct task_identity *)event->identity)->ids.euid = USER_NAMELESS;
	return &stage->line;
}

static const struct event_line *scene_group(struct stage *stage)
{
	struct task_identity *identity = stage_event(stage, EVENT_CREDENTIALS, 3802);
	struct event_before *before = stage_before(stage, identity);

	before->ids.egid = 33;
	before->groups_total = 4;
	stage->make.record.cause = CAUSE_SETGID;
	stage->make.record.changed = CHANGE_IDS | CHANGE_GROUPS;
	return stage_set(stage);
}

static const struct event_line *scene_bounding(struct stage *stage)
{
	struct task_identity *identity = stage_event(stage, EVENT_CREDENTIALS, WEB_FIRST);
	struct event_before *before = stage_before(stage, identity);

	before->caps[CAP_SET_BOUNDING] = 0x1ffffffffffULL;
	stage->make.record.cause = CAUSE_BOUNDING_DROP;
	stage->make.record.changed = CHANGE_CAPS;
	return stage_set(stage);
}

static const struct event_line *scene_gain(struct stage *stage)
{
	struct task_identity *identity = stage_event(stage, EVENT_CREDENTIALS, WEB_FIRST);
	struct event_before *before = stage_before(stage, identity);

	before->caps[CAP_SET_EFFECTIVE] = 0;
	stage->make.record.cause = CAUSE_CAPSET;
	stage->make.record.changed = CHANGE_CAPS;
	return stage_set(stage);
}

static void credentials_say_before_and_after_and_why(void **state)
{
	(void)state;
	assert_scene(scene_nameless, "caps - 3802/- sleep: root -> 4000001; full -> none; "
				     "cause setuid");
	assert_scene(scene_group, "user - 3802/- sleep: group 33 -> 0; "
				  "4 -> 0 supplementary groups; cause setgid");
	assert_scene(scene_gain, "!caps web 3816/1 sleep: none -> docker-default; cause capset");
	assert_scene(scene_bounding, "caps web 3816/1 sleep: bounding full -> docker-default; "
				     "cause bounding-drop");
}

static void namespaces_say_which(void **state)
{
	(void)state;
	assert_scene(
		scene_unshare,
		"ns - 3802/- sleep: net host -> 4026533000; children's pid host -> 4026532700; "
		"children's time host -> 4026533001; cause ns-create");
	assert_scene(scene_idmap,
		     "userns - 3802/- sleep: map of userns 4026533100; cause idmap-write");
}

static void a_user_namespace_says_whose_it_is_and_what_it_gives(void **state)
{
	struct pane *pane = pane_new();

	(void)state;
	assert_true(pane_add(pane, scene_userns(&pane->stage)));
	assert_non_null(strstr(pane_line(pane, 0),
			       "userns - 3802/- sleep: full -> full in userns 4026533100 (owner "));
	assert_non_null(strstr(pane_line(pane, 0),
			       "); no_new_privs off -> on; seccomp off -> filter; "
			       "cause userns-create (inferred)"));
	pane_free(pane);
}

static void what_is_refused_says_what_was_tried(void **state)
{
	(void)state;
	assert_scene(scene_refused, "!refused web 3816/1 sleep: capset refused: EPERM");
}

static void an_exec_in_a_container_says_as_whom_and_whether_it_came_from_outside(void **state)
{
	(void)state;
	assert_scene(scene_join, "exec web 3830/7 sleep: as root with full; "
				 "joined web from 3802 sleep; parent inside: 0; bash");
	assert_scene(scene_exec, "!exec web 3830/7 sleep: 4000001 -> root; none -> docker-default; "
				 "cause exec-setuid; sleep 3600");
}

static void what_changes_nothing_on_the_host_makes_no_line(void **state)
{
	static const scene_set silent[] = {scene_host_exec,   scene_fork,
					   scene_exit,        scene_exit_unseen,
					   scene_cgroup_made, scene_cgroup_moved};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(silent); i++) {
		struct pane *pane = pane_new();

		assert_false(pane_add(pane, silent[i](&pane->stage)));
		pane_free(pane);
	}
}

static void containers_begin_get_their_name_and_end(void **state)
{
	struct pane *pane = pane_new();

	(void)state;
	pane_add_container(pane, PANE_STARTED, scene_started(&pane->stage));
	pane_add_container(pane, PANE_NAMED, scene_named(&pane->stage));
	pane_add_container(pane, PANE_ENDED, scene_exited(&pane->stage));
	assert_string_equal(pane_line(pane, 2), "started web 3816/1 sleep: docker; image ubuntu; "
						"declares docker-default");
	assert_string_equal(pane_line(pane, 1),
			    "named web -: docker; image ubuntu; declares docker-default");
	assert_string_equal(pane_line(pane, 0), "ended web 3816/1 sleep: after 3590.1 s");
	pane_free(pane);
}

static void losses_are_loud_and_counted(void **state)
{
	struct pane *pane = pane_new();
	const struct change_source source = {.kind = PANE_LOST, .lost = 120};

	(void)state;
	changes_add(pane->changes, &source);
	assert_string_equal(pane_line(pane, 0), "!LOST - -: 120 events are missing here");
	pane_free(pane);
}

static void what_programs_of_a_container_start_makes_no_line(void **state)
{
	struct pane *pane = pane_new();

	(void)state;
	pane_add(pane, scene_plain_exec(&pane->stage));
	assert_int_equal(changes_count(pane->changes), 0);
	assert_int_equal(changes_forgotten(pane->changes), 0);
	pane_free(pane);
}

static void what_is_pushed_out_is_counted(void **state)
{
	struct pane *pane = pane_new();
	struct change change;
	const struct event_line *line = scene_setuid(&pane->stage);
	struct event_record *record = &pane->stage.make.record;

	(void)state;
	for (uint64_t i = 1; i <= 5000; i++) {
		record->tid = (uint32_t)i;
		pane->stage.line.time_boot_ns = i;
		pane_add(pane, line);
	}
	assert_int_equal(changes_count(pane->changes), CHANGES_KEPT);
	assert_int_equal(changes_forgotten(pane->changes), 5000 - CHANGES_KEPT);
	for (size_t place = 0; place < CHANGES_KEPT; place++) {
		changes_get(pane->changes, place, &change);
		assert_int_equal(change.time_boot_ns, 5000 - place);
	}
	pane_free(pane);
}

static void what_a_process_does_in_a_row_is_one_line(void **state)
{
	struct pane *pane = pane_new();
	const struct event_line *line = scene_bounding(&pane->stage);
	struct task_identity *identity = (struct task_identity *)pane->stage.event.identity;
	struct event_before *before = (struct event_before *)pane->stage.event.before;

	(void)state;
	pane_add(pane, line);
	before->caps[CAP_SET_BOUNDING] = identity->caps[CAP_SET_BOUNDING];
	identity->caps[CAP_SET_BOUNDING] = 1;
	pane_add(pane, line);
	assert_int_equal(changes_count(pane->changes), 1);
	assert_string_equal(pane_line(pane, 0), "caps web 3816/1 sleep: bounding full -> CHOWN; "
						"cause bounding-drop, 2 times");
	pane->stage.line.time_boot_ns += SECOND;
	pane_add(pane, line);
	assert_int_equal(changes_count(pane->changes), 2);
	pane_free(pane);
}

static void an_exec_from_outside_stands_for_what_led_to_it(void **state)
{
	struct pane *pane = pane_new();
	const struct event_line *line;

	(void)state;
	line = scene_setuid(&pane->stage);
	pane_add(pane, line);
	memset(&pane->stage.make, 0, sizeof(pane->stage.make));
	line = scene_capset(&pane->stage);
	pane->stage.make.record.tgid = pane->stage.make.record.tid = 3830;
	pane->stage.make.record.start_boot_ns = stage_proc(&pane->stage, 3830)->task->start_boot_ns;
	pane_add(pane, line);
	pane_add(pane, line);
	memset(&pane->stage.make, 0, sizeof(pane->stage.make));
	pane_add(pane, scene_join(&pane->stage));
	assert_int_equal(changes_count(pane->changes), 2);
	assert_int_equal(changes_forgotten(pane->changes), 0);
	assert_string_equal(pane_line(pane, 0), "exec web 3830/7 sleep: as root with full; "
						"joined web from 3802 sleep; parent inside: 0; "
						"bash; after 2 changes on its way");
	assert_non_null(strstr(pane_line(pane, 1), "full -> none; cause setuid"));
	pane_free(pane);
}

static void nameless_namespaces_that_end_at_once_are_one_line(void **state)
{
	struct pane *pane = pane_new();
	struct change_source source = {.kind = PANE_STARTED, .time_boot_ns = SCENE_TIME};

	(void)state;
	source.proc = stage_proc(&pane->stage, BOX_FIRST);
	source.container = source.proc->container;
	changes_add(pane->changes, &source);
	source.kind = PANE_ENDED;
	source.time_boot_ns += SECOND;
	changes_add(pane->changes, &source);
	assert_int_equal(changes_count(pane->changes), 1);
	assert_string_equal(pane_line(pane, 0),
			    "ended pid:4026532700 3900/1 sleep: after 3591.1 s");
	source.kind = PANE_STARTED;
	changes_add(pane->changes, &source);
	source.kind = PANE_ENDED;
	source.time_boot_ns += 4 * SECOND;
	changes_add(pane->changes, &source);
	assert_int_equal(changes_count(pane->changes), 3);
	pane_free(pane);
}

static void a_line_leads_to_its_process(void **state)
{
	struct pane *pane = pane_new();
	struct change change;

	(void)state;
	pane_add(pane, scene_capset(&pane->stage));
	changes_get(pane->changes, 0, &change);
	assert_int_equal(change.pid, WEB_FIRST);
	assert_int_equal(change.start_boot_ns,
			 stage_proc(&pane->stage, WEB_FIRST)->task->start_boot_ns);
	assert_int_equal(change.time_boot_ns, SCENE_TIME);
	pane_free(pane);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(credentials_say_before_and_after_and_why),
		cmocka_unit_test(namespaces_say_which),
		cmocka_unit_test(a_user_namespace_says_whose_it_is_and_what_it_gives),
		cmocka_unit_test(what_is_refused_says_what_was_tried),
		cmocka_unit_test(
			an_exec_in_a_container_says_as_whom_and_whether_it_came_from_outside),
		cmocka_unit_test(what_changes_nothing_on_the_host_makes_no_line),
		cmocka_unit_test(containers_begin_get_their_name_and_end),
		cmocka_unit_test(losses_are_loud_and_counted),
		cmocka_unit_test(what_programs_of_a_container_start_makes_no_line),
		cmocka_unit_test(what_is_pushed_out_is_counted),
		cmocka_unit_test(what_a_process_does_in_a_row_is_one_line),
		cmocka_unit_test(an_exec_from_outside_stands_for_what_led_to_it),
		cmocka_unit_test(nameless_namespaces_that_end_at_once_are_one_line),
		cmocka_unit_test(a_line_leads_to_its_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
