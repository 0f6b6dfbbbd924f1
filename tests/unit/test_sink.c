/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "output/sink.h"
#include "scratch.h"

static void put(struct sink *sink, const char *line, uint64_t number)
{
	text_add_string(sink_text(sink), line);
	assert_int_equal(sink_commit(sink, number, number), 0);
}

/* A line of that many bytes, its newline included, that ends with its number. */
static void put_long(struct sink *sink, size_t size, uint64_t number)
{
	struct text *text = sink_text(sink);
	size_t before = text->length;

	text_printf(text, "%0*llu\n", (int)size - 1, (unsigned long long)number);
	assert_int_equal(text->length - before, size);
	assert_int_equal(sink_commit(sink, number, number), 0);
}

static char *read_file(const char *path, size_t *length)
{
	FILE *file = fopen(path, "r");
	char *data = mem_new(4 << 20);

	assert_non_null(file);
	*length = fread(data, 1, (4 << 20) - 1, file);
	fclose(file);
	return data;
}

static void take_sentence(void *context, const char *sentence)
{
	snprintf(context, 512, "%s", sentence);
}

static void lines_are_appended_to_a_file_that_is_the_owners_alone(void **state)
{
	const char *folder = ((struct scratch *)*state)->path;
	autofree char *path = mem_printf("%s/appended", folder);
	autofree char *data = NULL;
	struct sink *sink;
	struct stat status;
	size_t length;

	for (int round = 0; round < 2; round++) {
		assert_int_equal(sink_open(&sink, path), 0);
		put(sink, round ? "two\n" : "one\n", 1);
		assert_int_equal(sink_flush(sink), 0);
		assert_int_equal(sink_lines(sink), 1);
		sink_close(sink);
	}
	data = read_file(path, &length);
	assert_string_equal(data, "one\ntwo\n");
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
}

static void a_line_that_was_cut_before_is_ended_first(void **state)
{
	const char *folder = ((struct scratch *)*state)->path;
	autofree char *path = mem_printf("%s/cut", folder);
	autofree char *data = NULL;
	FILE *file = fopen(path, "w");
	struct sink *sink;
	size_t length;

	fputs("one\ntw", file);
	fclose(file);
	assert_int_equal(sink_open(&sink, path), 0);
	put(sink, "three\n", 1);
	sink_flush(sink);
	sink_close(sink);
	data = read_file(path, &length);
	assert_string_equal(data, "one\ntw\nthree\n");
}

static void a_file_that_was_renamed_is_made_anew(void **state)
{
	const char *folder = ((struct scratch *)*state)->path;
	autofree char *path = mem_printf("%s/rotated", folder);
	autofree char *old = mem_printf("%s/rotated.1", folder);
	autofree char *first = NULL;
	autofree char *second = NULL;
	struct sink *sink;
	size_t length;

	assert_int_equal(sink_open(&sink, path), 0);
	put(sink, "one\n", 1);
	assert_int_equal(rename(path, old), 0);
	put(sink, "two\n", 2); /* not written yet: it belongs to the old file still */
	sink_reopen(sink);
	put(sink, "three\n", 3);
	sink_flush(sink);
	sink_close(sink);
	first = read_file(old, &length);
	second = read_file(path, &length);
	assert_string_equal(first, "one\ntwo\n");
	assert_string_equal(second, "three\n");
}

static void what_cannot_be_opened_is_one_sentence(void **state)
{
	struct sink *sink = NULL;
	char said[512] = "";

	log_set_sink(take_sentence, said);
	assert_int_equal(sink_open(&sink, ((struct scratch *)*state)->path), -EISDIR);
	log_set_sink(NULL, NULL);
	assert_non_null(strstr(said, "open "));
	assert_non_null(strstr(said, "directory"));
	assert_null(sink);
}

/* A limit on the size of files fails as a full disk does: a part is written, then nothing. */
static void a_full_disk_leaves_whole_lines_and_says_so_once(void **state)
{
	const char *folder = ((struct scratch *)*state)->path;
	autofree char *path = mem_printf("%s/full", folder);
	autofree char *data = NULL;
	struct rlimit limit;
	struct rlimit small;
	char said[512] = "";
	struct sink *sink;
	size_t length;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	small = (struct rlimit){100050, limit.rlim_max};
	assert_int_equal(sink_open(&sink, path), 0);
	log_set_sink(take_sentence, said);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (uint64_t number = 1; number <= 3000; number++)
		put_long(sink, 1000, number);
	assert_int_equal(sink_flush(sink), 0);
	data = read_file(path, &length);
	assert_int_equal(length, 100000);
	assert_int_equal(data[length - 1], '\n');
	assert_non_null(strstr(said, "full"));
	said[0] = '\0';
	assert_int_not_equal(sink_lost(sink), 0);
	assert_int_equal(sink_flush(sink), 0);
	assert_string_equal(said, "");

	/* There is room again. */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	log_set_sink(NULL, NULL);
	assert_int_equal(sink_finish(sink, 100), 0);
	free(data);
	data = read_file(path, &length);
	assert_int_equal(length, 1000 * sink_lines(sink));
	assert_int_equal(sink_lines(sink) + sink_lost(sink), 3000);
	for (uint64_t line = 0; line < sink_lines(sink); line++)
		assert_int_equal(strtoull(data + 1000 * line, NULL, 10), line + 1);
	sink_close(sink);
}

/* Reads all there is without waiting; the bytes read, or 0 at the end. */
static size_t drain(int fd, char *data, size_t size)
{
	size_t length = 0;
	ssize_t got;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while ((got = read(fd, data + length, size - length)) > 0)
		length += (size_t)got;
	return length;
}

static void a_pipe_that_nobody_empties_holds_whole_lines_and_costs_counted_ones(void **state)
{
	static const size_t sizes[] = {100, 1500, 4096, 5000, 16384};
	static char data[1 << 20];
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct sink_loss loss;
		struct sink *sink;
		struct timespec begin, end;
		uint64_t lines = 3 * 1024 * 1024 / sizes[i];
		uint64_t first_kept;
		size_t length;
		int fds[2];

		assert_int_equal(pipe(fds), 0);
		sink = sink_new(fds[1], "a pipe");
		clock_gettime(CLOCK_MONOTONIC, &begin);
		for (uint64_t number = 1; number <= lines; number++)
			put_long(sink, sizes[i], number);
		clock_gettime(CLOCK_MONOTONIC, &end);
		assert_true(end.tv_sec - begin.tv_sec < 10);
		assert_false(sink_take_loss(sink, &loss)); /* there is no room to tell of it */

		length = drain(fds[0], data, sizeof(data));
		assert_true(length > 0);
		assert_int_equal(length % sizes[i], 0);
		while (length) {
			assert_int_equal(sink_flush(sink), 0);
			length = drain(fds[0], data, sizeof(data));
			assert_int_equal(length % sizes[i], 0);
		}
		assert_true(sink_take_loss(sink, &loss));
		assert_int_equal(loss.lines, sink_lost(sink));
		assert_int_equal(loss.last, lines);
		first_kept = sink_lines(sink);
		assert_int_equal(loss.first, first_kept + 1);
		assert_int_equal(first_kept + loss.lines, lines);
		sink_close(sink);
		close(fds[0]);
		close(fds[1]);
	}
}

static size_t lines_of(const char *data, size_t length)
{
	size_t count = 0;

	for (size_t i = 0; i < length; i++)
		count += data[i] == '\n';
	return count;
}

/* Lines that wait in the buffer are more than one. */
static void what_still_waits_at_the_end_is_counted_line_by_line(void **state)
{
	static char data[1 << 20];
	const uint64_t lines = 1000;
	struct sink *sink;
	size_t length;
	int fds[2];
	(void)state;

	assert_int_equal(pipe(fds), 0);
	sink = sink_new(fds[1], "a pipe");
	for (uint64_t number = 1; number <= lines; number++)
		put_long(sink, 1000, number);
	assert_int_equal(sink_lost(sink), 0);
	assert_int_equal(sink_finish(sink, 0), -EAGAIN);
	length = drain(fds[0], data, sizeof(data));
	assert_true(sink_lost(sink) > 1);
	assert_int_equal(sink_lines(sink), lines_of(data, length));
	assert_int_equal(sink_lines(sink) + sink_lost(sink), lines);
	sink_close(sink);
	close(fds[0]);
	close(fds[1]);
}

/* A line half as long again as the pipe at `path`, begun; its reader's end. */
static int begin_line(struct sink **sink, const char *path, size_t *size)
{
	int reader;

	assert_int_equal(mkfifo(path, 0600), 0);
	reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(reader >= 0);
	assert_int_equal(sink_open(sink, path), 0);
	*size = (size_t)fcntl(reader, F_GETPIPE_SZ) * 3 / 2;
	put_long(*sink, *size, 1);
	put(*sink, "2\n", 2);
	assert_int_equal(sink_flush(*sink), 0);
	return reader;
}

static void a_line_begun_in_the_old_file_ends_there(void **state)
{
	static char data[1 << 20];
	const char *folder = ((struct scratch *)*state)->path;
	autofree char *path = mem_printf("%s/begun", folder);
	autofree char *old = mem_printf("%s/begun.1", folder);
	autofree char *second = NULL;
	struct sink *sink;
	size_t size;
	int reader = begin_line(&sink, path, &size);
	size_t length = drain(reader, data, sizeof(data));

	assert_in_range(length, 1, size - 1);
	assert_int_equal(rename(path, old), 0);
	sink_reopen(sink);
	put(sink, "3\n", 3);
	assert_int_equal(sink_finish(sink, 0), 0);
	length += drain(reader, data + length, sizeof(data) - length);
	assert_int_equal(length, size + strlen("2\n"));
	assert_memory_equal(data + size - 3, "01\n2\n", 5);
	second = read_file(path, &length);
	assert_string_equal(second, "3\n");
	assert_int_equal(sink_lost(sink), 0);
	sink_close(sink);
	close(reader);
}

static void a_line_that_cannot_end_in_the_old_file_goes_on_in_no_other(void **state)
{
	const char *folder = ((struct scratch *)*state)->path;
	autofree char *path = mem_printf("%s/stuck", folder);
	autofree char *old = mem_printf("%s/stuck.1", folder);
	autofree char *second = NULL;
	struct sink *sink;
	size_t length;
	int reader = begin_line(&sink, path, &length);

	assert_int_equal(rename(path, old), 0);
	sink_reopen(sink);
	put(sink, "3\n", 3);
	assert_int_equal(sink_finish(sink, 0), 0);
	second = read_file(path, &length);
	assert_string_equal(second, "2\n3\n");
	assert_int_equal(sink_lost(sink), 1);
	assert_int_equal(sink_lines(sink), 2);
	sink_close(sink);
	close(reader);
}

static void a_reader_that_reads_gets_every_line(void **state)
{
	int fds[2];
	pid_t reader;
	int status;
	struct sink *sink;
	(void)state;

	assert_int_equal(pipe(fds), 0);
	reader = fork();
	if (!reader) {
		FILE *in = fdopen(fds[0], "r");
		char line[20000];
		unsigned long long expected = 0;

		close(fds[1]);
		while (fgets(line, sizeof(line), in)) {
			if (strtoull(line, NULL, 10) != ++expected)
				_exit(1);
		}
		_exit(expected == 20000 ? 0 : 2);
	}
	close(fds[0]);
	sink = sink_new(fds[1], "a pipe");
	for (uint64_t number = 1; number <= 20000; number++)
		put_long(sink, 50 + number * 7919 % 3000, number);
	assert_int_equal(sink_finish(sink, 10000), 0);
	assert_int_equal(sink_lost(sink), 0);
	sink_close(sink);
	close(fds[1]);
	assert_int_equal(waitpid(reader, &status, 0), reader);
	assert_int_equal(status, 0);
}

static void a_reader_that_goes_is_the_end(void **state)
{
	int fds[2];
	struct sink *sink;
	(void)state;

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	sink = sink_new(fds[1], "a pipe");
	put(sink, "one\n", 1);
	assert_int_equal(sink_flush(sink), 0);
	close(fds[0]);
	/* Also when there is nothing to write. */
	assert_int_equal(sink_flush(sink), -EPIPE);
	sink_close(sink);
	close(fds[1]);
}

static void a_socket_is_not_waited_for(void **state)
{
	struct sink *sink;
	int fds[2];
	(void)state;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	sink = sink_new(fds[1], "a socket");
	for (uint64_t number = 1; number <= 3000; number++)
		put_long(sink, 1000, number);
	assert_int_not_equal(sink_lost(sink), 0);
	assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
	sink_close(sink);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_appended_to_a_file_that_is_the_owners_alone),
		cmocka_unit_test(a_line_that_was_cut_before_is_ended_first),
		cmocka_unit_test(a_file_that_was_renamed_is_made_anew),
		cmocka_unit_test(what_cannot_be_opened_is_one_sentence),
		cmocka_unit_test(a_full_disk_leaves_whole_lines_and_says_so_once),
		cmocka_unit_test(
			a_pipe_that_nobody_empties_holds_whole_lines_and_costs_counted_ones),
		cmocka_unit_test(what_still_waits_at_the_end_is_counted_line_by_line),
		cmocka_unit_test(a_line_begun_in_the_old_file_ends_there),
		cmocka_unit_test(a_line_that_cannot_end_in_the_old_file_goes_on_in_no_other),
		cmocka_unit_test(a_reader_that_reads_gets_every_line),
		cmocka_unit_test(a_reader_that_goes_is_the_end),
		cmocka_unit_test(a_socket_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
