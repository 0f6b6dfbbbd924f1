/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What gives a terminal back as it was, however the program ends: closing, exit(), a signal, a
 * crash. There is one terminal, so there is one guard.
 */
#ifndef NSVIEW_OUTPUT_TTY_GUARD_H
#define NSVIEW_OUTPUT_TTY_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

/* What has happened since it was asked last. */
struct guard_news {
	bool is_resized;
	bool is_stopped;   /* SIGTSTP: wants to be */
	bool is_continued; /* SIGCONT: somebody else may have had the terminal meanwhile */
};

/* Handlers for every signal that ends, stops or continues the program and that nobody has taken
 * or is ignored. wake_fd (an eventfd, borrowed) becomes readable when there is news. */
void guard_open(int wake_fd);
void guard_close(void);

/* From now on fd (borrowed, written without waiting where it is non-blocking) has to be given back
 * with these modes and bytes. */
void guard_arm(int fd, const struct termios *modes);
void guard_bytes(const char *bytes, size_t length);

/* Does so, once. Safe in a signal's handler. */
void guard_give_back(void);

struct guard_news guard_take_news(void);

/* Stops the program as if nobody had taken SIGTSTP; returns when it goes on. */
void guard_stop(void);

#endif
