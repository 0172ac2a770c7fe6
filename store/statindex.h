/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stat index: what the content of a file of a build context was when it was last read, so that
 * it need not be read again as long as its inode says that nothing happened to it. One file per
 * context, bld/index/HEX, HEX the sha256 of what identifies the context directory.
 *
 * A digest is believed when size, mtime and ctime (nanoseconds), inode, device and mode are what
 * they were. That is sound only if a later change must show in one of them, therefore
 *  - a file is not recorded when its times are not older than the clock was before it was read
 *    (statindex_settled): a second change within the same tick would leave the same times (git's
 *    "racy" files). Times without nanoseconds are taken to tick every two seconds (FAT, old ext3).
 *  - only local file systems whose times this kernel gives are indexed (statindex_usable): a
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
#ifndef BLD_STORE_STATINDEX_H
#define BLD_STORE_STATINDEX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "store/base/err.h"
#include "store/base/sha256.h"
#include "store/store.h"

#define STATINDEX_DIR "index" /* below bld/ */
#define STATINDEX_SIZE_MAX                                                                         \
	((uint64_t)2000000000) /* bytes of an index; a larger one is not kept                      \
				*/

struct statindex_entry {
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
void statindex_of(const struct stat *st, struct statindex_entry *out);
bool statindex_same(const struct statindex_entry *a, const struct statindex_entry *b);

/* The clock that file times are taken from, in nanoseconds: to be read before a file is. */
int64_t statindex_clock(void);
/* Are the times of e so old at `clock` that any later change will show? */
bool statindex_settled(const struct statindex_entry *e, int64_t clock);
/* May files of this directory's (or file's) file system be indexed? */
bool statindex_usable(int fd);

/* --- reading ------------------------------------------------------------------------------- */

struct statindex;
/* NULL when there is none that can be used. */
struct statindex *statindex_open(struct store *s, const struct digest *id);
void statindex_close(struct statindex *x); /* NULL is accepted */
size_t statindex_ndirs(const struct statindex *x);

/* The files of one directory, in order. */
struct statindex_dir {
	const char *path; /* valid as long as the index */
	const unsigned char *at;
	const unsigned char *end;
	int64_t written;
	/* the record at hand; name NULL: at the end */
	const char *name;
	struct statindex_entry e;
};
/* False: the index knows nothing of it. */
bool statindex_find_dir(const struct statindex *x, const char *path, struct statindex_dir *d);
void statindex_dir_at(const struct statindex *x, size_t i, struct statindex_dir *d);
void statindex_next(struct statindex_dir *d);
/* Move to `name`: asked for in ascending order. True when d->e is its record. */
bool statindex_seek(struct statindex_dir *d, const char *name);

/* --- writing ------------------------------------------------------------------------------- */

struct statindex_writer;
/* NULL with *err when the store cannot be written. */
struct statindex_writer *statindex_writer_new(
	struct store *s, const struct digest *id, struct err **err);
/* What follows is in this directory. Each one once; path must live until commit. */
void statindex_writer_dir(struct statindex_writer *w, const char *path);
/* Names ascending. */
void statindex_writer_add(
	struct statindex_writer *w, const char *name, const struct statindex_entry *e);
/* Replaces the index. */
int statindex_writer_commit(struct statindex_writer *w, struct err **err);
void statindex_writer_free(struct statindex_writer *w);

DEFINE_CLEANUP(struct statindex *, statindex_close);
DEFINE_CLEANUP(struct statindex_writer *, statindex_writer_free);
#define auto_statindex        CLEANUP(statindex_closep)
#define auto_statindex_writer CLEANUP(statindex_writer_freep)

#endif
