/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Types as older kernels have them. libbpf drops the ___ and what follows, so that each is tried
 * against the running kernel's type of that name; kernel.bpf.h asks which one fits. The name
 * after the ___ says the last kernel with that shape.
 */
#ifndef NSVIEW_FLAVORS_H
#define NSVIEW_FLAVORS_H

#include "vmlinux.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* Until commit 2f064a59a11f ("sched: Change task_struct::state"). */
struct task_struct___5_13 {
	volatile long state;
};

/* Until commit f1a7941243c1 ("mm: convert mm's rss stats into percpu_counter"). */
struct mm_rss_stat___6_1 {
	struct {
		s64 counter;
	} count[4];
};

struct mm_struct___6_1 {
	struct mm_rss_stat___6_1 rss_stat;
};

/* Until commit 64d608db38ff ("tty: cumulate and document tty_struct::ctrl* members"). */
struct tty_struct___5_13 {
	struct pid *pgrp;
};

/* Until commit 633488947ef6 ("kernfs: Use RCU to access kernfs_node::parent."). */
struct kernfs_node___6_14 {
	struct kernfs_node *parent;
};

#pragma clang attribute pop

#endif
