/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the event writer. Private to output/. */
#ifndef NSVIEW_OUTPUT_EVENT_PRIVATE_H
#define NSVIEW_OUTPUT_EVENT_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "output/event_names.h"
#include "output/event_subject.h"
#include "output/events.h"
#include "output/json_value.h"

struct view_context;

/* What may be named in nsview.unknown and nsview.lossy: a bit, then the fields it stands for. */
/* clang-format off */
#define EVENT_FIELDS_LIST(row)                                                      \
	row(HOST_NAME, "\"host.name\"")                                             \
	row(BOOT_ID, "\"host.boot.id\"")                                            \
	row(ENTITY, "\"process.entity_id\"")                                        \
	row(VPID, "\"process.vpid\"")                                               \
	row(PARENT, "\"process.parent\"")                                           \
	row(PARENT_VPID, "\"process.parent.vpid\"")                                 \
	row(PARENT_ENTITY, "\"process.parent.entity_id\"")                          \
	row(NAME, "\"process.name\"")                                               \
	row(EXECUTABLE, "\"process.executable\"")                                   \
	row(ARGS, "\"process.args\"")                                               \
	row(ENV, "\"process.env_vars\"")                                            \
	row(EXIT_CODE, "\"process.exit_code\"")                                     \
	row(START, "\"process.start\"")                                             \
	row(IDS, "\"process.user\",\"process.real_user\",\"process.saved_user\","   \
		"\"process.group\",\"process.real_group\",\"process.saved_group\"," \
		"\"nsview.fs_user\",\"nsview.fs_group\"")                           \
	row(USER_NAME, "\"process.user.name\"")                                     \
	row(TTY, "\"process.tty\"")                                                 \
	row(CAPS, "\"process.thread.capabilities\",\"nsview.capabilities\"")        \
	row(CONTAINER, "\"container\"")                                             \
	row(CONTAINER_ID, "\"container.id\"")                                       \
	row(CONTAINER_NAME, "\"container.name\"")                                   \
	row(RUNTIME, "\"container.runtime\"")                                       \
	row(IMAGE, "\"container.image.name\"")                                      \
	row(PRIVILEGED, "\"container.security_context.privileged\"")                \
	row(POD, "\"orchestrator\"")                                                \
	row(CHAIN, "\"nsview.pid_chain\"")                                          \
	row(INSIDE, "\"nsview.inside\"")                                            \
	row(INSIDE_NAME, "\"nsview.inside.user.name\"")                             \
	row(NS_MNT, "\"nsview.ns.mnt\"")                                            \
	row(NS_PID, "\"nsview.ns.pid\"")                                            \
	row(NS_NET, "\"nsview.ns.net\"")                                            \
	row(NS_IPC, "\"nsview.ns.ipc\"")                                            \
	row(NS_UTS, "\"nsview.ns.uts\"")                                            \
	row(NS_CGROUP, "\"nsview.ns.cgroup\"")                                      \
	row(NS_TIME, "\"nsview.ns.time\"")                                          \
	row(NS_USER, "\"nsview.ns.user\"")                                          \
	row(SHARED, "\"nsview.shared_with_host\"")                                  \
	row(USER_NS, "\"nsview.user_ns\"")                                          \
	row(HOST_EFFECTIVE, "\"nsview.capabilities.host_effective\"")               \
	row(GROUPS, "\"nsview.groups\"")                                            \
	row(SECUREBITS, "\"nsview.securebits\"")                                    \
	row(NO_NEW_PRIVS, "\"nsview.no_new_privs\"")                                \
	row(SECCOMP, "\"nsview.seccomp\"")                                          \
	row(LOGIN, "\"nsview.login_uid\"")                                          \
	row(SESSION, "\"nsview.session_id\"")                                       \
	row(DECLARED, "\"nsview.declared\"")                                        \
	row(DRIFT, "\"nsview.drift\"")                                              \
	row(CGROUP, "\"nsview.cgroup\"")                                            \
	row(CGROUP_ID, "\"nsview.cgroup.id\"")                                      \
	row(CGROUP_PATH, "\"nsview.cgroup.path\"")                                  \
	row(FILENAME, "\"nsview.exec.filename\"")                                   \
	row(BEFORE_GROUPS, "\"nsview.before.groups\"")                              \
	row(MESSAGE, "\"message\"")
/* clang-format on */

#define EVENT_FIELD_ENUM(name, text) AT_##name,
enum event_field {
	EVENT_FIELDS_LIST(EVENT_FIELD_ENUM) EVENT_FIELDS
};
_Static_assert(EVENT_FIELDS <= 64, "a bit each");
#undef EVENT_FIELD_ENUM

#define AT_BIT(field) (1ULL << AT_##field)

/* What nsview.truncated may name. */
enum event_cut {
	EVENT_CUT_ARGS = 1 << 0,
	EVENT_CUT_ENV = 1 << 1,
	EVENT_CUT_CAPABILITIES = 1 << 2, /* the names; the hex masks are there */
	EVENT_CUT_GROUPS = 1 << 3,
	EVENT_CUT_CGROUP = 1 << 4,  /* the beginning of nsview.cgroup.path */
	EVENT_CUT_STRINGS = 1 << 5, /* any text of a field */
	EVENT_CUT_LINE = 1 << 6,    /* everything but who, what and when */
};

/* What a line that is too long goes without, each level the next. */
enum event_level {
	LEVEL_ALL,
	LEVEL_NO_ENV,
	LEVEL_NO_ARGS,
	LEVEL_NO_NAMES, /* of capabilities */
	LEVEL_SHORT,    /* no text longer than EVENT_SHORT_MAX */
	LEVEL_CORE,     /* who, what and when */
	LEVELS,
};
#define EVENT_SHORT_MAX 64 /* bytes */

/* A second in RFC 3339: consecutive lines share it. */
struct event_second {
	uint64_t start_ns; /* since the epoch */
	char text[20];     /* "2026-11-21T22:14:03." */
	bool is_set;
};

/* "2026-11-21T22:14:03.123456789Z": 64 bits of nanoseconds end in the year 2554. */
#define EVENT_TIME_LENGTH 30
#define EVENT_ENTITY_LENGTH 32
#define EVENT_PID_LENGTH 10 /* of any 32 bits */

/* What is the same in each line of a process: those of one follow each other closely. */
struct event_known {
	uint64_t start_boot_ns;
	uint64_t boot_offset_ns; /* that `start` was made with */
	uint32_t tgid;           /* 0: none */
	bool has_start;
	uint8_t pid_length;
	char pid[EVENT_PID_LENGTH];
	char entity[EVENT_ENTITY_LENGTH];
	char start[EVENT_TIME_LENGTH];
};
#define EVENT_KNOWN 64 /* a power of two */

/* `{"ns":4026531836,"pid":` as it was written last at that level of a chain. */
struct event_level_text {
	uint32_t ns; /* 0: none */
	uint8_t length;
	char text[32];
};
#define EVENT_LEVELS 4 /* a power of two */

/* `,"cgroup":{...}` as it was written last of one with this id. */
struct event_cgroup_text {
	uint64_t id; /* 0: none */
	uint32_t hierarchy;
	struct text path;
	struct text text;
};
#define EVENT_CGROUPS 16 /* a power of two */

struct event_blocks;
struct event_commands;

struct event_writer {
	enum event_format format;
	size_t line_max;
	const char *const *env;
	size_t env_count;
	const struct view_context *view;
	uint64_t boot_offset_ns;
	uint64_t entity_seed[2]; /* from the boot id */
	bool has_boot_id;
	const char *host_name;
	const char *boot_id;
	struct text host; /* as it is in each line; empty: not yet */
	uint64_t host_unknown;
	uint64_t host_lossy;
	struct text heads[WORDS];       /* from the time to the number; filled when it is needed */
	struct event_second seconds[2]; /* of events, of starts */
	struct event_known known[EVENT_KNOWN];   /* whom lines are about */
	struct event_known parents[EVENT_KNOWN]; /* and whose children they are */
	struct event_level_text levels[EVENT_LEVELS];
	struct event_cgroup_text cgroups[EVENT_CGROUPS];
	struct json_values values;
	struct event_blocks *blocks;
	struct event_commands *commands;
	uint64_t refreshed_second; /* of the boot clock: names were looked after */
	uint64_t names_changes;    /* passwd_changes() then */
	struct text scratch;       /* the line in the other format's form */

	/* Of the line being written. */
	struct text *out;
	enum event_level level;
	enum event_word word;
	struct event_known *process; /* of `known`: whom it is about, if it is about a process */
	const struct event_block *block; /* NULL: nobody has asked for it yet */
	uint64_t unknown;                /* AT_BIT()s */
	uint64_t lossy;
	uint32_t cut; /* enum event_cut */
};

/* At a place that is known to have room: it moves in a register and not in memory. */
static inline char *place_put(char *place, const char *data, size_t length)
{
	memcpy(place, data, length);
	return place + length;
}

#define place_put_literal(place, literal) place_put((place), (literal), sizeof(literal) - 1)

static inline void event_end(struct event_writer *writer, const char *end)
{
	writer->out->length = (size_t)(end - writer->out->data);
}

#define event_put(writer, literal) text_put((writer)->out, (literal), sizeof(literal) - 1)

static inline void text_put(struct text *out, const char *data, size_t length)
{
	memcpy(text_room(out, length), data, length);
	out->length += length;
}

static inline void event_put_string(struct event_writer *writer, const char *string)
{
	text_put(writer->out, string, strlen(string));
}

static inline void event_put_text(struct event_writer *writer, const struct text *text)
{
	if (text->length)
		text_put(writer->out, text->data, text->length);
}

static inline void event_put_number(struct event_writer *writer, uint64_t number)
{
	text_add_unsigned(writer->out, number);
}

/* As a string where a reader's double would round it. */
void event_put_large(struct event_writer *writer, uint64_t number);

/* A hostile string in quotes, which may be where `field` says. */
void event_put_quoted(struct event_writer *writer, enum event_field field, const char *data,
		      size_t length);

/* With key, for what may not be there: `,"key":"..."`. */
void event_put_member(struct event_writer *writer, const char *key, enum event_field field,
		      const char *data, size_t length);

/* A boot time in RFC 3339, without quotes: EVENT_TIME_LENGTH bytes. */
char *event_place_time(char *place, const struct event_writer *writer, struct event_second *second,
		       uint64_t boot_ns);
/* The same in quotes, at the end of the line. */
void event_put_time(struct event_writer *writer, struct event_second *second, uint64_t boot_ns);

/* An array of CAP_ names. */
void event_put_caps(struct event_writer *writer, uint64_t mask);

/* {"id":"0","name":"root"}: the host's user. {"id":"0"}: a group. */
void event_put_user(struct event_writer *writer, uint32_t uid);
void event_put_id(struct event_writer *writer, uint32_t id);

void event_known_fill(const struct event_writer *writer, struct event_known *known, uint32_t tgid,
		      uint64_t start_boot_ns);

/* The process, by pid and start, in one of the writer's two tables: good until that is asked for
 * another one. Its entity is 32 hex digits, by boot, pid and start. */
static inline struct event_known *event_known_get(const struct event_writer *writer,
						  struct event_known *table, uint32_t tgid,
						  uint64_t start_boot_ns)
{
	struct event_known *known = &table[tgid & (EVENT_KNOWN - 1)];

	if (known->tgid != tgid || known->start_boot_ns != start_boot_ns || !tgid)
		event_known_fill(writer, known, tgid, start_boot_ns);
	return known;
}

/* Its pid in decimal, at a place that has EVENT_PID_LENGTH bytes. */
static inline char *event_place_pid(char *place, const struct event_known *known)
{
	memcpy(place, known->pid, sizeof(known->pid));
	return place + known->pid_length;
}
/* Its start in RFC 3339. */
const char *event_known_start(struct event_writer *writer, struct event_known *known);
void event_entity_seed(struct event_writer *writer);

/* `,"host":{...}`, `,"process":{...}`, `,"container":{...},"orchestrator":{...}` */
void event_put_host(struct event_writer *writer);
void event_put_process(struct event_writer *writer, const struct event_line *line,
		       const struct event_subject *subject);

/* `,"executable":...,"args":...` of it. */
struct event_commands *event_commands_new(void);
void event_commands_free(struct event_commands *commands);
void event_put_command(struct event_writer *writer, const struct event_line *line,
		       const struct event_subject *subject);

/* `,"nsview":{...}` and its members. */
void event_put_nsview(struct event_writer *writer, const struct event_line *line,
		      const struct event_subject *subject);
void event_put_before(struct event_writer *writer, const struct event *event);

extern const char *const event_cap_sets[CAP_SETS]; /* "inheritable", ... */

/* What many lines have word for word, each with its leading comma. */
struct event_block {
	struct text users;  /* of "process" */
	struct text thread; /* of "process.thread" */
	struct text container;
	struct text nsview; /* its last member is "capabilities", still open if has_caps */
	uint64_t unknown;
	uint64_t lossy;
	uint32_t cut;
	bool has_caps;
};

struct event_blocks *event_blocks_new(void);
void event_blocks_free(struct event_blocks *blocks);
/* Container names may have changed: everything is made anew. */
void event_blocks_clear(struct event_blocks *blocks);
/* That of the line being written; borrowed. */
const struct event_block *event_block_get(struct event_writer *writer,
					  const struct event_subject *subject);

/* The rendering behind it, at writer->out. */
void event_render_users(struct event_writer *writer, const struct event_subject *subject);
void event_render_thread(struct event_writer *writer, const struct event_subject *subject);
void event_render_container(struct event_writer *writer, const struct event_subject *subject);
void event_render_declared(struct event_writer *writer, const struct event_subject *subject);
bool event_render_nsview(struct event_writer *writer, const struct event_subject *subject);

/* line: a whole one in ECS form. */
void event_flatten(struct text *out, const char *line);

/* A line for people, without its newline. */
void event_put_words(struct event_writer *writer, const struct event_line *line);

#endif
