/* SPDX-License-Identifier: GPL-2.0-only */
/* What the pages of processes and of containers share. Private to view/. */
#ifndef NSVIEW_VIEW_PAGE_PRIVATE_H
#define NSVIEW_VIEW_PAGE_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "view/page.h"
#include "view/value.h"

struct runtime_container;

/* A page that is being made. */
struct page_maker {
	struct page *page;
	const struct view_context *view;
	const struct proc *proc; /* NULL: of a container without one, or of the host */
	struct text cell;
};

/* What a table's column shows of maker->proc; borrowed until the next one. */
const char *page_cell(struct page_maker *maker, const char *key);
/* The same as a fact. */
void page_add_cell(struct page_maker *maker, const char *label, const char *key);

/* "3 h 5 min", "1.7M": appended. */
void page_put_duration(struct text *out, uint64_t ns);
void page_put_size(struct text *out, uint64_t bytes);
void page_put_time(struct text *out, const struct view_context *view, uint64_t boot_ns);
/* "1000 (project)" */
void page_put_user(struct text *out, uint32_t uid, const char *name);

/* Effective and other sets of one process, or their unions over a container's. */
struct page_power {
	uint64_t effective;
	uint64_t permitted;
	enum caps_reach reach;
	const struct runtime_container *declared; /* NULL: not known */
	uint64_t drift;                           /* beyond what is declared */
	bool is_unknown;
	const char *userns; /* of REACH_USERNS, in words */
};

/* Each effective capability, and each that is permitted only, with what it allows. */
void page_add_power(struct page_maker *maker, const struct page_power *power);

/* What is so now, to be held against what was declared. */
struct page_now {
	struct page_power power;
	const char *user;
	bool has_new_privs;
	bool has_no_seccomp;
	uint32_t shares_host; /* 1 << enum ns_kind */
	bool is_unknown;      /* of the last three, some could not be read */
};
void page_add_declared(struct page_maker *maker, const struct page_now *now);

/* What the container may use and uses. */
void page_add_limits(struct page_maker *maker, const struct container *container);

/* Each namespace, and whose it is. */
void page_add_namespaces(struct page_maker *maker);

/* 1 << enum ns_kind, of those that are the host's; false: some could not be read. */
bool page_shared(const struct view_context *view, const struct proc *proc, uint32_t *kinds);

/* Whether its capabilities count on the host; which user namespace they count in is put into words. */
enum caps_reach page_reach(const struct page_maker *maker, struct text *userns);

#endif
