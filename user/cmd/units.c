/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/units.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <strings.h>

#include "base/mem.h"

struct unit {
	const char *name;
	uint64_t factor;
};

static int units_read(const char *text, const struct unit *units, size_t count, uint64_t *value)
{
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || errno)
		return -EINVAL;
	for (size_t i = 0; i < count; i++) {
		if (!strcasecmp(end, units[i].name))
			return __builtin_mul_overflow(number, units[i].factor, value) ? -EINVAL : 0;
	}
	return -EINVAL;
}

int units_size(const char *text, uint64_t *bytes)
{
	static const struct unit units[] = {
		{"", 1},
		{"b", 1},
		{"k", 1ULL << 10},
		{"m", 1ULL << 20},
		{"g", 1ULL << 30},
		{"kib", 1ULL << 10},
		{"mib", 1ULL << 20},
		{"gib", 1ULL << 30},
	};

	return units_read(text, units, ARRAY_SIZE(units), bytes);
}

int units_duration(const char *text, uint64_t *ns)
{
	static const struct unit units[] = {
		{"", 1000000000ULL},   {"ms", 1000000ULL},      {"s", 1000000000ULL},
		{"m", 60000000000ULL}, {"h", 3600000000000ULL}, {"d", 86400000000000ULL},
	};

	return units_read(text, units, ARRAY_SIZE(units), ns);
}
