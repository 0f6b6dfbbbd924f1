/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/sort.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/model.h"
#include "view/query.h"

#define KEY_TEXT_MAX 1024 /* rows that agree on so many bytes are equal */

/* What does not apply comes before every value, and what is unknown before that. */
enum key_rank {
	RANK_UNKNOWN,
	RANK_NONE,
	RANK_NUMBER,
	RANK_TEXT,
};

struct sort_key {
	enum key_rank rank;
	uint32_t length;
	union {
		double number;
		const char *text;
	};
};

struct sort_row {
	const struct proc *proc;
	const struct sort_key *keys;
};

static int order_of(uint64_t one, uint64_t other)
{
	return (one > other) - (one < other);
}

static int order_of_containers(const struct container *one, const struct container *other)
{
	int order;

	if (one == other)
		return 0;
	if (!one || !other)
		return one ? 1 : -1;
	order = order_of(one->start_boot_ns, other->start_boot_ns);
	return order ? order : order_of(one->first_pid, other->first_pid);
}

/* What the default order looks at, side by side. */
struct default_row {
	const struct proc *proc;
	const struct container *container;
	uint32_t in_pid; /* 0: a host process */
	uint32_t pid;
};

static int compare_default(const void *left, const void *right)
{
	const struct default_row *one = left;
	const struct default_row *other = right;
	int order = order_of_containers(one->container, other->container);

	if (!order)
		order = order_of(one->in_pid, other->in_pid);
	return order ? order : order_of(one->pid, other->pid);
}

/* One container's processes mostly have their pids in one order inside and outside. */
static bool is_in_default_order(const struct default_row *rows, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		if (compare_default(&rows[i - 1], &rows[i]) > 0)
			return false;
	}
	return true;
}

static void sort_by_container(const struct proc **procs, size_t count)
{
	autofree struct default_row *rows = mem_resize(NULL, count, sizeof(*rows));

	for (size_t i = 0; i < count; i++)
		rows[i] = (struct default_row){
			.proc = procs[i],
			.container = procs[i]->container,
			.in_pid = procs[i]->container ? proc_in_pid(procs[i]) : 0,
			.pid = procs[i]->task->tgid,
		};
	if (!is_in_default_order(rows, count))
		qsort(rows, count, sizeof(*rows), compare_default);
	for (size_t i = 0; i < count; i++)
		procs[i] = rows[i].proc;
}

static void key_set_number(struct sort_key *key, double number)
{
	key->rank = RANK_NUMBER;
	key->number = number;
}

static void key_take(struct sort_key *key, const struct value *value, struct arena *arena)
{
	switch (value->kind) {
	case VALUE_UNKNOWN:
		key->rank = RANK_UNKNOWN;
		break;
	case VALUE_NONE:
		key->rank = RANK_NONE;
		break;
	case VALUE_NUMBER:
		key_set_number(key, (double)value->number);
		break;
	case VALUE_REAL:
		key_set_number(key, value->real);
		break;
	case VALUE_BOOL:
		key_set_number(key, value->is_true);
		break;
	case VALUE_CAPS:
		key_set_number(key, __builtin_popcountll(value->caps.mask));
		break;
	case VALUE_IDS:
		key_set_number(key, (double)value->ids.count);
		break;
	case VALUE_CHAIN:
		key_set_number(key, (double)value->chain.count);
		break;
	case VALUE_TEXT:
	case VALUE_WORDS:
		key->rank = RANK_TEXT;
		key->length = (uint32_t)(value->text.length < KEY_TEXT_MAX ? value->text.length
									   : KEY_TEXT_MAX);
		key->text = arena_copy(arena, value->text.data, key->length);
		break;
	}
}

static int compare_keys(const struct sort_key *one, const struct sort_key *other)
{
	uint32_t common = one->length < other->length ? one->length : other->length;
	int order;

	if (one->rank != other->rank)
		return one->rank < other->rank ? -1 : 1;
	if (one->rank == RANK_NUMBER)
		return (one->number > other->number) - (one->number < other->number);
	if (one->rank != RANK_TEXT)
		return 0;
	order = memcmp(one->text, other->text, common);
	return order ? order : order_of(one->length, other->length);
}

static int compare_rows(const void *left, const void *right, void *context)
{
	const struct query *query = context;
	const struct sort_row *one = left;
	const struct sort_row *other = right;

	for (size_t i = 0; i < query->sort_count; i++) {
		int order = compare_keys(&one->keys[i], &other->keys[i]);

		if (order)
			return query->sort_descending[i] ? -order : order;
	}
	return order_of(one->proc->task->tgid, other->proc->task->tgid);
}

static void sort_by_columns(const struct query *query, const struct view_context *view,
			    const struct proc **procs, size_t count)
{
	autofree struct sort_row *rows = mem_resize(NULL, count, sizeof(*rows));
	struct arena arena = {0};

	for (size_t i = 0; i < count; i++) {
		size_t bytes = query->sort_count * sizeof(struct sort_key);
		struct sort_key *keys = arena_take(&arena, bytes);

		memset(keys, 0, bytes);
		for (size_t j = 0; j < query->sort_count; j++) {
			struct value value;

			column_get(query->sort[j], view, procs[i], &value);
			key_take(&keys[j], &value, &arena);
		}
		rows[i] = (struct sort_row){procs[i], keys};
	}
	qsort_r(rows, count, sizeof(*rows), compare_rows, (void *)query);
	for (size_t i = 0; i < count; i++)
		procs[i] = rows[i].proc;
	arena_free(&arena);
}

void sort_procs(const struct query *query, const struct view_context *view,
		const struct proc **procs, size_t count)
{
	if (count < 2)
		return;
	if (query->sort_count)
		sort_by_columns(query, view, procs, count);
	else
		sort_by_container(procs, count);
}
