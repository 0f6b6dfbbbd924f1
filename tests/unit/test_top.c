/* SPDX-License-Identifier: GPL-2.0-only */
/* The frame of the live table on canvases of many sizes. */
#include "show.h"

#include "view/query.h"

/* Of what machine.h knows nothing is not known: usage, so %CPU is `?`. Users are numbers. */
static const char at_120[] =
	"nsview  earth  Linux 6.1.0-50  up 9d  2 CPUs  26 %  mem 1.9/7.6G                   hooks 9/9 fentry  every 1 s  06:14:31\n"
	"3 containers: 2 as host root, 1 privileged   8 processes   23 events/s   0 lost\n"
	"\n"
	"  USER        PID IN-USER  IN-PID  %CPU MEM/LIMIT CAPS                      COMMAND\n"
	"- priv  docker  ubuntu          1     ?        0K full                      privileged; host root; no seccomp\n"
	"  root       4170 0             1     ?        0K full                      [sleep]\n"
	"- plain  docker  ubuntu         2     ?    2/500M docker-default            host root\n"
	"  root       3816 0             1     ?      828K docker-default            sleep 3600\n"
	"  root       3815 0             7     ?     1716K docker-default            bash\n"
	"- pid:4026539021                1     ?        0K podman-default in userns  userns of 4000001\n"
	"  4000001    4388 0             1     ?        0K podman-default in userns  [sleep]\n"
	"+ host                          4     ?       12M full                      2 as root with full capabilities\n"
	"\n\n\n\n\n\n\n\n\n"
	"-- changes -------------------------------------------------------------------------------------- Tab: into  e: hide ---\n"
	"06:14:30 LOST    -          -                12 events are missing here\n"
	"06:14:30 started plain      3816/1 sleep     docker; image ubuntu; declares docker-default\n"
	"\n\n\n\n\n"
	"F1 Help  F3 Search  F4 Filter  F5 Tree  +/- Fold  Enter Inspect  F10 Quit\n";

static const char at_80[] =
	"nsview  earth  up 9d  26 %  mem 1.9/7.6G   hooks 9/9 fentry  every 1 s  06:14:31\n"
	"3 containers: 2 as host root, 1 privileged   8 processes   23 events/s   0 lost\n"
	"\n"
	"  USER        PID IN-USER  IN-PID CAPS                      COMMAND\n"
	"- priv  docker                  1 full                      privileged; ...\n"
	"  root       4170 0             1 full                      [sleep]\n"
	"- plain  docker                 2 docker-default            host root\n"
	"  root       3816 0             1 docker-default            sleep 3600\n"
	"  root       3815 0             7 docker-default            bash\n"
	"- pid:4026539021                1 podman-default in userns  userns of 4000001\n"
	"  4000001    4388 0             1 podman-default in userns  [sleep]\n"
	"+ host                          4 full                      2 as root with full\n"
	"\n\n\n\n\n\n"
	"-- changes ---------------------------------------------- Tab: into  e: hide ---\n"
	"06:14:30 LOST    -          -                12 events are missing here\n"
	"06:14:30 started plain      3816/1 sleep     docker; image ubuntu; declares dock\n"
	"\n\n"
	"F1 Help  F3 Search  F4 Filter  F5 Tree  +/- Fold  Enter Inspect  F10 Quit\n";

static void it_looks_as_it_should_at_120_by_30_and_80_by_24(void **state)
{
	struct show *show = show_new(120, 30);

	(void)state;
	add_change(show, PANE_STARTED, 3816, 0);
	add_change(show, PANE_LOST, 0, 12);
	assert_string_equal(draw(show), at_120);
	canvas_resize(show->canvas, 80, 24);
	assert_string_equal(draw(show), at_80);
	show_free(show);
}

static void every_size_holds_its_lines_and_the_selected_row(void **state)
{
	struct show *show = show_new(1, 1);
	size_t count;

	(void)state;
	add_change(show, PANE_STARTED, 3816, 0);
	live_fold_all(show->scene.live, false);
	live_rows(show->scene.live, &count);
	for (size_t height = 1; height < 34; height++) {
		for (size_t width = 1; width < 130; width += width < 40 ? 1 : 7) {
			canvas_resize(show->canvas, width, height);
			show->frame.selected = (width + height) % count;
			show->frame.pane = (enum top_pane)(width % TOP_PANE_FOCUSED);
			draw(show);
			assert_whole(show->canvas);
			assert_int_not_equal(selected_line(show->canvas), SIZE_MAX);
			assert_true(top_rows(show->canvas, &show->frame) >= 1);
		}
	}
	show_free(show);
}

static void a_window_of_one_line_is_the_selected_row(void **state)
{
	struct show *show = show_new(80, 1);

	(void)state;
	show->frame.selected = 3;
	draw(show);
	assert_non_null(strstr(show->text, "3816"));
	canvas_resize(show->canvas, 80, 2);
	draw(show);
	assert_non_null(strstr(line_of(show, 0), "COMMAND"));
	assert_non_null(strstr(line_of(show, 1), "3816"));
	canvas_resize(show->canvas, 1, 1);
	show->frame.prompt = (struct top_prompt){
		.label = "Filter: ", .text = "", .complaint = "no", .complaint_at = SIZE_MAX};
	draw(show);
	assert_whole(show->canvas);
	show_free(show);
}

static void a_large_window_has_a_large_pane_and_all_columns(void **state)
{
	struct show *show = show_new(300, 100);

	(void)state;
	for (int i = 0; i < 50; i++)
		add_change(show, i % 2 ? PANE_STARTED : PANE_ENDED, 3816, 0);
	draw(show);
	assert_whole(show->canvas);
	assert_string_equal(
		line_of(show, 99),
		"F1 Help  F3 Search  F4 Filter  F5 Tree  +/- Fold  Enter Inspect  F10 Quit");
	assert_memory_equal(line_of(show, 77), "-- changes ---", 14);
	assert_memory_equal(line_of(show, 78), "06:14:30", 8);
	assert_memory_equal(line_of(show, 97), "06:14:30", 8);
	assert_non_null(strstr(line_of(show, 3), "MEM/LIMIT"));
	show_free(show);
}

static const char *const hostile[] = {
	"\033[2J\033[H\033]0;title\a",
	"two\nlines\tand\rmore",
	"\xe2\x80\xae"
	"drowssap\xe2\x80\xac\xe2\x81\xa7",
	"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d \xd9\x85\xd8\xb1",
	"\xff\xfe\x80\xe6\xbc",
	"\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2",
	"e\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81 \xcc\x81",
	"\xc2\x9b"
	"31m\x7f\b\b\b",
};

static void hostile_names_keep_every_line_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		struct show *show = show_hostile(hostile[i]);

		for (size_t width = 1; width < 140; width += 1 + width / 20) {
			for (size_t height = 1; height < 32; height += 3) {
				canvas_resize(show->canvas, width, height);
				show->frame.prompt.label = NULL;
				draw(show);
				assert_whole(show->canvas);
				show->frame.prompt = (struct top_prompt){
					.label = "Filter: ",
					.text = hostile[i],
					.cursor = strlen(hostile[i]) / 2,
					.complaint = hostile[i],
					.complaint_at = width % (strlen(hostile[i]) + 2),
				};
				draw(show);
				assert_whole(show->canvas);
			}
		}
		show_free(show);
	}
}

static void outside_utf8_a_frame_is_ascii(void **state)
{
	(void)state;
	setlocale(LC_ALL, "C");
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		struct show *show = show_hostile(hostile[i]);

		canvas_resize(show->canvas, 120, 30);
		draw(show);
		for (size_t at = 0; at < show->length; at++)
			assert_true(show->text[at] == '\n' ||
				    (show->text[at] >= ' ' && show->text[at] < 127));
		show_free(show);
	}
	setlocale(LC_ALL, "C.UTF-8");
}

static void the_rows_scroll_so_that_the_selected_one_is_seen(void **state)
{
	struct show *show = show_new(100, 8);
	size_t count;

	(void)state;
	live_fold_all(show->scene.live, false);
	live_rows(show->scene.live, &count);
	assert_int_equal(top_rows(show->canvas, &show->frame), 4);
	show->frame.selected = count - 1;
	draw(show);
	assert_int_equal(show->first, count - 4);
	assert_int_equal(selected_line(show->canvas), 6);
	/* For who reads the screen by it: there, though hidden. */
	assert_int_equal(canvas_cursor(show->canvas).y, 6);
	assert_false(canvas_cursor(show->canvas).is_shown);
	show->frame.selected = count - 3;
	draw(show);
	assert_int_equal(show->first, count - 4);
	show->frame.selected = 1;
	draw(show);
	assert_int_equal(show->first, 1);
	/* What was scrolled past the end comes back, without a selected row too. */
	show->first = 1000;
	show->frame.selected = SIZE_MAX;
	draw(show);
	assert_int_equal(show->first, count - 4);
	assert_int_equal(selected_line(show->canvas), SIZE_MAX);
	show_free(show);
}

static void what_a_row_has_beyond_its_declaration_is_seen_though_its_command_is_cut(void **state)
{
	struct show *show = show_new(120, 30);

	(void)state;
	show->scene.plain.caps &= ~1ULL;
	live_refresh(show->scene.live, NOW_NS);
	draw(show);
	assert_non_null(strstr(show->text, "sleep 3600    <- 1 more than declared\n"));
	canvas_resize(show->canvas, 80, 24);
	draw(show);
	assert_non_null(strstr(show->text, "sleep 3600 <- +1\n"));
	canvas_resize(show->canvas, 70, 24);
	draw(show);
	assert_non_null(strstr(show->text, " <- +1\n"));
	show_free(show);
}

/* Of the cell where the words begin, in the line that has the other ones in it, too. */
static enum canvas_style style_of(struct show *show, const char *line_with, const char *words)
{
	size_t number = 0;

	for (const char *at = strstr(show->text, line_with); at > show->text; at--)
		number += at[-1] == '\n';
	assert_non_null(strstr(line_of(show, number), words));
	return canvas_at(show->canvas, number,
			 (size_t)(strstr(line_of(show, number), words) - line_of(show, number)))
		.style;
}

static void colours_repeat_what_capabilities_and_losses_say(void **state)
{
	struct show *show = show_new(120, 30);
	const struct proc *bash = model_find(show->scene.machine.view.model, 3815);

	(void)state;
	((struct task_record *)bash->task)->caps[CAP_SET_EFFECTIVE] |= 1ULL << 21; /* SYS_ADMIN */
	live_refresh(show->scene.live, NOW_NS);
	draw(show);
	assert_int_equal(style_of(show, " 4170 ", "full"), STYLE_FULL);
	assert_int_equal(style_of(show, "- priv", "full"), STYLE_FULL);
	assert_int_equal(style_of(show, " 3815 ", "docker-default +SYS_ADMIN"), STYLE_POWERFUL);
	assert_int_equal(style_of(show, " 3816 ", "docker-default"), STYLE_PLAIN);
	assert_int_equal(style_of(show, " 4388 ", "podman-default in userns"), STYLE_DIM);
	assert_int_equal(style_of(show, " 3816 ", "0 "), STYLE_INSIDE); /* IN-USER */
	assert_int_equal(style_of(show, " 3816 ", "root"), STYLE_PLAIN);
	assert_int_equal(style_of(show, " lost", "0 lost"), STYLE_PLAIN);
	show->frame.summary.lost = 345;
	draw(show);
	assert_int_equal(style_of(show, " lost", "345 lost"), STYLE_ALARM);
	show_free(show);
}

/* docs: SYS_MODULE, SYS_RAWIO, SYS_PTRACE, SYS_ADMIN, DAC_READ_SEARCH, NET_ADMIN, MAC_ADMIN and BPF, by
 * their numbers in linux/capability.h. */
static void eight_capabilities_are_powerful_each_by_itself(void **state)
{
	static const int powerful[] = {2, 12, 16, 17, 19, 21, 33, 39};
	struct show *show = show_new(120, 30);
	const struct proc *bash = model_find(show->scene.machine.view.model, 3815);

	(void)state;
	for (int number = 0, next = 0; number <= 40; number++) {
		bool is_powerful = next < (int)ARRAY_SIZE(powerful) && number == powerful[next];

		next += is_powerful;
		((struct task_record *)bash->task)->caps[CAP_SET_EFFECTIVE] = 1ULL << number;
		live_refresh(show->scene.live, NOW_NS);
		draw(show);
		assert_int_equal(style_of(show, " 3815 ", caps_name(number)),
				 is_powerful ? STYLE_POWERFUL : STYLE_PLAIN);
	}
	show_free(show);
}

static void rows_are_marked(void **state)
{
	struct show *show = show_new(120, 30);

	(void)state;
	live_update(show->scene.live, NOW_NS + SECOND);
	end_at(&show->scene, 3815, NOW_NS + SECOND);
	fork_inside(&show->scene, 3900, NOW_NS + SECOND);
	live_update(show->scene.live, NOW_NS + SECOND * 3 / 2);
	draw(show);
	assert_non_null(strstr(show->text, "\n* root       3900 "));
	assert_non_null(strstr(show->text, "\nx root       3815 "));
	show_free(show);
}

static void a_long_name_is_cut_in_its_middle(void **state)
{
	static const char name[] = "production/web-7c9f8d6b5-x2x4q/nginx";
	struct show *show = show_hostile(name);

	(void)state;
	canvas_resize(show->canvas, 120, 30);
	draw(show);
	assert_memory_equal(line_of(show, 4), "- production/we...5-x2x4q/nginx 1 ", 34);
	show_free(show);
	show = show_hostile(
		"\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2"
		"\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2"
		"\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2");
	for (size_t width = 20; width < 130; width++) {
		canvas_resize(show->canvas, width, 30);
		draw(show);
		assert_whole(show->canvas);
		if (width > 60)
			assert_non_null(strstr(line_of(show, 4), "...\xe6\xbc\xa2"));
	}
	show_free(show);
}

static void where_columns_have_left_a_name_has_their_place(void **state)
{
	struct show *show = show_hostile("look-limits");

	(void)state;
	canvas_resize(show->canvas, 40, 12);
	draw(show);
	assert_memory_equal(line_of(show, 4), "- look-limits 1 ", 16);
	canvas_resize(show->canvas, 26, 12);
	draw(show);
	assert_memory_equal(line_of(show, 4), "- loo...its 1", 13);
	show_free(show);
}

static void columns_do_not_move_when_a_long_name_leaves(void **state)
{
	struct show *show = show_new(120, 30);
	char *before;

	(void)state;
	show->memory = (struct top_memory){.canvas_width = 120, .columns = {[LIVE_USER] = 12}};
	draw(show);
	before = mem_copy(line_of(show, 3));
	assert_memory_equal(before, "  USER             PID", 22);
	draw(show);
	assert_string_equal(line_of(show, 3), before);
	canvas_resize(show->canvas, 119, 30);
	draw(show);
	assert_memory_equal(line_of(show, 3), "  USER        PID", 17);
	free(before);
	show_free(show);
}

static void what_a_filter_cannot_judge_is_counted(void **state)
{
	struct show *show = show_new(120, 30);
	struct text complaint = {0};
	struct filter *filter = NULL;

	(void)state;
	assert_int_equal(filter_parse("cpu>1", &show->scene.machine.view, &filter, &complaint), 0);
	live_set(show->scene.live, &(struct live_settings){.filter = filter});
	show->frame.filter = "cpu>1";
	draw(show);
	assert_non_null(strstr(line_of(show, 1), "8 not known"));
	assert_non_null(strstr(line_of(show, 1), "only cpu>1"));
	live_set(show->scene.live, &(struct live_settings){0});
	filter_free(filter);
	text_free(&complaint);
	show_free(show);
}

static void a_narrow_summary_says_it_in_fewer_words(void **state)
{
	struct show *show = show_new(40, 30);

	(void)state;
	draw(show);
	assert_string_equal(line_of(show, 1), "3 containers: 2 root, 1 privileged");
	show_free(show);
}

static void what_is_lost_stays_on_the_narrowest_screen(void **state)
{
	struct show *show = show_new(120, 30);

	(void)state;
	show->frame.summary.lost = 345;
	for (size_t width = 120; width > 8; width--) {
		canvas_resize(show->canvas, width, 30);
		draw(show);
		assert_non_null(strstr(line_of(show, 1), "345 lost"));
	}
	show_free(show);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_looks_as_it_should_at_120_by_30_and_80_by_24),
		cmocka_unit_test(every_size_holds_its_lines_and_the_selected_row),
		cmocka_unit_test(a_window_of_one_line_is_the_selected_row),
		cmocka_unit_test(a_large_window_has_a_large_pane_and_all_columns),
		cmocka_unit_test(hostile_names_keep_every_line_whole),
		cmocka_unit_test(outside_utf8_a_frame_is_ascii),
		cmocka_unit_test(the_rows_scroll_so_that_the_selected_one_is_seen),
		cmocka_unit_test(
			what_a_row_has_beyond_its_declaration_is_seen_though_its_command_is_cut),
		cmocka_unit_test(colours_repeat_what_capabilities_and_losses_say),
		cmocka_unit_test(eight_capabilities_are_powerful_each_by_itself),
		cmocka_unit_test(rows_are_marked),
		cmocka_unit_test(a_long_name_is_cut_in_its_middle),
		cmocka_unit_test(where_columns_have_left_a_name_has_their_place),
		cmocka_unit_test(columns_do_not_move_when_a_long_name_leaves),
		cmocka_unit_test(what_a_filter_cannot_judge_is_counted),
		cmocka_unit_test(a_narrow_summary_says_it_in_fewer_words),
		cmocka_unit_test(what_is_lost_stays_on_the_narrowest_screen),
	};

	setlocale(LC_ALL, "C.UTF-8");
	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
