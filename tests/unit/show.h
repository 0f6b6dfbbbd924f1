/* SPDX-License-Identifier: GPL-2.0-only */
/* A frame of the live table on a canvas, of the scene of live_scene.h or of one whose every name is hostile. */
#ifndef NSVIEW_TESTS_UNIT_SHOW_H
#define NSVIEW_TESTS_UNIT_SHOW_H

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

static inline void add_change(struct show *show, enum change_kind kind, uint32_t pid, uint64_t lost)
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

static inline struct show *show_new(size_t width, size_t height)
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

static inline void show_free(struct show *show)
{
	free(show->text);
	canvas_free(show->canvas);
	changes_free(show->changes);
	scene_end(&show->scene);
	free(show);
}

static inline const char *draw(struct show *show)
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
static inline void assert_whole(const struct canvas *canvas)
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
static inline size_t selected_line(const struct canvas *canvas)
{
	for (size_t y = 0; y < canvas_height(canvas); y++) {
		if (canvas_at(canvas, y, 0).style == STYLE_SELECTED)
			return y;
	}
	return SIZE_MAX;
}

static inline const char *line_of(struct show *show, size_t number)
{
	static char line[1024];
	const char *at = show->text;

	while (number-- && strchr(at, '\n'))
		at = strchr(at, '\n') + 1;
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
	return line;
}

/* Everything that is not nsview's own words says `words`. */
static inline struct show *show_hostile(const char *words)
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

#endif
