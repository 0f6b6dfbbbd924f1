/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "bpf/event.h"
#include "host/idmap.h"

static int parse(const char *text, struct idmap *map)
{
	return idmap_parse(text, strlen(text), map);
}

static void ids_are_translated_and_the_rest_is_nobody(void **state)
{
	struct idmap map;

	(void)state;
	assert_int_equal(parse("         0       1000          1\n"
			       "         1     100000      65536\n",
			       &map),
			 0);
	assert_int_equal(idmap_inside(&map, 1000), 0);
	assert_int_equal(idmap_inside(&map, 100000), 1);
	assert_int_equal(idmap_inside(&map, 165535), 65536);
	assert_int_equal(idmap_inside(&map, 165536), ID_OVERFLOW);
	assert_int_equal(idmap_inside(&map, 999), ID_OVERFLOW);
	assert_int_equal(idmap_inside(&map, 0), ID_OVERFLOW);
	assert_false(idmap_is_identity(&map));
}

static void the_hosts_own_map_is_the_identity(void **state)
{
	struct idmap map;

	(void)state;
	assert_int_equal(parse("         0          0 4294967295\n", &map), 0);
	assert_true(idmap_is_identity(&map));
	assert_int_equal(idmap_inside(&map, 4294967294), 4294967294);
}

static void all_340_extents_count(void **state)
{
	struct text text = {0};
	struct idmap map;

	(void)state;
	for (int i = 0; i < IDMAP_EXTENTS_MAX; i++)
		text_printf(&text, "%10d %10d %10d\n", i, 1000 + 3 * i, 1);
	assert_int_equal(parse(text_string(&text), &map), 0);
	for (int i = 0; i < IDMAP_EXTENTS_MAX; i++) {
		assert_int_equal(idmap_inside(&map, 1000 + 3 * (uint32_t)i), i);
		assert_int_equal(idmap_inside(&map, 1001 + 3 * (uint32_t)i), ID_OVERFLOW);
	}
	text_printf(&text, "1 1 1\n");
	assert_int_equal(parse(text_string(&text), &map), -22);
	text_free(&text);
}

static void no_map_yet_maps_nothing(void **state)
{
	struct idmap map;

	(void)state;
	assert_int_equal(parse("", &map), 0);
	assert_int_equal(idmap_inside(&map, 0), ID_OVERFLOW);
}

static void an_extent_from_outside_of_ones_own_namespace_is_told(void **state)
{
	struct idmap map;

	(void)state;
	assert_int_equal(parse("0 4294967295 10\n", &map), 0);
	assert_true(idmap_is_partly_hidden(&map));
}

static void what_is_no_map_is_refused(void **state)
{
	static const char *const texts[] = {"1 2\n", "a b c\n", "1 2 3 4\n", "1 2 4294967296\n",
					    "\n"};
	struct idmap map;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(parse(texts[i], &map), -22);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_translated_and_the_rest_is_nobody),
		cmocka_unit_test(the_hosts_own_map_is_the_identity),
		cmocka_unit_test(all_340_extents_count),
		cmocka_unit_test(no_map_yet_maps_nothing),
		cmocka_unit_test(an_extent_from_outside_of_ones_own_namespace_is_told),
		cmocka_unit_test(what_is_no_map_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
