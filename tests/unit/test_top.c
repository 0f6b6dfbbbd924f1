/* SPDX-License-Identifier: GPL-2.0-only */
/* The frame of the live table on canvases of many sizes. */
#include "live_scene.h"

#include <locale.h>
#include <stdio.h>

#include "output/canvas.h"
#include "output/top.h"
#include "view/changes.h"
#include "view/page.h"

static const struct top_key_help keys[] = {
	{"F1 h ?", "Help", "this page"},        {"F3 /", "Search", "search the rows"},
	{"F4 \\ f", "Filter", "an expression"}, {"F5 t", "Tree", "a tree"},
	{"+ -", "Fold", "all groups"},          {"n N", NULL, "the next one"},
	{"Enter", "Inspect", "all about it"},   {"F10 q", "Quit", "leave"},
};

/* The scene of live_scene.h, the changes in it, and a frame that shows both. */
struct show {
	struct scene scene;
	struct changes *changes;
	struct canvas *canvas;
	struct top_frame frame;
	struct top_memory memory;
	size_t first;
	size_t pane_first;
	char *text;
	size_t length;
};

static void add_change(struct show *show, enum change_kind kind, uint32_t pid, uint64_t lost)
{
	struct change_source source = {
		.kind = kind,
		.time_boot_ns = NOW_NS - SECOND,
		.lost = lost,
	};

	if (pid) {
		source.proc = model_find(show->scene.machine.view.model, pid);
		source.container = source.proc->container;
	}
	changes_add(show->changes, &source);
}

static struct show *show_new(size_t width, size_t height)
{
	struct show *show = mem_new(sizeof(*show));

	scene_start(&show->scene);
	show->scene.machine.facts.pid_digits = 7;
	show->changes = changes_new(&show->scene.machine.view);
	show->canvas = canvas_new(width, height);
	show->frame = (struct top_frame){
		.view = &show->scene.machine.view,
		.live = show->scene.live,
		.changes = show->changes,
		.summary =
			{
				.hostname = "earth",
				.release = "6.1.0-50",
				.uptime_s = NOW_BOOT,
				.cpus = 2,
				.cpu_percent = 26.2,
				.memory_used_bytes = 1900 * KIB * KIB,
				.memory_bytes = 8010000 * KIB,
				.hooks = 9,
				.hooks_wanted = 9,
				.mode = "fentry",
				.interval_s = 1,
				.now_epoch_ns = NOW_EPOCH * SECOND,
				.events_per_s = 23.4,
			},
		.first = &show->first,
		.pane = TOP_PANE_SHOWN,
		.pane_first = &show->pane_first,
		.keys = keys,
		.keys_count = ARRAY_SIZE(keys),
		.memory = &show->memory,
	};
	return show;
}

static void show_free(struct show *show)
{
	free(show->text);
	canvas_free(show->canvas);
	changes_free(show->changes);
	scene_end(&show->scene);
	free(show);
}

static const char *draw(struct show *show)
{
	FILE *stream;

	free(show->text);
	stream = open_memstream(&show->text, &show->length);
	canvas_clear(show->canvas);
	top_draw(show->canvas, &show->frame);
	assert_int_equal(canvas_write(show->canvas, stream), 0);
	fclose(stream);
	return show->text;
}

/* Each line as wide as the canvas, no wide character halved, nothing that a terminal would obey. */
static void assert_whole(const struct canvas *canvas)
{
	for (size_t y = 0; y < canvas_height(canvas); y++) {
		size_t columns = 0;

		for (size_t x = 0; x < canvas_width(canvas); x++) {
			struct canvas_cell cell = canvas_at(canvas, y, x);

			for (size_t i = 0; i < cell.length; i++)
				assert_true((unsigned char)cell.text[i] >= ' ' &&
					    cell.text[i] != 127);
			columns += text_width(cell.text, cell.length);
		}
		assert_int_equal(columns, canvas_width(canvas));
	}
}

/* The line that is marked as selected, SIZE_MAX: none. */
static size_t selected_line(const struct canvas *canvas)
{
	for (size_t y = 0; y < canvas_height(canvas); y++) {
		if (canvas_at(canvas, y, 0).style == STYLE_SELECTED)
			return y;
	}
	return SIZE_MAX;
}

static const char *line_of(struct show *show, size_t number)
{
	static char line[1024];
	const char *at = show->text;

	while (number-- && strchr(at, '\n'))
		at = strchr(at, '\n') + 1;
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
	return line;
}

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

/* Everything that is not nsview's own words says `words`. */
static struct show *show_hostile(const char *words)
{
	struct show *show = mem_new(sizeof(*show));
	struct process process = process_make_inside(3816, 1, NS_PLAIN);
	struct machine *machine = &show->scene.machine;

	machine_start(machine);
	machine_name(machine, NS_PLAIN, words, ID_A, "docker");
	process.args = words;
	process.args_length = strlen(words) + 1;
	memcpy(process.task.comm, words, strnlen(words, COMM_SIZE - 1));
	machine_add(machine, &process);
	machine_settle(machine);
	show->scene.plain = (struct runtime_container){.runtime = "docker", .image = (char *)words};
	model_declare(container_of(&show->scene, 3816), &show->scene.plain);
	show->scene.live = live_new(&machine->view);
	live_update(show->scene.live, NOW_NS);
	show->changes = changes_new(&machine->view);
	show->canvas = canvas_new(1, 1);
	show->frame = (struct top_frame){
		.view = &machine->view,
		.live = show->scene.live,
		.changes = show->changes,
		.summary = {.hostname = words, .release = words, .mode = words, .lost = 1},
		.first = &show->first,
		.pane = TOP_PANE_SHOWN,
		.pane_first = &show->pane_first,
		.keys = keys,
		.keys_count = ARRAY_SIZE(keys),
		.filter = words,
		.message = words,
		.memory = &show->memory,
	};
	add_change(show, PANE_STARTED, 3816, 0);
	return show;
}

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
		cmocka_unit_test(it_looks_as_it_should_at_120_by_30_and_80_by_24),
		cmocka_unit_test(every_size_holds_its_lines_and_the_selected_row),
		cmocka_unit_test(a_window_of_one_line_is_the_selected_row),
		cmocka_unit_test(a_large_window_has_a_large_pane_and_all_columns),
		cmocka_unit_test(hostile_names_keep_every_line_whole),
		cmocka_unit_test(outside_utf8_a_frame_is_ascii),
		cmocka_unit_test(the_rows_scroll_so_that_the_selected_one_is_seen),
		cmocka_unit_test(
			what_a_row_has_beyond_its_declaration_is_seen_though_its_command_is_cut),
		cmocka_unit_test(rows_are_marked),
		cmocka_unit_test(a_long_name_is_cut_in_its_middle),
		cmocka_unit_test(columns_do_not_move_when_a_long_name_leaves),
		cmocka_unit_test(what_is_lost_stays_on_the_narrowest_screen),
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
