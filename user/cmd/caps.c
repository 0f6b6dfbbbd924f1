/* SPDX-License-Identifier: GPL-2.0-only */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/print.h"
#include "host/caps.h"

#define CAPS_MAX 64
#define HEX_DIGITS_MAX 16

static void caps_row(struct text *out, int capability, int cap_last)
{
	const char *meaning = caps_meaning(capability);

	text_printf(out, "%6d %-18s ", capability, caps_name(capability));
	text_add_string(out, meaning ? meaning : "newer than this nsview");
	if (capability > cap_last)
		text_add_string(out, " (this kernel does not have it)");
	text_add_char(out, '\n');
}

static void caps_list(struct text *out, int cap_last)
{
	int count = cap_last < caps_named ? caps_named : cap_last + 1;

	text_printf(out, "%6s %-18s %s\n", "NUMBER", "NAME", "ALLOWS");
	for (int i = 0; i < count; i++)
		caps_row(out, i, cap_last);
}

static void caps_decode(struct text *out, uint64_t set, int cap_last)
{
	caps_words_long(out, set, cap_last, true);
	text_printf(out, ": %d of %d capabilities\n", __builtin_popcountll(set), cap_last + 1);
	for (int i = 0; i < CAPS_MAX; i++) {
		if (set & (1ULL << i))
			caps_row(out, i, cap_last);
	}
}

/* Masks are as /proc/PID/status and capsh have them: hex, also without 0x. */
static bool hex_parse(const char *word, uint64_t *set)
{
	const char *digits = strncasecmp(word, "0x", 2) ? word : word + 2;
	size_t length = strspn(digits, "0123456789abcdefABCDEF");

	if (!length || digits[length] || length > HEX_DIGITS_MAX)
		return false;
	*set = strtoull(digits, NULL, 16);
	return true;
}

static int caps_explain(struct text *out, const char *word, int cap_last)
{
	const char *nearest = NULL;
	int capability;
	uint64_t set;

	/* A number is a mask here, as cli.md and capsh --decode have it. */
	if (!isdigit((unsigned char)word[0]) && !caps_from_name(word, &capability, &nearest)) {
		caps_row(out, capability, cap_last);
		return EXIT_DONE;
	}
	if (hex_parse(word, &set) || !caps_parse(word, cap_last, &set, NULL)) {
		caps_decode(out, set, cap_last);
		return EXIT_DONE;
	}
	if (nearest)
		log_error(0, "unknown capability %s: did you mean %s?", word, nearest);
	else
		log_error(0,
			  "unknown capability %s: neither a name nor a mask of up to 16 hex "
			  "digits; nsview caps lists all names",
			  word);
	return EXIT_USAGE;
}

static int caps_run(struct app *app, void *options, int argc, char **argv)
{
	struct text out = {0};

	(void)options;
	if (argc < 2)
		caps_list(&out, app->facts.cap_last);
	for (int i = 1; i < argc; i++) {
		int exit_code = caps_explain(&out, argv[i], app->facts.cap_last);

		if (exit_code != EXIT_DONE) {
			text_free(&out);
			return exit_code;
		}
	}
	return print_text(&out);
}

const struct command caps_command = {
	.name = "caps",
	.usage = "[NAME|HEX...]",
	.summary = "what each capability allows; decodes masks",
	.details =
		"HEX is a set as /proc/PID/status shows it. The words of the CAPS column are taken "
		"too: nsview caps 'docker-default +NET_ADMIN'.",
	.example = "nsview caps 00000000a80425fb",
	.run = caps_run,
};
