/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files. Paths below a root that somebody else fills (a root file system, a
 * context, an unpacked archive) are resolved once, by the kernel, from a
 * directory descriptor (openat2; a component-wise fallback where it is refused
 * with ENOSYS or EPERM). Every descriptor is O_CLOEXEC.
 */
#ifndef BLD_STORE_BASE_FS_H
#define BLD_STORE_BASE_FS_H

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "store/base/buf.h"
#include "store/base/err.h"

enum fs_resolve {
	FS_IN_ROOT, /* "/" and ".." stay inside root_fd; symlinks resolve inside it */
	FS_BENEATH, /* leaving root_fd is an error (EXDEV) */
	FS_NOLINKS, /* like FS_BENEATH, and any symlink on the way is ELOOP */
};

/* openat2 semantics: returns fd, or -1 with errno set (no err: callers word it). */
int fs_open_beneath(int root_fd, const char *path, int flags, mode_t mode, enum fs_resolve how);

/* mkdir -p below dir_fd, plain path of our own making (no "..", relative). 0 / -1 errno. */
int fs_mkdirs(int dir_fd, const char *path, mode_t mode);

/*
 * openat() and its like, for a directory that may not be open: dir_fd -1 means that it could not be
 * opened, and errno still says why, which stays the reason ("Bad file descriptor" tells nobody
 * anything). The same holds for fs_open_beneath, fs_opendir, fs_mkdirs and lock_take (lock.h).
 */
int fs_openat(int dir_fd, const char *name, int flags, mode_t mode);
int fs_lstatat(int dir_fd, const char *name, struct stat *st);
int fs_linkat(int from_fd, const char *from, int to_fd, const char *to, int flags);
int fs_renameat(int from_fd, const char *from, int to_fd, const char *to);
int fs_unlinkat(int dir_fd, const char *name, int flags);

/* A directory to read, without following a link at its end: NULL errno; closedir(). */
DIR *fs_opendir(int dir_fd, const char *name);
/* The same of a descriptor, which is taken in every case; -1 stays the failure it stands for. */
DIR *fs_fdopendir(int take_fd);
/* The next entry but "." and "..": 1 with *out (valid until the next call), 0 at the end, -1 errno.
 * readdir() alone cannot tell its end from an error. */
int fs_readdir(DIR *dir, const struct dirent **out);

/* The mode of what an O_PATH descriptor stands for: not by its name, which may be another's by now.
 * Not for links. 0 / -1 errno. */
int fs_chmod(int path_fd, mode_t mode);

/* Remove a tree (or a single file) below dir_fd without following links or entering mounts
 * (EXDEV). Missing is success. Any depth. 0 / -1 errno. */
int fs_remove_tree(int dir_fd, const char *name);

/* All bytes of a descriptor (from offset 0, regular file, or a pipe read to its end), at most max
 * (ERR_LIMIT). out: initialised or all zero; on success its content is replaced. */
int fs_read_fd(int fd, size_t max, const char *what, struct buf *out, struct err **err);
/* The same for a file of the caller's; follows symlinks; regular files and pipes only; "-" is
 * standard input. Failures are ERR_CONTEXT (or ERR_LIMIT); err_errno() tells a missing file. */
int fs_read_file(int dir_fd, const char *path, size_t max, struct buf *out, struct err **err);

int fs_write_all(int fd, const void *p, size_t n);         /* 0 / -1 errno */
int fs_pread_all(int fd, void *p, size_t n, uint64_t off); /* short = -1, EIO */
/* The bytes that there are, at most n; -1 errno. For those to whom a short file and a bad disk are
 * two things. */
ssize_t fs_pread_upto(int fd, void *p, size_t n, uint64_t off);
/* Copy n bytes from in_fd at off to out_fd's position. 0 / -1 errno (EIO when in_fd is short). */
int fs_copy_range(int in_fd, uint64_t off, uint64_t n, int out_fd);

/*
 * Replace dir_fd/name atomically: temp file in the same directory, write, (fsync), rename,
 * (fsync of the directory). sync=true for credentials.
 */
int fs_replace_file(int dir_fd, const char *name, const void *p, size_t n, mode_t mode, bool sync,
	struct err **err);

#define FS_TEMP_NAME 64 /* room for a prefix of up to 30 bytes */
/* A name that nobody else uses: "prefix.PID.RANDOM". */
void fs_temp_name(char *out, size_t size, const char *prefix);

/* A file without a name in this directory, to read and write: fd / -1 errno. */
int fs_spool(int dir_fd);

/* Escaped for people: valid until the buffer goes. Convenience for messages about outside names. */
char *fs_printable(const char *name); /* owned by the caller */

#endif
