/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/capability.h>

#include "base/mem.h"

static const cap_value_t kept[] = {CAP_BPF, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH};

/* What is kept is no more than what is there. */
static int sets_make(cap_t now, cap_t wanted)
{
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		cap_flag_value_t has = CAP_CLEAR;

		if (cap_get_flag(now, kept[i], CAP_PERMITTED, &has))
			continue; /* older than CAP_BPF */
		if (has == CAP_SET && (cap_set_flag(wanted, CAP_PERMITTED, 1, &kept[i], CAP_SET) ||
				       cap_set_flag(wanted, CAP_EFFECTIVE, 1, &kept[i], CAP_SET)))
			return -errno;
	}
	return 0;
}

int source_drop_privileges(void)
{
	cap_t now = cap_get_proc();
	cap_t wanted = cap_init();
	int r = now && wanted ? sets_make(now, wanted) : -ENOMEM;

	if (!r && cap_set_proc(wanted))
		r = -errno;
	cap_free(now);
	cap_free(wanted);
	return r;
}
