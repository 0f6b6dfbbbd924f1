/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What one line of the event stream costs: CPU nanoseconds of the event writer, and of snprintf for
 * the same line, as one would write it with nothing else at hand. Both write an exec in a container
 * with all that it changed, each time with another pid, start, time and sequence.
 */
#include "../unit/event_scenes.h"

#include <stdio.h>
#include <time.h>

#include "host/caps.h"
#include "output/event_names.h"
#include "view/change_words.h"
#include "view/proc_fields.h"

#define RUNS 7
#define LINES 50000
#define FLUSH_BYTES 65536 /* as the stream writes them out */

struct page {
	char data[FLUSH_BYTES + 16384];
	size_t length;
	size_t total;
};

static double cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

#define PUT(page, ...)                                                     \
	((page)->length += (size_t)snprintf((page)->data + (page)->length, \
					    sizeof((page)->data) - (page)->length, __VA_ARGS__))

static void put_caps(struct page *page, const char *key, uint64_t mask)
{
	const char *separator = "";

	PUT(page, "\"%s\":[", key);
	for (int i = 0; i < 64; i++) {
		if (!(mask >> i & 1))
			continue;
		PUT(page, "%s\"CAP_%s\"", separator, caps_name(i));
		separator = ",";
	}
	PUT(page, "]");
}

static void put_time(struct page *page, uint64_t epoch_ns)
{
	time_t seconds = (time_t)(epoch_ns / SECOND);
	struct tm day;

	gmtime_r(&seconds, &day);
	PUT(page, "\"%04d-%02d-%02dT%02d:%02d:%02d.%09uZ\"", day.tm_year + 1900, day.tm_mon + 1,
	    day.tm_mday, day.tm_hour, day.tm_min, day.tm_sec, (unsigned int)(epoch_ns % SECOND));
}

static void put_process(struct page *page, const struct event *event, uint64_t offset)
{
	const struct event_record *record = event->record;
	const struct task_identity *identity = event->identity;

	PUT(page,
	    "\"process\":{\"pid\":%u,\"vpid\":%u,\"entity_id\":\"%016llx%016llx\",\"parent\":{"
	    "\"pid\":%u,\"vpid\":%u,\"entity_id\":\"%016llx%016llx\"},\"name\":\"%s\","
	    "\"executable\":\"%s\",\"args\":[\"%s\",\"%s\"],\"args_count\":%u,\"start\":",
	    record->tgid, event->chain[1].pid, record->start_boot_ns, record->sequence,
	    record->ppid, identity->in_ppid, record->start_boot_ns, record->sequence,
	    identity->comm, event->filename, event->args, event->args + strlen(event->args) + 1,
	    event->exec->args_count);
	put_time(page, record->start_boot_ns + offset);
	PUT(page,
	    ",\"user\":{\"id\":\"%u\",\"name\":\"%s\"},\"real_user\":{\"id\":\"%u\",\"name\":"
	    "\"%s\"},\"saved_user\":{\"id\":\"%u\",\"name\":\"%s\"},\"group\":{\"id\":\"%u\"},"
	    "\"real_group\":{\"id\":\"%u\"},\"saved_group\":{\"id\":\"%u\"},\"tty\":{"
	    "\"char_device\":{\"major\":%u,\"minor\":%u}},\"thread\":{\"id\":%u,"
	    "\"capabilities\":{",
	    identity->ids.euid, "root", identity->ids.uid, "root", identity->ids.suid, "root",
	    identity->ids.egid, identity->ids.gid, identity->ids.sgid, identity->tty_major,
	    identity->tty_minor, record->tid);
	put_caps(page, "effective", identity->caps[CAP_SET_EFFECTIVE]);
	PUT(page, ",");
	put_caps(page, "permitted", identity->caps[CAP_SET_PERMITTED]);
	PUT(page, "}}},");
}

static void put_container(struct page *page, const struct container *container)
{
	PUT(page,
	    "\"container\":{\"name\":\"%s\",\"id\":\"%s\",\"runtime\":\"%s\",\"image\":{\"name\":"
	    "\"%s\"},\"security_context\":{\"privileged\":%s}},",
	    container->name, container->id, container->runtime, container->declared->image,
	    container->declared->is_privileged ? "true" : "false");
}

static void put_sets(struct page *page, const struct event *event)
{
	const __u64 *after = event->identity->caps;
	const __u64 *before = event->before->caps;

	PUT(page, ",\"capabilities\":{");
	put_caps(page, "inheritable", after[CAP_SET_INHERITABLE]);
	PUT(page, ",");
	put_caps(page, "bounding", after[CAP_SET_BOUNDING]);
	PUT(page, ",");
	put_caps(page, "ambient", after[CAP_SET_AMBIENT]);
	PUT(page,
	    ",\"inheritable_hex\":\"%016llx\",\"permitted_hex\":\"%016llx\",\"effective_hex\":"
	    "\"%016llx\",\"bounding_hex\":\"%016llx\",\"ambient_hex\":\"%016llx\","
	    "\"host_effective\":%s,",
	    after[CAP_SET_INHERITABLE], after[CAP_SET_PERMITTED], after[CAP_SET_EFFECTIVE],
	    after[CAP_SET_BOUNDING], after[CAP_SET_AMBIENT], "true");
	put_caps(page, "gained", after[CAP_SET_EFFECTIVE] & ~before[CAP_SET_EFFECTIVE]);
	PUT(page, ",");
	put_caps(page, "lost", before[CAP_SET_EFFECTIVE] & ~after[CAP_SET_EFFECTIVE]);
	PUT(page, "}");
}

static void put_before(struct page *page, const struct event_before *before)
{
	static const struct {
		const char *name;
		enum cap_set set;
	} sets[] = {{"inheritable", CAP_SET_INHERITABLE},
		    {"permitted", CAP_SET_PERMITTED},
		    {"effective", CAP_SET_EFFECTIVE},
		    {"ambient", CAP_SET_AMBIENT}};

	PUT(page,
	    ",\"before\":{\"user\":{\"id\":\"%u\"},\"saved_user\":{\"id\":\"%u\"},\"fs_user\":{"
	    "\"id\":\"%u\"},\"capabilities\":{",
	    before->ids.euid, before->ids.suid, before->ids.fsuid);
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		put_caps(page, sets[i].name, before->caps[sets[i].set]);
		PUT(page, ",\"%s_hex\":\"%016llx\"%s", sets[i].name, before->caps[sets[i].set],
		    i + 1 < ARRAY_SIZE(sets) ? "," : "}}");
	}
}

static void put_nsview(struct page *page, const struct event *event,
		       const struct container *container)
{
	const struct task_identity *identity = event->identity;
	const __u32 *ns = identity->ns;

	PUT(page,
	    "\"nsview\":{\"schema\":1,\"pid_chain\":[{\"ns\":%u,\"pid\":%u},{\"ns\":%u,"
	    "\"pid\":%u}],\"inside\":{\"user\":{\"id\":\"%u\"},\"real_user\":{\"id\":\"%u\"},"
	    "\"saved_user\":{\"id\":\"%u\"},\"group\":{\"id\":\"%u\"},\"real_group\":{\"id\":"
	    "\"%u\"}},",
	    event->chain[0].ns, event->chain[0].pid, event->chain[1].ns, event->chain[1].pid,
	    event->in_ids->euid, event->in_ids->uid, event->in_ids->suid, event->in_ids->egid,
	    event->in_ids->gid);
	PUT(page,
	    "\"ns\":{\"mnt\":%u,\"pid\":%u,\"net\":%u,\"ipc\":%u,\"uts\":%u,\"cgroup\":%u,"
	    "\"time\":%u,\"user\":%u},\"shared_with_host\":[\"%s\",\"%s\",\"%s\",\"%s\",\"%s\","
	    "\"%s\"],\"user_ns\":{\"ino\":%u,\"level\":%u,\"owner\":\"%u\"},",
	    ns[NS_MNT], ns[NS_PID], ns[NS_NET], ns[NS_IPC], ns[NS_UTS], ns[NS_CGROUP], ns[NS_TIME],
	    ns[NS_USER], "net", "ipc", "uts", "cgroup", "time", "user", ns[NS_USER],
	    identity->user_ns_level, identity->user_ns_owner);
	PUT(page,
	    "\"fs_user\":{\"id\":\"%u\",\"name\":\"%s\"},\"fs_group\":{\"id\":\"%u\"},\"groups\":[],"
	    "\"securebits\":%u,\"no_new_privs\":%s,\"seccomp\":\"%s\",\"login_uid\":\"%u\","
	    "\"session_id\":%u,",
	    identity->ids.fsuid, "root", identity->ids.fsgid, identity->securebits,
	    identity->no_new_privs ? "true" : "false", proc_seccomp_words[identity->seccomp],
	    identity->loginuid, identity->sessionid);
	PUT(page, "\"declared\":{\"user\":\"%s\",", container->declared->user);
	put_caps(page, "caps", container->declared->caps);
	PUT(page,
	    ",\"privileged\":%s,\"nnp\":%s,\"seccomp\":%s,\"readonly_root\":%s,\"shared\":[],"
	    "\"memory_limit\":%lu},\"drift\":[]",
	    "false", "false", "true", "false", container->declared->memory_limit_bytes);
	put_sets(page, event);
	PUT(page, ",\"cgroup\":{\"id\":%llu},\"cause\":\"%s\"", identity->cgroup_id,
	    change_cause_name(event->record->cause));
	put_before(page, event->before);
	PUT(page,
	    ",\"exec\":{\"setuid\":true,\"secure\":true},\"unknown\":[\"%s\"],"
	    "\"inferred\":%s}}\n",
	    "nsview.cgroup.path", "false");
}

static void snprintf_add(struct page *page, const struct event_line *line, uint64_t offset)
{
	PUT(page, "{\"@timestamp\":");
	put_time(page, line->time_boot_ns + offset);
	PUT(page,
	    ",\"ecs\":{\"version\":\"%s\"},\"event\":{\"kind\":\"%s\",\"category\":[\"%s\"],"
	    "\"type\":[\"%s\"],\"action\":\"%s\",\"sequence\":%llu,\"outcome\":\"%s\"},"
	    "\"host\":{\"name\":\"%s\",\"boot\":{\"id\":\"%s\"}},",
	    "9.0.0", "event", "process", "start", event_line_action(line),
	    line->event->record->sequence, "success", "web-3", scene_boot_id);
	put_process(page, line->event, offset);
	put_container(page, line->container);
	put_nsview(page, line->event, line->container);
}

/* Another process each time, as events have it. */
static void stage_turn(struct stage *stage, uint32_t turn)
{
	struct event_record *record = &stage->make.record;

	record->sequence++;
	record->tgid = record->tid = 3830 + turn % 1000;
	record->start_boot_ns += 1000;
	stage->line.time_boot_ns += 1003;
}

static double time_snprintf(struct stage *stage, const struct event_line *line, struct page *page)
{
	double start = cpu_ns();

	for (uint32_t i = 0; i < LINES; i++) {
		stage_turn(stage, i);
		snprintf_add(page, line, stage->machine.facts.boot_offset_ns);
		if (page->length > FLUSH_BYTES) {
			page->total += page->length;
			page->length = 0;
		}
	}
	return (cpu_ns() - start) / LINES;
}

static double time_writer(struct stage *stage, const struct event_line *line,
			  struct event_writer *writer, struct text *out, size_t *total)
{
	double start = cpu_ns();

	for (uint32_t i = 0; i < LINES; i++) {
		stage_turn(stage, i);
		event_writer_add(writer, line, out);
		if (out->length > FLUSH_BYTES) {
			*total += out->length;
			text_clear(out);
		}
	}
	return (cpu_ns() - start) / LINES;
}

static int compare(const void *left, const void *right)
{
	double one = *(const double *)left;
	double other = *(const double *)right;

	return (one > other) - (one < other);
}

int main(void)
{
	static struct stage stage;
	static struct page page;
	struct event_writer_options options = {
		.line_max = EVENT_LINE_DEFAULT, .host_name = "web-3", .boot_id = scene_boot_id};
	double own[RUNS], theirs[RUNS];
	struct event_writer *writer;
	const struct event_line *line;
	struct text out = {0};
	size_t total = 0;
	double ratio;

	stage_start(&stage);
	writer = event_writer_new(&options, &stage.machine.view);
	line = scene_exec(&stage);
	for (int run = 0; run < RUNS; run++) {
		own[run] = time_writer(&stage, line, writer, &out, &total);
		theirs[run] = time_snprintf(&stage, line, &page);
	}
	qsort(own, RUNS, sizeof(*own), compare);
	qsort(theirs, RUNS, sizeof(*theirs), compare);
	ratio = own[RUNS / 2] / theirs[RUNS / 2];
	printf("a line of an exec: %.0f ns for %zu bytes, with snprintf %.0f ns for %zu: %.2f x its "
	       "CPU time (at most 0.25: %s)\n",
	       own[RUNS / 2], total / (RUNS * LINES), theirs[RUNS / 2], page.total / (RUNS * LINES),
	       ratio, ratio <= 0.25 ? "met" : "missed");
	text_free(&out);
	event_writer_free(writer);
	stage_end(&stage);
	return 0;
}
