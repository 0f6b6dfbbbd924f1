/* SPDX-License-Identifier: GPL-2.0-only */
/* A column's value as JSON, and capability sets as JSON has them everywhere. */
#ifndef NSVIEW_OUTPUT_JSON_VALUE_H
#define NSVIEW_OUTPUT_JSON_VALUE_H

#include <stdint.h>

#include "base/text.h"
#include "view/column.h"

struct json;
struct runtime_container;

/* What was last written of so many different sets; a host has few of them. */
#define JSON_SETS 16

struct json_set {
	uint64_t mask;
	struct text text; /* empty: none yet */
};

/* Zero-initialise with cap_last; json_values_free when done. */
struct json_values {
	int cap_last; /* cap_last_cap of the kernel that the sets are of */
	struct json_set names[JSON_SETS];
	struct json_set words[JSON_SETS];
};

void json_values_free(struct json_values *values);

/* ["CAP_CHOWN", ...]; a capability without a name is its number. */
void json_cap_names(struct json_values *values, struct json *json, uint64_t mask);

/* "docker-default -KILL": the long form of caps.h, which parses back to the set. */
void json_cap_words(struct json_values *values, struct json *json, uint64_t mask,
		    enum caps_reach reach);

/* How an object says that one of its members does not apply. */
enum json_absent {
	JSON_ABSENT_NULL,
	JSON_ABSENT_LEFT_OUT,
};

/* What was asked for, as an object. */
void json_declared(struct json_values *values, struct json *json,
		   const struct runtime_container *declared, enum json_absent absent);

/* What does not apply and what is not known is null. */
void json_value(struct json_values *values, struct json *json, enum column_type type,
		const struct value *value);

#endif
