/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The terminal as a device: its modes, its size, bytes from it and to it. Nothing here waits: what
 * the terminal does not take at once is kept until it does.
 */
#ifndef NSVIEW_OUTPUT_TTY_H
#define NSVIEW_OUTPUT_TTY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct tty;

/* Keys come as they are typed, unseen. -ENOTTY: standard input or output is no terminal. */
int tty_open(struct tty **tty);
void tty_close(struct tty *tty); /* as it was; takes NULL */

/* What else has to be written to give it back. */
void tty_set_last(struct tty *tty, const char *bytes, size_t length);

void tty_leave(struct tty *tty); /* as it was, for a while */
void tty_enter(struct tty *tty);

/* Readable when there is input, or output that waited can be written, or a signal has come. */
int tty_fd(const struct tty *tty);

/* Makes it so until the next guard_take_news: there is something that has been read already. */
void tty_wake(struct tty *tty);

/* 0: the device does not know. */
void tty_size(const struct tty *tty, size_t *width, size_t *height);

/* How many bytes, 0: none yet; -EIO: the terminal is gone. Waits up to timeout_ms. */
ssize_t tty_read(struct tty *tty, char *data, size_t size, int timeout_ms);

void tty_write(struct tty *tty, const char *data, size_t length);
/* Writes what has been kept, as far as it goes. Whether something is left. */
bool tty_flush(struct tty *tty);

#endif
