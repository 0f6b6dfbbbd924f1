/* SPDX-License-Identifier: GPL-2.0-only */
#include "output/stream.h"

#include <errno.h>

#include "base/text.h"

#define CHUNK_BYTES (64 * 1024)

static int stream_write(FILE *stream, struct text *text)
{
	size_t length = text->length;

	errno = 0;
	text_clear(text);
	if (length && fwrite(text->data, 1, length, stream) != length)
		return errno ? -errno : -EIO;
	return 0;
}

int stream_add(FILE *stream, struct text *text)
{
	return text->length < CHUNK_BYTES ? 0 : stream_write(stream, text);
}

int stream_finish(FILE *stream, struct text *text)
{
	int r = stream_write(stream, text);

	if (!r && fflush(stream))
		r = errno ? -errno : -EIO;
	return r;
}
