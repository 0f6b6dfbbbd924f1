/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one place that speaks to the user about trouble: one sentence a call, on stderr, as
 * "nsview: tried what: why". Whatever came from a process or a file is made printable here.
 */
#ifndef NSVIEW_BASE_LOG_H
#define NSVIEW_BASE_LOG_H

#include <stdarg.h>

/*
 * Says "nsview: <what was tried, on what>: <strerror(-error)>" and returns error, so that the
 * first function that knows the sentence can end with `return log_fail(r, "open %s", path)`.
 * A caller that gets the number back passes it on in silence.
 */
int log_fail(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same without the errno's words, for sentences that carry their own reason. */
int log_error(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A sentence that stops nothing. */
void log_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Text that is printable already and may have several lines: a filter with its caret. */
void log_lines(const char *printable);

/*
 * Sends sentences elsewhere (the live table's status line, a test). Write-once by intent: the
 * sink gets one printable line without its newline. NULL restores stderr.
 */
void log_set_sink(void (*sink)(void *context, const char *sentence), void *context);

#endif
