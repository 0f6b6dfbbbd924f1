/* SPDX-License-Identifier: GPL-2.0-only */
/* What needs a trampoline and nothing else (no_trampolines of tests/harness/conditions.py). */

#define section(name) __attribute__((section(name), used))

section("fentry/commit_creds") int probe(void *context)
{
	(void)context;
	return 0;
}

section("license") char terms[] = "GPL";
