/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stat index: what the content of a file of a build context was when it was last read, so that
 * it need not be read again as long as its inode says that nothing happened to it. One file per
 * context, bld/index/HEX, HEX the sha256 of what identifies the context directory.
 *
 * A digest is believed when size, mtime and ctime (nanoseconds), inode, device and mode are what
 * they were. That is sound only if a later change must show in one of them, therefore
 *  - a file is not recorded when its times are not older than the clock was before it was read
 *    (statcache_settled): a second change within the same tick would leave the same times (git's
 *    "racy" files). Times without nanoseconds are taken to tick every two seconds (FAT, old ext3).
 *  - only local file systems whose times this kernel gives are indexed (statcache_usable): a
 *    network or FUSE file system has its own clock, which ours says nothing about. Stores through a
 *    shared mapping to a page that is dirty already move no time; as for git and make, that is not
 *    seen before write-back.
 *
 * The file is a cache: written unsynced to tmp and renamed (the last of two concurrent builds
 * wins), with a checksum. One that is torn, damaged, foreign or of another format is as good as
 * none. Layout, numbers in the byte order of the machine, everything aligned to 8:
 *
 *	per directory    its path, NUL; per file the fixed record, its name, NUL; names ascending
 *	table            of directories, ascending by path
 *	foot             magic, counts, offset of the table, time of writing, sha256 of the rest
 */
#ifndef BLD_STORE_STATCACHE_H
#define BLD_STORE_STATCACHE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "store/base/err.h"
#include "store/base/sha256.h"
#include "store/store.h"

#define STATCACHE_DIR "index" /* below bld/ */
#define STATCACHE_SIZE_MAX                                                                         \
	((uint64_t)2000000000) /* bytes of an index; a larger one is not kept                      \
				*/

struct statcache_entry {
	uint64_t size;
	int64_t mtime; /* nanoseconds */
	int64_t ctime;
	uint64_t ino;
	uint64_t dev;
	uint32_t mode;
	uint32_t xattrs; /* 1: the file has attributes that layers carry; they are not recorded */
	struct digest digest;
};

/* Everything but the digest and `xattrs`. */
void statcache_of(const struct stat *st, struct statcache_entry *out);
bool statcache_same(const struct statcache_entry *a, const struct statcache_entry *b);

/* The clock that file times are taken from, in nanoseconds: to be read before a file is. */
int64_t statcache_clock(void);
/* Are the times of e so old at `clock` that any later change will show? */
bool statcache_settled(const struct statcache_entry *e, int64_t clock);
/* May files of this directory's (or file's) file system be indexed? */
bool statcache_usable(int fd);

/* --- reading ------------------------------------------------------------------------------- */

struct statcache;
/* NULL when there is none that can be used. */
struct statcache *statcache_open(struct store *s, const struct digest *id);
void statcache_close(struct statcache *x); /* NULL is accepted */
size_t statcache_ndirs(const struct statcache *x);

/* The files of one directory, in order. */
struct statcache_dir {
	const char *path; /* valid as long as the index */
	const unsigned char *at;
	const unsigned char *end;
	int64_t written;
	/* the record at hand; name NULL: at the end */
	const char *name;
	struct statcache_entry e;
};
/* False: the index knows nothing of it. */
bool statcache_find_dir(const struct statcache *x, const char *path, struct statcache_dir *d);
void statcache_dir_at(const struct statcache *x, size_t i, struct statcache_dir *d);
void statcache_next(struct statcache_dir *d);
/* Move to `name`: asked for in ascending order. True when d->e is its record. */
bool statcache_seek(struct statcache_dir *d, const char *name);

/* --- writing ------------------------------------------------------------------------------- */

struct statcache_writer;
/* NULL with *err when the store cannot be written. */
struct statcache_writer *statcache_writer_new(
	struct store *s, const struct digest *id, struct err **err);
/* What follows is in this directory. Each one once; path must live until commit. */
void statcache_writer_dir(struct statcache_writer *w, const char *path);
/* Names ascending. */
void statcache_writer_add(
	struct statcache_writer *w, const char *name, const struct statcache_entry *e);
/* Replaces the index. */
int statcache_writer_commit(struct statcache_writer *w, struct err **err);
void statcache_writer_free(struct statcache_writer *w);

DEFINE_CLEANUP(struct statcache *, statcache_close);
DEFINE_CLEANUP(struct statcache_writer *, statcache_writer_free);
#define auto_statcache        CLEANUP(statcache_closep)
#define auto_statcache_writer CLEANUP(statcache_writer_freep)

#endif
