/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is used of libarchive, which is loaded when an image is opened or made and not before: it
 * and the libraries that come with it would be most of the time that every other command takes to
 * start, and most of the code in a process with all rights.
 */
#ifndef NSVIEW_LAUNCH_LIBARCHIVE_H
#define NSVIEW_LAUNCH_LIBARCHIVE_H

#include <archive.h>
#include <archive_entry.h>

/* Without their prefix archive_, which all of them have. */
#define LIBARCHIVE_FUNCTIONS(X)          \
	X(error_string)                  \
	X(set_error)                     \
	X(read_new)                      \
	X(read_support_format_tar)       \
	X(read_support_filter_gzip)      \
	X(read_support_filter_bzip2)     \
	X(read_support_filter_xz)        \
	X(read_support_filter_zstd)      \
	X(read_open)                     \
	X(read_open_fd)                  \
	X(read_next_header)              \
	X(read_data)                     \
	X(read_data_block)               \
	X(read_free)                     \
	X(write_new)                     \
	X(write_set_format_ustar)        \
	X(write_set_bytes_in_last_block) \
	X(write_open_fd)                 \
	X(write_open_memory)             \
	X(write_header)                  \
	X(write_data)                    \
	X(write_close)                   \
	X(write_free)                    \
	X(entry_new)                     \
	X(entry_free)                    \
	X(entry_pathname)                \
	X(entry_hardlink)                \
	X(entry_symlink)                 \
	X(entry_filetype)                \
	X(entry_perm)                    \
	X(entry_size)                    \
	X(entry_uid)                     \
	X(entry_gid)                     \
	X(entry_mtime)                   \
	X(entry_mtime_nsec)              \
	X(entry_xattr_reset)             \
	X(entry_xattr_next)              \
	X(entry_set_pathname)            \
	X(entry_set_mode)                \
	X(entry_set_size)                \
	X(entry_set_symlink)

#define LIBARCHIVE_POINTER(name) typeof(archive_##name) *name;

struct libarchive {
	LIBARCHIVE_FUNCTIONS(LIBARCHIVE_POINTER)
};

/* All NULL until libarchive_load has been called with success, once. */
extern struct libarchive libarchive;

/* NULL: it is there. Else why it is not and what to do, one sentence without a full stop, valid
 * until the next call. */
const char *libarchive_load(void);

#endif
