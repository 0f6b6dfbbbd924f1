/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/doctor_hooks.h"
#include "cmd/options.h"
#include "cmd/print.h"
#include "host/caps.h"
#include "host/cgroup.h"
#include "host/facts.h"
#include "host/lockdown.h"
#include "host/procfs.h"
#include "source/privileges.h"
#include "source/source.h"

#define CAP_BIT(capability) (1ULL << (capability))

struct doctor_options {
	bool as_json;
};

enum verdict {
	VERDICT_FINE,
	VERDICT_LIMITS, /* the kernel can be read, but not everything beside it */
	VERDICT_LACKS,  /* the kernel cannot be read */
};

static const char *const verdict_words[] = {
	[VERDICT_FINE] = "fine",
	[VERDICT_LIMITS] = "limits",
	[VERDICT_LACKS] = "lacks",
};

/* What one look found. */
struct finding {
	enum verdict verdict;
	struct text value;
	struct text remedy; /* one line; empty: none is needed */
};

struct doctor {
	const struct app *app;
	struct needs needs;
	bool can_read_kernel; /* the iterator did */
};

static void doctor_kernel(struct doctor *doctor, struct finding *finding)
{
	const struct facts *facts = &doctor->app->facts;

	text_printf(&finding->value, "%s %s", facts->release, facts->machine);
}

/* What libbpf takes: raw BTF (its magic in this machine's order), or an ELF file that has it. */
static bool is_btf(const char *path)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	unsigned char magic[4] = {0};
	uint16_t first;

	if (fd < 0 || read(fd, magic, sizeof(magic)) != sizeof(magic))
		return false;
	memcpy(&first, magic, sizeof(first));
	return first == 0xeb9f || !memcmp(magic, "\177ELF", sizeof(magic));
}

static void doctor_btf(struct doctor *doctor, struct finding *finding)
{
	const char *given = doctor->app->btf_path;
	const char *path = given ? given : KERNEL_BTF;
	struct stat status;

	if (facts_kernel_lacks_btf()) {
		text_add_string(&finding->value, "this kernel was built without");
		text_add_string(
			&finding->remedy,
			"run a kernel with CONFIG_DEBUG_INFO_BTF=y; --btf is no substitute");
		finding->verdict = VERDICT_LACKS;
		return;
	}
	if (stat(path, &status)) {
		text_printf(&finding->value, "%s: %s", path, strerror(errno));
		finding->verdict = VERDICT_LACKS;
	} else if (!is_btf(path)) {
		text_printf(&finding->value, "%s is not BTF, or not to be read", path);
		finding->verdict = VERDICT_LACKS;
	} else {
		text_printf(&finding->value, "%s, %.1f MB", path, (double)status.st_size / 1e6);
	}
	if (finding->verdict == VERDICT_LACKS)
		text_add_string(
			&finding->remedy,
			given ? "give --btf the BTF of this very kernel, or leave it out"
			      : "mount /sys as it is, or give this kernel's BTF with --btf FILE");
}

static bool is_hosts_user(const struct facts *facts)
{
	return !facts->self_ns[NS_USER] || facts->self_ns[NS_USER] == NS_HOST_USER;
}

static void add_caps(const struct doctor *doctor, struct text *out, uint64_t caps)
{
	caps_words_long(out, caps, doctor->app->facts.cap_last, true);
}

static void doctor_privileges(struct doctor *doctor, struct finding *finding)
{
	const struct facts *facts = &doctor->app->facts;
	uint64_t missing = needs_missing(doctor->needs.processes, facts);
	uint64_t inexact = needs_missing(doctor->needs.exact, facts);
	uint64_t unnamed = needs_missing(doctor->needs.names, facts);

	text_printf(&finding->value, "uid %u, ", facts->euid);
	caps_words_long(&finding->value, facts->cap_effective, facts->cap_last,
			is_hosts_user(facts));
	if (!is_hosts_user(facts)) {
		finding->verdict = VERDICT_LACKS;
		text_add_string(&finding->remedy, "to read the kernel, run nsview as root of the "
						  "host's own user namespace");
	} else if (missing) {
		finding->verdict = VERDICT_LACKS;
		text_add_string(&finding->remedy,
				"to read the kernel, run nsview as root, or with ");
		add_caps(doctor, &finding->remedy, missing);
	} else if (inexact) {
		finding->verdict = VERDICT_LIMITS;
		add_caps(doctor, &finding->remedy, inexact);
		text_add_string(&finding->remedy,
				", or kernel.perf_event_paranoid of 2, would allow kprobes");
	} else if (unnamed) {
		finding->verdict = VERDICT_LIMITS;
		text_add_string(&finding->remedy, "with ");
		add_caps(doctor, &finding->remedy, unnamed);
		text_add_string(&finding->remedy, ", nsview also shows exe, cwd and user names "
						  "inside containers");
	}
}

static void doctor_needs(struct doctor *doctor, struct finding *finding)
{
	const struct needs *needs = &doctor->needs;

	add_caps(doctor, &finding->value, needs->processes);
	text_add_string(&finding->value, " for processes and events");
	if (needs->exact != needs->processes) {
		text_add_string(&finding->value, "; ");
		add_caps(doctor, &finding->value, needs->exact);
		text_add_string(&finding->value, " for kprobes");
	}
	text_add_string(&finding->value, "; ");
	add_caps(doctor, &finding->value, needs->names);
	text_add_string(&finding->value, " for files");
}

static void doctor_pid_namespace(struct doctor *doctor, struct finding *finding)
{
	uint32_t inode = doctor->app->facts.self_ns[NS_PID];

	if (!inode) {
		text_add_char(&finding->value, '?');
	} else if (inode == NS_HOST_PID) {
		text_add_string(&finding->value, "the host's");
	} else {
		finding->verdict = VERDICT_LIMITS;
		text_printf(&finding->value, "%u: only its processes are shown", inode);
		text_add_string(&finding->remedy, "start nsview in the host's pid namespace "
						  "(docker run --pid=host)");
	}
}

static int count_record(void *context, const struct record_header *record)
{
	*(size_t *)context += record->type == RECORD_TASK;
	return 0;
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* What a failure of the iterator says when everything that it needs seems to be there. */
static void doctor_iterator_remedy(const struct doctor *doctor, struct finding *finding)
{
	if (needs_missing(doctor->needs.processes, &doctor->app->facts))
		text_add_string(&finding->remedy, "see privileges");
	else if (lockdown_hides_kernel())
		text_add_string(&finding->remedy, "see lockdown");
	else
		text_add_string(&finding->remedy, "see BTF; nsview needs a kernel of 5.10 or later "
						  "with CONFIG_BPF_SYSCALL=y");
}

/* Not asked for by version: the iterator is loaded, and all processes are read. */
static void doctor_iterator(struct doctor *doctor, struct finding *finding)
{
	const struct source_options options = {
		.facts = &doctor->app->facts,
		.btf_path = doctor->app->btf_path,
	};
	double start = now_ms();
	struct source *source = NULL;
	size_t count = 0;
	int r = source_open(&bpf_source, &options, &source, &finding->value);

	if (!r) {
		r = source_snapshot(source, count_record, &count);
		if (r)
			text_printf(&finding->value, "loaded, but cannot be read: %s",
				    strerror(-r));
		source_close(source);
	}
	if (!r && !count) {
		text_add_string(&finding->value, "loaded, but shows no process");
		r = -ENODATA;
	}
	doctor->can_read_kernel = !r;
	if (r) {
		finding->verdict = VERDICT_LACKS;
		doctor_iterator_remedy(doctor, finding);
		return;
	}
	text_printf(&finding->value, "loaded, %zu processes read, %.0f ms", count,
		    now_ms() - start);
}

static void doctor_cgroup(struct doctor *doctor, struct finding *finding)
{
	enum cgroup_layout layout = cgroup_layout_read();

	(void)doctor;
	text_add_string(&finding->value, cgroup_layout_name(layout));
	if (layout == CGROUP_LAYOUT_HYBRID)
		text_add_string(&finding->value, " (v1 controllers beside a v2 tree)");
	if (layout == CGROUP_LAYOUT_NONE) {
		finding->verdict = VERDICT_LIMITS;
		text_add_string(
			&finding->remedy,
			"mount the cgroup file system at /sys/fs/cgroup: without it, cgroup "
			"ids from /proc stay unknown");
	}
}

static void doctor_lockdown(struct doctor *doctor, struct finding *finding)
{
	(void)doctor;
	lockdown_read(&finding->value);
	if (!lockdown_hides_kernel())
		return;
	finding->verdict = VERDICT_LACKS;
	text_add_string(&finding->remedy, "boot without lockdown=confidentiality: it keeps BPF "
					  "from reading the kernel");
}

/* The hidepid option of the mount at `path`, from the mountinfo of nsview's own namespace. */
static char *hidepid_read(const char *path)
{
	autofclose FILE *file = fopen("/proc/self/mountinfo", "re");
	autofree char *line = NULL;
	autofree char *place = mem_printf(" %s ", path);
	char *found = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0) {
		char *rest = strstr(line, " - proc ");
		char *option = rest ? strstr(rest, "hidepid=") : NULL;

		/* The last mount on a place is the one that is seen. */
		if (!rest || !strstr(line, place))
			continue;
		free(found);
		found = option ? mem_printf("%.*s", (int)strcspn(option, ",\n "), option) : NULL;
	}
	return found;
}

static void doctor_proc(struct doctor *doctor, struct finding *finding)
{
	const struct facts *facts = &doctor->app->facts;
	autoclose int fd = procfs_open(facts->proc_path);
	autofree char *hidepid = hidepid_read(facts->proc_path);
	bool is_hidden = hidepid && strcmp(hidepid, "hidepid=0") && strcmp(hidepid, "hidepid=off");

	text_add_string(&finding->value, facts->proc_path);
	if (fd < 0) {
		finding->verdict = VERDICT_LIMITS;
		text_printf(&finding->value, ": %s",
			    fd == -ENODEV ? "not a /proc file system" : strerror(-fd));
		text_printf(&finding->remedy,
			    "mount -t proc proc %s: arguments, exe, cwd and names "
			    "come from there",
			    facts->proc_path);
		return;
	}
	if (!is_hidden)
		return;
	text_printf(&finding->value, ", %s", hidepid);
	/* gid= of the mount exempts too; it has no need to be guessed at. */
	if (facts->cap_effective & CAP_BIT(CAP_SYS_PTRACE))
		return;
	finding->verdict = VERDICT_LIMITS;
	text_add_string(&finding->remedy, "run with SYS_PTRACE: others' processes are hidden");
}

/* In the order of the screen. The iterator is last of those it depends on. */
static const struct {
	const char *key; /* of the JSON */
	const char *name;
	void (*look)(struct doctor *doctor, struct finding *finding);
} checks[] = {
	{"kernel", "kernel", doctor_kernel},
	{"btf", "BTF", doctor_btf},
	{"privileges", "privileges", doctor_privileges},
	{"needs", "it needs", doctor_needs},
	{"lockdown", "lockdown", doctor_lockdown},
	{"iterator", "iterator", doctor_iterator},
	{"pid_namespace", "pid namespace", doctor_pid_namespace},
	{"cgroup", "cgroup", doctor_cgroup},
	{"proc", "/proc", doctor_proc},
};

static void print_human(struct text *out, struct finding *findings, bool can_read_kernel,
			const struct doctor_hooks *hooks)
{
	size_t name_width = 0;
	size_t value_width = 0;

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		struct text printable = {0};
		size_t width = strlen(checks[i].name);

		text_add_printable(&printable, findings[i].value.data, findings[i].value.length);
		text_free(&findings[i].value);
		findings[i].value = printable;
		name_width = width > name_width ? width : name_width;
		width = text_width(printable.data, printable.length);
		if (findings[i].remedy.length && width > value_width)
			value_width = width;
	}
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		const struct text *value = &findings[i].value;
		const struct text *remedy = &findings[i].remedy;
		size_t width = text_width(value->data, value->length);

		text_printf(out, "%-*s  ", (int)name_width, checks[i].name);
		text_add(out, value->data, value->length);
		if (remedy->length) {
			text_add_spaces(out, value_width - width + 2);
			text_add_char(out, '(');
			text_add_printable(out, remedy->data, remedy->length);
			text_add_char(out, ')');
		}
		text_add_char(out, '\n');
	}
	text_add_string(out, can_read_kernel
				     ? "\nnsview reads the processes from the kernel.\n"
				     : "\nnsview cannot read the kernel here: it reads /proc, and "
				       "what that does not tell is shown as ?.\n");
	doctor_hooks_print(hooks, out);
}

static void add_caps_json(struct json *json, const char *key, uint64_t caps)
{
	json_key(json, key);
	json_array_open(json);
	for (int capability = 0; capability < 64; capability++) {
		autofree char *name = NULL;

		if (!(caps >> capability & 1))
			continue;
		name = mem_printf("CAP_%s", caps_name(capability));
		json_string(json, name, strlen(name));
	}
	json_array_close(json);
}

static void add_needs_json(struct json *json, const struct needs *needs)
{
	json_key(json, "capabilities");
	json_object_open(json);
	add_caps_json(json, "processes", needs->processes);
	add_caps_json(json, "kprobes", needs->exact);
	add_caps_json(json, "files", needs->names);
	json_object_close(json);
}

static void print_json(struct text *out, const struct finding *findings,
		       const struct doctor *doctor, const struct doctor_hooks *hooks)
{
	struct json json;

	json_start(&json, out);
	json_object_open(&json);
	json_key(&json, "kernel_view");
	json_boolean(&json, doctor->can_read_kernel);
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		json_key(&json, checks[i].key);
		json_object_open(&json);
		json_key(&json, "value");
		json_string(&json, findings[i].value.data, findings[i].value.length);
		json_key(&json, "verdict");
		json_string(&json, verdict_words[findings[i].verdict],
			    strlen(verdict_words[findings[i].verdict]));
		json_key(&json, "remedy");
		if (findings[i].remedy.length)
			json_string(&json, findings[i].remedy.data, findings[i].remedy.length);
		else
			json_null(&json);
		json_object_close(&json);
	}
	add_needs_json(&json, &doctor->needs);
	doctor_hooks_json(hooks, &json);
	json_object_close(&json);
	text_add_char(out, '\n');
}

static int doctor_run(struct app *app, void *options, int argc, char **argv)
{
	const struct doctor_options *wanted = options;
	struct finding findings[ARRAY_SIZE(checks)] = {0};
	struct doctor doctor = {.app = app};
	struct doctor_hooks hooks = {0};
	struct text out = {0};
	int exit_code;

	if (argc > 1) {
		log_error(0, "unknown word %s: doctor takes options only", argv[1]);
		return EXIT_USAGE;
	}
	needs_read(&doctor.needs, &app->facts, app->btf_path);
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		checks[i].look(&doctor, &findings[i]);
	doctor_hooks_look(&hooks, app);
	if (wanted->as_json)
		print_json(&out, findings, &doctor, &hooks);
	else
		print_human(&out, findings, doctor.can_read_kernel, &hooks);
	doctor_hooks_free(&hooks);
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		text_free(&findings[i].value);
		text_free(&findings[i].remedy);
	}
	exit_code = print_text(&out);
	if (exit_code != EXIT_DONE)
		return exit_code;
	return doctor.can_read_kernel ? EXIT_DONE : EXIT_IMPOSSIBLE;
}

static const struct option doctor_option_table[] = {
	{.name = "json",
	 .help = "one JSON object",
	 .kind = OPTION_FLAG,
	 .offset = offsetof(struct doctor_options, as_json)},
	OPTIONS_END,
};

const struct command doctor_command = {
	.name = "doctor",
	.usage = "[OPTIONS]",
	.summary = "what this kernel and this user allow, and the remedy for each lack",
	.details = "Exits 0 where the kernel itself can be read, else 3.",
	.example = "nsview doctor",
	.options = doctor_option_table,
	.options_size = sizeof(struct doctor_options),
	.run = doctor_run,
};
