/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine.h"

#include <errno.h>
#include <json-c/json.h>
#include <locale.h>
#include <stdio.h>
#include <time.h>

#include "output/output.h"
#include "view/query.h"

#define MAC_ADMIN (1ULL << 33)
#define DOCKER_DEFAULT 0xa80425fbULL
#define PODMAN_DEFAULT 0x800405fbULL
#define FULL 0x1ffffffffffULL

/* One row of the machine that the target screens show. Users have numbers here, of their length. */
struct row {
	uint32_t pid;
	uint32_t euid;
	uint32_t pid_ns; /* 0: a host process */
	uint32_t in_pid;
	uint32_t in_euid;
	uint64_t vsz_kib;
	uint64_t rss_kib;
	uint64_t age_s;
	uint64_t cpu_ms;
	uint64_t caps;
	const char *args;
	size_t args_length;
	char state;
	uint32_t flags;
	uint32_t threads;
	bool has_tty;
	bool has_userns;
};

#define LEADER TASK_SESSION_LEADER
#define COMMAND(literal) literal, sizeof(literal)

static const struct row rows[] = {
	{1, 0, 0, 0, 0, 168120, 11904, 799900, 14000, FULL, COMMAND("/sbin/init"), 'S', LEADER, 1,
	 false, false},
	{598, 0, 0, 0, 0, 1798392, 48120, 790000, 1660000, FULL, COMMAND("/usr/bin/containerd"),
	 'S', LEADER, 9, false, false},
	{612, 0, 0, 0, 0, 15432, 9164, 790000, 0, FULL, COMMAND("sshd: /usr/sbin/sshd\0-D"), 'S',
	 LEADER, 1, false, false},
	{655, 0, 0, 0, 0, 2044668, 90220, 730000, 3062000, FULL,
	 COMMAND("/usr/bin/dockerd\0-H\0fd://"), 'S', LEADER, 9, false, false},
	{3720, USER_NAMELESS, 0, 0, 0, 95500, 4916, 500, 600, 0, COMMAND("sshd: project@pts/0"),
	 'S', 0, 1, false, false},
	{3727, USER_NAMELESS, 0, 0, 0, 21352, 5340, 499, 990, 0, COMMAND("-bash"), 'S', LEADER, 1,
	 true, false},
	{3802, 0, 0, 0, 0, 712464, 8924, 495, 0, FULL,
	 COMMAND("containerd-shim-runc-v2\0-namespace\0moby\0-id\0de4939f2"), 'S', 0, 9, false,
	 false},
	{3816, 0, 4026532000, 1, 1001, 4528, 828, 490, 0, DOCKER_DEFAULT,
	 COMMAND("sleep\0"
		 "3600"),
	 'S', LEADER, 1, false, false},
	{3994, 0, 4026532000, 7, 1001, 4632, 1716, 250, 0, DOCKER_DEFAULT, COMMAND("bash"), 'S',
	 LEADER | TASK_FOREGROUND, 1, true, false},
	{4019, USER_NAMELESS, 4026532010, 1, 1000, 4528, 828, 440, 0, 0,
	 COMMAND("sleep\0"
		 "3600"),
	 'S', LEADER, 1, false, false},
	{4102, 0, 4026532020, 1, 1001, 4528, 828, 439, 0, DOCKER_DEFAULT | MAC_ADMIN,
	 COMMAND("sleep\0"
		 "3600"),
	 'S', LEADER, 1, false, false},
	{4170, 0, 4026532030, 1, 1001, 4528, 828, 380, 0, FULL,
	 COMMAND("sleep\0"
		 "3600"),
	 'S', LEADER, 1, false, false},
	{4231, 0, 4026532040, 1, 1001, 3562144, 431872, 303, 151000, DOCKER_DEFAULT,
	 COMMAND("/docker-java-home/jre/bin/java\0-Djava.util.logging.config.file=x"), 'S', LEADER,
	 40, false, false},
	{4388, USER_NAMELESS, 4026532050, 1, 1001, 4528, 828, 130, 0, PODMAN_DEFAULT,
	 COMMAND("sleep\0"
		 "3600"),
	 'S', LEADER, 1, false, true},
	{4410, 100032, 4026532050, 12, 33000033, 12200, 6104, 129, 150, 0,
	 COMMAND("httpd\0-k\0start"), 'S', 0, 1, false, true},
};

static const char wide[] =
	"CONTAINER USER     PID IN-USER  IN-PID %CPU %MEM     VSZ    RSS TTY   STAT START  TIME CAPS                      COMMAND\n"
	"-         root       1 -             -  0.0  0.1  168120  11904 ?     Ss   Nov12  0:14 full                      /sbin/init\n"
	"-         root     598 -             -  0.2  0.6 1798392  48120 ?     Ssl  Nov12 27:40 full                      /usr/bin/containerd\n"
	"-         root     612 -             -  0.0  0.1   15432   9164 ?     Ss   Nov12  0:00 full                      sshd: /usr/sbin/sshd -D\n"
	"-         root     655 -             -  0.4  1.1 2044668  90220 ?     Ssl  Nov12 51:02 full                      /usr/bin/dockerd -H fd://\n"
	"-         4000001 3720 -             -  0.1  0.0   95500   4916 ?     S    06:06  0:00 none                      sshd: project@pts/0\n"
	"-         4000001 3727 -             -  0.1  0.0   21352   5340 pts/0 Ss   06:06  0:00 none                      -bash\n"
	"-         root    3802 -             -  0.0  0.1  712464   8924 ?     Sl   06:06  0:00 full                      containerd-shim-runc-v2 -namespace moby -id de4939f2\n"
	"plain     root    3816 1001          1  0.0  0.0    4528    828 ?     Ss   06:06  0:00 docker-default            sleep 3600\n"
	"plain     root    3994 1001          7  0.0  0.0    4632   1716 pts/0 Ss+  06:10  0:00 docker-default            bash\n"
	"u1000     4000001 4019 1000          1  0.0  0.0    4528    828 ?     Ss   06:07  0:00 none                      sleep 3600\n"
	"macadmin  root    4102 1001          1  0.0  0.0    4528    828 ?     Ss   06:07  0:00 docker-default +MAC_ADMIN sleep 3600\n"
	"priv      root    4170 1001          1  0.0  0.0    4528    828 ?     Ss   06:08  0:00 full                      sleep 3600\n"
	"tomcat    root    4231 1001          1 49.8  5.3 3562144 431872 ?     Ssl  06:09  2:31 docker-default            /docker-java-home/jre/bin/java -Djava.util.logging.config.file=x\n"
	"rootless  4000001 4388 1001          1  0.0  0.0    4528    828 ?     Ss   06:12  0:00 podman-default in userns  sleep 3600\n"
	"rootless  100032  4410 33000033     12  0.1  0.0   12200   6104 ?     S    06:12  0:00 none                      httpd -k start\n";

static const char at_120[] =
	"CONTAINER USER     PID IN-USER  IN-PID %CPU %MEM    RSS STAT START  TIME CAPS                      COMMAND\n"
	"-         root       1 -             -  0.0  0.1  11904 Ss   Nov12  0:14 full                      /sbin/init\n"
	"-         root     598 -             -  0.2  0.6  48120 Ssl  Nov12 27:40 full                      /usr/bin/containerd\n"
	"-         root     612 -             -  0.0  0.1   9164 Ss   Nov12  0:00 full                      sshd: /usr/sbin/sshd\n"
	"-         root     655 -             -  0.4  1.1  90220 Ssl  Nov12 51:02 full                      /usr/bin/dockerd -H f\n"
	"-         4000001 3720 -             -  0.1  0.0   4916 S    06:06  0:00 none                      sshd: project@pts/0\n"
	"-         4000001 3727 -             -  0.1  0.0   5340 Ss   06:06  0:00 none                      -bash\n"
	"-         root    3802 -             -  0.0  0.1   8924 Sl   06:06  0:00 full                      containerd-shim-runc-\n"
	"plain     root    3816 1001          1  0.0  0.0    828 Ss   06:06  0:00 docker-default            sleep 3600\n"
	"plain     root    3994 1001          7  0.0  0.0   1716 Ss+  06:10  0:00 docker-default            bash\n"
	"u1000     4000001 4019 1000          1  0.0  0.0    828 Ss   06:07  0:00 none                      sleep 3600\n"
	"macadmin  root    4102 1001          1  0.0  0.0    828 Ss   06:07  0:00 docker-default +MAC_ADMIN sleep 3600\n"
	"priv      root    4170 1001          1  0.0  0.0    828 Ss   06:08  0:00 full                      sleep 3600\n"
	"tomcat    root    4231 1001          1 49.8  5.3 431872 Ssl  06:09  2:31 docker-default            /docker-java-home/jre\n"
	"rootless  4000001 4388 1001          1  0.0  0.0    828 Ss   06:12  0:00 podman-default in userns  sleep 3600\n"
	"rootless  100032  4410 33000033     12  0.1  0.0   6104 S    06:12  0:00 none                      httpd -k start\n";

static const char at_80[] =
	"CONTAINER USER     PID IN-USER  IN-PID CAPS                      COMMAND\n"
	"-         root       1 -             - full                      /sbin/init\n"
	"-         root     598 -             - full                      /usr/bin/contai\n"
	"-         root     612 -             - full                      sshd: /usr/sbin\n"
	"-         root     655 -             - full                      /usr/bin/docker\n"
	"-         4000001 3720 -             - none                      sshd: project@p\n"
	"-         4000001 3727 -             - none                      -bash\n"
	"-         root    3802 -             - full                      containerd-shim\n"
	"plain     root    3816 1001          1 docker-default            sleep 3600\n"
	"plain     root    3994 1001          7 docker-default            bash\n"
	"u1000     4000001 4019 1000          1 none                      sleep 3600\n"
	"macadmin  root    4102 1001          1 docker-default +MAC_ADMIN sleep 3600\n"
	"priv      root    4170 1001          1 full                      sleep 3600\n"
	"tomcat    root    4231 1001          1 docker-default            /docker-java-ho\n"
	"rootless  4000001 4388 1001          1 podman-default in userns  sleep 3600\n"
	"rootless  100032  4410 33000033     12 none                      httpd -k start\n";

static struct machine machine;

static void add_row(const struct row *row)
{
	struct process process = process_make(row->pid);
	struct task_record *task = &process.task;

	if (row->pid_ns)
		process = process_make_inside(row->pid, row->in_pid, row->pid_ns);
	if (row->has_userns)
		task->ns[NS_USER] = row->pid_ns + 3;
	process_set_euid(&process, row->euid, row->in_euid);
	task->vsz_pages = row->vsz_kib / 4;
	task->rss_pages = row->rss_kib / 4;
	task->start_boot_ns = (NOW_BOOT - row->age_s) * SECOND;
	task->cpu_ns = row->cpu_ms * 1000000;
	task->caps[CAP_SET_EFFECTIVE] = row->caps;
	task->state = row->state;
	task->flags = row->flags;
	task->threads = row->threads;
	task->tty_major = row->has_tty ? 136 : 0;
	process.args = row->args;
	process.args_length = row->args_length;
	machine_add(&machine, &process);
}

static int screens_up(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	setlocale(LC_CTYPE, "C.UTF-8");
	machine_start(&machine);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		add_row(&rows[i]);
	machine_name(&machine, 4026532000, "plain", ID_A, "docker");
	machine_name(&machine, 4026532010, "u1000", ID_B, "docker");
	machine_name(&machine, 4026532020, "macadmin", "1", "docker");
	machine_name(&machine, 4026532030, "priv", "2", "docker");
	machine_name(&machine, 4026532040, "tomcat", "3", "docker");
	machine_name(&machine, 4026532050, "rootless", ID_C, "podman");
	machine_settle(&machine);
	return 0;
}

static int machine_down(void **state)
{
	(void)state;
	machine_end(&machine);
	return 0;
}

/* Written by the format; free it. keys: NULL for the usual columns. */
static char *written(const struct output_format *format, struct output_options options,
		     const char *const *keys)
{
	const struct column *columns[64];
	const struct query query = {0};
	struct query_result result;
	struct text complaint = {0};
	char *data = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&data, &size);

	if (!keys)
		keys = proc_columns_default;
	options.columns = columns;
	while (keys[options.columns_count]) {
		columns[options.columns_count] = column_of(keys[options.columns_count]);
		options.columns_count++;
	}
	assert_int_equal(query_run(&query, &machine.view, &result, &complaint), 0);
	assert_int_equal(format->write(stream, &options, &machine.view, result.procs, result.count),
			 0);
	fclose(stream);
	free(result.procs);
	return data;
}

static void assert_table(struct output_options options, const char *const *keys,
			 const char *expected)
{
	char *table = written(&output_table, options, keys);

	assert_string_equal(table, expected);
	free(table);
}

static void into_a_pipe_every_column_is_whole(void **state)
{
	(void)state;
	assert_table((struct output_options){0}, NULL, wide);
}

static void a_terminal_of_120_loses_vsz_and_tty(void **state)
{
	(void)state;
	assert_table((struct output_options){.width = 120}, NULL, at_120);
}

static void a_terminal_of_80_keeps_both_views_and_caps(void **state)
{
	(void)state;
	assert_table((struct output_options){.width = 80}, NULL, at_80);
}

static void a_wide_terminal_loses_nothing(void **state)
{
	(void)state;
	assert_table((struct output_options){.width = 400}, NULL, wide);
}

/* Columns go in the order of cli.md, each only when the one before was not enough. */
static void columns_go_one_by_one(void **state)
{
	static const char *const order[] = {"VSZ",   "TTY",  "%MEM", "TIME",
					    "START", "STAT", "RSS",  "%CPU"};
	size_t gone_before = 0;

	(void)state;
	for (size_t width = 160; width >= 60; width--) {
		char *table = written(&output_table, (struct output_options){.width = width}, NULL);
		size_t gone = 0;

		*strchr(table, '\n') = '\0';
		while (gone < ARRAY_SIZE(order) && !strstr(table, order[gone]))
			gone++;
		for (size_t i = gone; i < ARRAY_SIZE(order); i++)
			assert_non_null(strstr(table, order[i]));
		assert_true(gone >= gone_before);
		gone_before = gone;
		free(table);
	}
	assert_int_equal(gone_before, ARRAY_SIZE(order));
}

static void no_row_is_wider_than_the_terminal(void **state)
{
	(void)state;
	for (size_t width = 80; width < 200; width += 7) {
		char *table = written(&output_table, (struct output_options){.width = width}, NULL);
		char *rest = table;
		char *line;

		while ((line = strsep(&rest, "\n")) != NULL)
			assert_true(text_width(line, strlen(line)) <= width);
		free(table);
	}
}

static void headings_can_be_left_out(void **state)
{
	static const char *const keys[] = {"pid", NULL};
	char *table = written(&output_table, (struct output_options){.no_headers = true}, keys);

	(void)state;
	assert_memory_equal(table, "   1\n 598\n", 10);
	free(table);
}

static void colour_repeats_what_words_say(void **state)
{
	static const char *const keys[] = {"pid", "in-pid", "caps", NULL};
	char *table = written(&output_table, (struct output_options){.has_colour = true}, keys);

	(void)state;
	assert_non_null(strstr(table, "   1      - \033[1;31mfull\033[0m"));
	assert_non_null(strstr(table, "\n4170      \033[36m1\033[0m \033[1;31mfull\033[0m"));
	assert_non_null(strstr(table, "\033[33mdocker-default +MAC_ADMIN\033[0m"));
	assert_non_null(strstr(table, "\033[2mpodman-default in userns\033[0m"));
	assert_non_null(strstr(table, "\n3816      \033[36m1\033[0m docker-default\n"));
	free(table);
}

static int hostile_up(void **state)
{
	static const char bytes[] = "a\nb\x1b[2J\r\t\xff\u202e\u200f\u2028";
	static char long_args[200000];
	struct process process = process_make(1);

	(void)state;
	setlocale(LC_CTYPE, "C.UTF-8");
	machine_start(&machine);
	for (size_t i = 0; i < sizeof(long_args); i++)
		long_args[i] = bytes[i % (sizeof(bytes) - 1)];
	long_args[sizeof(long_args) - 1] = '\0';
	process.args = long_args;
	process.args_length = sizeof(long_args);
	machine_add(&machine, &process);
	process = process_make_inside(2, 1, 4026532000);
	memcpy(process.task.comm, "x\ny\x1b\x9b\u202e", 8);
	process.task.groups_kept = 1;
	process.task.groups_total = 40;
	machine_name(
		&machine, 4026532000,
		"\u65e5\u672c\u65e5\u672c\u65e5\u672c\u65e5\u672c\u65e5\u672c\u65e5\u672c\u65e5"
		"\n\x1b[31mend",
		"id", "docker");
	machine_add(&machine, &process);
	machine_settle(&machine);
	return 0;
}

static void a_hostile_process_breaks_no_row(void **state)
{
	static const char *const keys[] = {"command", "comm", "container", "pid", NULL};
	const size_t widths[] = {0, 80};

	(void)state;
	for (int pass = 0; pass < 4; pass++) {
		char *table =
			written(&output_table, (struct output_options){.width = widths[pass & 1]},
				pass < 2 ? NULL : keys);
		size_t lines = 0;

		for (const char *at = table; *at; at++) {
			lines += *at == '\n';
			assert_true(*at == '\n' || (*at & 0x80) || (*at >= 0x20 && *at < 0x7f));
		}
		assert_int_equal(lines, 3);
		assert_null(strstr(table, "\u202e"));
		assert_null(strstr(table, "\u2028"));
		/* A long cell is whole, but does not stretch the other row. */
		assert_true(strlen(table) < 700000);
		free(table);
	}
}

static void a_long_container_is_cut_in_its_middle(void **state)
{
	static const char *const keys[] = {"container", "comm", NULL};
	char *table = written(&output_table, (struct output_options){.width = 200}, keys);

	(void)state;
	/* 5 wide characters are 10 of the 11 columns before the dots; the last 10 are ASCII. */
	assert_non_null(strstr(table, "\u65e5\u672c\u65e5\u672c\u65e5...x1b[31mend "));
	free(table);
}

static void json_is_valid_whatever_a_process_says(void **state)
{
	char *array = written(&output_json, (struct output_options){0}, NULL);
	struct json_object *parsed = json_tokener_parse(array);
	struct json_object *member;
	struct json_object *object;
	size_t lines = 0;

	(void)state;
	assert_non_null(parsed);
	assert_int_equal(json_object_array_length(parsed), 2);
	for (const char *at = array; *at; at++)
		lines += *at == '\n';
	assert_int_equal(lines, 4);
	object = json_object_array_get_idx(parsed, 0);
	assert_true(json_object_object_get_ex(object, "args", &member));
	assert_int_equal(json_object_array_length(member), 1);
	assert_memory_equal(json_object_get_string(json_object_array_get_idx(member, 0)),
			    "a\nb\x1b[2J\r\t\ufffd\u202e\u200f\u2028", 20);
	assert_true(json_object_object_get_ex(object, "lossy", &member));
	assert_string_equal(json_object_to_json_string_ext(member, JSON_C_TO_STRING_PLAIN),
			    "[\"args\",\"command\"]");
	json_object_put(parsed);
	free(array);
}

/* This machine has no /proc, no cgroups and no state files of the container's runtime. */
#define UNREAD                                                                                \
	"\"image\",\"pod\",\"namespace\",\"declared\",\"drift\",\"cpu_usage\",\"cpu_limit\"," \
	"\"memory_usage\",\"memory_limit\",\"pids_limit\",\"exe\",\"cwd\""

static void assert_member(struct json_object *object, const char *key, const char *expected)
{
	struct json_object *member;

	if (!json_object_object_get_ex(object, key, &member))
		fail_msg("no key %s", key);
	assert_string_equal(
		json_object_to_json_string_ext(member, JSON_C_TO_STRING_PLAIN |
							       JSON_C_TO_STRING_NOSLASHESCAPE),
		expected);
}

static void a_list_without_its_end_is_unknown_in_json(void **state)
{
	char *array = written(&output_json, (struct output_options){0}, NULL);
	struct json_object *parsed = json_tokener_parse(array);
	struct json_object *object = json_object_array_get_idx(parsed, 1);

	(void)state;
	assert_member(object, "groups", "null");
	assert_member(object, "unknown", "[\"groups\"," UNREAD "]");
	assert_member(object, "truncated", "[]");
	json_object_put(parsed);
	free(array);
}

static void json_has_every_key_with_its_raw_value(void **state)
{
	char *lines = written(&output_ndjson, (struct output_options){0}, NULL);
	char *line = strstr(lines, "{\"container\":\"rootless\",\"user\":\"4000001\"");
	struct json_object *object;

	(void)state;
	assert_non_null(line);
	*strchr(line, '\n') = '\0';
	object = json_tokener_parse(line);
	assert_non_null(object);
	assert_member(object, "pid", "4388");
	assert_member(object, "in_user", "\"1001\"");
	assert_member(object, "in_pid", "1");
	assert_member(object, "euid", "4000001");
	assert_member(object, "in_euid", "1001");
	assert_member(object, "groups", "[]");
	assert_member(object, "cpu_percent", "0.0");
	assert_member(object, "vsz_bytes", "4636672");
	assert_member(object, "rss_bytes", "847872");
	assert_member(object, "tty", "null");
	assert_member(object, "stat", "\"Ss\"");
	assert_member(object, "start", "\"2026-11-21T06:12:21.000000000Z\"");
	assert_member(object, "time_seconds", "0.000");
	assert_member(object, "threads", "1");
	assert_member(object, "caps", "\"podman-default in userns\"");
	assert_member(object, "eff",
		      "[\"CAP_CHOWN\",\"CAP_DAC_OVERRIDE\",\"CAP_FOWNER\",\"CAP_FSETID\","
		      "\"CAP_KILL\",\"CAP_SETGID\",\"CAP_SETUID\",\"CAP_SETPCAP\","
		      "\"CAP_NET_BIND_SERVICE\",\"CAP_SYS_CHROOT\",\"CAP_SETFCAP\"]");
	assert_member(object, "eff_hex", "\"00000000800405fb\"");
	assert_member(object, "host_effective", "false");
	assert_member(object, "userns", "{\"ino\":4026532053,\"level\":0,\"owner\":0}");
	assert_member(object, "chain",
		      "[{\"ns\":4026531001,\"pid\":4388},{\"ns\":4026532050,\"pid\":1}]");
	assert_member(object, "ns",
		      "{\"mnt\":4026532051,\"pid\":4026532050,\"net\":4026531002,"
		      "\"ipc\":4026531003,\"uts\":4026531004,\"cgroup\":4026531005,"
		      "\"time\":4026531006,\"user\":4026532053}");
	assert_member(object, "shared", "[\"net\",\"ipc\",\"uts\",\"cgroup\",\"time\"]");
	assert_member(object, "nnp", "false");
	assert_member(object, "seccomp", "\"off\"");
	assert_member(object, "loginuid", "null");
	assert_member(object, "runtime", "\"podman\"");
	assert_member(object, "id", "\"" ID_C "\"");
	assert_member(object, "args", "[\"sleep\",\"3600\"]");
	assert_member(object, "command", "\"sleep 3600\"");
	assert_member(object, "unknown", "[" UNREAD "]");
	assert_member(object, "truncated", "[]");
	json_object_put(object);
	free(lines);
}

static void no_rows_are_a_heading_and_an_empty_array(void **state)
{
	const struct column *columns[] = {column_of("pid"), column_of("command")};
	struct output_options options = {.columns = columns, .columns_count = 2, .width = 80};
	char buffer[64] = "";
	FILE *stream = fmemopen(buffer, sizeof(buffer), "w");

	(void)state;
	assert_int_equal(output_table.write(stream, &options, &machine.view, NULL, 0), 0);
	assert_int_equal(output_json.write(stream, &options, &machine.view, NULL, 0), 0);
	assert_int_equal(output_ndjson.write(stream, &options, &machine.view, NULL, 0), 0);
	fclose(stream);
	assert_string_equal(buffer, "PID COMMAND\n[\n]\n");
}

static void a_full_disk_is_an_error(void **state)
{
	const struct column *columns[] = {column_of("pid")};
	struct output_options options = {.columns = columns, .columns_count = 1};
	FILE *stream = fopen("/dev/full", "w");

	(void)state;
	assert_int_equal(output_table.write(stream, &options, &machine.view, NULL, 0), -ENOSPC);
	fclose(stream);
}

static void columns_are_listed_as_text_and_as_json(void **state)
{
	char *data = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&data, &size);
	struct json_object *parsed;

	(void)state;
	assert_int_equal(output_columns(stream, false), 0);
	fclose(stream);
	assert_non_null(strstr(data, "\nin-pid "));
	assert_null(strstr(data, "\nargs "));
	free(data);
	stream = open_memstream(&data, &size);
	assert_int_equal(output_columns(stream, true), 0);
	fclose(stream);
	parsed = json_tokener_parse(data);
	assert_int_equal(json_object_array_length(parsed), proc_columns_count);
	json_object_put(parsed);
	free(data);
}

#define on_screens(test) cmocka_unit_test_setup_teardown(test, screens_up, machine_down)
#define on_hostile(test) cmocka_unit_test_setup_teardown(test, hostile_up, machine_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_screens(into_a_pipe_every_column_is_whole),
		on_screens(a_terminal_of_120_loses_vsz_and_tty),
		on_screens(a_terminal_of_80_keeps_both_views_and_caps),
		on_screens(a_wide_terminal_loses_nothing),
		on_screens(columns_go_one_by_one),
		on_screens(no_row_is_wider_than_the_terminal),
		on_screens(headings_can_be_left_out),
		on_screens(colour_repeats_what_words_say),
		on_screens(json_has_every_key_with_its_raw_value),
		on_screens(no_rows_are_a_heading_and_an_empty_array),
		on_screens(a_full_disk_is_an_error),
		cmocka_unit_test(columns_are_listed_as_text_and_as_json),
		on_hostile(a_hostile_process_breaks_no_row),
		on_hostile(a_long_container_is_cut_in_its_middle),
		on_hostile(json_is_valid_whatever_a_process_says),
		on_hostile(a_list_without_its_end_is_unknown_in_json),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
