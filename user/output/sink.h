/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where lines go: standard output, or the file of --output. Only whole lines are left there. Who
 * does not read, or a disk that is full, costs lines, which are counted, and never makes the
 * writer wait for long.
 */
#ifndef NSVIEW_OUTPUT_SINK_H
#define NSVIEW_OUTPUT_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sink;
struct text;

/* What could not be written, one line after the other: first to last are the numbers that
 * sink_commit got. */
struct sink_loss {
	uint64_t lines;
	uint64_t first; /* 0: none of them had a number */
	uint64_t last;
};

/* Borrows the descriptor; name is for sentences about it. */
struct sink *sink_new(int fd, const char *name);

/* Appends to the file, which is made with mode 0600. Negative: said. */
int sink_open(struct sink **sink, const char *path);

/* The same file by its name, which another one may have now; if that cannot be opened, which is
 * said, the old one stays. Nothing for sink_new's. */
void sink_reopen(struct sink *sink);

/* Where a line is to be appended, and then sink_commit called. first to last: the numbers that it
 * tells of, or 0. */
struct text *sink_text(struct sink *sink);
/* -EPIPE: nobody reads any more. -errno of trouble that passes is said once, and 0 here. */
int sink_commit(struct sink *sink, uint64_t first, uint64_t last);

/* Writes what has gathered, as far as it can be without waiting. The same results. */
int sink_flush(struct sink *sink);

/* Whether lines wait for who reads them, so that it is worth to call sink_wait, which returns when
 * he takes some, when a signal comes, or after timeout_ms. */
bool sink_is_blocked(const struct sink *sink);
int sink_wait(const struct sink *sink, int timeout_ms);

/* Whether there is room again after lines were lost: to be asked before each line, so that the place
 * of what is missing is known. Until it is, all others are lost too; then they are forgotten. */
bool sink_take_loss(struct sink *sink, struct sink_loss *loss);

uint64_t sink_lines(const struct sink *sink); /* written, or still to be */
uint64_t sink_lost(const struct sink *sink);  /* not written */

/* Waits up to timeout_ms for what is left to be written; the rest is given up and counted.
 * -EAGAIN: nobody read it in that time; another -errno than -EPIPE: it has been said. */
int sink_finish(struct sink *sink, int timeout_ms);
void sink_close(struct sink *sink); /* takes NULL */

#endif
