/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "host/load.h"

static void idle_and_waiting_for_io_are_not_busy(void **state)
{
	struct load before = {0}, now = {0};
	(void)state;

	/* user nice system idle iowait irq softirq steal guest guest_nice */
	assert_int_equal(
		load_parse_stat("cpu  100 10 50 1000 200 5 5 30 40 0\ncpu0 1 2 3\n", &before), 0);
	assert_int_equal(before.busy_ticks, 100 + 10 + 50 + 5 + 5 + 30);
	assert_int_equal(before.all_ticks, before.busy_ticks + 1000 + 200);
	assert_true(load_cpu_percent(&(struct load){0}, &before) < 0);
	assert_int_equal(load_parse_stat("cpu  150 10 50 1100 250 5 5 30 40 0\n", &now), 0);
	assert_int_equal((int)load_cpu_percent(&before, &now), 25); /* 50 of 50 + 100 + 50 */
	assert_true(load_cpu_percent(&now, &now) < 0);
}

static void memory_is_used_that_no_program_could_have(void **state)
{
	struct load load = {0};
	(void)state;

	assert_int_equal(load_parse_meminfo("MemTotal:        8000 kB\nMemFree:  100 kB\n"
					    "MemAvailable:    6000 kB\n",
					    &load),
			 0);
	assert_int_equal(load.memory_bytes, 8000 * 1024);
	assert_int_equal(load.memory_used_bytes, 2000 * 1024);
}

static void what_is_no_such_file_changes_nothing(void **state)
{
	struct load load = {.all_ticks = 7, .memory_bytes = 8, .uptime_s = 9};
	(void)state;

	assert_int_equal(load_parse_stat("cpu", &load), -EINVAL);
	assert_int_equal(load_parse_stat("", &load), -EINVAL);
	assert_int_equal(load_parse_meminfo("MemTotal: 1 kB\n", &load), -EINVAL);
	assert_int_equal(load_parse_meminfo("MemTotal: 1 kB\nMemAvailable: 2 kB\n", &load),
			 -EINVAL);
	assert_int_equal(load_parse_uptime("soon", &load), -EINVAL);
	assert_int_equal(load.all_ticks, 7);
	assert_int_equal(load.memory_bytes, 8);
	assert_int_equal(load.uptime_s, 9);
}

static void this_machine_is_as_the_kernel_says_elsewhere(void **state)
{
	struct sysinfo info;
	struct load load;
	(void)state;

	load_read("/proc", &load);
	assert_int_equal(sysinfo(&info), 0);
	assert_int_equal(load.memory_bytes / 1024, (uint64_t)info.totalram * info.mem_unit / 1024);
	assert_in_range(load.memory_used_bytes, 1, load.memory_bytes);
	assert_in_range(load.uptime_s, info.uptime - 2, info.uptime + 2);
	/* All CPUs' time together is about their number times the uptime, in USER_HZ. */
	assert_true(load.all_ticks > 0 && load.busy_ticks <= load.all_ticks);
	load_read("/nowhere", &load);
	assert_int_equal(load.all_ticks, 0);
	assert_int_equal(load.memory_bytes, 0);
}

static void a_busy_process_is_seen(void **state)
{
	struct timespec now, end;
	struct load before, load;
	(void)state;

	load_read("/proc", &before);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_nsec += 300000000;
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while (now.tv_sec < end.tv_sec + end.tv_nsec / 1000000000 ||
	       (now.tv_sec == end.tv_sec + end.tv_nsec / 1000000000 &&
		now.tv_nsec < end.tv_nsec % 1000000000));
	load_read("/proc", &load);
	assert_true(load_cpu_percent(&before, &load) > 0);
	assert_true(load_cpu_percent(&before, &load) <= 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle_and_waiting_for_io_are_not_busy),
		cmocka_unit_test(memory_is_used_that_no_program_could_have),
		cmocka_unit_test(what_is_no_such_file_changes_nothing),
		cmocka_unit_test(this_machine_is_as_the_kernel_says_elsewhere),
		cmocka_unit_test(a_busy_process_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
