/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/change_words.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/caps.h"
#include "host/facts.h"
#include "host/passwd.h"
#include "model/model.h"
#include "view/column.h"
#include "view/proc_fields.h"

static const char *const cause_names[CAUSES] = {
	[CAUSE_EXEC_SETUID] = "exec-setuid",
	[CAUSE_EXEC_SETGID] = "exec-setgid",
	[CAUSE_EXEC_FILECAPS] = "exec-filecaps",
	[CAUSE_EXEC_ROOT] = "exec-root",
	[CAUSE_EXEC_DROP] = "exec-drop",
	[CAUSE_CAPSET] = "capset",
	[CAUSE_SETUID] = "setuid",
	[CAUSE_SETGID] = "setgid",
	[CAUSE_GROUPS] = "groups",
	[CAUSE_AMBIENT] = "ambient",
	[CAUSE_BOUNDING_DROP] = "bounding-drop",
	[CAUSE_SECUREBITS] = "securebits",
	[CAUSE_USERNS_CREATE] = "userns-create",
	[CAUSE_USERNS_JOIN] = "userns-join",
	[CAUSE_NS_JOIN] = "ns-join",
	[CAUSE_NS_CREATE] = "ns-create",
	[CAUSE_IDMAP_WRITE] = "idmap-write",
	[CAUSE_NO_NEW_PRIVS] = "no-new-privs",
	[CAUSE_SECCOMP] = "seccomp",
	[CAUSE_KERNEL] = "kernel",
	[CAUSE_OTHER] = "other",
	[CAUSE_UNEXPLAINED] = "unexplained",
};

/* Numbers of uapi/asm-generic/errno-base.h, which all architectures share, and what else the
 * refused calls can say. */
static const char *const error_names[] = {
	[EPERM] = "EPERM",         [ENOENT] = "ENOENT",   [ESRCH] = "ESRCH",
	[EINTR] = "EINTR",         [EIO] = "EIO",         [ENXIO] = "ENXIO",
	[E2BIG] = "E2BIG",         [ENOEXEC] = "ENOEXEC", [EBADF] = "EBADF",
	[ECHILD] = "ECHILD",       [EAGAIN] = "EAGAIN",   [ENOMEM] = "ENOMEM",
	[EACCES] = "EACCES",       [EFAULT] = "EFAULT",   [EBUSY] = "EBUSY",
	[EEXIST] = "EEXIST",       [EXDEV] = "EXDEV",     [ENODEV] = "ENODEV",
	[EINVAL] = "EINVAL",       [ENFILE] = "ENFILE",   [EMFILE] = "EMFILE",
	[ENOTTY] = "ENOTTY",       [EFBIG] = "EFBIG",     [ENOSPC] = "ENOSPC",
	[EROFS] = "EROFS",         [ERANGE] = "ERANGE",   [ENOSYS] = "ENOSYS",
	[EOVERFLOW] = "EOVERFLOW", [EUSERS] = "EUSERS",   [EOPNOTSUPP] = "EOPNOTSUPP",
};

const char *change_cause_name(enum event_cause cause)
{
	return (size_t)cause < CAUSES ? cause_names[cause] : NULL;
}

const char *change_error_name(int error)
{
	return error > 0 && (size_t)error < ARRAY_SIZE(error_names) ? error_names[error] : NULL;
}

void change_add_user(struct text *out, const struct view_context *view, uint32_t uid)
{
	const char *name = passwd_host_name(view->users, uid);

	if (name)
		text_add_printable(out, name, strlen(name));
	else
		text_add_unsigned(out, uid);
}

void change_add_users(struct text *out, const struct view_context *view, uint32_t before,
		      uint32_t after)
{
	change_add_user(out, view, before);
	text_add_string(out, " -> ");
	change_add_user(out, view, after);
}

void change_add_caps(struct text *out, const struct view_context *view, uint64_t before,
		     uint64_t after, bool is_host_effective)
{
	int cap_last = view->facts->cap_last;

	caps_words(out, before, cap_last, is_host_effective);
	text_add_string(out, " -> ");
	caps_words(out, after, cap_last, is_host_effective);
}

void change_add_namespace(struct text *out, const struct view_context *view, enum ns_kind kind,
			  uint32_t inode)
{
	if (inode && inode == model_host_ns(view->model)[kind])
		text_add_string(out, "host");
	else if (inode)
		text_add_unsigned(out, inode);
	else
		text_add_string(out, "none");
}

void change_add_namespaces(struct text *out, const struct view_context *view, enum ns_kind kind,
			   uint32_t before, uint32_t after)
{
	text_add_string(out, proc_namespace_names[kind]);
	text_add_char(out, ' ');
	change_add_namespace(out, view, kind, before);
	text_add_string(out, " -> ");
	change_add_namespace(out, view, kind, after);
}

void change_add_args(struct text *out, const char *args, size_t length)
{
	const char *end = args + length;

	while (args < end) {
		size_t size = strnlen(args, (size_t)(end - args));

		text_add_printable(out, args, size);
		args += size + 1;
		if (args < end)
			text_add_char(out, ' ');
	}
}
