/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/query.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "bpf/event.h"
#include "host/runtime/runtime.h"
#include "model/model.h"
#include "view/sort.h"

#define CANDIDATES_MAX 10 /* of an ambiguous prefix; the rest is counted */
#define NEAREST_DISTANCE_MAX 3
#define SHORT_ID_LENGTH 12 /* as `docker ps` shows it */

/* Sorted, so that a long list costs no more than a short one. */
struct id_set {
	uint32_t *ids;
	bool *is_seen;
	size_t count;
};

struct run {
	const struct selection *selection;
	const struct view_context *view;
	struct query_result *result;
	struct text *complaint;
	struct id_set pids;
	struct id_set in_pids;
	const struct container **containers; /* wanted, sorted by address */
	size_t containers_count;
	size_t containers_capacity;
	const struct column *in_user;
	bool has_seen_pod;
	bool is_live; /* containers come and go: their names are looked at each time */
};

static int compare_ids(const void *left, const void *right)
{
	uint32_t one = *(const uint32_t *)left;
	uint32_t other = *(const uint32_t *)right;

	return (one > other) - (one < other);
}

static int compare_pointers(const void *left, const void *right)
{
	uintptr_t one = *(const uintptr_t *)left;
	uintptr_t other = *(const uintptr_t *)right;

	return (one > other) - (one < other);
}

static void id_set_fill(struct id_set *set, const uint32_t *ids, size_t count)
{
	if (!count)
		return;
	set->ids = mem_resize(NULL, count, sizeof(*ids));
	set->is_seen = mem_new(count * sizeof(*set->is_seen));
	memcpy(set->ids, ids, count * sizeof(*ids));
	qsort(set->ids, count, sizeof(*ids), compare_ids);
	for (size_t i = 0; i < count; i++) {
		if (!i || set->ids[i] != set->ids[set->count - 1])
			set->ids[set->count++] = set->ids[i];
	}
}

static void id_set_free(struct id_set *set)
{
	free(set->ids);
	free(set->is_seen);
}

static bool id_set_has(struct id_set *set, uint32_t id)
{
	uint32_t *found = bsearch(&id, set->ids, set->count, sizeof(id), compare_ids);

	if (!found)
		return false;
	set->is_seen[found - set->ids] = true;
	return true;
}

/* Sentences stand on lines of their own. */
static void complaint_begin(struct text *complaint)
{
	if (complaint->length)
		text_add_char(complaint, '\n');
}

static int id_set_complain(const struct id_set *set, const char *what, struct text *complaint)
{
	size_t missing = 0;

	for (size_t i = 0; i < set->count; i++) {
		if (set->is_seen[i])
			continue;
		if (!missing++) {
			complaint_begin(complaint);
			text_printf(complaint, "no process has the %s %u", what, set->ids[i]);
		} else {
			text_printf(complaint, ", nor %u", set->ids[i]);
		}
	}
	return missing ? -ENOENT : 0;
}

static void run_want(struct run *run, const struct container *container)
{
	mem_reserve_one(run->containers, run->containers_count, run->containers_capacity);
	run->containers[run->containers_count++] = container;
}

static bool is_glob(const char *pattern)
{
	return strpbrk(pattern, "*?[");
}

enum container_match {
	MATCH_NAME,
	MATCH_ID,
	MATCH_GLOB,
	MATCH_ID_PREFIX,
	MATCH_WAYS,
};

static bool container_matches(const struct container *container, const char *pattern,
			      enum container_match way)
{
	switch (way) {
	case MATCH_NAME:
		return !strcmp(container->name, pattern);
	case MATCH_ID:
		return container->id[0] && !strcmp(container->id, pattern);
	case MATCH_GLOB:
		return is_glob(pattern) && !fnmatch(pattern, container->name, 0);
	case MATCH_ID_PREFIX:
		return *pattern && !strncmp(container->id, pattern, strlen(pattern));
	case MATCH_WAYS:
		break;
	}
	return false;
}

static int complain_ambiguous(struct text *complaint, const char *pattern,
			      const struct container *const *candidates, size_t count)
{
	complaint_begin(complaint);
	text_printf(complaint, "%zu containers have an id that begins with %s: ", count, pattern);
	for (size_t i = 0; i < count && i < CANDIDATES_MAX; i++)
		text_printf(complaint, "%s%.*s %s", i ? ", " : "", SHORT_ID_LENGTH,
			    candidates[i]->id, candidates[i]->name);
	if (count > CANDIDATES_MAX)
		text_printf(complaint, " and %zu more", count - CANDIDATES_MAX);
	text_add_string(complaint, "; type more of it, or the name");
	return -EEXIST;
}

static int complain_no_container(struct run *run, const char *pattern)
{
	size_t best = NEAREST_DISTANCE_MAX + 1;
	const char *nearest = NULL;
	size_t count;
	struct container *const *containers = model_containers(run->view->model, &count);

	for (size_t i = 0; i < count; i++) {
		size_t distance = text_distance(pattern, containers[i]->name);

		if (distance < best && distance < strlen(pattern)) {
			best = distance;
			nearest = containers[i]->name;
		}
	}
	complaint_begin(run->complaint);
	text_printf(run->complaint, "no container is called %s, and no id begins so", pattern);
	if (nearest)
		text_printf(run->complaint, ": did you mean %s?", nearest);
	else
		text_add_string(run->complaint, ": `nsview ps --containers` lists them");
	return -ENOENT;
}

/* An exact name wins over an id, a glob and a prefix, in this order. */
static int run_want_pattern(struct run *run, const char *pattern)
{
	size_t before = run->containers_count;
	size_t count;
	struct container *const *containers = model_containers(run->view->model, &count);

	for (int way = 0; way < MATCH_WAYS && run->containers_count == before; way++) {
		for (size_t i = 0; i < count; i++) {
			if (container_matches(containers[i], pattern, way))
				run_want(run, containers[i]);
		}
		if (way == MATCH_ID_PREFIX && run->containers_count > before + 1)
			return complain_ambiguous(run->complaint, pattern, run->containers + before,
						  run->containers_count - before);
	}
	return run->containers_count == before ? complain_no_container(run, pattern) : 0;
}

static int run_want_containers(struct run *run)
{
	int r = 0;

	for (size_t i = 0; i < run->selection->containers_count; i++) {
		int one = run_want_pattern(run, run->selection->containers[i]);

		if (one == -EEXIST)
			return one;
		if (one)
			r = one;
	}
	if (run->containers_count)
		qsort(run->containers, run->containers_count, sizeof(*run->containers),
		      compare_pointers);
	return r;
}

static enum filter_verdict verdict(bool is_true)
{
	return is_true ? FILTER_YES : FILTER_NO;
}

/* [NAMESPACE/]NAME */
static bool is_pod(const struct runtime_container *declared, const char *wanted)
{
	const char *slash = strchr(wanted, '/');
	size_t length = slash ? (size_t)(slash - wanted) : 0;

	if (!declared->pod || strcmp(declared->pod, slash ? slash + 1 : wanted))
		return false;
	return !slash || (declared->pod_namespace && strlen(declared->pod_namespace) == length &&
			  !memcmp(declared->pod_namespace, wanted, length));
}

static bool is_wanted(const struct run *run, const struct container *container)
{
	if (!run->is_live)
		return run->containers_count &&
		       bsearch(&container, run->containers, run->containers_count,
			       sizeof(*run->containers), compare_pointers);
	for (size_t i = 0; i < run->selection->containers_count; i++) {
		for (int way = 0; way < MATCH_WAYS; way++) {
			if (container_matches(container, run->selection->containers[i], way))
				return true;
		}
	}
	return false;
}

static enum filter_verdict match_where(struct run *run, const struct proc *proc)
{
	const struct selection *selection = run->selection;
	const struct container *container = proc->container;

	if ((selection->only_host && container) || (selection->only_containers && !container))
		return FILTER_NO;
	if (selection->containers_count && (!container || !is_wanted(run, container)))
		return FILTER_NO;
	if (!selection->runtime)
		return FILTER_YES;
	if (!container)
		return FILTER_NO;
	if (!container->runtime)
		return container->id[0] ? FILTER_UNKNOWN : FILTER_NO;
	return verdict(!strcmp(container->runtime, selection->runtime));
}

/* Of what a state file tells; it may be there and not be ours to read. */
static enum filter_verdict match_declared(struct run *run, const struct proc *proc)
{
	const struct selection *selection = run->selection;
	const struct container *container = proc->container;
	const struct runtime_container *declared = container ? container->declared : NULL;

	if (!selection->image && !selection->pod && !selection->pod_namespace)
		return FILTER_YES;
	if (!declared)
		return container && container->id[0] ? FILTER_UNKNOWN : FILTER_NO;
	if (selection->image && (!declared->image || fnmatch(selection->image, declared->image, 0)))
		return FILTER_NO;
	if (selection->pod_namespace &&
	    (!declared->pod_namespace || strcmp(selection->pod_namespace, declared->pod_namespace)))
		return FILTER_NO;
	if (!selection->pod)
		return FILTER_YES;
	if (!is_pod(declared, selection->pod))
		return FILTER_NO;
	run->has_seen_pod = true;
	return FILTER_YES;
}

static enum filter_verdict match_in_pid(struct run *run, const struct proc *proc)
{
	if (!run->in_pids.count)
		return FILTER_YES;
	if (!proc->container)
		return FILTER_NO;
	return verdict(id_set_has(&run->in_pids, proc_in_pid(proc)));
}

static enum filter_verdict match_user(struct run *run, const struct proc *proc)
{
	const struct selection *selection = run->selection;

	if (!selection->uids_count)
		return FILTER_YES;
	if (proc->unknown & FIELD_BIT(FIELD_IDS))
		return FILTER_UNKNOWN;
	for (size_t i = 0; i < selection->uids_count; i++) {
		if (proc->task->ids.euid == selection->uids[i])
			return FILTER_YES;
	}
	return FILTER_NO;
}

static bool is_user(const char *wanted, uint32_t uid, const struct value *name)
{
	char *end;
	unsigned long number = strtoul(wanted, &end, 10);

	if (*wanted && !*end)
		return number == uid;
	return strlen(wanted) == name->text.length &&
	       !memcmp(wanted, name->text.data, name->text.length);
}

static enum filter_verdict match_in_user(struct run *run, const struct proc *proc)
{
	const struct selection *selection = run->selection;
	struct value name;

	if (!selection->in_users_count)
		return FILTER_YES;
	column_get(run->in_user, run->view, proc, &name);
	if (name.kind == VALUE_UNKNOWN)
		return FILTER_UNKNOWN;
	if (name.kind != VALUE_TEXT)
		return FILTER_NO;
	for (size_t i = 0; i < selection->in_users_count; i++) {
		if (is_user(selection->in_users[i], proc->task->in_ids.euid, &name))
			return FILTER_YES;
	}
	return FILTER_NO;
}

static enum filter_verdict match_filter(struct run *run, const struct proc *proc)
{
	const struct filter *filter = run->selection->filter;

	return filter ? filter_match(filter, run->view, proc) : FILTER_YES;
}

static enum filter_verdict match_pid(struct run *run, const struct proc *proc)
{
	return verdict(!run->pids.count || id_set_has(&run->pids, proc->task->tgid));
}

/* All must hold, cheapest first. One that does not hold decides, whatever is unknown. */
static enum filter_verdict run_match(struct run *run, const struct proc *proc)
{
	static enum filter_verdict (*const matches[])(struct run *, const struct proc *) = {
		match_pid,  match_where,   match_declared, match_in_pid,
		match_user, match_in_user, match_filter,
	};
	enum filter_verdict result = FILTER_YES;

	for (size_t i = 0; i < ARRAY_SIZE(matches) && result != FILTER_NO; i++) {
		enum filter_verdict one = matches[i](run, proc);

		if (one != FILTER_YES)
			result = one;
	}
	return result;
}

static void run_collect(struct run *run)
{
	struct query_result *result = run->result;
	size_t count;
	const struct proc *procs = model_procs(run->view->model, &count);

	result->procs = mem_resize(NULL, count, sizeof(const struct proc *));
	for (size_t i = 0; i < count; i++) {
		enum filter_verdict here = run_match(run, &procs[i]);

		if (here == FILTER_YES)
			result->procs[result->count++] = &procs[i];
		if (here == FILTER_UNKNOWN)
			result->unknown++;
	}
}

int query_run(const struct query *query, const struct view_context *view,
	      struct query_result *result, struct text *complaint)
{
	const char *nearest;
	struct run run = {
		.selection = &query->selection,
		.view = view,
		.result = result,
		.complaint = complaint,
		.in_user = column_find("in-user", &nearest),
	};
	int r;

	*result = (struct query_result){0};
	id_set_fill(&run.pids, query->selection.pids, query->selection.pids_count);
	id_set_fill(&run.in_pids, query->selection.in_pids, query->selection.in_pids_count);
	r = run_want_containers(&run);
	if (r != -EEXIST) {
		run_collect(&run);
		sort_procs(query, view, result->procs, result->count);
		if (id_set_complain(&run.pids, "pid", complaint))
			r = -ENOENT;
		if (id_set_complain(&run.in_pids, "pid inside", complaint))
			r = -ENOENT;
		if (query->selection.pod && !run.has_seen_pod) {
			complaint_begin(complaint);
			text_printf(complaint, "no container is of a pod %s", query->selection.pod);
			r = -ENOENT;
		}
	}
	id_set_free(&run.pids);
	id_set_free(&run.in_pids);
	free(run.containers);
	return r;
}

struct query_live {
	struct run run;
};

struct query_live *query_live_new(const struct selection *selection,
				  const struct view_context *view)
{
	struct query_live *live = mem_new(sizeof(*live));
	const char *nearest;

	live->run.selection = selection;
	live->run.view = view;
	live->run.in_user = column_find("in-user", &nearest);
	live->run.is_live = true;
	id_set_fill(&live->run.pids, selection->pids, selection->pids_count);
	id_set_fill(&live->run.in_pids, selection->in_pids, selection->in_pids_count);
	return live;
}

enum filter_verdict query_live_verdict(struct query_live *live, const struct proc *proc)
{
	return run_match(&live->run, proc);
}

bool query_live_match(struct query_live *live, const struct proc *proc)
{
	return query_live_verdict(live, proc) == FILTER_YES;
}

void query_live_free(struct query_live *live)
{
	if (!live)
		return;
	id_set_free(&live->run.pids);
	id_set_free(&live->run.in_pids);
	free(live);
}

static int complain_several(const struct run *run, const char *word)
{
	text_printf(run->complaint, "%zu containers are meant by %s: ", run->containers_count,
		    word);
	for (size_t i = 0; i < run->containers_count && i < CANDIDATES_MAX; i++)
		text_printf(run->complaint, "%s%s", i ? ", " : "", run->containers[i]->name);
	if (run->containers_count > CANDIDATES_MAX)
		text_printf(run->complaint, " and %zu more",
			    run->containers_count - CANDIDATES_MAX);
	text_add_string(run->complaint, "; name one of them, or a host pid in it");
	return -EEXIST;
}

/* A number is a host pid, unless a container is called so. */
static const struct proc *find_pid(const struct view_context *view, const char *word)
{
	char *end;
	unsigned long pid = strtoul(word, &end, 10);
	size_t count;
	struct container *const *containers = model_containers(view->model, &count);

	if (*word < '0' || *word > '9' || *end || pid > UINT32_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		if (container_matches(containers[i], word, MATCH_NAME))
			return NULL;
	}
	return model_find(view->model, (uint32_t)pid);
}

int query_container(const struct view_context *view, const char *word,
		    const struct container **container, const struct proc **proc,
		    struct text *complaint)
{
	struct query_result none = {0};
	struct run run = {.view = view, .result = &none, .complaint = complaint};
	int r;

	*proc = find_pid(view, word);
	if (*proc) {
		*container = (*proc)->container;
		return 0;
	}
	r = run_want_pattern(&run, word);
	if (!r && run.containers_count > 1)
		r = complain_several(&run, word);
	if (!r) {
		*container = run.containers[0];
		*proc = model_find(view->model, (*container)->first_pid);
	}
	free(run.containers);
	return r;
}
