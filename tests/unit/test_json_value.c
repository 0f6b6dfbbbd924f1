/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <json-c/json.h>
#include <linux/capability.h>

#include "base/json.h"
#include "host/caps.h"
#include "output/json_value.h"

static void assert_names(struct json_values *values, uint64_t mask, const char *expected)
{
	struct text out = {0};
	struct json json;

	json_start(&json, &out);
	json_cap_names(values, &json, mask);
	assert_string_equal(text_string(&out), expected);
	text_free(&out);
}

static void assert_words(struct json_values *values, uint64_t mask, enum caps_reach reach,
			 const char *expected)
{
	struct text out = {0};
	struct json json;

	json_start(&json, &out);
	json_cap_words(values, &json, mask, reach);
	assert_string_equal(text_string(&out), expected);
	text_free(&out);
}

static void a_set_is_an_array_of_names(void **state)
{
	struct json_values values = {.cap_last = CAP_LAST_CAP};

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_names(&values, 0, "[]");
		assert_names(&values, 1ULL << CAP_NET_ADMIN, "[\"CAP_NET_ADMIN\"]");
		assert_names(&values, 1ULL << 63 | 1, "[\"CAP_CHOWN\",\"63\"]");
	}
	json_values_free(&values);
}

/* More sets than are remembered: each is still its own. */
static void no_set_is_taken_for_another(void **state)
{
	struct json_values values = {.cap_last = CAP_LAST_CAP};

	(void)state;
	for (int i = 0; i < 2000; i++) {
		uint64_t mask = (uint64_t)(i % 1000) * 0x100000001ULL & caps_full(CAP_LAST_CAP);
		struct text out = {0};
		struct json json;
		struct json_object *parsed;
		uint64_t read = 0;

		json_start(&json, &out);
		json_cap_names(&values, &json, mask);
		parsed = json_tokener_parse(text_string(&out));
		for (size_t j = 0; j < json_object_array_length(parsed); j++) {
			struct json_object *name = json_object_array_get_idx(parsed, j);
			const char *nearest;
			int capability = -1;

			caps_from_name(json_object_get_string(name), &capability, &nearest);
			read |= 1ULL << capability;
		}
		assert_int_equal(read, mask);
		json_object_put(parsed);
		text_free(&out);
	}
	json_values_free(&values);
}

static void words_say_whether_the_set_counts(void **state)
{
	struct json_values values = {.cap_last = CAP_LAST_CAP};

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_words(&values, CAPS_DOCKER_DEFAULT, REACH_HOST, "\"docker-default\"");
		assert_words(&values, CAPS_DOCKER_DEFAULT, REACH_UNKNOWN,
			     "\"docker-default in userns?\"");
		assert_words(&values, CAPS_DOCKER_DEFAULT, REACH_USERNS,
			     "\"docker-default in userns\"");
		assert_words(&values, 0, REACH_USERNS, "\"none\"");
	}
	json_values_free(&values);
}

static void a_value_has_the_form_of_its_column(void **state)
{
	static const struct value unknown = {.kind = VALUE_UNKNOWN};
	static const struct value number = {.kind = VALUE_NUMBER, .number = 1500000000};
	static const struct value words = {.kind = VALUE_WORDS, .text = {"a\0b", 3}};
	static const struct value real = {.kind = VALUE_REAL, .real = 1.25};
	struct json_values values = {.cap_last = CAP_LAST_CAP};
	struct text out = {0};
	struct json json;

	(void)state;
	json_start(&json, &out);
	json_array_open(&json);
	json_value(&values, &json, COLUMN_CAPS, &unknown);
	json_value(&values, &json, COLUMN_KIB, &number);
	json_value(&values, &json, COLUMN_CPU_TIME, &number);
	json_value(&values, &json, COLUMN_WORDS, &words);
	json_value(&values, &json, COLUMN_PERCENT, &real);
	json_value(&values, &json, COLUMN_CPUS, &real);
	json_array_close(&json);
	assert_string_equal(text_string(&out),
			    "[null,1500000000,1.500,[\"a\",\"b\"],1.3,1.250000000]");
	text_free(&out);
	json_values_free(&values);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_is_an_array_of_names),
		cmocka_unit_test(no_set_is_taken_for_another),
		cmocka_unit_test(words_say_whether_the_set_counts),
		cmocka_unit_test(a_value_has_the_form_of_its_column),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
