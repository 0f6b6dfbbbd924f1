/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel keeps even from root: security/lockdown. */
#ifndef NSVIEW_HOST_LOCKDOWN_H
#define NSVIEW_HOST_LOCKDOWN_H

#include <stdbool.h>

struct text;

/* Appends "none", "integrity", "confidentiality"; "-": this kernel has no lockdown; "?": not to be
 * known, since securityfs is mounted nowhere. */
void lockdown_read(struct text *out);

/* Only confidentiality keeps BPF from reading kernel memory (LOCKDOWN_BPF_READ_KERNEL,
 * include/linux/security.h). */
bool lockdown_hides_kernel(void);

#endif
