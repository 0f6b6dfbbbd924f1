/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/environment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

/* The index of the variable; count when it is not there. */
static size_t environment_find(const struct environment *environment, const char *name)
{
	size_t length = strlen(name);
	size_t i = 0;

	while (i < environment->count && (strncmp(environment->items[i], name, length) ||
					  environment->items[i][length] != '='))
		i++;
	return i;
}

static void environment_remove(struct environment *environment, const char *name)
{
	size_t at = environment_find(environment, name);

	if (at == environment->count)
		return;
	free(environment->items[at]);
	/* With the NULL at the end. */
	memmove(environment->items + at, environment->items + at + 1,
		(environment->count - at) * sizeof(*environment->items));
	environment->count--;
}

void environment_set(struct environment *environment, const char *name, const char *value)
{
	size_t at = environment_find(environment, name);
	char *item = mem_printf("%s=%s", name, value);

	if (at < environment->count) {
		free(environment->items[at]);
		environment->items[at] = item;
		return;
	}
	mem_reserve_one(environment->items, environment->count, environment->capacity);
	environment->items[environment->count++] = item;
	mem_reserve_one(environment->items, environment->count, environment->capacity);
	environment->items[environment->count] = NULL;
}

int environment_add(struct environment *environment, const char *words)
{
	autofree char *name = mem_copy(words);
	char *equals = strchr(name, '=');
	const char *value = equals ? equals + 1 : NULL;

	if (equals)
		*equals = '\0';
	if (!*name)
		return log_error(-EINVAL,
				 "cannot set the variable '%s': -e takes NAME=VALUE, or NAME for "
				 "the value that nsview itself has",
				 words);
	if (!equals)
		value = getenv(name);
	if (value)
		environment_set(environment, name, value);
	else
		environment_remove(environment, name);
	return 0;
}

const char *environment_get(const struct environment *environment, const char *name)
{
	size_t at = environment_find(environment, name);

	return at < environment->count ? environment->items[at] + strlen(name) + 1 : NULL;
}

void environment_free(struct environment *environment)
{
	for (size_t i = 0; i < environment->count; i++)
		free(environment->items[i]);
	free(environment->items);
	memset(environment, 0, sizeof(*environment));
}
