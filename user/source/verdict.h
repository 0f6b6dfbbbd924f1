/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel's verifier did not like, out of all that it says. */
#ifndef NSVIEW_SOURCE_VERDICT_H
#define NSVIEW_SOURCE_VERDICT_H

/* The last line that is no statistics, in verifier_log, which is cut up; NULL: none. */
const char *verdict_find(char *verifier_log);

#endif
