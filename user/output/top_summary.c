/* SPDX-License-Identifier: GPL-2.0-only */
/* The two lines at the top: the machine and how nsview sees it; whether anything is wrong. */
#include <string.h>
#include <time.h>

#include "host/facts.h"
#include "output/top_parts.h"
#include "view/column.h"

#define MIB (1024.0 * 1024)
#define GIB (1024 * MIB)
#define NS_PER_S 1000000000

/* In which order parts leave a narrow terminal; what says that something is wrong never does. */
enum {
	LEAVES_RELEASE,
	LEAVES_CPUS,
	LEAVES_INTERVAL,
	LEAVES_UPTIME,
	LEAVES_MEMORY,
	LEAVES_EVENTS,
	LEAVES_PROCS,
	LEAVES_CPU,
	LEAVES_NAME,
	LEAVES_LEFT_OUT,
	LEAVES_HOOKS,
	LEAVES_NONE_LOST,
	LEAVES_FILTER,
	LEAVES_HOST,
	LEAVES_CONTAINERS,
	LEAVES_TIME,
	LEAVES_LAST,
};

/* "10 containers: 10 as host root, 10 privileged" and what is lost beside it. */
#define WIDTH_BRIEF 60

static void add_uptime(struct text *out, uint64_t seconds)
{
	if (seconds >= 86400)
		text_printf(out, "up %ud", (unsigned int)(seconds / 86400));
	else if (seconds >= 3600)
		text_printf(out, "up %uh", (unsigned int)(seconds / 3600));
	else
		text_printf(out, "up %um", (unsigned int)(seconds / 60));
}

static void add_memory(struct text *out, uint64_t used, uint64_t all)
{
	double unit = all >= GIB ? GIB : MIB;

	text_add_string(out, "mem ");
	if (used)
		text_printf(out, unit == GIB ? "%.1f" : "%.0f", (double)used / unit);
	else
		text_add_char(out, '-');
	text_printf(out, unit == GIB ? "/%.1fG" : "/%.0fM", (double)all / unit);
}

static void add_machine(struct top_line *line, const struct top_summary *summary)
{
	struct text *text = &line->text;

	top_line_part(line, STYLE_BOLD, false, LEAVES_NAME);
	text_add_string(text, "nsview");
	top_line_part(line, STYLE_PLAIN, false, LEAVES_HOST);
	text_add_string(text, summary->hostname ? summary->hostname : "-");
	if (summary->release) {
		top_line_part(line, STYLE_PLAIN, false, LEAVES_RELEASE);
		text_printf(text, "Linux %s", summary->release);
	}
	if (summary->uptime_s) {
		top_line_part(line, STYLE_PLAIN, false, LEAVES_UPTIME);
		add_uptime(text, summary->uptime_s);
	}
	if (summary->cpus > 0) {
		top_line_part(line, STYLE_PLAIN, false, LEAVES_CPUS);
		text_printf(text, "%d CPU%s", summary->cpus, summary->cpus == 1 ? "" : "s");
	}
	top_line_part(line, STYLE_PLAIN, false, LEAVES_CPU);
	if (summary->cpu_percent < 0)
		text_add_string(text, "- %");
	else
		text_printf(text, "%.0f %%", summary->cpu_percent);
	if (summary->memory_bytes) {
		top_line_part(line, STYLE_PLAIN, false, LEAVES_MEMORY);
		add_memory(text, summary->memory_used_bytes, summary->memory_bytes);
	}
}

/* A recording's day is seldom today. */
static void add_time(struct text *out, const struct top_frame *frame)
{
	const struct top_summary *summary = &frame->summary;
	bool is_replay = summary->mode && !strncmp(summary->mode, "replay", 6);
	struct tm local;
	char shown[32];

	if (!facts_local(frame->view->facts, summary->now_epoch_ns / NS_PER_S, &local) ||
	    !strftime(shown, sizeof(shown), is_replay ? "%Y-%m-%d %H:%M:%S" : "%H:%M:%S", &local))
		text_add_char(out, '?');
	else
		text_add_string(out, shown);
}

static void add_mode(struct top_line *line, const struct top_summary *summary)
{
	bool is_whole = summary->hooks == summary->hooks_wanted;

	top_line_part(line, is_whole ? STYLE_PLAIN : STYLE_BOLD, true,
		      is_whole ? LEAVES_HOOKS : LEAVES_TIME);
	if (summary->hooks_wanted)
		text_printf(&line->text, "hooks %u/%u ", summary->hooks, summary->hooks_wanted);
	text_add_string(&line->text, summary->mode ? summary->mode : "-");
	if (summary->is_frozen) {
		top_line_part(line, STYLE_ALARM, true, LEAVES_TIME);
		text_add_string(&line->text, "frozen");
	} else {
		top_line_part(line, STYLE_PLAIN, true, LEAVES_INTERVAL);
		text_printf(&line->text, "every %g s", summary->interval_s);
	}
}

static void draw_first(struct canvas *canvas, const struct top_frame *frame)
{
	struct top_line line = {0};

	add_machine(&line, &frame->summary);
	add_mode(&line, &frame->summary);
	top_line_part(&line, STYLE_PLAIN, true, LEAVES_LAST);
	add_time(&line.text, frame);
	top_line_draw(canvas, 0, &line, 2);
	text_free(&line.text);
}

/* is_brief: on a narrow terminal, where its end would be cut. */
static void add_containers(struct text *out, const struct live_sums *sums, bool is_brief)
{
	const char *separator = ": ";

	if (!sums->containers)
		text_add_string(out, "no containers");
	else
		text_printf(out, "%zu container%s", sums->containers,
			    sums->containers == 1 ? "" : "s");
	if (sums->host_root) {
		text_printf(out, is_brief ? "%s%zu root" : "%s%zu as host root", separator,
			    sums->host_root);
		separator = ", ";
	}
	if (sums->privileged)
		text_printf(out, "%s%zu privileged", separator, sums->privileged);
}

static void add_events(struct top_line *line, const struct top_summary *summary)
{
	if (summary->events_per_s >= 0) {
		bool is_few = summary->events_per_s > 0 && summary->events_per_s < 9.95;

		top_line_part(line, STYLE_PLAIN, false, LEAVES_EVENTS);
		text_printf(&line->text, is_few ? "%.1f events/s" : "%.0f events/s",
			    summary->events_per_s);
	}
	if (summary->events_per_s < 0 && !summary->lost)
		return;
	top_line_part(line, summary->lost ? STYLE_ALARM : STYLE_PLAIN, false,
		      summary->lost ? LEAVES_LAST : LEAVES_NONE_LOST);
	text_printf(&line->text, "%llu lost", (unsigned long long)summary->lost);
}

static void draw_second(struct canvas *canvas, const struct top_frame *frame)
{
	struct top_line line = {0};
	struct live_sums sums;

	live_sum(frame->live, &sums);
	top_line_part(&line, sums.host_root || sums.privileged ? STYLE_BOLD : STYLE_PLAIN, false,
		      LEAVES_CONTAINERS);
	add_containers(&line.text, &sums, canvas_width(canvas) < WIDTH_BRIEF);
	top_line_part(&line, STYLE_PLAIN, false, LEAVES_PROCS);
	text_printf(&line.text, "%zu process%s", sums.procs, sums.procs == 1 ? "" : "es");
	add_events(&line, &frame->summary);
	if (sums.left_out) {
		top_line_part(&line, STYLE_BOLD, false, LEAVES_LEFT_OUT);
		text_printf(&line.text, "%zu not known", sums.left_out);
	}
	if (frame->filter && *frame->filter) {
		top_line_part(&line, STYLE_KEY, true, LEAVES_FILTER);
		text_add_string(&line.text, "only ");
		text_add_printable(&line.text, frame->filter, strlen(frame->filter));
	}
	top_line_draw(canvas, 1, &line, 3);
	text_free(&line.text);
}

void top_summary_draw(struct canvas *canvas, const struct top_frame *frame, size_t lines)
{
	if (lines > 0)
		draw_first(canvas, frame);
	if (lines > 1)
		draw_second(canvas, frame);
}
