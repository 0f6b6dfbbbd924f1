/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef NSVIEW_SOURCE_PRIVILEGES_H
#define NSVIEW_SOURCE_PRIVILEGES_H

/*
 * Once everything is attached: gives up, for good, every capability but BPF (to iterate and to
 * read counts on kernels before 6.1), SYS_PTRACE (exe, cwd and files of others) and
 * DAC_READ_SEARCH (their directories). 0 or -errno; without any to give up it does nothing.
 */
int source_drop_privileges(void);

#endif
