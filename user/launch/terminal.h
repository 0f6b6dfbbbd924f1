/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * -t: a pseudo-terminal of the container's own devpts is COMMAND's controlling terminal, and nsview
 * carries its bytes. Functions that take a terminal take NULL for a container without one.
 */
#ifndef NSVIEW_LAUNCH_TERMINAL_H
#define NSVIEW_LAUNCH_TERMINAL_H

#include <poll.h>
#include <stdbool.h>
#include <sys/types.h>
#include <termios.h>

#define TERMINAL_POLLED 2

struct spec;
struct terminal;

/* How nsview's own terminal was. Whoever has a copy can put it back, also after nsview's death. */
struct terminal_mode {
	int fd; /* -1: there is none, or it is left alone */
	struct termios saved;
};

/* Before the container is made: its size is then that of spec->stdio. What failed has been said. */
int terminal_open(const struct spec *spec, struct terminal **terminal);
void terminal_free(struct terminal *terminal);

void terminal_mode_read(const struct terminal *terminal, struct terminal_mode *mode);
void terminal_mode_restore(const struct terminal_mode *mode);

/* In the container, in a session without a terminal: makes it descriptors 0, 1 and 2, /dev/console
 * and uid's. What failed has been said. */
int terminal_make(const struct terminal *terminal, uid_t uid);

/* Once COMMAND runs: from here on nsview's own terminal is raw, where it is read (-i). */
int terminal_start(struct terminal *terminal);

/* What to wait for, and what to do then. A descriptor may be -1. */
void terminal_poll(const struct terminal *terminal, struct pollfd polled[TERMINAL_POLLED]);
void terminal_move(struct terminal *terminal, const struct pollfd polled[TERMINAL_POLLED]);

/* After a SIGWINCH. */
void terminal_resize(const struct terminal *terminal);

/* After COMMAND's end: what it wrote last, as long as somebody takes that or stop_fd is not readable
 * (-1: nobody is waited for); and nsview's terminal as it was. */
void terminal_finish(struct terminal *terminal, int stop_fd);

#endif
