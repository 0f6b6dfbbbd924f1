/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/limits.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define NANO 1000000000ULL
#define NANO_PLACES 9
#define NANO_CPUS_MIN (NANO / 100)  /* a quota of 1 ms: the kernel takes no smaller one */
#define MEMORY_MIN_BYTES (6u << 20) /* docker's: with less its runtime could not start */
#define MEMORY_MAX_BYTES INT64_MAX  /* docker keeps it in one */
#define PIDS_MAX 4194304            /* PID_MAX_LIMIT, include/linux/threads.h */

/* A decimal number: value / 10^places. */
struct decimal {
	unsigned __int128 value;
	int places;
};

/* The locale has no say: the decimal sign is a point. *end: what follows. */
static bool decimal_read(const char *words, struct decimal *decimal, const char **end)
{
	bool has_point = false, has_digit = false;

	*decimal = (struct decimal){0};
	for (; isdigit((unsigned char)*words) || (*words == '.' && !has_point); words++) {
		if (*words == '.') {
			has_point = true;
			continue;
		}
		has_digit = true;
		/* Further on nothing can overflow, not even by a unit's 2^50. */
		if (decimal->value > UINT64_MAX / 10)
			return false;
		decimal->value = decimal->value * 10 + (unsigned int)(*words - '0');
		decimal->places += has_point;
	}
	*end = words;
	return has_digit;
}

static unsigned __int128 power_of_ten(int exponent)
{
	unsigned __int128 power = 1;

	while (exponent-- > 0)
		power *= 10;
	return power;
}

int limits_read_cpus(const char *words, int cpus_online, uint64_t *nano_cpus)
{
	struct decimal decimal;
	unsigned __int128 nano;
	const char *end;

	if (!decimal_read(words, &decimal, &end) || *end)
		return log_error(-EINVAL,
				 "cannot limit the container to --cpus %s: it is a number of CPUs, "
				 "such as 1.5",
				 *words ? words : "''");
	if (decimal.places > NANO_PLACES)
		return log_error(-ERANGE,
				 "cannot limit the container to --cpus %s: at most %d digits may "
				 "follow the point",
				 words, NANO_PLACES);
	nano = decimal.value * power_of_ten(NANO_PLACES - decimal.places);
	if (nano && (nano < NANO_CPUS_MIN || nano > cpus_online * NANO))
		return log_error(-ERANGE,
				 "cannot limit the container to --cpus %s: this machine has %d, so "
				 "it is from 0.01 to %d",
				 words, cpus_online, cpus_online);
	*nano_cpus = (uint64_t)nano;
	return 0;
}

/* The power of 1024 that ends the words, " kib": -1 when they do not end as a size does. */
static int memory_unit(const char *words)
{
	static const char units[] = "kmgtp";
	const char *unit;
	int power = 0;

	words += *words == ' ';
	unit = *words ? strchr(units, tolower((unsigned char)*words)) : NULL;
	if (unit) {
		power = (int)(unit - units) + 1;
		words++;
	}
	words += tolower((unsigned char)*words) == 'i';
	words += tolower((unsigned char)*words) == 'b';
	return *words ? -1 : power;
}

int limits_read_memory(const char *words, uint64_t *bytes)
{
	struct decimal decimal;
	unsigned __int128 value = 0;
	const char *end;
	int power;

	if (!decimal_read(words, &decimal, &end) || (power = memory_unit(end)) < 0)
		return log_error(-EINVAL,
				 "cannot limit the container to --memory %s: it is a number of "
				 "bytes, or one with k, m or g behind it, such as 500m",
				 *words ? words : "''");
	value = (decimal.value << (10 * power)) / power_of_ten(decimal.places);
	if (value && (value < MEMORY_MIN_BYTES || value > MEMORY_MAX_BYTES))
		return log_error(-ERANGE,
				 "cannot limit the container to --memory %s: the least is 6m, and "
				 "the most is 8191p",
				 words);
	*bytes = (uint64_t)value;
	return 0;
}

int limits_read_pids(const char *words, uint64_t *pids)
{
	char *end = NULL;
	long number = -2;

	errno = 0;
	if (isdigit((unsigned char)words[0]) || words[0] == '-')
		number = strtol(words, &end, 10);
	if (!end || end == words || *end)
		return log_error(-EINVAL,
				 "cannot limit the container to --pids-limit %s: it is a number of "
				 "processes and threads, such as 100",
				 *words ? words : "''");
	if (errno || number < -1 || number > PIDS_MAX)
		return log_error(-ERANGE,
				 "cannot limit the container to --pids-limit %s: it is from 1 to "
				 "%d, or -1 for no limit",
				 words, PIDS_MAX);
	*pids = number < 0 ? 0 : (uint64_t)number;
	return 0;
}

uint64_t limits_quota_us(uint64_t nano_cpus)
{
	return nano_cpus * LIMITS_PERIOD_US / NANO;
}
