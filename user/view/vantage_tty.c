/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What ps there calls a terminal (procps 4.0.2, seen in its system calls): by the name that such a
 * device has, where /dev has that very device by it; else by where the process's descriptors 2 and
 * 255 lead, where that is it; else `?`, as if there were none.
 */
#include <linux/capability.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "bpf/event.h"
#include "host/procfs.h"
#include "host/rootfile.h"
#include "model/model.h"
#include "view/column.h"
#include "view/proc_ps.h"
#include "view/vantage.h"

#define SLOTS 256           /* a terminal is looked for once, unless another one takes its slot */
#define LINK_BYTES_MAX 126  /* longer ones ps does not take */
#define ROOT_BYTES_MAX 4095 /* PATH_MAX */

struct vantage_terminals {
	struct rootfile *reader;
	struct text path; /* scratch */
	struct text root; /* where the root is from here; empty: at the top, or not known */
	int root_fd;
	struct terminal {
		dev_t device; /* 0: none was looked for */
		bool is_there;
	} slots[SLOTS];
};

/* The host's root is that of its first process; ours, where that is not ours to see. */
static int root_open(const struct vantage *vantage, struct text *root_path)
{
	const struct proc *root = vantage->root;
	int proc_fd = vantage->view->proc_fd;
	uint32_t pid = root ? root->task->tgid : 1;
	int root_fd = rootfile_open_root(proc_fd, pid, root ? root->task->ns[NS_MNT] : 0);

	if (root_fd < 0 && !root) {
		pid = PROCFS_SELF;
		root_fd = rootfile_open_root(proc_fd, pid, 0);
	}
	if (root_fd >= 0 && procfs_link(proc_fd, pid, "root", root_path))
		text_clear(root_path);
	if (root_path->length == 1)
		text_clear(root_path);
	return root_fd;
}

struct vantage_terminals *vantage_terminals_new(const struct vantage *vantage)
{
	struct vantage_terminals *terminals = mem_new(sizeof(*terminals));

	terminals->reader = rootfile_new();
	terminals->root_fd = root_open(vantage, &terminals->root);
	return terminals;
}

void vantage_terminals_free(struct vantage_terminals *terminals)
{
	if (!terminals)
		return;
	if (terminals->root_fd >= 0)
		close(terminals->root_fd);
	rootfile_free(terminals->reader);
	text_free(&terminals->path);
	text_free(&terminals->root);
	free(terminals);
}

/* Whether terminals->path leads to that device there. */
static bool path_is_device(struct vantage_terminals *terminals, dev_t device)
{
	dev_t found = 0;

	return !rootfile_device(terminals->reader, terminals->root_fd,
				text_string(&terminals->path), &found) &&
	       found == device;
}

static bool is_named(struct vantage_terminals *terminals, dev_t device)
{
	struct terminal *slot = &terminals->slots[minor(device) % SLOTS];
	struct text *path = &terminals->path;

	if (slot->device != device) {
		text_clear(path);
		text_add_string(path, "/dev/");
		tty_name_add(path, major(device), minor(device));
		*slot = (struct terminal){device, path_is_device(terminals, device)};
	}
	return slot->is_there;
}

/* Whether root there may read the links of a process's descriptors: ptrace(2), the access mode
 * checks, without security modules. */
static bool can_read_links(const struct proc *root, const struct proc *proc)
{
	const struct task_record *by = root->task;
	const struct id_block *ids = &proc->task->ids;
	uint64_t has = by->caps[CAP_SET_EFFECTIVE];

	if (root == proc)
		return true;
	if (by->ns[NS_USER] != proc->task->ns[NS_USER])
		return false;
	if (has & 1ULL << CAP_SYS_PTRACE)
		return true;
	return ids->uid == by->ids.fsuid && ids->euid == by->ids.fsuid &&
	       ids->suid == by->ids.fsuid && ids->gid == by->ids.fsgid &&
	       ids->egid == by->ids.fsgid && ids->sgid == by->ids.fsgid &&
	       !(proc->task->caps[CAP_SET_PERMITTED] & ~has);
}

/* Whether the descriptor leads to the device; terminals->path is then its path there. */
static bool is_linked(const struct vantage *vantage, const struct proc *proc, const char *file,
		      dev_t device)
{
	struct vantage_terminals *terminals = vantage->terminals;
	struct text *path = &terminals->path;
	const struct text *root = &terminals->root;
	size_t start = 0;

	text_clear(path);
	if (procfs_link(vantage->view->proc_fd, proc->task->tgid, file, path))
		return false;
	/* Where the root is below the top, the kernel leaves the way to it out, for who has it. */
	if (root->length && path->length > root->length && path->data[root->length] == '/' &&
	    !memcmp(path->data, root->data, root->length))
		start = root->length;
	path->length -= start;
	memmove(path->data, path->data + start, path->length);
	return path->length && path->length <= LINK_BYTES_MAX && path->data[0] == '/' &&
	       path_is_device(terminals, device);
}

bool vantage_tty(const struct vantage *vantage, const struct proc *proc, struct text *name)
{
	static const char dev[] = "/dev/";
	const struct task_record *task = proc->task;
	struct vantage_terminals *terminals = vantage->terminals;
	dev_t device = makedev(task->tty_major, task->tty_minor);

	if (device && vantage->view->insides) {
		/* What lay in /dev there was not recorded; it is there on any usual system. */
		tty_name_add(name, task->tty_major, task->tty_minor);
		return true;
	}
	if (!device || terminals->root_fd < 0)
		return false;
	if (is_named(terminals, device)) {
		tty_name_add(name, task->tty_major, task->tty_minor);
		return true;
	}
	if (vantage->root && !can_read_links(vantage->root, proc))
		return false;
	if (!is_linked(vantage, proc, "fd/2", device) &&
	    !is_linked(vantage, proc, "fd/255", device))
		return false;
	text_add_string(name, text_string(&terminals->path) +
				      (strncmp(text_string(&terminals->path), dev, strlen(dev))
					       ? 0
					       : strlen(dev)));
	return true;
}
