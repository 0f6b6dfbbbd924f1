/* SPDX-License-Identifier: GPL-2.0-only */
/* What a frame has around its rows: the pane of changes, the prompt, the last line; and pages. */
#include "show.h"

static void a_pane_that_is_entered_shows_where_it_is(void **state)
{
	struct show *show = show_new(120, 24);

	(void)state;
	for (int i = 0; i < CHANGES_KEPT + 5; i++)
		add_change(show, i % 2 ? PANE_STARTED : PANE_ENDED, 3816 + (uint32_t)i % 2 * 354,
			   0);
	show->frame.pane = TOP_PANE_FOCUSED;
	show->frame.pane_selected = 20;
	draw(show);
	assert_whole(show->canvas);
	assert_non_null(strstr(show->text, "-- changes  13-21 of 1000  5 older gone ---"));
	assert_memory_equal(line_of(show, selected_line(show->canvas)), "06:14:30", 8);
	assert_int_equal(show->pane_first, 12);
	show_free(show);
}

static void a_prompt_has_the_cursor_and_an_error_its_place(void **state)
{
	struct show *show = show_new(60, 24);

	(void)state;
	show->frame.prompt = (struct top_prompt){
		.label = "Filter: ",
		.text = "euid=0 and uid2=1",
		.cursor = 17,
		.complaint = "no column is called uid2",
		.complaint_at = 11,
	};
	draw(show);
	assert_string_equal(line_of(show, 23), "Filter: euid=0 and uid2=1");
	assert_string_equal(line_of(show, 22), "                   v no column is called uid2");
	assert_true(canvas_cursor(show->canvas).is_shown);
	assert_int_equal(canvas_cursor(show->canvas).y, 23);
	assert_int_equal(canvas_cursor(show->canvas).x, 25);
	canvas_resize(show->canvas, 40, 24);
	draw(show);
	assert_string_equal(line_of(show, 22), "                   v");
	assert_string_equal(line_of(show, 21), "no column is called uid2");
	show->frame.prompt.complaint = "no such column";
	show->frame.prompt.complaint_at = 17;
	draw(show);
	assert_string_equal(line_of(show, 22), "          no such column v");
	show_free(show);
}

static void what_is_typed_scrolls_with_the_cursor(void **state)
{
	struct show *show = show_new(30, 10);

	(void)state;
	show->frame.prompt = (struct top_prompt){
		.label = "Filter: ",
		.text = "abcdefghijklmnopqrstuvwxyz\xe6\xbc\xa2\xe6\xbc\xa2",
		.cursor = 32,
	};
	draw(show);
	assert_string_equal(line_of(show, 9), "Filter: jklmnopqrstuvwxyz\xe6\xbc\xa2\xe6\xbc\xa2");
	assert_int_equal(canvas_cursor(show->canvas).x, 29);
	show->frame.prompt.cursor = 0;
	draw(show);
	assert_string_equal(line_of(show, 9), "Filter: abcdefghijklmnopqrstuv");
	assert_int_equal(canvas_cursor(show->canvas).x, 8);
	show_free(show);
}

static void the_way_out_is_named_on_every_width_that_has_room(void **state)
{
	struct show *show = show_new(120, 30);

	(void)state;
	for (size_t width = 8; width < 120; width++) {
		canvas_resize(show->canvas, width, 30);
		draw(show);
		assert_non_null(strstr(line_of(show, 29), "F10 Quit"));
	}
	show->frame.message = "written to view.txt";
	draw(show);
	assert_string_equal(line_of(show, 29), "written to view.txt");
	show_free(show);
}

static void nothing_selected_is_said(void **state)
{
	struct show *show = show_new(80, 24);
	struct live_settings settings = {.has_user = true, .uid = 77};

	(void)state;
	live_set(show->scene.live, &settings);
	live_update(show->scene.live, NOW_NS + SECOND);
	draw(show);
	assert_whole(show->canvas);
	assert_non_null(strstr(line_of(show, 1), "no containers"));
	assert_non_null(strstr(line_of(show, 1), "0 processes"));
	show_free(show);
}

static void a_document_has_all_rows_and_changes_and_no_keys(void **state)
{
	struct show *show = show_new(120, 60);
	const char *last;

	(void)state;
	for (int i = 0; i < 20; i++)
		add_change(show, i % 2 ? PANE_STARTED : PANE_ENDED, 3816, 0);
	show->frame.keys_count = 0;
	show->frame.selected = SIZE_MAX;
	draw(show);
	assert_memory_equal(line_of(show, 13), "-- changes ---", 14);
	assert_memory_equal(line_of(show, 33), "06:14:30", 8);
	last = line_of(show, 34);
	assert_string_equal(last, "");
	show_free(show);
}

static void a_page_is_scrolled_to_its_end_and_no_further(void **state)
{
	struct canvas *canvas = canvas_new(40, 10);
	struct page page = {0};
	size_t first = 1000;

	(void)state;
	for (int i = 0; i < 30; i++)
		page_add(&page, PAGE_PLAIN, "line %d", i);
	top_draw_page(canvas, "title\033", &page, &first, NULL);
	assert_whole(canvas);
	assert_int_equal(first, 22);
	assert_int_equal(*canvas_at(canvas, 8, 5).text, '2');
	assert_int_equal(*canvas_at(canvas, 8, 6).text, '9');
	for (size_t height = 1; height < 50; height++) {
		canvas_resize(canvas, height, height);
		top_draw_page(canvas, "title", &page, &first, NULL);
		assert_whole(canvas);
	}
	page_free(&page);
	canvas_free(canvas);
}

static void the_help_has_every_key_and_sign(void **state)
{
	struct page page = {0};

	(void)state;
	top_help(&page, keys, ARRAY_SIZE(keys));
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		assert_non_null(strstr(text_string(&page.text), keys[i].help));
	assert_non_null(strstr(text_string(&page.text), "could not be known"));
	page_free(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pane_that_is_entered_shows_where_it_is),
		cmocka_unit_test(a_prompt_has_the_cursor_and_an_error_its_place),
		cmocka_unit_test(what_is_typed_scrolls_with_the_cursor),
		cmocka_unit_test(the_way_out_is_named_on_every_width_that_has_room),
		cmocka_unit_test(nothing_selected_is_said),
		cmocka_unit_test(a_document_has_all_rows_and_changes_and_no_keys),
		cmocka_unit_test(a_page_is_scrolled_to_its_end_and_no_further),
		cmocka_unit_test(the_help_has_every_key_and_sign),
	};

	setlocale(LC_ALL, "C.UTF-8");
	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
