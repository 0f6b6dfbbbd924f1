/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where `ps` would stand: inside a container or on the host. Which processes it would see there,
 * by which pids, users and clock; made from outside, nothing runs in the container.
 */
#ifndef NSVIEW_VIEW_VANTAGE_H
#define NSVIEW_VIEW_VANTAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct idmap;
struct proc;
struct text;
struct time_zone;
struct tm;
struct view_context;

struct vantage_terminals; /* which of them are there */

struct vantage_row {
	const struct proc *proc;
	uint32_t pid;
	uint32_t ppid; /* 0: the parent is outside, or not known */
};

struct vantage {
	const struct view_context *view;
	const struct proc *root; /* whose root, users and clock; NULL: the host's */
	uint32_t pid_ns;
	int pid_digits;        /* of kernel.pid_max: the width of the pid columns */
	int64_t boot_shift_ns; /* what its time namespace adds to the boot clock */
	int zone_error;        /* the time zone could not be read: UTC is taken */
	struct time_zone *zone;
	struct idmap *uids; /* of root's user namespace; NULL: not to be had */
	struct vantage_terminals *terminals;
	struct vantage_row *rows;
	size_t count;
};

/*
 * As the process `root` of pid namespace pid_ns would see it: in the order of the pids there.
 * -ENODATA: not known which processes are in that namespace.
 */
int vantage_open_inside(struct vantage *inside, const struct view_context *view,
			const struct proc *root, uint32_t pid_ns);
/* The same processes in the same order, from the host. */
void vantage_open_host(struct vantage *host, const struct vantage *inside);
void vantage_close(struct vantage *vantage);

/* The effective user, as ps names it there: a name of at most 32 bytes, hostile, or a number. */
void vantage_user(const struct vantage *vantage, const struct proc *proc, char name[64]);
/* Whether *uid is the effective user as its user namespace there numbers it. */
bool vantage_uid(const struct vantage *vantage, const struct proc *proc, uint32_t *uid);

/* The second in which ps says that it started, and the one that it takes for now. */
int64_t vantage_start(const struct vantage *vantage, const struct proc *proc);
int64_t vantage_now(const struct vantage *vantage);
bool vantage_local(const struct vantage *vantage, int64_t epoch, struct tm *local);

/* What ps there calls its terminal, hostile, appended to name; false: `?`, also where it has one
 * that is not in the /dev there. */
bool vantage_tty(const struct vantage *vantage, const struct proc *proc, struct text *name);
struct vantage_terminals *vantage_terminals_new(const struct vantage *vantage);
void vantage_terminals_free(struct vantage_terminals *terminals); /* takes NULL */

/* ps's + there, where the host's own may differ: all process groups outside are 0 inside. */
bool vantage_is_foreground(const struct vantage *vantage, const struct proc *proc);

/* What root in it is on the host, in sentences with a newline at the end; of an inside one. */
void vantage_explain(const struct vantage *inside, struct text *out);

#endif
