/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/pattern.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/*
 * glibc copies what is before + and {n}, so that `.++++++...` and ((a{99}){99}){99} take all
 * memory there is: its nodes are counted before it may make them.
 */
#define NODES_MAX 20000
#define GROUPS_MAX 32

struct level {
	uint64_t before; /* nodes of the group up to the last atom */
	uint64_t last;   /* nodes of the last atom, which a repetition multiplies */
};

struct count {
	struct level levels[GROUPS_MAX];
	int depth;
	bool is_too_much;
};

static void count_atom(struct count *count, uint64_t nodes)
{
	struct level *level = &count->levels[count->depth];

	level->before += level->last;
	level->last = nodes;
	if (level->before + nodes > NODES_MAX)
		count->is_too_much = true;
}

static void count_repeat(struct count *count, uint64_t times)
{
	struct level *level = &count->levels[count->depth];

	level->last = (level->last + 1) * (times ? times : 1);
	if (level->before + level->last > NODES_MAX)
		count->is_too_much = true;
}

static void count_open(struct count *count)
{
	if (count->depth + 1 == GROUPS_MAX) {
		count->is_too_much = true;
		return;
	}
	count->levels[++count->depth] = (struct level){0};
}

static void count_close(struct count *count)
{
	const struct level *level = &count->levels[count->depth];
	uint64_t nodes = level->before + level->last + 1;

	if (!count->depth)
		return;
	count->depth--;
	count_atom(count, nodes);
}

/* {n,m}: the larger of the two. Returns what follows it. */
static const char *count_interval(struct count *count, const char *at)
{
	uint64_t times = 0;

	while (*at && *at != '}') {
		char *end;
		unsigned long number = strtoul(at, &end, 10);

		if (end == at) {
			at++;
			continue;
		}
		if (number > times)
			times = number > NODES_MAX ? NODES_MAX : number;
		at = end;
	}
	count_repeat(count, times);
	return *at ? at + 1 : at;
}

/* [...], in which ] may stand first and [:alpha:], [.a.] and [=a=] inside. */
static const char *skip_bracket(const char *at)
{
	at += *at == '^';
	at += *at == ']';
	while (*at && *at != ']') {
		const char kind = at[0] == '[' && at[1] && strchr(".:=", at[1]) ? at[1] : '\0';

		at += kind ? 2 : 1;
		while (kind && *at && !(at[0] == kind && at[1] == ']'))
			at++;
		if (kind && *at)
			at += 2;
	}
	return *at ? at + 1 : at;
}

static bool is_reference(const char *at)
{
	return at[0] == '\\' && at[1] >= '1' && at[1] <= '9';
}

/* Counts the atom or the repetition at `at`; returns what follows it. */
static const char *count_next(struct count *count, const char *at)
{
	switch (*at) {
	case '(':
		count_open(count);
		return at + 1;
	case ')':
		count_close(count);
		return at + 1;
	case '+':
		count_repeat(count, 2);
		return at + 1;
	case '*':
	case '?':
		count_repeat(count, 1);
		return at + 1;
	case '{':
		return count_interval(count, at + 1);
	case '[':
		count_atom(count, 1);
		return skip_bracket(at + 1);
	case '\\':
		count_atom(count, 1);
		return at + (at[1] ? 2 : 1);
	default:
		count_atom(count, 1);
		return at + 1;
	}
}

static const char *pattern_problem(const char *pattern)
{
	struct count count = {0};

	for (const char *at = pattern; *at; at = count_next(&count, at)) {
		if (is_reference(at))
			return "it refers back to a group, which extended expressions cannot";
		if (count.is_too_much)
			break;
	}
	return count.is_too_much ? "its repetitions multiply too much" : NULL;
}

int pattern_compile(regex_t *regex, const char *pattern, struct text *why)
{
	const char *problem = pattern_problem(pattern);
	char reason[128];
	int r;

	if (problem) {
		text_add_string(why, problem);
		return -EINVAL;
	}
	r = regcomp(regex, pattern, REG_EXTENDED | REG_NOSUB);
	if (r) {
		regerror(r, regex, reason, sizeof(reason));
		text_add_string(why, reason);
		return -EINVAL;
	}
	return 0;
}
