/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static void (*log_sink)(void *context, const char *sentence);
static void *log_sink_context;

void log_lines(const char *printable)
{
	if (log_sink)
		log_sink(log_sink_context, printable);
	else
		fprintf(stderr, "nsview: %s\n", printable);
}

static void log_say(const char *format, va_list arguments, const char *reason)
{
	struct text sentence = {0};
	autofree char *raw = NULL;

	if (vasprintf(&raw, format, arguments) < 0) {
		raw = NULL;
		return;
	}
	text_add_printable(&sentence, raw, strlen(raw));
	if (reason)
		text_printf(&sentence, ": %s", reason);
	log_lines(text_string(&sentence));
	text_free(&sentence);
}

int log_fail(int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_say(format, arguments, strerror(error < 0 ? -error : error));
	va_end(arguments);
	return error;
}

int log_error(int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_say(format, arguments, NULL);
	va_end(arguments);
	return error;
}

void log_note(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_say(format, arguments, NULL);
	va_end(arguments);
}

void log_set_sink(void (*sink)(void *context, const char *sentence), void *context)
{
	log_sink = sink;
	log_sink_context = context;
}
