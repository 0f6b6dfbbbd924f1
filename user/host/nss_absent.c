/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names of users other than those of /etc/passwd come through shared libraries of the very version
 * of the C library that nsview-static was linked with: on another machine, loading them may crash
 * it. This one does not ask for them.
 */
#include <nss.h>

__attribute__((constructor)) static void nss_use_files(void)
{
	__nss_configure_lookup("passwd", "files");
}
