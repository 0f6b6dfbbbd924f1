/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/session.h"
#include "host/passwd.h"
#include "host/runtime/runtime.h"
#include "model/model.h"
#include "source/recording_read.h"
#include "source/source.h"
#include "view/inside.h"
#include "wire/wire.h"

#define DECLARED_MAX 262144 /* containers that a recording may tell of */

struct declared_key {
	uint64_t start_boot_ns;
	uint64_t first_pid;
};

struct declared_entry {
	struct declared_key key;
	struct runtime_container declared;
	bool is_declared;
	bool was_running;
	UT_hash_handle hh;
};

struct parent_entry {
	uint32_t pid;
	struct task_record task;
	struct proc proc;
	UT_hash_handle hh;
};

struct replay {
	struct arena arena; /* the entries and their texts: what the model was told, it keeps */
	struct declared_entry *by_key;
	size_t count;
	struct insides *insides;
	struct parent_entry *parents;
};

void replay_free(struct replay *replay)
{
	if (!replay)
		return;
	HASH_CLEAR(hh, replay->by_key);
	HASH_CLEAR(hh, replay->parents);
	insides_free(replay->insides);
	arena_free(&replay->arena);
	free(replay);
}

static void user_take(struct passwd_cache *users, const struct user_record *user)
{
	passwd_learn(users, user->mnt_ns, user->pid, user->uid, record_user_name(user),
		     user->length);
}

/* -u and --filter ask for uids by names before the first record is handed out. Names inside may
 * change: those come when it is their turn. */
static int users_learn(struct passwd_cache *users, const char *path)
{
	struct recording_reader reader;
	const struct record_header *record;
	struct text why = {0};
	int r = recording_open(&reader, path, &why);

	while (!r && (r = recording_next(&reader, &record)) > 0) {
		const struct user_record *user = (const struct user_record *)record;

		if (record->type == RECORD_USER && !user->pid && !user->mnt_ns)
			user_take(users, user);
		r = 0;
	}
	recording_done(&reader);
	text_free(&why);
	return r;
}

int replay_open(struct session *session, const char *path, const char *at, size_t args_max)
{
	struct app *app = session->app;
	const struct source_options options = {
		.facts = &app->facts,
		.args_max = args_max,
		.replay_path = path,
		.replay_at = at,
	};
	struct text why = {0};
	int r = source_open(&replay_source, &options, &session->source, &why);

	if (r) {
		log_error(0, "cannot replay: %s", text_string(&why));
		text_free(&why);
		return r == -ERANGE ? EXIT_USAGE : EXIT_FAILED;
	}
	text_free(&why);
	session->replay = mem_new(sizeof(*session->replay));
	session->replay->insides = insides_new();
	session->view.insides = session->replay->insides;
	passwd_free(session->view.users);
	session->view.users = passwd_new_learning();
	replay_clock(session);
	return users_learn(session->view.users, path) ? EXIT_FAILED : EXIT_DONE;
}

void replay_clock(struct session *session)
{
	source_facts(session->source, &session->app->facts);
}

static const char *text_keep(struct replay *replay, const struct container_record *container,
			     enum container_text text)
{
	const char *data = record_container_text(container, text);

	return data ? arena_copy(&replay->arena, data, container->lengths[text]) : NULL;
}

static void declared_fill(struct replay *replay, const struct container_record *container,
			  struct runtime_container *declared)
{
	*declared = (struct runtime_container){
		.runtime = text_keep(replay, container, CONTAINER_RUNTIME),
		.id = text_keep(replay, container, CONTAINER_ID),
		.name = text_keep(replay, container, CONTAINER_NAME),
		.image = text_keep(replay, container, CONTAINER_IMAGE),
		.pod = text_keep(replay, container, CONTAINER_POD),
		.pod_namespace = text_keep(replay, container, CONTAINER_POD_NAMESPACE),
		.user = text_keep(replay, container, CONTAINER_USER),
		.first_pid = container->runtime_first_pid,
		.caps = container->caps,
		.cpu_limit_nano = container->cpu_limit_nano,
		.memory_limit_bytes = container->memory_limit_bytes,
		.pids_limit = container->pids_limit,
		.shares_host = container->shares_host,
		.is_privileged = container->flags & CONTAINER_PRIVILEGED,
		.has_no_new_privs = container->flags & CONTAINER_NO_NEW_PRIVS,
		.has_no_seccomp = container->flags & CONTAINER_NO_SECCOMP,
		.has_readonly_root = container->flags & CONTAINER_READONLY_ROOT,
	};
	if (!declared->id)
		declared->id = "";
}

/* What was told before stays in the arena: the model may point to it. */
static void container_take(struct replay *replay, const struct container_record *container)
{
	const struct declared_key key = {container->start_boot_ns, container->first_pid};
	struct declared_entry *entry;

	if (replay->count >= DECLARED_MAX)
		return;
	replay->count++;
	HASH_FIND(hh, replay->by_key, &key, sizeof(key), entry);
	if (entry)
		HASH_DEL(replay->by_key, entry);
	entry = arena_take(&replay->arena, sizeof(*entry));
	*entry = (struct declared_entry){
		.key = key,
		.is_declared = container->texts,
		.was_running = container->flags & CONTAINER_RUNNING,
	};
	declared_fill(replay, container, &entry->declared);
	HASH_ADD(hh, replay->by_key, key, sizeof(entry->key), entry);
}

static void parent_take(struct replay *replay, const struct parent_record *parent)
{
	struct parent_entry *entry;

	HASH_FIND(hh, replay->parents, &parent->tgid, sizeof(parent->tgid), entry);
	if (entry || HASH_COUNT(replay->parents) >= DECLARED_MAX)
		return;
	entry = arena_take(&replay->arena, sizeof(*entry));
	*entry = (struct parent_entry){
		.pid = parent->tgid,
		.task = {.tgid = parent->tgid, .start_boot_ns = parent->start_boot_ns},
	};
	entry->proc.task = &entry->task;
	HASH_ADD(hh, replay->parents, pid, sizeof(entry->pid), entry);
}

const struct proc *replay_parent(const struct replay *replay, uint32_t pid)
{
	struct parent_entry *entry;

	HASH_FIND(hh, replay->parents, &pid, sizeof(pid), entry);
	return entry ? &entry->proc : NULL;
}

static struct container *container_find(struct model *model, const struct container_record *record)
{
	size_t count = 0;
	struct container *const *containers = model ? model_containers(model, &count) : NULL;

	for (size_t i = 0; i < count; i++) {
		if (containers[i]->first_pid == record->first_pid &&
		    containers[i]->start_boot_ns == record->start_boot_ns)
			return containers[i];
	}
	return NULL;
}

bool replay_take(struct session *session, const struct record_header *record,
		 struct container **named)
{
	const struct container_record *container = (const struct container_record *)record;

	*named = NULL;
	switch (record->type) {
	case RECORD_USER:
		user_take(session->view.users, (const struct user_record *)record);
		return true;
	case RECORD_CONTAINER:
		container_take(session->replay, container);
		if (container->flags & CONTAINER_TOLD && container->texts)
			*named = container_find(session->model, container);
		if (*named)
			model_declare(*named, replay_declared(session->replay, *named));
		return true;
	case RECORD_INSIDE:
		insides_add(session->replay->insides, (const struct inside_record *)record);
		return true;
	case RECORD_PARENT:
		parent_take(session->replay, (const struct parent_record *)record);
		return true;
	case RECORD_MARK:
		return true;
	default:
		return false;
	}
}

static struct declared_entry *entry_find(const struct replay *replay,
					 const struct container *container)
{
	const struct declared_key key = {container->start_boot_ns, container->first_pid};
	struct declared_entry *entry;

	HASH_FIND(hh, replay->by_key, &key, sizeof(key), entry);
	return entry;
}

const struct runtime_container *replay_declared(const struct replay *replay,
						const struct container *container)
{
	const struct declared_entry *entry = entry_find(replay, container);

	return entry && entry->is_declared ? &entry->declared : NULL;
}

bool replay_was_running(const struct replay *replay, const struct container *container)
{
	const struct declared_entry *entry = entry_find(replay, container);

	return entry && entry->was_running;
}

void replay_name(struct session *session)
{
	size_t count;
	struct container *const *containers = model_containers(session->model, &count);

	for (size_t i = 0; i < count; i++) {
		const struct runtime_container *declared =
			replay_declared(session->replay, containers[i]);

		if (declared && !containers[i]->declared)
			model_declare(containers[i], declared);
	}
}

static int record_take(void *context, const struct record_header *record)
{
	struct session *session = context;
	struct container *named;

	if (replay_take(session, record, &named))
		return 0;
	return model_apply(session->model, record);
}

int replay_snapshot(struct session *session)
{
	return source_snapshot(session->source, record_take, session);
}

/* A process that exits is there until the next record comes. */
int replay_pause(struct session *session)
{
	const struct facts *facts = &session->app->facts;
	const struct clock_record end = {
		.header = {.size = sizeof(end), .type = RECORD_CLOCK},
		.time_boot_ns = facts->boot_now_ns,
		.boot_offset_ns = facts->boot_offset_ns,
	};

	return model_apply(session->model, &end.header);
}

int replay_finish(struct session *session)
{
	int r;

	do {
		r = source_poll(session->source, 0, record_take, session);
	} while (r >= 0);
	if (r != -ENODATA)
		return EXIT_FAILED;
	replay_clock(session);
	replay_name(session);
	return replay_pause(session) ? EXIT_FAILED : EXIT_DONE;
}
