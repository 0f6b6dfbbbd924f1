/* SPDX-License-Identifier: GPL-2.0-only */
/* Events, processes and containers of any bytes: each is one line of valid UTF-8 that is no longer
 * than it may be and, but for --format text, that json-c reads. */
#include "../unit/event_scenes.h"

#include <json-c/json.h>
#include <locale.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *at;
	size_t left;
};

static uint32_t take(struct input *input, uint32_t below)
{
	uint32_t number = 0;

	for (size_t i = 0; i < sizeof(number) && input->left; i++, input->left--)
		number = number << 8 | *input->at++;
	return below ? number % below : number;
}

/* Fills memory with what is left, over and over if it is short. */
static void take_bytes(struct input *input, void *memory, size_t size)
{
	size_t have = input->left < size ? input->left : size;

	memset(memory, 0xa5, size);
	if (have)
		memcpy(memory, input->at, have);
	input->at += have;
	input->left -= have;
	for (size_t done = have; have && done + have <= size; done += have)
		memcpy((char *)memory + done, memory, have);
}

/* A string of up to `most` bytes; free it. */
static char *take_string(struct input *input, uint32_t most)
{
	uint32_t length = take(input, most + 1);
	char *string = mem_new(length + 1);

	take_bytes(input, string, length);
	string[length] = '\0';
	return string;
}

static uint16_t add_groups(struct event_make *make, struct input *input, uint32_t part)
{
	uint32_t groups[GROUPS_KEPT];
	uint16_t count = (uint16_t)take(input, GROUPS_KEPT + 1);

	take_bytes(input, groups, sizeof(groups));
	event_make_add(make, part, groups, count * sizeof(*groups));
	return count;
}

static void add_identity(struct event_make *make, struct input *input)
{
	struct pid_level chain[PID_LEVELS_MAX];
	struct task_identity *identity;
	uint16_t count = (uint16_t)(1 + take(input, PID_LEVELS_MAX));

	take_bytes(input, chain, sizeof(chain));
	make->record.chain_count = count;
	identity = event_make_add(make, PART_IDENTITY, chain, sizeof(*identity));
	take_bytes(input, identity, sizeof(*identity));
	identity->chain_count = count;
	identity->cgroup_length = 0;
	identity->cgroup_hierarchy %= CGROUP_HIERARCHIES;
	identity->comm[COMM_SIZE - 1] = '\0';
	event_make_add(make, PART_CHAIN, chain, count * sizeof(*chain));
	identity->groups_kept = add_groups(make, input, PART_GROUPS);
	identity->groups_total = identity->groups_kept + take(input, 2);
	if (take(input, 2))
		event_make_add(make, PART_IN_IDS, chain, sizeof(struct id_block));
}

static void add_before(struct event_make *make, struct input *input)
{
	struct event_before *before;
	char bytes[sizeof(*before)];

	take_bytes(input, bytes, sizeof(bytes));
	before = event_make_add(make, PART_BEFORE, bytes, sizeof(bytes));
	before->groups_kept = add_groups(make, input, PART_BEFORE_GROUPS);
	before->groups_total = before->groups_kept + take(input, 2);
}

static void add_exec(struct event_make *make, struct input *input)
{
	char bytes[1024];
	struct event_exec exec = {
		.filename_length = take(input, 600),
		.interpreter_length = take(input, 2) * take(input, 100),
		.args_length = take(input, 900),
		.args_count = take(input, 0),
		.env_length = take(input, 900),
	};

	exec.args_total = exec.args_length + take(input, 2);
	exec.env_total = exec.env_length + take(input, 2);
	event_make_add(make, PART_EXEC, &exec, sizeof(exec));
	take_bytes(input, bytes, sizeof(bytes));
	if (take(input, 2))
		bytes[0] = '/';
	event_make_add(make, PART_EXEC, bytes, exec.filename_length);
	event_make_add(make, PART_EXEC, bytes, exec.interpreter_length);
	take_bytes(input, bytes, sizeof(bytes));
	event_make_add(make, PART_EXEC, bytes, exec.args_length);
	memcpy(bytes, "PATH=", 5);
	event_make_add(make, PART_EXEC, bytes, exec.env_length);
}

static void add_cgroup(struct event_make *make, struct input *input)
{
	char path[CGROUP_PATH_MAX];
	struct event_cgroup cgroup = {
		.id = (uint64_t)take(input, 0) << 30,
		.length = take(input, CGROUP_PATH_MAX + 1),
	};

	take_bytes(input, path, sizeof(path));
	event_make_add(make, PART_CGROUP, &cgroup, sizeof(cgroup));
	event_make_add(make, PART_CGROUP, path, cgroup.length);
}

static void make_event(struct stage *stage, struct input *input)
{
	static const uint32_t pids[] = {3802, WEB_FIRST, 3830, BOX_FIRST, 0, 77};
	struct event_make *make = &stage->make;
	struct event_children children;
	struct event_exit exit = {.status = (int)take(input, 0x10000)};

	event_make_start(make, EVENT_EXEC, 0);
	take_bytes(input, &make->record.time_boot_ns,
		   sizeof(make->record) - sizeof(make->record.header));
	make->record.action = (__u8)(1 + take(input, EVENT_ACTIONS - 1));
	make->record.hook %= HOOKS;
	make->record.tier %= TIERS;
	make->record.cause %= CAUSES;
	make->record.tgid = pids[take(input, ARRAY_SIZE(pids))];
	make->record.parts = 0;
	add_identity(make, input);
	if (take(input, 2))
		add_before(make, input);
	if (take(input, 2)) {
		take_bytes(input, &children, sizeof(children));
		event_make_add(make, PART_CHILDREN, &children, sizeof(children));
	}
	if (make->record.action == EVENT_EXEC)
		add_exec(make, input);
	if (make->record.action == EVENT_EXIT)
		event_make_add(make, PART_EXIT, &exit, sizeof(exit));
	if (make->record.action >= EVENT_CGROUP_MAKE)
		add_cgroup(make, input);
	stage_set(stage);
	stage->line.proc = stage_proc(stage, make->record.tgid);
}

static void check_utf8(const char *at, size_t length)
{
	uint32_t codepoint;

	while (length) {
		size_t size = text_decode(at, length, &codepoint);

		if (!size || codepoint < 0x20 || codepoint == 0x7f)
			abort();
		at += size;
		length -= size;
	}
}

static void check_json(const char *line, size_t length)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *parsed;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	parsed = json_tokener_parse_ex(tokener, line, (int)length);
	if (!json_object_is_type(parsed, json_type_object) ||
	    json_tokener_get_parse_end(tokener) != length)
		abort();
	json_object_put(parsed);
	json_tokener_free(tokener);
}

static void check_line(struct stage *stage, struct event_writer_options *options)
{
	struct event_writer *writer = event_writer_new(options, &stage->machine.view);
	struct text out = {0};

	/* Twice: the second time from what is remembered. */
	for (int i = 0; i < 2; i++) {
		text_clear(&out);
		event_writer_add(writer, &stage->line, &out);
		if (out.length > options->line_max || out.data[out.length - 1] != '\n')
			abort();
		check_utf8(out.data, out.length - 1);
		if (options->format != EVENT_FORMAT_TEXT)
			check_json(out.data, out.length - 1);
	}
	text_free(&out);
	event_writer_free(writer);
}

/* As hostile as a name can be that somebody gave a container or wrote into a state file. */
static void hostile_container(struct stage *stage, struct input *input)
{
	struct container *container = stage_proc(stage, WEB_FIRST)->container;

	take_bytes(input, container->name, sizeof(container->name) - 1);
	take_bytes(input, container->id, sizeof(container->id) - 1);
	container->name[sizeof(container->name) - 1] = '\0';
	container->id[sizeof(container->id) - 1] = '\0';
	stage->declared.image = take_string(input, 2000);
	stage->declared.user = take_string(input, 300);
	stage->declared.pod = take(input, 2) ? take_string(input, 300) : NULL;
	stage->declared.caps = (uint64_t)take(input, 0) << 32 | take(input, 0);
	stage->line.container = take(input, 2) ? container : NULL;
}

static void set_line(struct stage *stage, struct input *input)
{
	stage->line.kind = LINE_EVENT;
	make_event(stage, input);
	hostile_container(stage, input);
	if (take(input, 4))
		return;
	stage->line.event = NULL;
	stage->line.kind = (enum event_line_kind)(1 + take(input, LINE_INFO));
	if (stage->line.kind == LINE_GAP)
		scene_gap(stage);
	if (stage->line.kind == LINE_INFO)
		scene_info(stage);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const env[] = {"PATH", "HOME"};
	struct input input = {data, size};
	struct stage *stage = mem_new(sizeof(*stage));
	char *host_name = NULL;
	struct event_writer_options options = {.env = env, .env_count = ARRAY_SIZE(env)};

	setlocale(LC_CTYPE, "C.UTF-8");
	stage_start(stage);
	options.line_max = EVENT_LINE_MIN + take(&input, 4) * 3000;
	host_name = take_string(&input, 80);
	options.host_name = host_name;
	options.boot_id = take(&input, 2) ? scene_boot_id : NULL;
	set_line(stage, &input);
	for (int format = 0; format < EVENT_FORMATS; format++) {
		options.format = (enum event_format)format;
		check_line(stage, &options);
	}
	free(host_name);
	free((char *)stage->declared.image);
	free((char *)stage->declared.user);
	free((char *)stage->declared.pod);
	stage_end(stage);
	free(stage);
	return 0;
}
