/* SPDX-License-Identifier: GPL-2.0-only */
#include "host/lockdown.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

#define SECURITYFS "/sys/kernel/security"

/* "none [integrity] confidentiality": the word in brackets holds. */
void lockdown_read(struct text *out)
{
	autoclose int fd = open(SECURITYFS "/lockdown", O_RDONLY | O_CLOEXEC);
	char line[128] = "";
	struct statfs fs;
	char *word;
	char *end;

	if (fd < 0 || read(fd, line, sizeof(line) - 1) <= 0) {
		bool is_known = !statfs(SECURITYFS, &fs) && fs.f_type == SECURITYFS_MAGIC;

		text_add_char(out, is_known && fd < 0 ? '-' : '?');
		return;
	}
	word = strchr(line, '[');
	end = word ? strchr(word, ']') : NULL;
	if (end)
		text_add(out, word + 1, (size_t)(end - word - 1));
	else
		text_add_char(out, '?');
}

bool lockdown_hides_kernel(void)
{
	struct text word = {0};
	bool hides;

	lockdown_read(&word);
	hides = !strcmp(text_string(&word), "confidentiality");
	text_free(&word);
	return hides;
}
