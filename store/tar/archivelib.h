/* SPDX-License-Identifier: Apache-2.0 */
/* libarchive, loaded at the first archive of a user (store/base/dynlib.h). For userarchive.c. */
#ifndef BLD_STORE_TAR_ARCHIVELIB_H
#define BLD_STORE_TAR_ARCHIVELIB_H

#include <archive.h>
#include <archive_entry.h>

#include "store/base/dynlib.h"

#define ARCHIVELIB_CALLS(X)                                                                        \
	X(entry_filetype, archive_entry_filetype)                                                  \
	X(entry_gid, archive_entry_gid)                                                            \
	X(entry_hardlink, archive_entry_hardlink)                                                  \
	X(entry_mtime, archive_entry_mtime)                                                        \
	X(entry_mtime_nsec, archive_entry_mtime_nsec)                                              \
	X(entry_pathname, archive_entry_pathname)                                                  \
	X(entry_perm, archive_entry_perm)                                                          \
	X(entry_rdevmajor, archive_entry_rdevmajor)                                                \
	X(entry_rdevminor, archive_entry_rdevminor)                                                \
	X(entry_size, archive_entry_size)                                                          \
	X(entry_symlink, archive_entry_symlink)                                                    \
	X(entry_uid, archive_entry_uid)                                                            \
	X(entry_xattr_next, archive_entry_xattr_next)                                              \
	X(entry_xattr_reset, archive_entry_xattr_reset)                                            \
	X(error_string, archive_error_string)                                                      \
	X(filter_bytes, archive_filter_bytes)                                                      \
	X(read_data_block, archive_read_data_block)                                                \
	X(read_free, archive_read_free)                                                            \
	X(read_new, archive_read_new)                                                              \
	X(read_next_header, archive_read_next_header)                                              \
	X(read_open1, archive_read_open1)                                                          \
	X(read_set_callback_data, archive_read_set_callback_data)                                  \
	X(read_set_read_callback, archive_read_set_read_callback)                                  \
	X(read_set_skip_callback, archive_read_set_skip_callback)                                  \
	X(read_support_filter_bzip2, archive_read_support_filter_bzip2)                            \
	X(read_support_filter_gzip, archive_read_support_filter_gzip)                              \
	X(read_support_filter_xz, archive_read_support_filter_xz)                                  \
	X(read_support_filter_zstd, archive_read_support_filter_zstd)                              \
	X(read_support_format_tar, archive_read_support_format_tar)                                \
	X(set_error, archive_set_error)

struct archivelib {
	ARCHIVELIB_CALLS(DYNLIB_SLOT)
};

/* The functions; NULL: ERR_UNSUPPORTED. Any thread. */
const struct archivelib *archivelib_get(struct err **err);

#endif
